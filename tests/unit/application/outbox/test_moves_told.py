"""What each move tells those who operate this: a log line always, metrics and messages only where they belong."""

import pytest

from direct_debit.application.payments.advance_payment import advance_payment
from direct_debit.application.ports.telemetry import Metric
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.payment import (
    FailureReason,
    Payment,
    PaymentEvent,
    PaymentFailure,
    PaymentState,
    ReviewReason,
)
from tests.fakes.journey import REF, Merchant
from tests.fakes.records import with_fields
from tests.unit.application.support import linked

NOT_FOUND = PaymentFailure(FailureReason.NOT_FOUND, "07")
DECLINED = PaymentFailure(FailureReason.DECLINED, "06")


def payment_in(state: PaymentState, **changes: object) -> tuple[Merchant, Payment]:
    """Return a stored payment of a state; what was told of it before is forgotten."""
    merchant = linked()
    merchant.pay()
    world = merchant.world
    payment = merchant.payment()
    changed = with_fields(payment.noted(world.clock.now()), state=state, **changes)
    stored = world.process().payments.save(payment, changed)
    world.telemetry.counts.clear()
    world.telemetry.notes.clear()
    world.queues.waiting.clear()
    return merchant, stored


def move(merchant: Merchant, payment: Payment, event: PaymentEvent) -> Payment:
    evidence = Evidence(EvidenceSource.STATUS, merchant.world.clock.now(), "00")
    return advance_payment(merchant.world.process(), payment, event, evidence)


UNKNOWN, RESOLVED = Metric.PAYMENT_OUTCOME_UNKNOWN, Metric.PAYMENT_RESOLVED
REVIEW, LATE = Metric.PAYMENT_NEEDS_REVIEW, Metric.LATE_SUCCESS


@pytest.mark.parametrize(
    ("state", "more", "event", "counted", "queued"),
    [
        (PaymentState.REQUESTED, {}, PaymentEvent.OTP_REQUIRED, [], []),
        (PaymentState.PROCESSING, {}, PaymentEvent.SUCCEEDED, [], []),
        (PaymentState.PROCESSING, {}, PaymentEvent.DECLINED, [], []),
        (PaymentState.REQUESTED, {}, PaymentEvent.OUTCOME_LOST, [UNKNOWN], ["inquiry"]),
        (PaymentState.OTP_SUBMITTED, {}, PaymentEvent.OUTCOME_LOST, [UNKNOWN], ["inquiry"]),
        (PaymentState.UNKNOWN, {}, PaymentEvent.PENDING, [], []),
        (PaymentState.UNKNOWN, {}, PaymentEvent.OTP_REQUIRED, [], []),
        (PaymentState.UNKNOWN, {}, PaymentEvent.SUCCEEDED, [RESOLVED], []),
        (PaymentState.UNKNOWN, {}, PaymentEvent.NOT_FOUND, [RESOLVED], []),
        (PaymentState.UNKNOWN, {}, PaymentEvent.EXHAUSTED, [RESOLVED, REVIEW], []),
        (PaymentState.FAILED, {"failure": DECLINED}, PaymentEvent.SUCCEEDED, [REVIEW], []),
        (PaymentState.FAILED, {"failure": NOT_FOUND}, PaymentEvent.SUCCEEDED, [LATE], ["refund"]),
        (PaymentState.FAILED, {"failure": NOT_FOUND}, PaymentEvent.REFUNDED, [], []),
        (PaymentState.NEEDS_REVIEW, {"review": ReviewReason.EXHAUSTED}, PaymentEvent.SUCCEEDED, [], []),
        (PaymentState.PAID, {"late_success": True}, PaymentEvent.REFUNDED, [], []),
    ],
)
def test_a_move_is_counted_as_what_it_is_and_its_work_is_queued(
    state: PaymentState, more: dict[str, object], event: PaymentEvent, counted: list[Metric], queued: list[str]
) -> None:
    merchant, before = payment_in(state, **more)
    after = move(merchant, before, event)
    assert after.version == before.version + 1
    assert merchant.world.telemetry.counts == dict.fromkeys(counted, 1)
    assert [(one.queue, one.subject) for _, _, one, _ in merchant.world.queues.waiting] == [
        (one, REF) for one in queued
    ]


def test_a_move_is_in_the_log_with_its_state_code_and_reason() -> None:
    merchant, before = payment_in(PaymentState.UNKNOWN)
    move(merchant, before, PaymentEvent.DECLINED)
    fields = {"ref": REF, "state": "FAILED", "code": "00", "reason": "declined"}
    assert merchant.world.telemetry.notes == [("payment moved", fields)]


def test_what_does_not_move_is_neither_written_counted_nor_in_the_log() -> None:
    merchant, before = payment_in(PaymentState.PAID)
    assert move(merchant, before, PaymentEvent.OUTCOME_LOST) == before
    assert merchant.payment() == before
    assert (merchant.world.telemetry.counts, merchant.world.telemetry.notes) == ({}, [])
