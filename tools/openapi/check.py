"""docs/openapi.json is clean and breaks nobody: `python -m tools.openapi.check`, a part of `make check`."""

import sys

from tools.openapi.breaking import find_breaks
from tools.openapi.lint import lint


def main() -> int:
    """Say what is wrong; returns the exit status."""
    faults = lint()
    breaks = find_breaks()
    if faults:
        print(faults)
    if breaks:
        print("docs/openapi.json breaks callers of docs/openapi-published.json (docs/openapi.md says what to do):")
        print(*breaks, sep="\n")
    return 1 if faults or breaks else 0


if __name__ == "__main__":
    sys.exit(main())
