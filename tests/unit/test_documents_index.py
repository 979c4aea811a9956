"""The index of the documents names each of them."""

import pytest

from tools.local_cloud.checkout import ROOT

DOCS = ROOT / "docs"
INDEX = (DOCS / "README.md").read_text()


@pytest.mark.parametrize("name", sorted(path.name for path in DOCS.iterdir() if path.name != "README.md"))
def test_each_document_is_in_the_index(name: str) -> None:
    assert f"]({name})" in INDEX or f"]({name}/)" in INDEX
