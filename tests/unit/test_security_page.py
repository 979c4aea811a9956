"""docs/security.md names tests that exist, for each threat to each element, and is found from where people look."""

import ast
import re
from functools import cache

import pytest

from tools.local_cloud.checkout import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)))
_THREATS = PAGE.split("\n## Threats, element by element\n")[1].split("\n## ")[0]
ELEMENTS = {part.partition("\n")[0]: part for part in _THREATS.split("\n### ")[1:]}
ATTACKS = PAGE.split("\n## Attacks, and what answers\n")[1].split("\n## ")[0]


@cache
def names_in(file: str) -> frozenset[str]:
    """The names of the tests of a file below tests/."""
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    return frozenset(one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))


def rows(text: str) -> list[list[str]]:
    """The cells of a table's rows, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_each_test_that_is_named_exists(file: str, name: str) -> None:
    assert name.startswith("test_")
    assert name in names_in(file)


@pytest.mark.parametrize("element", ELEMENTS)
def test_each_element_has_a_threat_of_each_kind_with_its_control_and_test(element: str) -> None:
    table = rows(ELEMENTS[element])
    assert [row[0] for row in table] == list("STRIDE")
    for _, threat, control, test in table:
        assert threat
        assert control
        assert "::test_" in test or test.startswith("none: ")


def test_each_attack_has_an_answer_and_a_test() -> None:
    table = rows(ATTACKS)
    assert len(table) > 20
    assert [row[0] for row in table if len(row) != 3 or not row[1] or "::test_" not in row[2]] == []


def test_what_is_open_is_told_with_what_helps_until_then() -> None:
    table = rows(PAGE.split("\n## Open\n")[1])
    assert "*open*" in _THREATS
    assert table
    assert all(len(row) == 2 and all(row) for row in table)


def test_who_reports_finds_the_page_and_the_page_the_threats() -> None:
    assert "(docs/security.md)" in (ROOT / "SECURITY.md").read_text("utf-8")
    readme, index = (ROOT / "README.md").read_text("utf-8"), (ROOT / "docs" / "README.md").read_text("utf-8")
    assert "(SECURITY.md)" in readme
    assert "(docs/security.md)" in readme
    assert "(security.md)" in index
    assert "(../SECURITY.md)" in index


def test_make_check_runs_the_rules_of_the_template_that_the_page_lists() -> None:
    (row,) = [row for row in rows(PAGE.split("\n## Static checks\n")[1]) if row[0] == "our own rules of the template"]
    named = {file for file, _ in NAMED if f"`{file}::" in row[2]}
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (run,) = re.findall(r"^RULES := \$\(patsubst %,tests/template/test_%\.py,(.+)\)$", makefile, re.MULTILINE)
    assert named == {f"template/test_{name}.py" for name in run.split()}
    check = makefile.split("\ncheck: ")[1].split("\n\n")[0]
    assert "pytest -q -p no:cacheprovider $(RULES)\n" in check
