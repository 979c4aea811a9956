"""The page that proves the invariants names tests and conditions that exist, and forgets no condition."""

import re
from pathlib import Path

import pytest

from direct_debit.adapters.dynamodb import conditions

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text()
NAMED_TESTS = sorted(set(re.findall(r"`((?:unit|integration|e2e)/[^`]+)`", PAGE)))
CONDITIONS = sorted(
    name
    for name, value in vars(conditions).items()
    if isinstance(value, conditions.Condition)
    or (callable(value) and getattr(value, "__module__", "") == conditions.__name__ and name[0].islower())
)


@pytest.mark.parametrize("named", NAMED_TESTS)
def test_a_named_test_exists(named: str) -> None:
    file, _, name = named.partition("::")
    source = (ROOT / "tests" / file).read_text()
    assert not name or f"def {name}(" in source


@pytest.mark.parametrize("name", CONDITIONS)
def test_every_condition_has_its_invariant(name: str) -> None:
    assert f"`{name}`" in PAGE
