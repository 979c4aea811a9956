"""No file has both sides of a merge that nobody finished: such lines stood in a page, and every check passed."""

import re

import pytest

from tools.audit.places import tracked_files
from tools.local_cloud.checkout import ROOT

_MARK = re.compile(rb"^(<{7}|>{7}|\|{7}) ", re.MULTILINE)


def test_no_merge_is_half_done() -> None:
    assert [name for name in tracked_files() if _MARK.search((ROOT / name).read_bytes())] == []


@pytest.mark.parametrize("mark", ["<" * 7 + " HEAD", ">" * 7 + " 13e9d52 (a change)", "|" * 7 + " base"])
def test_a_mark_is_seen(mark: str) -> None:
    assert _MARK.search(f"before\n{mark}\nafter".encode())
