"""Something odd that DOKU told raises a question, and a question stays until DOKU has answered it with a status.

In each story the bank has debited a payment that we call FAILED: DOKU refused its code in words, and executed it all
the same. What DOKU then says of it may not be believed as such, so the status has to tell. A person must hear of it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from direct_debit.application.errors import Rejected
from direct_debit.application.notifications.process_notification import process_notification
from direct_debit.application.payments.advance_payment import advance_payment
from direct_debit.application.payments.inquire_status import request_inquiry
from direct_debit.application.ports.inbox import InboxKind, InboxState
from direct_debit.application.ports.telemetry import Metric
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.payment import PaymentEvent, PaymentState, ReviewReason
from tests.fakes.invariants import check_always
from tests.fakes.journey import REF, Merchant
from tests.fakes.processes import TRANSACTIONS
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Fault, Weather
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, Strike, linked, requests
from tools.doku_simulator.config import ProviderVariant
from tools.doku_simulator.dials import Dial
from tools.doku_simulator.notifications import Delivery
from tools.doku_simulator.operations import Json

HOUR = 3600
A_DAY = 24 * HOUR


def refused(world: World | None = None) -> Merchant:
    """A payment whose code was refused in words: FAILED. The bank executes it all the same."""
    merchant = linked(world)
    merchant.pay()
    merchant.world.simulator.add_dial(Dial("otp", "code", code="40314"))
    with pytest.raises(Rejected):
        merchant.enter_otp()
    assert merchant.payment().state is PaymentState.FAILED
    return merchant


def notice(merchant: Merchant) -> Delivery:
    """Take DOKU's notification of the debit off its way."""
    merchant.world.clock.tick(2)
    (delivery,) = merchant.world.simulator.due_deliveries()
    merchant.world.simulator.record_result(delivery, 200)
    assert merchant.world.debits(REF) == 1
    return delivery


def with_facts(delivery: Delivery, **facts: object) -> Delivery:
    return replace(delivery, body={**delivery.body, **facts})


def stale(merchant: Merchant) -> None:
    merchant.world.deliver(notice(merchant), fresh=False)


def other_amount(merchant: Merchant) -> None:
    merchant.world.deliver(with_facts(notice(merchant), amount={"value": "9999.00", "currency": "IDR"}))


def other_customer(merchant: Merchant) -> None:
    merchant.world.deliver(with_facts(notice(merchant), additionalInfo={"custIdMerchant": "CUST-2"}))


def unclear_status(merchant: Merchant) -> None:
    merchant.world.deliver(with_facts(notice(merchant), latestTransactionStatus="42"))


ODD = [stale, other_amount, other_customer, unclear_status]


def assert_a_person_hears_of_it(merchant: Merchant) -> None:
    payment = merchant.payment()
    assert (payment.state, payment.review) == (PaymentState.NEEDS_REVIEW, ReviewReason.CONTRADICTION)
    assert payment.due_at is None
    assert merchant.world.telemetry.counts[Metric.PAYMENT_NEEDS_REVIEW] == 1
    assert check_always(merchant.world) == []


REFUSALS = ["42900", "40100", "40306", "40400", "40401", "40101", "50000"]


@pytest.mark.parametrize("tell", ODD)
@pytest.mark.parametrize("case", REFUSALS)
def test_a_question_that_doku_refuses_to_answer_is_asked_again(tell: Callable[[Merchant], None], case: str) -> None:
    merchant = refused()
    tell(merchant)
    merchant.world.simulator.add_dial(Dial("status", "code", when="before", code=case, count=3))
    come_to_rest(merchant.world)
    assert_a_person_hears_of_it(merchant)
    assert requests(merchant.world, "status") == 4


@pytest.mark.parametrize(
    "fault",
    [
        lambda: Dial("status", "drop", count=3),
        lambda: Dial("status", "status", status=503, count=3),
        lambda: Dial("status", "status", status=429, count=3),
        lambda: Dial("status", "garbage", garbage="html", count=3),
    ],
)
def test_a_question_whose_answer_is_lost_is_asked_again(fault: Callable[[], Dial]) -> None:
    merchant = refused()
    stale(merchant)
    merchant.world.simulator.add_dial(fault())
    come_to_rest(merchant.world)
    assert_a_person_hears_of_it(merchant)


@pytest.mark.parametrize("tell", ODD)
def test_not_found_is_no_answer_about_a_payment_that_doku_has_spoken_of(tell: Callable[[Merchant], None]) -> None:
    merchant = refused(World(variant=ProviderVariant(not_found_as="status")))
    tell(merchant)
    asked = 0

    def hide(path: str, answer: Json) -> Json:
        nonlocal asked
        asked += path == "status"
        return {**answer, "latestTransactionStatus": "07"} if path == "status" and asked <= 2 else answer

    merchant.world.bend = hide
    come_to_rest(merchant.world)
    assert asked > 2
    assert_a_person_hears_of_it(merchant)


@pytest.mark.parametrize("tell", ODD)
def test_a_question_survives_another_write_at_the_same_moment(tell: Callable[[Merchant], None]) -> None:
    merchant = refused()
    world = merchant.world

    def write() -> None:
        payment = merchant.payment()
        world.process().payments.save(payment, payment.noted(world.clock.now()))

    tell(merchant)
    world.weather = weather = Meanwhile("store.update_item", write)
    world.work()
    assert weather.done
    world.weather = Weather()
    come_to_rest(world)
    assert_a_person_hears_of_it(merchant)


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
@pytest.mark.parametrize("deaths", [1, 7])
def test_a_question_survives_who_asks_it(fault: Fault, deaths: int) -> None:
    """Seven deaths are more than the queue delivers one message."""
    merchant = refused()
    stale(merchant)
    merchant.world.weather = Strike("doku.status", fault, count=deaths)
    come_to_rest(merchant.world)
    assert_a_person_hears_of_it(merchant)


@pytest.mark.long
def test_a_question_that_nobody_answers_for_days_is_told_and_not_forgotten() -> None:
    merchant = refused()
    stale(merchant)
    merchant.world.simulator.add_dial(Dial("status", "code", when="before", code="40306", count=100_000))
    come_to_rest(merchant.world, 3 * A_DAY)
    assert merchant.payment().due_at is not None
    asked = requests(merchant.world, "status")
    assert asked < 3 * 24 * 5  # a quarter of an hour apart at the least
    assert merchant.world.telemetry.counts[Metric.QUESTION_UNANSWERED] > 0
    merchant.world.simulator.dials.clear()
    come_to_rest(merchant.world, HOUR)
    assert_a_person_hears_of_it(merchant)


def test_a_notification_that_could_never_be_processed_still_raises_the_question() -> None:
    merchant = refused()
    world = merchant.world
    world.deliver(notice(merchant))
    world.queues.waiting.clear()
    inbox = world.process().inbox
    keys = [item["pk"]["S"].removeprefix("INBOX#") for item in world.store.items(TRANSACTIONS)]
    (item,) = [one for one in map(inbox.get, keys) if one is not None and one.kind is InboxKind.PAYMENT]
    inbox.settle(item, replace(item, attempts=12, due_at=world.clock.now()))
    world.tick()
    aside = inbox.get(item.id)
    assert aside is not None
    assert (aside.state, aside.reason) == (InboxState.QUARANTINED, "unprocessable")
    come_to_rest(world)
    assert_a_person_hears_of_it(merchant)


def overtaken(merchant: Merchant) -> list[object]:
    """Let DOKU debit, and tell so, while it says "failed" in answer to the first question; returns what it hid."""
    world = merchant.world
    hidden: list[object] = []

    def overtake(path: str, answer: Json) -> Json:
        if path != "status" or hidden:
            return answer
        hidden.append(answer["latestTransactionStatus"])
        world.clock.tick(600)
        stale(merchant)
        (inbox_id,) = [one.subject for _, _, one, _ in world.queues.waiting if one.queue == "notification"]
        process_notification(inbox_id, world.process(), world.deadline())  # the question is raised here
        return {**answer, "latestTransactionStatus": "06"}

    world.bend = overtake
    return hidden


def slow() -> World:
    """A bank that debits ten minutes after the code."""
    return World(variant=ProviderVariant(success_delay=(600.0, 600.0)))


def test_an_answer_that_was_asked_for_before_does_not_answer_a_question() -> None:
    merchant = refused(slow())
    request_inquiry(merchant.world.process(), merchant.payment())  # for another reason, before
    hidden = overtaken(merchant)
    come_to_rest(merchant.world)
    assert hidden == ["02"]
    assert_a_person_hears_of_it(merchant)


def test_an_answer_that_ends_a_payment_does_not_answer_a_question_raised_meanwhile() -> None:
    merchant = linked(slow())
    merchant.pay()
    merchant.world.simulator.add_dial(Dial("otp", "drop"))
    assert merchant.enter_otp().payment.state is PaymentState.UNKNOWN
    hidden = overtaken(merchant)
    come_to_rest(merchant.world)
    assert hidden == ["02"]
    assert_a_person_hears_of_it(merchant)


@pytest.mark.parametrize("lag", [120.0, 7200.0])
def test_an_open_status_of_before_answers_no_question(lag: float) -> None:
    merchant = refused(World(variant=ProviderVariant(status_lag=lag)))
    stale(merchant)
    come_to_rest(merchant.world)
    assert_a_person_hears_of_it(merchant)
    assert requests(merchant.world, "status") > 1


def test_a_final_status_of_before_answers_a_question() -> None:
    """A status is the word that counts: who lags with one has said that the payment failed, and is not asked again."""
    merchant = refused()
    merchant.world.bend = lambda path, answer: (
        {**answer, "latestTransactionStatus": "06"} if path == "status" else answer
    )
    stale(merchant)
    come_to_rest(merchant.world)
    payment = merchant.payment()
    assert (payment.state, payment.due_at, payment.questioned_at) == (PaymentState.FAILED, None, None)
    assert requests(merchant.world, "status") == 1


def test_a_question_is_not_asked_within_the_payments_first_minute() -> None:
    merchant = refused()
    sent = merchant.payment().sent_at
    stale(merchant)
    come_to_rest(merchant.world)
    first = next(one.at for one in merchant.world.simulator.requests if one.operation == "status")
    assert timedelta(seconds=60) <= first - sent <= timedelta(minutes=3)


def test_a_payment_that_failed_indeed_is_asked_about_once_and_stays_failed() -> None:
    merchant = linked()
    merchant.pay(amount="10006.00")
    merchant.enter_otp()
    merchant.world.clock.tick(2)
    (delivery,) = merchant.world.simulator.due_deliveries()
    merchant.world.deliver(delivery)
    merchant.world.pump()
    assert merchant.payment().state is PaymentState.FAILED
    merchant.world.deliver(with_facts(delivery, latestTransactionStatus="00"), fresh=False)
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.FAILED
    assert merchant.payment().due_at is None
    assert requests(merchant.world, "status") == 1


def test_a_move_does_not_put_off_a_question_that_is_to_be_repeated_soon() -> None:
    merchant = linked()
    merchant.pay()
    ports, payment, now = merchant.world.process(), merchant.payment(), merchant.world.clock.now()
    soon = now + timedelta(minutes=2)
    asked = replace(payment.noted(now), sent_at=now - timedelta(hours=1), questioned_at=now - timedelta(hours=1))
    stored = ports.payments.save(payment, replace(asked, due_at=soon))
    moved = advance_payment(ports, stored, PaymentEvent.DECLINED, Evidence(EvidenceSource.NOTIFICATION, now, "06"))
    assert (moved.state, moved.due_at) == (PaymentState.FAILED, soon)
