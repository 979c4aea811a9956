"""Each event in full, and what of a record's news is told when: once, in order, and never without its time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from direct_debit.application.bindings.release_account import release_account
from direct_debit.application.errors import NotFound
from direct_debit.application.outbox.record_change import (
    record_binding_change,
    record_payment_change,
    tell_binding,
    tell_payment,
)
from direct_debit.application.ports.history import HistoryEntry
from direct_debit.application.ports.messages import OutboxEvent
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.resolve_pending import Resolved, resolve_pending
from direct_debit.domain.binding import BindingState
from direct_debit.domain.move import Move
from direct_debit.domain.payment import FailureReason, Payment, PaymentFailure, PaymentState
from direct_debit.domain.refund import RefundState
from tests.fakes.journey import AMOUNT, REF, Merchant
from tests.fakes.records import with_fields
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, linked, paid, paid_untold

SECOND = timedelta(seconds=1)


def silent(merchant: Merchant) -> Merchant:
    """Forget what was told so far; nobody hears of the stream from now on."""
    merchant.world.events.published.clear()
    merchant.world.loses = lambda _: True
    return merchant


def with_news(merchant: Merchant, *moves: Move, **changes: object) -> Payment:
    """Return the payment, stored with such news."""
    payments, payment = merchant.world.process().payments, merchant.payment()
    noted = with_fields(payment.noted(merchant.world.clock.now()), untold=moves, **changes)
    return payments.save(payment, noted)


def moved(merchant: Merchant, version: int, state: str, **facts: object) -> Move:
    at = merchant.world.clock.now() + version * SECOND
    return Move(**{"version": version, "at": at, "state": state, "source": "status", **facts})  # type: ignore[arg-type]  # by name


def names(world: World) -> list[str]:
    return [event.name for event in world.events.published]


# --- events ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (PaymentState.OTP_PENDING, "payment.otp_pending"),
        (PaymentState.UNKNOWN, "payment.unknown"),
        (PaymentState.PAID, "payment.paid"),
        (PaymentState.FAILED, "payment.failed"),
        (PaymentState.REFUNDED, "payment.refunded"),
        (PaymentState.NEEDS_REVIEW, "payment.needs_review"),
        (PaymentState.REQUESTED, None),
        (PaymentState.OTP_SUBMITTED, None),
        (PaymentState.PROCESSING, None),
    ],
)
def test_a_move_of_a_payment_is_an_event_in_full_and_a_step_of_its_history(
    state: PaymentState, name: str | None
) -> None:
    merchant = silent(paid())
    reason = {PaymentState.FAILED: "declined", PaymentState.NEEDS_REVIEW: "exhausted"}.get(state)
    move = moved(merchant, 77, state, code="06", reason=reason, response_code="4035414")
    tell_payment(with_news(merchant, move), merchant.world.process())
    detail = {
        "partnerReferenceNo": REF,
        "bindingId": merchant.binding().id,
        "customerId": merchant.customer,
        "amount": AMOUNT,
        "currency": "IDR",
        "state": state.value,
        "reason": reason,
        "partnerRefundNo": None,
        "refundState": None,
        "responseCode": "4035414",
        "recordVersion": 77,
        "schemaVersion": 1,
    }
    expected = [] if name is None else [OutboxEvent(name, f"{REF}:77:{name}", move.at, detail)]
    assert merchant.world.events.published == expected
    step = HistoryEntry(77, move.at, state, None, "status", "06", reason, "4035414")
    assert merchant.world.process().payments.history(REF)[-1] == step


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (RefundState.REQUESTED, "refund.requested"),
        (RefundState.REFUNDED, "refund.completed"),
        (RefundState.FAILED, "refund.failed"),
        (RefundState.NEEDS_REVIEW, "refund.needs_review"),
        (RefundState.SENDING, None),
        (RefundState.RETRYING, None),
        (RefundState.UNKNOWN, None),
    ],
)
def test_a_move_of_a_refund_is_an_event_of_its_own(state: RefundState, name: str | None) -> None:
    merchant = paid()
    merchant.refund(number="R-7")
    silent(merchant)
    of_payment = "REFUNDED" if state is RefundState.REFUNDED else "PAID"
    move = moved(merchant, 77, of_payment, moved=False, refund_state=state.value, refund_moved=True)
    tell_payment(with_news(merchant, move), merchant.world.process())
    assert names(merchant.world) == ([] if name is None else [name])
    assert [one.detail["partnerRefundNo"] for one in merchant.world.events.published] == ["R-7"] * (name is not None)
    assert merchant.world.process().payments.history(REF)[-1].refund_state == state


def test_a_move_of_both_is_two_events() -> None:
    merchant = paid()
    merchant.refund()
    silent(merchant)
    move = moved(merchant, 77, "REFUNDED", refund_state="REFUNDED", refund_moved=True)
    tell_payment(with_news(merchant, move), merchant.world.process())
    assert names(merchant.world) == ["payment.refunded", "refund.completed"]


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (BindingState.ACTIVE, "binding.activated"),
        (BindingState.FAILED, "binding.failed"),
        (BindingState.RELINK_REQUIRED, "binding.relink_required"),
        (BindingState.UNBOUND, "binding.unbound"),
    ],
)
def test_a_move_of_a_link_is_an_event_in_full(state: BindingState, name: str) -> None:
    merchant = silent(linked())
    bindings, binding = merchant.world.process().bindings, merchant.binding()
    move = moved(merchant, 77, state, response_code="4030715")
    unmoved = moved(merchant, 78, BindingState.ACTIVE, moved=False)
    stored = bindings.save(binding, replace(binding.noted(merchant.world.clock.now()), untold=(move, unmoved)))
    tell_binding(stored, merchant.world.process())
    detail = {
        "bindingId": binding.id,
        "customerId": merchant.customer,
        "state": state.value,
        "responseCode": "4030715",
        "recordVersion": 77,
        "schemaVersion": 1,
    }
    assert merchant.world.events.published == [OutboxEvent(name, f"{binding.id}:77", move.at, detail)]
    assert merchant.binding().untold == ()


# --- what is told when -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "told"),
    [("OTP_PENDING", ["payment.unknown", "payment.otp_pending"]), ("PROCESSING", [])],
)
def test_what_a_lost_record_had_to_say_comes_before_the_next_event_of_an_open_payment(
    state: str, told: list[str]
) -> None:
    merchant = linked()
    merchant.pay()
    silent(merchant)
    older, newer = moved(merchant, 3, "UNKNOWN"), moved(merchant, 5, state)
    payment = replace(with_news(merchant, older, newer), version=5)
    before = replace(payment, version=4, untold=(older,))
    record_payment_change(before, payment, merchant.world.process())
    assert names(merchant.world) == told
    assert merchant.payment().untold != ()
    record_payment_change(replace(payment, version=5), replace(payment, version=6), merchant.world.process())
    assert names(merchant.world) == told


def test_a_change_of_an_open_payment_does_not_repeat_what_was_told() -> None:
    merchant = linked()
    merchant.pay()
    silent(merchant)
    older, newer = moved(merchant, 3, "UNKNOWN"), moved(merchant, 5, "OTP_PENDING")
    first = replace(with_news(merchant, older), version=3)
    record_payment_change(replace(first, version=2, untold=()), first, merchant.world.process())
    assert names(merchant.world) == ["payment.unknown"]
    payment = replace(with_news(merchant, older, newer), version=5)
    record_payment_change(replace(payment, version=4, untold=(older,)), payment, merchant.world.process())
    assert names(merchant.world) == ["payment.unknown", "payment.otp_pending"]


def test_a_change_of_a_payment_at_rest_tells_whatever_was_not_told() -> None:
    merchant = silent(paid())
    payment = with_news(merchant, moved(merchant, 77, "UNKNOWN"), moved(merchant, 78, "PAID"))
    record_payment_change(replace(payment, version=payment.version - 1), payment, merchant.world.process())
    assert names(merchant.world) == ["payment.unknown", "payment.paid"]
    record_payment_change(merchant.payment(), merchant.payment(), merchant.world.process())
    assert len(merchant.world.events.published) == 2
    assert merchant.payment().untold == ()


def test_a_change_that_was_written_without_its_news_has_it() -> None:
    """Code of before this release did not note its moves."""
    merchant = silent(paid())
    payment = with_news(merchant)
    before = replace(payment, state=PaymentState.PROCESSING, version=payment.version - 1)
    record_payment_change(before, payment, merchant.world.process())
    assert names(merchant.world) == ["payment.paid"]
    record_payment_change(None, payment, merchant.world.process())  # given again by an operator
    assert names(merchant.world) == ["payment.paid"]


def test_a_beginning_that_an_older_release_noted_as_news_is_told() -> None:
    merchant = linked()
    merchant.world.loses = lambda _: True
    merchant.pay()
    payment = merchant.payment()
    begun = Move(version=1, at=payment.created_at, state="REQUESTED", source="caller")
    older = replace(payment, untold=(begun, *payment.untold))
    record_payment_change(None, older, merchant.world.process())
    told = merchant.world.process().payments.history(REF)
    assert [(one.version, one.state) for one in told] == [(1, "REQUESTED"), (2, "OTP_PENDING")]


def test_a_link_that_was_written_without_its_news_has_it() -> None:
    merchant = silent(linked())
    binding = replace(merchant.binding(), untold=())
    before = replace(binding, state=BindingState.PENDING, version=binding.version - 1)
    record_binding_change(before, binding, merchant.world.process())
    assert names(merchant.world) == ["binding.activated"]
    for version in (2, binding.version):  # given again by an operator
        record_binding_change(None, replace(binding, version=version), merchant.world.process())
    record_binding_change(binding, binding, merchant.world.process())
    assert names(merchant.world) == ["binding.activated"]


def test_a_final_payment_with_an_open_refund_keeps_its_account_and_its_workflow_goes_on() -> None:
    merchant = linked()
    merchant.pay(task_token="task")
    merchant.enter_otp()
    merchant.world.clock.tick(2)
    merchant.world.notify()
    merchant.world.work()
    merchant.refund()
    silent(merchant)
    tell_payment(merchant.payment(), merchant.world.process())
    assert [output["state"] for _, output in merchant.world.workflows.completed] == ["PAID"]
    assert merchant.binding().open_payments == {REF}
    assert (merchant.payment().untold, merchant.payment().tell_by) == ((), None)


def test_a_failed_payments_workflow_hears_why() -> None:
    merchant = linked()
    merchant.pay(task_token="task")
    silent(merchant)
    failure = PaymentFailure(FailureReason.EXPIRED, "06")
    tell_payment(with_news(merchant, state=PaymentState.FAILED, failure=failure), merchant.world.process())
    outcome = {"partnerReferenceNo": REF, "state": "FAILED", "reason": "expired"}
    assert merchant.world.workflows.completed == [("task", outcome)]
    assert merchant.binding().open_payments == frozenset()


# --- letting an account go -------------------------------------------------------------------------------------------


def test_a_payment_lets_its_account_go_when_its_money_moves_no_more() -> None:
    merchant = linked()
    merchant.pay()
    ports = merchant.world.process()
    assert not release_account(merchant.binding().id, REF, ports)
    assert merchant.binding().open_payments == {REF}
    settled = paid_untold()
    ports = settled.world.process()
    assert release_account(settled.binding().id, REF, ports)
    assert release_account(settled.binding().id, REF, ports)
    assert settled.binding().open_payments == frozenset()


def test_a_payment_that_is_not_there_holds_no_account() -> None:
    merchant = linked()
    try:
        assert release_account(merchant.binding().id, "GONE", merchant.world.process())
    except NotFound:
        pytest.fail("it is not there, so nothing may wait for it")


def test_a_payment_that_moves_while_its_account_is_let_go_is_looked_at_again() -> None:
    merchant = paid_untold()
    merchant.world.weather = weather = Meanwhile("store.transact_write_items", lambda: with_news(merchant))
    assert release_account(merchant.binding().id, REF, merchant.world.process())
    assert weather.done
    assert merchant.binding().open_payments == frozenset()


# --- the sweep -------------------------------------------------------------------------------------------------------


def late(merchant: Merchant, seconds: int) -> None:
    """Let the stream be late by so much with what is to be told."""
    world = merchant.world
    world.loses = lambda _: True
    if merchant.binding().open_payments:
        payment = merchant.payment()
        tell_by = payment.tell_by
    else:
        tell_by = merchant.binding().tell_by
    assert tell_by is not None
    world.clock.set(tell_by + seconds * SECOND)


def untold_link() -> Merchant:
    """A link whose beginning the stream has not told."""
    world = World()
    world.loses = lambda _: True
    merchant = Merchant(world)
    merchant.bind()
    merchant.come_back(merchant.walk_through_pages())
    return merchant


@pytest.mark.parametrize("begin", [paid_untold, untold_link])
@pytest.mark.parametrize(("seconds", "told"), [(-1, 0), (0, 1), (60, 1)])
def test_what_the_stream_is_late_with_is_told_by_the_sweep(
    begin: Callable[[], Merchant], seconds: int, told: int
) -> None:
    merchant = begin()
    world = merchant.world
    late(merchant, seconds)
    world.events.published.clear()
    resolve_pending(10, world.process(), world.deadline(60))
    assert world.telemetry.counts[Metric.NEWS_LATE] == told
    assert bool(world.events.published) == bool(told)


def test_what_is_due_for_another_reason_is_no_late_news() -> None:
    world = World()
    merchant = Merchant(world)
    merchant.bind()
    now = world.clock.now()
    bindings, binding = world.process().bindings, merchant.binding()
    bindings.save(binding, replace(binding.noted(now), due_at=now))
    other = Merchant(world, customer="CUST-2", phone="6289876543210")
    other.link()
    other.pay()
    world.stream()
    world.clock.tick(400)
    assert resolve_pending(10, world.process(), world.deadline(60)) == Resolved(2, 0)
    assert world.telemetry.counts[Metric.NEWS_LATE] == 0


@pytest.mark.parametrize(("seconds", "visited"), [(20, 1), (19, 0)])
def test_nothing_is_begun_in_the_last_twenty_seconds(seconds: int, visited: int) -> None:
    merchant = linked()
    merchant.pay()
    world = merchant.world
    world.clock.tick(600)
    assert resolve_pending(10, world.process(), world.deadline(seconds)) == Resolved(visited, 0)
