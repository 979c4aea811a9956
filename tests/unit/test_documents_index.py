"""The index of the documents names each of them, and so does llms.txt."""

import re

import pytest

from tools import llms
from tools.local_cloud.checkout import ROOT

DOCS = ROOT / "docs"
INDEX = (DOCS / "README.md").read_text()
LLMS = (ROOT / "llms.txt").read_text()
PAGES = sorted(path.name for path in DOCS.iterdir() if path.name != "README.md")


@pytest.mark.parametrize("name", PAGES)
def test_each_document_is_in_the_index(name: str) -> None:
    assert f"]({name})" in INDEX or f"]({name}/)" in INDEX


@pytest.mark.parametrize("name", PAGES)
def test_each_document_is_in_llms_txt(name: str) -> None:
    assert re.search(rf"^- \[[^]]+\]\(docs/{re.escape(name)}/?\): \S", LLMS, re.MULTILINE)


def test_llms_txt_is_as_the_index_has_it() -> None:
    assert llms.write(INDEX) == LLMS, "run `make llms`"
