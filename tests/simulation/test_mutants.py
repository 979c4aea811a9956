"""A sample of the deliberate bugs, with every change; `make mutants` tries them all."""

import re
from pathlib import Path

import pytest

from direct_debit.application.payments import make_payment
from tests.simulation import mutants
from tests.simulation.coverage import Coverage
from tests.simulation.history import run_history
from tests.simulation.mutants import MUTANTS, Mutant, planted, try_mutant

SAMPLE = (
    "save-unconditional",
    "create-over",
    "unknown-is-failed",
    "external-id-reused",
    "no-resolver",
    "accepted-is-paid",
    "refund-unpaid",
    "filed-too-late",
)


def test_there_are_enough_and_each_fits_the_source() -> None:
    assert len(MUTANTS) >= 105
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    for mutant in MUTANTS:
        with planted(mutant):
            pass


def test_a_planted_bug_leaves_no_trace() -> None:
    before = run_history(5, Coverage()).digest
    for mutant in MUTANTS:
        with planted(mutant):
            pass
    assert run_history(5, Coverage()).digest == before


def test_each_that_the_documents_name_is_there() -> None:
    docs = Path(__file__).parents[2] / "docs"
    named = {
        name
        for page in docs.rglob("*.md")
        for sentence in re.findall(r"mutants? ((?:`[a-z-]+`(?:, | and )?)+)", page.read_text())
        for name in re.findall(r"`([a-z-]+)`", sentence)
    }
    assert named
    assert named <= {mutant.name for mutant in MUTANTS}


def test_what_does_not_run_any_more_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit that does not fit its surroundings ends in a crash, which says nothing of the bug."""
    broken = Mutant(
        "broken",
        "lacks its arguments",
        lambda: mutants._edit(make_payment.make_payment, "obstacle = _create(", "_send()\n    obstacle = _create("),
    )
    monkeypatch.setattr(mutants, "MUTANTS", [broken])
    verdict = try_mutant("broken", seeds=30)
    assert verdict.seed is None
    assert "broken code" in verdict.violation


@pytest.mark.parametrize("name", SAMPLE)
def test_a_bug_is_found(name: str) -> None:
    verdict = try_mutant(name, seeds=100)
    assert verdict.seed is not None, verdict.bug
