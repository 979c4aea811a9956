"""A small part of the search, with every change; `make simulate SEEDS=10000` is the whole of it."""

import pytest

from tests.simulation.coverage import IMPOSSIBLE, RARE, Coverage, find_gaps, required_pairs
from tests.simulation.month import live_a_month
from tests.simulation.search import run_chunk

SEEDS = 160
_PARTS = 4


@pytest.mark.parametrize("part", range(_PARTS))
def test_nothing_is_found(part: int) -> None:
    size = SEEDS // _PARTS
    report = run_chunk(range(part * size, (part + 1) * size))
    assert [(finding.seed, finding.violations) for finding in report.findings] == []
    assert report.coverage.totals["faults"] > 100
    assert report.coverage.totals["orders"] > 40


def test_nothing_is_wrong_under_plain_load() -> None:
    universe, _ = live_a_month(customers=30, days=4)
    assert universe.violations == []
    assert universe.coverage.totals["orders"] >= 20
    assert universe.coverage.totals["faults"] == 0


def test_a_silent_gap_fails_the_run() -> None:
    gaps = find_gaps(Coverage())
    assert "fault never injected: doku.payment lose" in gaps
    assert "move never made: payment UNKNOWN succeeded" in gaps
    assert "never happened: dead letters redriven" in gaps


def test_what_is_listed_as_impossible_or_rare_is_a_move_and_has_a_reason() -> None:
    assert set(IMPOSSIBLE) <= required_pairs()
    assert set(RARE) <= required_pairs()
    assert not set(RARE) & set(IMPOSSIBLE)
    assert all(IMPOSSIBLE.values())
    assert all(RARE.values())
