"""Whoever switches a rule of ruff's or mypy's off says why on the same line, in words that a stranger accepts."""

import re

import pytest

from tools.audit.places import tracked_files
from tools.local_cloud.checkout import ROOT

_NOQA = re.compile(r"#\s*noqa(?P<codes>:\s*[A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*)?(?P<rest>.*)")
_TYPE_IGNORE = re.compile(r"#\s*type: ignore(?P<codes>\[[a-z-, ]+\])?(?P<rest>.*)")
_OTHER_CODES = re.compile(r"#\s*(noqa|type: ignore)\S*(\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*)?")
_REASON = re.compile(r"\w{4,}|\w+ +\w+")
_SETTINGS = ("pyproject.toml", "clients/python/pyproject.toml")


def is_unexplained(line: str) -> bool:
    """Whether a line switches a rule of ruff's or mypy's off, or every rule, without words that say why."""
    found = [one for one in (_NOQA.search(line), _TYPE_IGNORE.search(line)) if one is not None]
    if any(one["codes"] is None for one in found):
        return True
    return bool(found) and _REASON.search(_OTHER_CODES.sub("", line[min(one.start() for one in found) :])) is None


def test_each_ignored_line_has_a_reason() -> None:
    left = [
        f"{name}:{number}"
        for name in tracked_files()
        if name.endswith(".py") and name != "tests/unit/test_lint_reasons.py"
        for number, line in enumerate((ROOT / name).read_text("utf-8").splitlines(), 1)
        if is_unexplained(line)
    ]
    assert left == []


@pytest.mark.parametrize("settings", _SETTINGS)
def test_each_folder_that_is_ignored_has_a_reason(settings: str) -> None:
    section = (ROOT / settings).read_text("utf-8").split("per-file-ignores]")[1].split("\n[")[0]
    rows = [row for row in section.splitlines() if re.search(r'"S\d{3}"', row)]
    assert rows
    assert [row for row in rows if "] #" not in row or _REASON.search(row.rpartition("] #")[2]) is None] == []


def test_all_of_bandits_rules_are_on() -> None:
    settings = (ROOT / "pyproject.toml").read_text("utf-8")
    (selected,) = re.findall(r"^select = \[(.*)\]$", settings, re.MULTILINE)
    (ignored,) = re.findall(r"^ignore = \[(.*?)^\]$", settings, re.MULTILINE | re.DOTALL)
    assert '"S"' in selected
    assert re.search(r'"S\d*"', ignored) is None


@pytest.mark.parametrize(
    ("line", "unexplained"),
    [
        ('TOKEN = "x"', False),
        ('TOKEN = "x"  # noqa: S105 - a name', False),
        ('TOKEN = "x"  # noqa: S105  a service code', False),
        ('TOKEN = "x"  # noqa: S105', True),
        ('TOKEN = "x"  # noqa: S105 -', True),
        ("run(x)  # noqa: PLC0415, S603", True),
        ("import x  # noqa: PLC0415", True),
        ("import x  # noqa: PLC0415 - one function lists", False),
        ("x = y  # type: ignore[arg-type]", True),
        ("x = y  # type: ignore", True),
        ("x = y  # type: ignore[arg-type]  # facts are JSON", False),
        ("import x  # type: ignore[import-not-found]  # noqa: PLC0415", True),
        ("import x  # type: ignore[import-not-found]  # noqa: PLC0415 - exists in the emulator only", False),
        ("anything()  # noqa", True),
    ],
)
def test_a_reason_is_told_from_none(line: str, unexplained: bool) -> None:
    assert is_unexplained(line) is unexplained
