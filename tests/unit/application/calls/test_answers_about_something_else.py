"""What DOKU says of another payment, another refund or another amount moves nothing of ours.

A connection that is out of step, a cache in between or a mix-up at DOKU gives the right answer to the wrong question.
"""

from collections.abc import Callable

import pytest

from direct_debit.application.ports.telemetry import Metric
from direct_debit.domain.payment import FailureReason, PaymentState
from direct_debit.domain.refund import RefundState
from tests.fakes.invariants import check_always, check_at_rest
from tests.fakes.journey import REF, Merchant
from tests.fakes.quiescence import come_to_rest
from tests.unit.application.support import linked, lose_notifications, requests
from tools.doku_simulator.dials import Dial
from tools.doku_simulator.operations import Json

OTHER = "INV-2026-0002"
IDR = {"currency": "IDR"}


def never_sent() -> Merchant:
    """A payment that DOKU never saw, and whose answer is missing."""
    merchant = linked()
    merchant.world.simulator.add_dial(Dial("payment", "drop", when="before"))
    merchant.pay()
    return merchant


def answers(merchant: Merchant, path: str, change: Callable[[Json], Json], count: int = 100_000) -> None:
    """Let the next `count` answers on `path` become something else."""
    left = count

    def bend(asked: str, answer: Json) -> Json:
        nonlocal left
        if asked != path or left == 0:
            return answer
        left -= 1
        return change(answer)

    merchant.world.bend = bend


PAID_ELSEWHERE: list[Json] = [
    {"originalPartnerReferenceNo": OTHER},
    {"originalPartnerReferenceNo": REF, "originalExternalId": "1"},
    {"originalPartnerReferenceNo": REF, "transAmount": {"value": "0.00", **IDR}},
    {"originalPartnerReferenceNo": REF, "transAmount": {"value": "Rp 5.000", **IDR}},
    {"originalPartnerReferenceNo": REF, "transAmount": {"value": "5000.00", **IDR}},
    {"originalPartnerReferenceNo": REF, "serviceCode": "58"},
    {"originalPartnerReferenceNo": REF, "responseCode": "2001100"},
]


@pytest.mark.parametrize("named", PAID_ELSEWHERE)
@pytest.mark.parametrize("status", ["00", "04"])
def test_a_payment_that_was_never_sent_is_not_paid_by_what_is_said_of_another(named: Json, status: str) -> None:
    merchant = never_sent()
    other: Json = {"responseCode": "2005500", "latestTransactionStatus": status, **named}
    answers(merchant, "status", lambda _: other, count=3)
    come_to_rest(merchant.world)
    payment = merchant.payment()
    assert merchant.world.debits(REF) == 0
    assert payment.failure is not None
    assert payment.failure.reason is FailureReason.NOT_FOUND
    assert payment.refund is None
    assert check_at_rest(merchant.world) == []
    assert merchant.world.telemetry.counts[Metric.ANSWER_CONTRADICTS] == 3


def test_a_payment_of_which_only_others_are_told_to_the_end_needs_a_person() -> None:
    merchant = never_sent()
    other: Json = {"responseCode": "2005500", "latestTransactionStatus": "00", "originalPartnerReferenceNo": OTHER}
    answers(merchant, "status", lambda _: other)
    come_to_rest(merchant.world, 2 * 86400)
    assert merchant.payment().state is PaymentState.NEEDS_REVIEW
    assert check_at_rest(merchant.world) == []


@pytest.mark.parametrize(
    "named",
    [
        {"responseCode": "4041101"},
        {"responseCode": "4040101"},
        {"latestTransactionStatus": "06", "originalPartnerReferenceNo": OTHER},
        {"latestTransactionStatus": "07", "originalPartnerReferenceNo": OTHER},
    ],
)
def test_a_debited_payment_does_not_fail_by_what_is_said_of_another(named: Json) -> None:
    merchant = linked()
    merchant.pay(amount="10504.00")
    lose_notifications(merchant.world)
    answers(merchant, "status", lambda answer: {**answer, **named}, count=6)  # for more than fifteen minutes
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.PAID
    assert not merchant.payment().late_success
    assert check_at_rest(merchant.world) == []


@pytest.mark.parametrize(
    "named",
    [
        {"responseCode": "2005500"},
        {"responseCode": "2007300"},
        {"responseCode": "2000400"},
        {"responseCode": "2005800", "partnerRefundNo": "RF-OF-ANOTHER"},
        {"responseCode": "2005800", "originalPartnerReferenceNo": OTHER},
        {"responseCode": "2005800", "originalExternalId": "1"},
        {"responseCode": "2005800", "refundAmount": {"value": "1.00", **IDR}},
        {"responseCode": "2005800", "refundAmount": {"value": "Rp 10.000", **IDR}},
    ],
)
def test_a_refund_that_was_not_made_is_not_done_by_what_is_said_of_another(named: Json) -> None:
    merchant = linked()
    merchant.pay_to_the_end()
    merchant.world.simulator.add_dial(Dial("refund", "code", when="before", code="50000"))  # nothing happens
    answers(merchant, "refund", lambda _: named, count=1)
    merchant.refund()
    merchant.world.work()
    assert merchant.world.refunds(REF) == 0
    payment = merchant.payment()
    assert payment.refund is not None
    assert (payment.state, payment.refund.state) == (PaymentState.PAID, RefundState.UNKNOWN)
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.REFUNDED
    assert merchant.world.refunds(REF) == 1
    assert requests(merchant.world, "refund") == 2
    assert check_at_rest(merchant.world) == []


@pytest.mark.parametrize("value", ["1.00", "0.00", "Rp 10.000"])
def test_a_refund_of_another_amount_in_the_history_is_not_ours(value: str) -> None:
    merchant = linked()
    merchant.pay_to_the_end()
    merchant.world.simulator.add_dial(Dial("refund", "drop", when="before"))
    refund = merchant.refund().payment.refund
    assert refund is not None
    row = {"partnerRefundNo": refund.number, "refundStatus": "00", "refundAmount": {"value": value, **IDR}}
    answers(merchant, "status", lambda answer: {**answer, "refundHistory": [row]})
    come_to_rest(merchant.world, 2 * 86400)
    payment = merchant.payment()
    assert payment.refund is not None
    assert merchant.world.refunds(REF) == 0
    assert (payment.state, payment.refund.state) == (PaymentState.PAID, RefundState.NEEDS_REVIEW)
    assert check_always(merchant.world) == []
