"""A scan is remembered for as long as nothing that it depends on has changed."""

from pathlib import Path

import pytest

from tools.audit import places


def test_what_is_remembered_comes_back_and_a_spoilt_memory_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MEMORY", tmp_path / "memory")
    assert places.recall("scan") == {}
    places.remember("scan", {"a": [1]})
    assert places.recall("scan") == {"a": [1]}
    (tmp_path / "memory" / "scan.json").write_text("{")
    assert places.recall("scan") == {}


def test_the_digest_knows_where_a_file_ends(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    seen = set()
    for texts in (("ab", "c"), ("a", "bc"), ("abc", "")):
        first.write_text(texts[0])
        second.write_text(texts[1])
        seen.add(places.digest_of(first, second))
    assert len(seen) == 3


def test_other_versions_of_the_tool_or_another_call_of_it_are_another_scan() -> None:
    digests = {
        places.tool_digest("checkov", "checkov_template.py"),
        places.tool_digest("audit", "checkov_template.py"),
        places.tool_digest("checkov", "find_secrets.py"),
    }
    assert len(digests) == 3


def test_the_files_are_those_that_git_would_take() -> None:
    files = places.tracked_files()
    assert {"template.yaml", "tools/audit/places.py", "Makefile"} <= set(files)
    assert [name for name in files if name.startswith((".venv/", ".tools/", ".local/"))] == []
