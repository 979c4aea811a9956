"""What `refundHistory` says of our refund (contract 12.6): every combination of our row, another's row and the status.

A row 00 of ours decides; else status 04; else a row of another's in 00 or 03 is for a person; our 06 comes last.
"""

from itertools import product

import pytest

from direct_debit.domain.payment import PaymentState
from direct_debit.domain.refund import RefundState
from tests.fakes.journey import REF, Merchant
from tests.fakes.quiescence import come_to_rest
from tests.unit.application.support import linked, lose_notifications, requests
from tools.doku_simulator.dials import Dial
from tools.doku_simulator.operations import Json

OURS = ["00", "03", "06", None]
OTHERS = ["00", "03", "06", None]
STATUSES = ["00", "03", "04", "06", "07"]
SENT_AGAIN = "sent again"


def after_a_lost_answer() -> Merchant:
    """A refund whose request was lost: only the history can tell."""
    merchant = linked()
    merchant.pay_to_the_end()
    merchant.world.simulator.add_dial(Dial("refund", "drop", when="before"))
    merchant.refund()
    merchant.world.work()
    return merchant


def say(merchant: Merchant, ours: str | None, others: str | None, status: str) -> None:
    """Let every status answer show these rows."""
    refund = merchant.payment().refund
    assert refund is not None
    rows = [
        {"partnerRefundNo": number, "refundStatus": row, "refundAmount": {"value": "10000.00", "currency": "IDR"}}
        for number, row in ((refund.number, ours), ("BACKOFFICE-1", others))
        if row is not None
    ]

    def bend(path: str, answer: Json) -> Json:
        return {**answer, "latestTransactionStatus": status, "refundHistory": rows} if path == "status" else answer

    merchant.world.bend = bend


def wanted(ours: str | None, others: str | None, status: str) -> RefundState | str:
    if ours == "00" or status == "04":
        return RefundState.REFUNDED
    if ours == "03":
        return RefundState.UNKNOWN
    if others in ("00", "03"):
        return RefundState.NEEDS_REVIEW
    if ours == "06":
        return RefundState.FAILED
    return SENT_AGAIN if status == "00" else RefundState.UNKNOWN


@pytest.mark.parametrize(("ours", "others", "status"), list(product(OURS, OTHERS, STATUSES)))
def test_the_history_is_read_as_the_contract_says(ours: str | None, others: str | None, status: str) -> None:
    merchant = after_a_lost_answer()
    say(merchant, ours, others, status)
    come_to_rest(merchant.world, 75)  # one question
    assert requests(merchant.world, "status") == 1
    payment = merchant.payment()
    assert payment.refund is not None
    again = requests(merchant.world, "refund") == 2
    assert (SENT_AGAIN if again else payment.refund.state) == wanted(ours, others, status)
    if not again:
        refunded = payment.refund.state is RefundState.REFUNDED
        assert payment.state is (PaymentState.REFUNDED if refunded else PaymentState.PAID)


@pytest.mark.parametrize(("ours", "others", "status"), list(product(OURS, OTHERS, STATUSES)))
def test_the_same_before_a_refund_that_doku_postponed_is_sent_again(
    ours: str | None, others: str | None, status: str
) -> None:
    """What waits to be sent again is not sent on anything but a history that shows it as paid and no refund."""
    merchant = linked()
    merchant.pay_to_the_end()
    merchant.world.simulator.add_dial(Dial("refund", "code", "before", code="42900"))
    merchant.refund()
    merchant.world.work()
    say(merchant, ours, others, status)
    come_to_rest(merchant.world, 75)
    refund = merchant.payment().refund
    assert refund is not None
    expected = wanted(ours, others, status)
    again = requests(merchant.world, "refund") == 2
    assert again is (expected == SENT_AGAIN)
    if not again:
        assert refund.state is (RefundState.RETRYING if expected is RefundState.UNKNOWN else expected)


def test_a_refund_that_failed_under_our_number_and_worked_under_another_is_done() -> None:
    """The back office gave the money back after our own refund had failed; DOKU calls the payment refunded."""
    merchant = after_a_lost_answer()
    say(merchant, "06", "00", "04")
    lose_notifications(merchant.world)
    come_to_rest(merchant.world)
    payment = merchant.payment()
    assert payment.refund is not None
    assert (payment.state, payment.refund.state) == (PaymentState.REFUNDED, RefundState.REFUNDED)
    assert requests(merchant.world, "refund") == 1
    assert any(event.name == "payment.refunded" for event in merchant.world.events.published)
    assert merchant.world.refunds(REF) == 0  # the back office's own refund is not in this ledger
