import pytest

from direct_debit.adapters.sqs import MAX_DELAY_SECONDS, bound_delay
from direct_debit.application.payments.advance_payment import QUEUE_REACH


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [(-5.0, 0), (0.0, 0), (0.001, 1), (60.0, 60), (60.2, 61), (899.5, 900), (900.0, 900), (900.1, 900), (1e9, 900)],
)
def test_delays_are_whole_rounded_up_and_bounded(wanted: float, sent: int) -> None:
    assert bound_delay(wanted) == sent


def test_an_endless_delay_is_bounded() -> None:
    assert bound_delay(float("inf")) == MAX_DELAY_SECONDS


def test_what_is_sent_to_a_queue_is_near_enough_for_it() -> None:
    assert QUEUE_REACH.total_seconds() == MAX_DELAY_SECONDS
