"""Refunds: accepted at once, one number for ever, confirmed by refundHistory, never doubled, never lost."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from direct_debit.adapters.doku import DokuAdapter
from direct_debit.application.errors import Conflict, NotFound, Rejected
from direct_debit.application.ports.doku import DokuCall, WriteAnswer
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.refunds.get_refund import get_refund
from direct_debit.application.refunds.process_refund import process_refund, redrive_refund
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.payment import Payment, PaymentEvent, PaymentState
from direct_debit.domain.refund import RefundEvent, RefundState
from direct_debit.domain.transitions import TransitionRefused
from tests.fakes.invariants import check_at_rest
from tests.fakes.journey import REF, Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Crash, Fault
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, Strike, linked, lose_notifications, paid, refund_of, requests
from tools.doku_simulator.config import ProviderVariant
from tools.doku_simulator.dials import Dial
from tools.doku_simulator.records import Refund as BankRefund

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sendings() -> "Iterator[list[tuple[str, str]]]":
    """Number and X-EXTERNAL-ID of each refund request and `status` for each question, in their order."""
    seen: list[tuple[str, str]] = []
    send, ask = DokuAdapter.refund_payment, DokuAdapter.inquire_status

    def refund_payment(self: DokuAdapter, payment: Payment, reason: str, call: DokuCall) -> WriteAnswer:
        assert payment.refund is not None
        seen.append((payment.refund.number, call.external_id))
        return send(self, payment, reason, call)

    def inquire_status(self: DokuAdapter, payment: Payment, call: DokuCall) -> object:
        seen.append(("status", call.external_id))
        return ask(self, payment, call)

    with (
        patch.object(DokuAdapter, "refund_payment", refund_payment),
        patch.object(DokuAdapter, "inquire_status", inquire_status),
    ):
        yield seen


def test_a_refund_is_accepted_before_anything_is_sent() -> None:
    merchant = paid()
    result = merchant.refund()
    assert result.payment.refund is not None
    assert result.payment.refund.state is RefundState.REQUESTED
    assert requests(merchant.world, "refund") == 0
    assert REF in merchant.binding().open_payments
    come_to_rest(merchant.world, 5)
    payment = merchant.payment()
    assert (payment.state, refund_of(merchant).state) == (PaymentState.REFUNDED, RefundState.REFUNDED)
    assert refund_of(merchant).refund_no is not None
    assert refund_of(merchant).refunded_at is not None


def test_a_refund_refused_for_its_token_is_sent_again_under_an_id_that_the_record_names() -> None:
    merchant = paid()
    merchant.refund()
    merchant.world.simulator.expire_b2b_tokens()
    come_to_rest(merchant.world, 5)
    used = [one.external_id for one in merchant.world.simulator.requests if one.operation == "refund"]
    assert len(set(used)) == 2
    assert refund_of(merchant).external_id == used[-1]
    assert merchant.payment().state is PaymentState.REFUNDED


def test_a_refund_that_was_taken_over_while_its_token_was_renewed_is_not_sent_again() -> None:
    """Seed 7965: the clocks disagreed, so that a second worker took the first one's attempt for given up."""
    merchant = paid()
    world = merchant.world
    merchant.refund()
    world.simulator.expire_b2b_tokens()

    def take_over() -> None:
        payment = merchant.payment()
        assert payment.refund is not None
        other = replace(payment.refund, attempt="another", due_at=world.clock.now() + timedelta(hours=1))
        world.process().payments.save(payment, replace(payment.noted(world.clock.now()), refund=other))

    world.weather = Meanwhile("doku.b2b", take_over)
    process_refund(REF, world.process(), world.deadline())
    assert requests(world, "refund") == 1
    refund = refund_of(merchant)
    assert (refund.state, refund.attempt) == (RefundState.SENDING, "another")


def test_a_history_read_before_another_worker_sent_the_refund_proves_nothing() -> None:
    """Seed 6323: two workers asked at once; the slower one's "not in history" was older than the other's sending."""
    merchant = paid()
    world = merchant.world
    world.simulator.add_dial(Dial("refund", "drop", "before"))
    merchant.refund()
    process_refund(REF, world.process(), world.deadline())
    assert refund_of(merchant).state is RefundState.UNKNOWN
    world.clock.tick(70)

    def send_meanwhile() -> None:
        payment = merchant.payment()
        assert payment.refund is not None
        sent = replace(payment.refund, attempt="another", attempts=2, sent_at=world.clock.now())
        world.process().payments.save(payment, replace(payment.noted(world.clock.now()), refund=sent))

    world.weather = Meanwhile("doku.status", send_meanwhile)
    process_refund(REF, world.process(), world.deadline())
    assert requests(world, "status") == 1
    assert requests(world, "refund") == 1
    refund = refund_of(merchant)
    assert (refund.state, refund.attempt) == (RefundState.UNKNOWN, "another")


def _leave_sending(merchant: Merchant) -> Payment:
    """Let the worker that sends a refund die before its answer; its lease is over."""
    world = merchant.world
    merchant.refund()
    world.weather = Strike("doku.refund", Fault.CRASH_BEFORE)
    with pytest.raises(Crash):
        process_refund(REF, world.process(), world.deadline())
    world.clock.tick(world.settings.claim_lease + 1)
    assert refund_of(merchant).state is RefundState.SENDING
    return merchant.payment()


def test_a_refund_that_ends_while_it_is_taken_over_is_left_alone() -> None:
    """Seed 1001581: the sender lived, and wrote REFUNDED just then; it was due for ever, and visited each minute."""
    merchant = paid()
    world = merchant.world
    payment = _leave_sending(merchant)

    def end_meanwhile() -> None:
        assert payment.refund is not None
        now = world.clock.now()
        evidence = Evidence(EvidenceSource.ANSWER, now, "2005800")
        completed = payment.moved(PaymentEvent.REFUND_COMPLETED, evidence)
        refunded = payment.refund.moved(RefundEvent.SUCCEEDED, evidence)
        assert completed is not None
        assert refunded is not None
        after = replace(completed, refund=replace(refunded, due_at=None), due_at=None)
        world.process().payments.save(payment, after)

    world.weather = Meanwhile("store.update_item", end_meanwhile)
    process_refund(REF, world.process(), world.deadline())
    assert requests(world, "status") == 0
    refund = refund_of(merchant)
    assert (refund.state, refund.due_at) == (RefundState.REFUNDED, None)


def test_a_refund_that_another_worker_sends_while_it_is_taken_over_is_left_to_that_one() -> None:
    """Found by reading, beside seed 1001581: two took one dead sender over, and the slower called the faster dead."""
    merchant = paid()
    world = merchant.world
    payment = _leave_sending(merchant)

    def send_meanwhile() -> None:
        assert payment.refund is not None
        now = world.clock.now()
        sent = replace(payment.refund, attempt="another", attempts=2, sent_at=now, due_at=now + timedelta(seconds=61))
        world.process().payments.save(payment, replace(payment.noted(now), refund=sent))

    world.weather = Meanwhile("store.update_item", send_meanwhile)
    process_refund(REF, world.process(), world.deadline())
    assert (requests(world, "status"), requests(world, "refund")) == (0, 0)
    refund = refund_of(merchant)
    assert (refund.state, refund.attempt) == (RefundState.SENDING, "another")


@pytest.mark.parametrize("first_inquiry", [0, 5, 60])
def test_a_refund_that_takes_its_time_is_not_taken_over_while_it_is_sent(first_inquiry: int) -> None:
    """The bank may take 30 s, and would make the same refund twice: nobody else may think that the sender has died."""
    merchant = paid(World(variant=ProviderVariant(refund_repeat="execute")))
    world = merchant.world
    world.settings = replace(world.settings, first_inquiry=first_inquiry)
    world.clock.tick(600)
    merchant.refund()

    def wait_for_the_bank() -> None:
        for _ in range(3):
            world.clock.tick(10)
            world.tick()
            world.work()

    world.weather = weather = Meanwhile("doku.refund", wait_for_the_bank)
    world.work()
    assert weather.done
    come_to_rest(world)
    assert (world.refunds(REF), requests(world, "refund")) == (1, 1)
    assert merchant.payment().state is PaymentState.REFUNDED
    assert check_at_rest(world) == []


@pytest.mark.parametrize("first_inquiry", [0, 5, 60])
def test_a_refund_whose_sender_died_is_taken_over_when_its_lease_is_over(first_inquiry: int) -> None:
    merchant = paid()
    world = merchant.world
    world.settings = replace(world.settings, first_inquiry=first_inquiry)
    world.clock.tick(600)
    merchant.refund()
    begun = world.clock.now()
    world.weather = Strike("doku.refund", Fault.CRASH_BEFORE)
    world.work()
    assert refund_of(merchant).state is RefundState.SENDING
    come_to_rest(world, 119)
    assert refund_of(merchant).state is RefundState.SENDING
    come_to_rest(world, 300)
    assert merchant.payment().state is PaymentState.REFUNDED
    ended = refund_of(merchant).evidence.at - begun
    assert timedelta(seconds=120) <= ended <= timedelta(minutes=5)
    assert world.refunds(REF) == 1


def test_only_a_paid_payment_is_refunded() -> None:
    merchant = linked()
    with pytest.raises(NotFound):
        merchant.refund()
    merchant.pay()
    with pytest.raises(Conflict):
        merchant.refund()
    with pytest.raises(NotFound):
        get_refund(REF, merchant.world.process())


def test_a_repeat_is_the_same_refund_and_another_number_a_conflict() -> None:
    merchant = paid()
    number = refund_of_request(merchant)
    assert merchant.refund().replayed
    assert merchant.refund(number=number).replayed
    with pytest.raises(Conflict):
        merchant.refund(number="SECOND")
    with pytest.raises(Conflict):
        merchant.refund(reason="Another reason")
    come_to_rest(merchant.world)
    assert merchant.refund().replayed
    assert merchant.world.refunds(REF) == 1


def refund_of_request(merchant: Merchant) -> str:
    refund = merchant.refund().payment.refund
    assert refund is not None
    return refund.number


@pytest.mark.parametrize(
    "fault",
    [
        lambda: Dial("refund", "drop"),
        lambda: Dial("refund", "drop", when="before"),
        lambda: Dial("refund", "status", status=503),
        lambda: Dial("refund", "garbage", garbage="empty"),
        lambda: Dial("refund", "code", code="50400"),
        lambda: Dial("refund", "code", code="40418"),
        lambda: Dial("refund", "code", code="40418", when="before"),
        lambda: Dial("refund", "code", code="40901"),
        lambda: Dial("refund", "code", code="20200"),
        lambda: Dial("refund", "code", code="99999"),
    ],
)
def test_an_unclear_answer_is_confirmed_by_the_history_before_anything_is_sent_again(
    fault: Callable[[], Dial], sendings: list[tuple[str, str]]
) -> None:
    merchant = paid()
    merchant.world.simulator.dials.add(fault())
    number = refund_of_request(merchant)
    merchant.world.work()
    assert refund_of(merchant).state is RefundState.UNKNOWN
    lose_notifications(merchant.world)
    come_to_rest(merchant.world)
    assert refund_of(merchant).state is RefundState.REFUNDED
    assert merchant.world.refunds(REF) == 1
    assert sendings[1][0] == "status"
    sent = [one for one in sendings if one[0] != "status"]
    assert {name for name, _ in sent} == {number}
    assert len({external_id for _, external_id in sent}) == len(sent)
    assert check_at_rest(merchant.world) == []


@pytest.mark.parametrize("case", ["40501", "42900", "40306"])
def test_a_refund_that_may_not_be_now_is_sent_again_later(case: str, sendings: list[tuple[str, str]]) -> None:
    merchant = paid()
    merchant.world.simulator.dials.add(Dial("refund", "code", when="before", code=case, count=2))
    number = refund_of_request(merchant)
    merchant.world.work()
    assert refund_of(merchant).state is RefundState.RETRYING
    come_to_rest(merchant.world)
    assert refund_of(merchant).state is RefundState.REFUNDED
    sent = [one for one in sendings if one[0] != "status"]
    assert [name for name, _ in sent] == [number] * 3
    assert len({external_id for _, external_id in sent}) == 3
    between = sendings[1 : sendings.index(sent[1])]
    assert any(name == "status" for name, _ in between)  # asked before it is sent again


def test_a_final_refusal_ends_the_refund_and_keeps_the_code() -> None:
    merchant = paid()
    merchant.world.simulator.dials.add(Dial("refund", "code", when="before", code="40303"))
    merchant.refund()
    come_to_rest(merchant.world)
    assert (refund_of(merchant).state, refund_of(merchant).response_code) == (RefundState.FAILED, "4035803")
    assert merchant.payment().state is PaymentState.PAID
    assert merchant.world.telemetry.counts[Metric.REFUND_FAILED] == 1
    assert check_at_rest(merchant.world) == []


def test_a_refund_that_was_accepted_and_then_failed_is_not_called_done() -> None:
    merchant = paid(World(variant=ProviderVariant(refund_outcome="pending", refund_delay=(600.0, 600.0))))
    merchant.refund()
    merchant.world.work()
    assert refund_of(merchant).state is RefundState.UNKNOWN
    come_to_rest(merchant.world)
    assert refund_of(merchant).state is RefundState.REFUNDED
    assert check_at_rest(merchant.world) == []


def _refund_at_the_back_office(merchant: Merchant, number: str = "BACKOFFICE-1") -> None:
    """Let DOKU's back office refund the payment under its own number."""
    payment = merchant.world.simulator.world.payments[REF][0]
    now = merchant.world.clock.now()
    refund = BankRefund(number, "BO", payment.amount, "by hand", now, [(now, "03")])
    payment.refunds.append(refund)


def test_a_refund_under_another_number_is_never_doubled() -> None:
    merchant = paid()
    merchant.world.simulator.dials.add(Dial("refund", "drop", when="before"))
    merchant.refund()
    merchant.world.work()
    _refund_at_the_back_office(merchant)
    come_to_rest(merchant.world)
    assert refund_of(merchant).state is RefundState.NEEDS_REVIEW
    assert requests(merchant.world, "refund") == 1
    assert merchant.world.telemetry.counts[Metric.REFUND_NEEDS_REVIEW] == 1


@pytest.mark.long
def test_an_exhausted_refund_needs_review_and_a_redrive_doubles_nothing(sendings: list[tuple[str, str]]) -> None:
    merchant = paid()
    world = merchant.world
    world.simulator.dials.add(Dial("refund", "drop", count=1))  # done, but nobody heard
    world.simulator.dials.add(Dial("status", "drop", count=10_000))
    number = refund_of_request(merchant)
    world.work()
    lose_notifications(world)
    come_to_rest(world, 2 * 86400)
    assert refund_of(merchant).state is RefundState.NEEDS_REVIEW
    assert world.telemetry.counts[Metric.REFUND_NEEDS_REVIEW] == 1
    assert any(fields.get("state") == "NEEDS_REVIEW" for _, fields in world.telemetry.notes)
    assert any(event.name == "refund.needs_review" for event in world.events.published)
    world.simulator.dials.clear()
    redrive_refund(REF, world.process())
    come_to_rest(world)
    assert refund_of(merchant).state is RefundState.REFUNDED
    assert world.refunds(REF) == 1
    assert {name for name, _ in sendings} == {"status", number}


def test_an_outage_late_in_the_schedule_delays_a_refund_by_minutes_not_hours() -> None:
    merchant = paid()
    world = merchant.world
    world.simulator.dials.add(Dial("refund", "drop", count=1))  # done, but nobody heard
    world.simulator.dials.add(Dial("status", "drop", count=10_000))
    merchant.refund()
    world.work()
    lose_notifications(world)
    come_to_rest(world, 3 * 3600)  # the next step of the schedule lies hours away
    world.simulator.dials.clear()
    come_to_rest(world, 300)
    assert refund_of(merchant).state is RefundState.REFUNDED


def test_a_redrive_sends_again_where_doku_knows_nothing() -> None:
    merchant = paid()
    merchant.world.simulator.dials.add(Dial("refund", "drop", when="before", count=1000))
    merchant.refund()
    come_to_rest(merchant.world, 3 * 86400)
    assert refund_of(merchant).state is RefundState.NEEDS_REVIEW
    merchant.world.simulator.dials.clear()
    for _ in range(3):
        try:
            redrive_refund(REF, merchant.world.process())
        except TransitionRefused:
            continue
    come_to_rest(merchant.world)
    assert refund_of(merchant).state is RefundState.REFUNDED
    assert merchant.world.refunds(REF) == 1
    with pytest.raises(Rejected):
        redrive_refund(REF, merchant.world.process())


def test_a_second_worker_neither_sends_nor_asks() -> None:
    merchant = paid()
    merchant.refund()
    world = merchant.world
    for _ in range(5):
        process_refund(REF, world.process(), world.deadline())
    assert requests(world, "refund") == 1
    assert requests(world, "status") == 0


def test_a_refund_whose_link_has_ended_is_kept_for_a_person() -> None:
    merchant = paid()
    merchant.world.simulator.unlink_customer(merchant.customer)
    merchant.refund()
    come_to_rest(merchant.world, 2 * 86400)
    assert refund_of(merchant).state is RefundState.NEEDS_REVIEW
    assert merchant.world.refunds(REF) == 0


def test_a_refund_whose_queue_fails_is_swept() -> None:
    merchant = paid()
    merchant.world.weather = Strike("queue.send", Fault.FAIL)
    merchant.refund()
    assert merchant.world.queues.waiting == []
    come_to_rest(merchant.world, 120)
    assert refund_of(merchant).state is RefundState.REFUNDED


def test_a_status_that_lags_never_makes_a_second_refund() -> None:
    merchant = paid(World(variant=ProviderVariant(status_lag=300.0, refund_repeat="execute")))
    merchant.world.clock.tick(1000)
    merchant.world.simulator.dials.add(Dial("refund", "drop"))
    merchant.refund()
    come_to_rest(merchant.world)
    assert merchant.world.refunds(REF) == 1


def test_refunds_are_for_the_whole_amount() -> None:
    merchant = paid()
    merchant.refund()
    come_to_rest(merchant.world)
    debit, refund = merchant.world.simulator.bank.ledger
    assert debit.amount == refund.amount
    assert replace(debit, sequence=0).reference == refund.reference
