"""When news is told again."""

from datetime import UTC, datetime, timedelta

import pytest

from direct_debit.domain.move import PATIENCE, Move, tell_again_at

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def move(age: timedelta) -> Move:
    return Move(version=2, at=NOW - age, state="PAID", source="status")


@pytest.mark.parametrize(
    ("late", "again"),
    [
        (-PATIENCE, 2 * MINUTE),
        (0 * MINUTE, 2 * MINUTE),
        (2 * MINUTE, 2 * MINUTE),
        (3 * MINUTE, 3 * MINUTE),
        (60 * MINUTE, 60 * MINUTE),
        (61 * MINUTE, 60 * MINUTE),
    ],
)
def test_the_later_news_is_the_less_often_it_is_tried(late: timedelta, again: timedelta) -> None:
    assert tell_again_at([move(PATIENCE + late)], NOW) == NOW + again


def test_the_oldest_move_counts() -> None:
    moves = [move(PATIENCE + 9 * MINUTE), move(PATIENCE + 5 * MINUTE), move(PATIENCE + 20 * MINUTE)]
    assert tell_again_at(moves, NOW) == NOW + 9 * MINUTE


def test_no_news_at_all_is_looked_at_again_in_two_minutes() -> None:
    assert tell_again_at([], NOW) == NOW + 2 * MINUTE
