"""DOKU says of a payment that it told as paid that it was cancelled, or failed: it is asked, and a person looks."""

from dataclasses import replace

import pytest

from direct_debit.adapters.dynamodb.client import Store
from direct_debit.adapters.dynamodb.review import WaitingRecord, list_waiting_for_review
from direct_debit.application.ports.telemetry import Metric
from direct_debit.domain.payment import PaymentState
from tests.fakes.ids import SeededIds
from tests.fakes.invariants import check_at_rest
from tests.fakes.journey import REF, Merchant
from tests.fakes.processes import TRANSACTIONS
from tests.fakes.quiescence import come_to_rest
from tests.unit.application.support import Meanwhile, linked, lose_notifications, requests
from tools.doku_simulator.config import ProviderVariant
from tools.doku_simulator.dials import Dial
from tools.doku_simulator.operations import Json
from tools.doku_simulator.records import Refund as BankRefund

A_DAY = 86400


def paid() -> Merchant:
    """A payment that has been paid for a day."""
    merchant = linked()
    merchant.pay_to_the_end()
    come_to_rest(merchant.world, A_DAY)
    assert requests(merchant.world, "status") == 0
    return merchant


def tell(merchant: Merchant, status: str, *, fresh: bool = True) -> None:
    """Let DOKU notify another status of the payment."""
    world = merchant.world
    delivery = world.simulator.notifications.resend(REF)
    world.simulator.record_result(delivery, 200)
    world.deliver(replace(delivery, body={**delivery.body, "latestTransactionStatus": status}), fresh=fresh)


def answer(merchant: Merchant, status: str) -> None:
    """Let DOKU's status of the payment be another one, whenever it answers."""

    def bend(path: str, given: Json) -> Json:
        answered = path == "status" and str(given["responseCode"]).startswith("200")
        return {**given, "latestTransactionStatus": status} if answered else given

    merchant.world.bend = bend


def waiting(merchant: Merchant) -> list[str]:
    """What waits for a person."""
    world = merchant.world
    found: list[WaitingRecord] = list_waiting_for_review(
        Store(world.store, world.clock, SeededIds()), TRANSACTIONS, world.clock.now(), 10
    )
    return [one.id for one in found]


@pytest.mark.parametrize("told", ["05", "06"])
@pytest.mark.parametrize("status", ["05", "06"])
@pytest.mark.parametrize("fresh", [True, False])
def test_a_reversal_that_the_status_confirms_stays_paid_and_waits_for_a_person(
    told: str, status: str, fresh: bool
) -> None:
    merchant = paid()
    tell(merchant, told, fresh=fresh)
    answer(merchant, status)
    come_to_rest(merchant.world)
    payment = merchant.payment()
    assert payment.state is PaymentState.PAID
    assert requests(merchant.world, "status") >= 1
    assert waiting(merchant) == [REF]
    assert payment.reversed_at is not None
    assert payment.due_at is None
    assert merchant.world.telemetry.counts[Metric.PAYMENT_REVERSED] == 1
    assert ("DOKU says that a paid payment is not", {"ref": REF, "code": status}) in merchant.world.telemetry.notes
    assert [event.name for event in merchant.world.events.published].count("payment.paid") == 1
    assert check_at_rest(merchant.world) == []


@pytest.mark.parametrize("told", ["05", "06"])
def test_a_reversal_that_the_status_does_not_confirm_is_nothing(told: str) -> None:
    merchant = paid()
    tell(merchant, told)
    come_to_rest(merchant.world)
    assert requests(merchant.world, "status") == 1
    assert (merchant.payment().state, merchant.payment().reversed_at) == (PaymentState.PAID, None)
    assert waiting(merchant) == []
    assert merchant.world.telemetry.counts[Metric.PAYMENT_REVERSED] == 0
    assert check_at_rest(merchant.world) == []


@pytest.mark.parametrize("fresh", [True, False])
def test_a_refund_of_dokus_staff_that_an_old_notification_tells_is_missed_where_the_status_lags(*, fresh: bool) -> None:
    """A notification that is believed tells it; one that is only a reason to ask is answered with "paid"."""
    merchant = paid()
    world = merchant.world
    world.simulator.set_variant(ProviderVariant(status_lag=7200.0))
    (payment,) = world.simulator.world.payments[REF]
    refund = BankRefund("BACKOFFICE-1", "BACK", payment.amount, "by hand", world.clock.now())
    payment.refunds.append(refund)
    world.simulator._payments._give_back(payment, refund, world.clock.now())
    lose_notifications(world)  # the first one
    tell(merchant, "04", fresh=fresh)
    come_to_rest(world, 3 * A_DAY)
    assert world.refunds(REF) == 1
    assert merchant.payment().state is (PaymentState.REFUNDED if fresh else PaymentState.PAID)
    assert (merchant.payment().due_at, merchant.payment().questioned_at) == (None, None)
    assert requests(world, "status") == (0 if fresh else 1)


def test_a_reversal_is_asked_about_until_doku_answers() -> None:
    merchant = paid()
    tell(merchant, "06")
    answer(merchant, "06")
    merchant.world.simulator.add_dial(Dial("status", "code", when="before", code="42900", count=5))
    come_to_rest(merchant.world)
    assert merchant.payment().reversed_at is not None
    assert requests(merchant.world, "status") == 6


@pytest.mark.parametrize("skip", range(6))
def test_a_reversal_survives_another_write_at_the_same_moment(skip: int) -> None:
    """The answer was taken for followed, and the question closed, although the write had lost its race."""
    merchant = paid()
    world = merchant.world
    tell(merchant, "06")
    answer(merchant, "06")

    def write() -> None:
        payment = merchant.payment()
        world.process().payments.save(payment, payment.noted(world.clock.now()))

    world.weather = Meanwhile("store.update_item", write, skip=skip)
    come_to_rest(world)
    assert merchant.payment().reversed_at is not None
    assert waiting(merchant) == [REF]
    assert check_at_rest(world) == []


def test_a_refund_asked_for_at_the_moment_of_a_reversal_does_not_hide_it() -> None:
    merchant = paid()
    world = merchant.world
    tell(merchant, "06")
    answer(merchant, "06")
    refuse = world.bend
    assert refuse is not None

    def overtake(path: str, given: Json) -> Json:
        if path == "status" and merchant.payment().refund is None:
            merchant.refund()
            world.simulator.add_dial(Dial("refund", "code", when="before", code="40316"))
        return refuse(path, given)

    world.bend = overtake
    come_to_rest(world)
    assert merchant.payment().state is PaymentState.PAID
    assert merchant.payment().reversed_at is not None
    assert waiting(merchant) == [REF]


def test_a_reversal_that_doku_takes_back_waits_for_nobody() -> None:
    merchant = paid()
    tell(merchant, "06")
    answer(merchant, "06")
    come_to_rest(merchant.world)
    assert waiting(merchant) == [REF]
    merchant.world.bend = None
    tell(merchant, "05")  # something else is told, so it is asked again
    come_to_rest(merchant.world)
    assert merchant.payment().reversed_at is None
    assert waiting(merchant) == []
    assert check_at_rest(merchant.world) == []


def test_a_late_failure_of_a_refunded_payment_is_no_reversal() -> None:
    merchant = paid()
    merchant.refund()
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.REFUNDED
    tell(merchant, "06")
    come_to_rest(merchant.world)
    assert (merchant.payment().state, merchant.payment().reversed_at) == (PaymentState.REFUNDED, None)
    assert waiting(merchant) == []
