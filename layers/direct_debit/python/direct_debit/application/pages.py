"""Read a list until a page is full of what is wanted, or enough was looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from direct_debit.application.ports.pages import Page, PageMark, Selection

_AT_ONCE = 100
_LOOKED_AT_MOST = 500  # in one request: what is rare in a long list comes in several pages, some of them empty


@dataclass(frozen=True, slots=True)
class Latest:
    """All that there are, newest first: no index has them."""


def choose_reading[Record](
    list_page: Callable[[Selection, int, PageMark | None], Page[Record]], selection: Selection | Latest, now: datetime
) -> Callable[[int, PageMark | None], Page[Record]]:
    """Return how at most so many records of a selection are read behind a mark."""
    if isinstance(selection, Latest):
        from direct_debit.application.days import walk_back  # noqa: PLC0415 - few lists are of all days

        return partial(walk_back, list_page, now)
    return partial(list_page, selection)


def fill_page[Record](
    read: Callable[[int, PageMark | None], Page[Record]],
    is_wanted: Callable[[Record], bool],
    limit: int,
    after: PageMark | None,
    *,
    most_are_wanted: bool,
) -> Page[Record]:
    """Return at most `limit` wanted records behind `after`.

    A page with fewer is not the last one while it has a `following`. Where most are wanted, few are read in vain.
    """
    at_once = limit if most_are_wanted else _AT_ONCE
    records: list[Record] = []
    marks: list[PageMark] = []
    unreadable: list[str] = []
    looked_at = 0
    while True:
        part = read(at_once, after)
        unreadable += part.unreadable
        looked_at += at_once
        for number, (record, mark) in enumerate(zip(part.records, part.marks, strict=True)):
            if not is_wanted(record):
                continue
            records.append(record)
            marks.append(mark)
            if len(records) == limit:
                is_last = part.following is None and number == len(part.records) - 1
                return Page(records, marks, unreadable, None if is_last else mark)
        after = part.following
        if after is None or looked_at >= _LOOKED_AT_MOST:
            return Page(records, marks, unreadable, after)
