"""Writes llms.txt, the map of the documents for language models (https://llmstxt.org), from docs/README.md.

make llms                  # write llms.txt
make llms ARGS=--check     # exit 1 when it would change
"""

import argparse
import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
FILE = REPOSITORY / "llms.txt"
INDEX = REPOSITORY / "docs" / "README.md"

_ROW = re.compile(
    r"^\|(?P<reader>[^|]*)\|\s*\[(?P<title>[^\]]+)\]\((?P<link>[^)]+)\)\s*\|(?P<answers>[^|]*)\|$", re.MULTILINE
)
_HEAD = """# CIMB direct debit through DOKU, serverless

> An AWS SAM application in Python: a small HTTP API by which a merchant charges customers' CIMB Niaga accounts through
> DOKU (SNAP): link, balance, pay, OTP, refund, unlink. It runs whole on one machine, with a simulated DOKU and bank:
> `make run`, then `. .local/env`.

Rules that matter most to who writes code against it:

- `partnerReferenceNo` (or the header `Idempotency-Key`) is a payment's key: the same request again never pays twice.
- Amounts are text with two decimals, e.g. `{"value": "10000.00", "currency": "IDR"}`.
- 202 and `UNKNOWN` are resolved without the caller; never pay again under another reference meanwhile.
- Problems are RFC 9457; branch on `type`, and on `failure.cause` of a payment that is `FAILED`.
- Requests are signed with AWS Signature V4, service `execute-api`.
"""
_FIRST = "- [README](README.md): what it is, and two commands\n- [CONTRIBUTING](CONTRIBUTING.md): what a change needs"


def write(index: str) -> str:
    """Return the text of llms.txt, a section for each kind of reader of the index."""
    lines = [_HEAD, "## Start", "", _FIRST]
    for row in _ROW.finditer(index):
        reader = row["reader"].strip()
        if reader in {"for", "---"}:
            continue
        if reader:
            lines += ["", f"## For {reader}", ""]
        lines.append(f"- [{row['title']}](docs/{row['link']}): {row['answers'].strip()}")
    return "\n".join([*lines, ""])


def main() -> int:
    """Write or check the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file would change")
    options = parser.parse_args()
    text = write(INDEX.read_text("utf-8"))
    stale = not FILE.is_file() or FILE.read_text("utf-8") != text
    if stale and not options.check:
        FILE.write_text(text, "utf-8")
    print(f"llms.txt {'would change' if options.check and stale else 'written' if stale else 'is as the index has it'}")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
