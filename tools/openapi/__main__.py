"""Writes docs/openapi.json, docs/errors.md and functions/explain_problem/pages.

make openapi                # record the handlers' answers, then write
make openapi ARGS=--check   # exit 1 when a file would change
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from openapi_spec_validator import validate

from tools.openapi.document import make_document
from tools.openapi.errors_page import write_errors
from tools.openapi.problem_pages import write_pages

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "openapi.json"
ERRORS = ROOT / "docs" / "errors.md"
PAGES = ROOT / "functions" / "explain_problem" / "pages"


def make_files() -> Mapping[Path, str]:
    """Return all files with what belongs into them."""
    document = make_document()
    validate(document)
    pages = {PAGES / f"{name}.html": page for name, page in write_pages().items()}
    return {DOCUMENT: json.dumps(document, indent=2, ensure_ascii=False) + "\n", ERRORS: write_errors(), **pages}


def main() -> int:
    """Write or check the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file would change")
    check: bool = parser.parse_args().check
    files = make_files()
    stale = [file for file, text in files.items() if not file.is_file() or file.read_text("utf-8") != text]
    stale += [file for file in PAGES.glob("*.html") if file not in files]
    if not check:
        PAGES.mkdir(exist_ok=True)
        for file in stale:
            if file in files:
                file.write_text(files[file], "utf-8")
            else:
                file.unlink()
    names = [str(file.relative_to(ROOT)) for file in stale]
    print(*names, "would change" if check else "written") if names else print("nothing to do")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
