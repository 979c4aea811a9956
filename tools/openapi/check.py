"""docs/openapi.json is clean and breaks nobody: `python -m tools.openapi.check`, a part of `make check`."""

import sys
from pathlib import Path

from tools.openapi.__main__ import DOCUMENT
from tools.openapi.breaking import PUBLISHED, find_breaks
from tools.openapi.lint import lint


def check(document: Path = DOCUMENT, published: Path = PUBLISHED) -> int:
    """Say what is wrong with a document; returns the exit status."""
    faults = lint(document)
    breaks = find_breaks(published, document)
    if faults:
        print(faults)
    if breaks:
        print(f"{document.name} breaks callers of {published.name} (docs/openapi.md says what to do):")
        print(*breaks, sep="\n")
    return 1 if faults or breaks else 0


if __name__ == "__main__":
    sys.exit(check())
