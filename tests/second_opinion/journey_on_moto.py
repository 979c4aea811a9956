"""One customer's whole life on moto: link, pay, OTP, notification, refund, unlink; judged by the bank's ledger."""

from pathlib import Path

from tests.patience import PATIENCE_SECONDS
from tests.second_opinion.moto_stack import moto_stack
from tools.invoke import without_docker
from tools.local_cloud.executions import poll_until
from tools.local_cloud.journey import Journey

EVENTS = [
    "binding.activated",
    "payment.otp_pending",
    "payment.paid",
    "refund.requested",
    "payment.refunded",
    "refund.completed",
    "binding.unbound",
]


def test_the_journey_on_another_aws(tmp_path: Path) -> None:
    without_docker.prepare()
    with moto_stack(tmp_path) as stack:
        steps = Journey(stack, lambda step: print(step)).walk()
        assert [step.failure for step in steps if step.failure is not None] == []
        told: list[str] = []
        poll_until(
            "the last event", lambda: told.extend(stack.read_events()) or "binding.unbound" in told, PATIENCE_SECONDS
        )
    assert sorted(told) == sorted(EVENTS)
