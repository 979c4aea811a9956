"""What an answer or a status says about an attempt says nothing about the attempt after it."""

from dataclasses import replace

import pytest

from direct_debit.application.payments.advance_payment import advance_payment
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.payment import Payment, PaymentEvent, PaymentState
from tests.fakes.journey import REF
from tests.unit.application.support import linked


def _advance_from_an_older_attempt(
    event: PaymentEvent, state: PaymentState, source: EvidenceSource = EvidenceSource.STATUS
) -> tuple[Payment, Payment]:
    """Apply a fact about the first attempt while a second one is under way; return the record before and after."""
    merchant = linked()
    merchant.pay()
    ports = merchant.world.process()
    now = merchant.world.clock.now()
    read = ports.payments.get(REF)
    assert read is not None
    first = ports.payments.save(read, replace(read.noted(now), state=state, attempt="the first"))
    second = ports.payments.save(first, replace(first.noted(now), attempt="the second"))
    advance_payment(ports, first, event, Evidence(source, now), attempt="the first")
    return second, merchant.payment()


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (PaymentEvent.RELEASED, PaymentState.REQUESTED),
        (PaymentEvent.OTP_NOT_SENT, PaymentState.OTP_SUBMITTED),
        (PaymentEvent.OTP_WRONG, PaymentState.OTP_SUBMITTED),
        (PaymentEvent.OUTCOME_LOST, PaymentState.OTP_SUBMITTED),
        (PaymentEvent.OTP_REQUIRED, PaymentState.OTP_SUBMITTED),
        (PaymentEvent.PENDING, PaymentState.OTP_SUBMITTED),
        (PaymentEvent.NOT_FOUND, PaymentState.REQUESTED),
        (PaymentEvent.OTP_ABANDONED, PaymentState.OTP_PENDING),
        (PaymentEvent.EXHAUSTED, PaymentState.OTP_SUBMITTED),
    ],
)
def test_a_newer_attempt_is_not_judged_by_an_older_ones_answer(event: PaymentEvent, state: PaymentState) -> None:
    before, after = _advance_from_an_older_attempt(event, state)
    assert after == before


@pytest.mark.parametrize(
    "event", [PaymentEvent.DECLINED, PaymentEvent.CANCELLED, PaymentEvent.EXPIRED, PaymentEvent.OTP_BLOCKED]
)
def test_a_refused_request_says_nothing_about_the_newer_one(event: PaymentEvent) -> None:
    before, after = _advance_from_an_older_attempt(event, PaymentState.OTP_SUBMITTED, EvidenceSource.ANSWER)
    assert after == before


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (PaymentEvent.SUCCEEDED, PaymentState.PAID),
        (PaymentEvent.REFUNDED, PaymentState.REFUNDED),
        (PaymentEvent.DECLINED, PaymentState.FAILED),
        (PaymentEvent.ACCEPTED, PaymentState.PROCESSING),
    ],
)
def test_a_fact_about_the_money_counts_whatever_attempt_it_came_from(event: PaymentEvent, state: PaymentState) -> None:
    _, after = _advance_from_an_older_attempt(event, PaymentState.OTP_SUBMITTED)
    assert after.state is state
