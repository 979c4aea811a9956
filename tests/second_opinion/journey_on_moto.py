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
        failures = [step for step in Journey(stack, lambda _: None).walk() if step.failure is not None]
        assert failures == []
        told: list[str] = []

        def is_told() -> bool:
            told.extend(stack.read_events())
            return "binding.unbound" in told

        poll_until("the last event", is_told, PATIENCE_SECONDS)
    assert sorted(told) == sorted(EVENTS)
