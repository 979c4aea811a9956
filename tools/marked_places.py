"""Places in a hand-written page that a command fills: between `<!-- NAME: generated -->` and `<!-- NAME: end -->`."""

import re
from collections.abc import Mapping


def fill(page: str, pictures: Mapping[str, str]) -> str:
    """Return the page with each named place filled anew. Raises ValueError when a name has no place, or several."""
    for name, picture in pictures.items():
        begin, end = f"<!-- {name}: generated -->", f"<!-- {name}: end -->"
        place = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
        parts = place.split(page)
        if len(parts) != 2:  # noqa: PLR2004 - before and after
            raise ValueError(f"the page must have one place for {name}: {begin} … {end}")
        page = f"{begin}\n{picture}\n{end}".join(parts)
    return page


def without(page: str) -> str:
    """Return what is written by hand: the page without its generated places."""
    return re.sub(r"<!-- (\S+): generated -->.*?<!-- \1: end -->", "", page, flags=re.DOTALL)
