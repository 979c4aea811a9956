"""Redocly's linter finds nothing in the document, and what it finds in a bad one is told."""

import json
from pathlib import Path

from tools.openapi.__main__ import DOCUMENT
from tools.openapi.lint import lint


def test_the_document_is_clean() -> None:
    assert lint() == ""


def test_a_fault_is_told(tmp_path: Path) -> None:
    document = json.loads(DOCUMENT.read_text("utf-8"))
    # What once stood there: a word that is none of JSON Schema's.
    document["components"]["schemas"]["AmountBody"]["properties"]["value"]["ge"] = 1
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(document), "utf-8")
    assert "`ge` is not expected here" in lint(bad)
