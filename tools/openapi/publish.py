"""Makes docs/openapi.json the published document: `make openapi-publish`, with the release that carries it.

What breaks callers is published with a higher first number of VERSION (tools/openapi/document.py) only.
"""

import json
import shutil
import sys
from pathlib import Path

from tools.openapi.__main__ import DOCUMENT
from tools.openapi.breaking import PUBLISHED, find_breaks


def publish(document: Path = DOCUMENT, published: Path = PUBLISHED) -> str | None:
    """Publish; returns why not, where it is refused."""
    if published.is_file() and read_major(document) <= read_major(published):
        breaks = find_breaks(published, document)
        if breaks:
            told = "\n".join(map(str, breaks))
            return f"{told}\nMend it, or raise the first number of VERSION in tools/openapi/document.py."
    shutil.copyfile(document, published)
    return None


def read_major(document: Path) -> int:
    """Return the first number of a document's version."""
    version: str = json.loads(document.read_text("utf-8"))["info"]["version"]
    return int(version.split(".", maxsplit=1)[0])


def main() -> int:
    """Publish, or say why not; returns the exit status."""
    refusal = publish()
    print(refusal or f"{PUBLISHED.name} is {DOCUMENT.name} now")
    return 1 if refusal else 0


if __name__ == "__main__":
    sys.exit(main())
