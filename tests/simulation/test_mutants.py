"""A sample of the deliberate bugs, with every change; `make mutants` tries them all."""

import pytest

from tests.simulation.coverage import Coverage
from tests.simulation.history import run_history
from tests.simulation.mutants import MUTANTS, planted, try_mutant

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
    assert len(MUTANTS) >= 25
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


@pytest.mark.parametrize("name", SAMPLE)
def test_a_bug_is_found(name: str) -> None:
    verdict = try_mutant(name, seeds=100)
    assert verdict.seed is not None, verdict.bug
