"""When a payment is looked at next: by the schedule of its state, by a question that is open, never too early."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from direct_debit.application.payments.advance_payment import (
    advance_payment,
    has_step_left,
    plan_after_move,
    plan_next_look,
    queue_inquiry,
    queue_refund,
)
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.payment import FailureReason, Payment, PaymentEvent, PaymentFailure, PaymentState
from tests.fakes.clock import START
from tests.fakes.journey import REF, Merchant
from tests.fakes.records import with_fields
from tests.fakes.weather import Fault
from tests.unit.application.support import Strike, linked, paid

SENT = START
FIRST = timedelta(seconds=60)  # DOKU wants no question before
HOUR = timedelta(hours=1)
A_DAY = timedelta(days=1)


def payment_in(state: PaymentState, **changes: object) -> tuple[Merchant, Payment]:
    """Return a payment of a state that was sent at `SENT`, as nobody stored it."""
    merchant = linked()
    merchant.pay()
    payment = replace(merchant.payment(), state=state, sent_at=SENT, due_at=None)
    return merchant, with_fields(payment, **changes)


def plan(merchant: Merchant, payment: Payment, after: timedelta) -> timedelta | None:
    """Return how long after its sending a payment is looked at that is planned so long after it."""
    due = plan_next_look(merchant.world.process(), payment, SENT + after)
    return None if due is None else due - SENT


def assert_in(due: timedelta | None, step: int, before: int) -> None:
    """A step of a schedule, or a little later: a twentieth of its distance to the one before, half a minute at most."""
    assert due is not None
    spread = min((step - before) / 20, 30)
    assert timedelta(seconds=step) <= due <= timedelta(seconds=step + spread)


@pytest.mark.parametrize(
    "state", [PaymentState.REQUESTED, PaymentState.OTP_SUBMITTED, PaymentState.PROCESSING, PaymentState.UNKNOWN]
)
def test_an_unfinished_payment_is_looked_at_in_the_steps_of_the_schedule(state: PaymentState) -> None:
    merchant, payment = payment_in(state)
    assert_in(plan(merchant, payment, timedelta(0)), 61, 0)
    assert_in(plan(merchant, payment, timedelta(seconds=61)), 90, 61)
    assert_in(plan(merchant, payment, 3 * HOUR), 21600, 7200)


def test_one_that_waits_for_its_code_has_the_steps_of_codes() -> None:
    merchant, payment = payment_in(PaymentState.OTP_PENDING)
    assert_in(plan(merchant, payment, timedelta(0)), 360, 0)
    assert_in(plan(merchant, payment, timedelta(seconds=86400)), 86460, 21600)


def test_past_the_last_step_an_unfinished_payment_has_one_more_look_in_two_minutes() -> None:
    merchant, payment = payment_in(PaymentState.UNKNOWN)
    assert plan(merchant, payment, A_DAY) == A_DAY + timedelta(minutes=2)


def test_one_that_failed_as_not_found_is_asked_about_for_the_rest_of_the_schedule() -> None:
    merchant, payment = payment_in(PaymentState.FAILED, failure=PaymentFailure(FailureReason.NOT_FOUND, "07"))
    assert_in(plan(merchant, payment, 3 * HOUR), 21600, 7200)
    assert plan(merchant, payment, A_DAY) is None


def test_a_settled_payment_is_looked_at_no_more_unless_a_question_is_open() -> None:
    merchant, payment = payment_in(PaymentState.PAID)
    assert plan(merchant, payment, 3 * HOUR) is None
    assert_in(plan(merchant, replace(payment, questioned_at=SENT + HOUR), HOUR), 3600 + 61, 3600)


def test_a_question_older_than_its_schedule_is_still_due_every_six_hours() -> None:
    merchant, payment = payment_in(PaymentState.PAID, questioned_at=SENT)
    assert plan(merchant, payment, 3 * A_DAY) == 3 * A_DAY + 6 * HOUR


def test_of_a_step_and_a_question_the_first_counts() -> None:
    merchant, payment = payment_in(PaymentState.PROCESSING, questioned_at=SENT + 3 * HOUR)
    assert_in(plan(merchant, payment, 3 * HOUR), 3 * 3600 + 61, 3 * 3600)
    merchant, payment = payment_in(PaymentState.PROCESSING, questioned_at=SENT - 5 * HOUR)
    assert_in(plan(merchant, payment, timedelta(0)), 61, 0)


def test_doku_is_not_asked_within_the_first_minute_whatever_is_open() -> None:
    merchant, payment = payment_in(PaymentState.UNKNOWN, questioned_at=SENT - timedelta(seconds=30))
    assert plan(merchant, payment, timedelta(0)) == FIRST


def test_the_schedule_goes_on_until_its_last_step_and_not_at_it() -> None:
    merchant, payment = payment_in(PaymentState.UNKNOWN)
    ports = merchant.world.process()
    assert has_step_left(payment, ports, SENT + A_DAY - timedelta(seconds=1))
    assert not has_step_left(payment, ports, SENT + A_DAY)


@pytest.mark.parametrize(
    ("planned", "moved_at", "due"),
    [
        (HOUR, timedelta(minutes=30), HOUR),
        (HOUR, 2 * HOUR, 2 * HOUR),  # its time has passed: at once
        (5 * HOUR, timedelta(minutes=30), None),  # the step that follows comes first
    ],
)
def test_a_move_puts_off_no_question(planned: timedelta, moved_at: timedelta, due: timedelta | None) -> None:
    merchant, before = payment_in(PaymentState.PROCESSING, questioned_at=SENT, due_at=SENT + planned)
    after = plan_after_move(merchant.world.process(), before, before, SENT + moved_at)
    assert after is not None
    if due is None:
        assert_in(after - SENT, 7200, 1800)
    else:
        assert after == SENT + due


def test_without_a_question_a_move_has_the_schedule_of_its_state() -> None:
    merchant, before = payment_in(PaymentState.PROCESSING, due_at=SENT + timedelta(minutes=31))
    after = plan_after_move(merchant.world.process(), before, before, SENT + timedelta(minutes=30))
    assert after is not None
    assert_in(after - SENT, 7200, 1800)


# --- messages --------------------------------------------------------------------------------------------------------


def waiting(merchant: Merchant) -> list[tuple[str, str, int, datetime]]:
    return [(one.queue, one.subject, one.attempt, at) for at, _, one, _ in merchant.world.queues.waiting]


@pytest.mark.parametrize(("due", "delay"), [(40, 40), (0, 0), (-40, 0)])
def test_an_inquirys_message_comes_when_it_is_due_and_an_overdue_one_at_once(due: int, delay: int) -> None:
    merchant = linked()
    merchant.pay()
    world = merchant.world
    now = world.clock.now()
    payment = replace(merchant.payment(), due_at=now + timedelta(seconds=due))
    queue_inquiry(world.process(), payment)
    assert waiting(merchant) == [("inquiry", REF, payment.version, now + timedelta(seconds=delay))]


def test_where_nothing_is_due_there_is_no_message() -> None:
    merchant = paid()
    queue_inquiry(merchant.world.process(), merchant.payment())
    queue_refund(merchant.world.process(), merchant.payment())
    assert waiting(merchant) == []


def test_a_message_that_could_not_be_queued_is_left_to_the_sweep_and_told() -> None:
    merchant = paid()
    world = merchant.world
    merchant.refund()
    world.queues.waiting.clear()
    payment = replace(merchant.payment(), due_at=world.clock.now())
    world.weather = Strike("queue.send", Fault.FAIL, count=2)
    queue_inquiry(world.process(), payment)
    queue_refund(world.process(), payment)
    assert waiting(merchant) == []
    assert world.telemetry.notes[-2:] == [
        ("inquiry not queued, left to the sweep", {"ref": REF}),
        ("refund not queued, left to the sweep", {"ref": REF}),
    ]


# --- what a move writes ----------------------------------------------------------------------------------------------


def test_a_move_without_a_refund_is_one_plain_write() -> None:
    merchant = linked()
    merchant.pay()
    merchant.world.weather = effects = Strike("", Fault.NONE)
    said = Evidence(EvidenceSource.NOTIFICATION, merchant.world.clock.now(), "00")
    advance_payment(merchant.world.process(), merchant.payment(), PaymentEvent.SUCCEEDED, said)
    assert effects.names == ["store.update_item"]


def test_a_refund_that_begins_by_itself_keeps_its_account_linked() -> None:
    merchant = linked()
    merchant.pay()
    world = merchant.world
    ports, payment, now = world.process(), merchant.payment(), world.clock.now()
    failed = replace(payment, state=PaymentState.FAILED, failure=PaymentFailure(FailureReason.NOT_FOUND, "07"))
    stored = ports.payments.save(payment, replace(failed, version=payment.version + 1))
    ports.payments.release_account(payment.binding_id, REF, stored)
    assert merchant.binding().open_payments == frozenset()
    said = Evidence(EvidenceSource.STATUS, now, "00")
    followed = advance_payment(ports, stored, PaymentEvent.SUCCEEDED, said)
    assert followed.refund is not None
    assert merchant.binding().open_payments == {REF}
