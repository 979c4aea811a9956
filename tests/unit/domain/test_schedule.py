from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from direct_debit.domain.schedule import next_due, spread_of

ORIGIN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
STEPS = (61, 90, 180, 600, 900, 1800, 7200, 21600, 86400)


@pytest.mark.parametrize(
    ("after", "step"), [(0, 61), (60, 61), (61, 90), (89, 90), (95, 180), (1000, 1800), (50000, 86400)]
)
def test_takes_the_first_step_that_still_lies_ahead(after: int, step: int) -> None:
    due = next_due(ORIGIN, ORIGIN + timedelta(seconds=after), STEPS, 0.0)
    assert due == ORIGIN + timedelta(seconds=step)


def test_ends_after_the_last_step() -> None:
    assert next_due(ORIGIN, ORIGIN + timedelta(seconds=86400), STEPS, 0.5) is None


@given(st.integers(0, 86399), st.floats(0, 0.999))
def test_jitter_only_delays_and_stays_small(after: int, jitter: float) -> None:
    now = ORIGIN + timedelta(seconds=after)
    exact = next_due(ORIGIN, now, STEPS, 0.0)
    due = next_due(ORIGIN, now, STEPS, jitter)
    assert exact is not None
    assert due is not None
    assert exact <= due <= exact + timedelta(seconds=30)


def test_the_first_question_leaves_time_for_queue_and_worker() -> None:
    # Half of the lost answers have to be known within 65 s, the queue's delay and the worker's start included.
    due = next_due(ORIGIN, ORIGIN, STEPS, 0.999)
    assert due is not None
    assert timedelta(seconds=61) <= due - ORIGIN <= timedelta(seconds=64.5)


@pytest.mark.parametrize(
    ("after", "step", "spread"),
    [(0, 61, 3.05), (61, 90, 1.45), (180, 600, 21.0), (600, 900, 15.0), (7200, 21600, 30.0)],
)
def test_jitter_is_a_twentieth_of_the_gap_before_and_half_a_minute_at_most(
    after: int, step: int, spread: float
) -> None:
    for jitter in (0.5, 1.0):
        due = next_due(ORIGIN, ORIGIN + timedelta(seconds=after), STEPS, jitter)
        assert due == ORIGIN + timedelta(seconds=step + spread * jitter)


def test_a_record_keeps_its_jitter_and_records_are_spread_evenly() -> None:
    spreads = [spread_of(f"INV{number:06}") for number in range(1000)]
    assert spreads == [spread_of(f"INV{number:06}") for number in range(1000)]
    assert all(0 <= spread < 1 for spread in spreads)
    tenths = Counter(int(10 * spread) for spread in spreads)
    assert set(tenths) == set(range(10))
    assert 50 <= min(tenths.values()) <= max(tenths.values()) <= 150
