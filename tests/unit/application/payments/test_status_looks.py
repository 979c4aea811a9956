"""One look at a payment: its claim, DOKU's answer or the lack of one, and the look after it, to the second."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from unittest.mock import patch

import pytest

from direct_debit.adapters.doku import DokuAdapter
from direct_debit.application.payments import advance_payment
from direct_debit.application.payments.inquire_status import ask_status, inquire_status, request_inquiry, sweep_payment
from direct_debit.application.ports.doku_reads import StatusAnswer
from direct_debit.application.ports.telemetry import Metric
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.payment import FailureReason, Payment, PaymentFailure, PaymentState, ReviewReason
from direct_debit.domain.refund import Refund
from tests.fakes.ids import SeededIds
from tests.fakes.journey import REF, Merchant
from tests.fakes.records import with_fields
from tests.fakes.weather import Fault
from tests.unit.application.support import Meanwhile, Strike, linked, requests
from tools.doku_simulator.dials import Dial

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
A_DAY = timedelta(days=1)
SCHEDULE = A_DAY - timedelta(seconds=61)  # from its first step to its last one
NOT_FOUND = {"state": PaymentState.FAILED, "failure": PaymentFailure(FailureReason.NOT_FOUND, "07")}


@pytest.fixture(autouse=True)
def exact_steps() -> Iterator[None]:
    """No jitter: steps come when the schedule says."""
    with jitter(0.0):
        yield


@contextmanager
def jitter(value: float) -> Iterator[None]:
    with (
        patch.object(SeededIds, "jitter", lambda _: value),
        patch.object(advance_payment, "spread_of", lambda _: value),
    ):
        yield


def sent_before(age: timedelta, **changes: object) -> tuple[Merchant, Payment]:
    """Return a payment, stored, whose code was asked for `age` ago; due now."""
    merchant = linked()
    payment = merchant.pay().payment
    now = merchant.world.clock.now()
    merchant.world.queues.waiting.clear()
    base = replace(payment.noted(now), state=PaymentState.UNKNOWN, sent_at=now - age, created_at=now - age, due_at=now)
    stored = merchant.world.process().payments.save(payment, with_fields(base, **changes))
    return merchant, stored


def ask(merchant: Merchant, payment: Payment, status: str, original: str | None = None) -> Payment:
    """Ask for the status; DOKU answers with this one."""
    answer = StatusAnswer(status, "2005500", original, "R1")
    with patch.object(DokuAdapter, "inquire_status", lambda *_: answer):
        return ask_status(payment, merchant.world.process(), merchant.world.deadline())


def ask_in_vain(merchant: Merchant, payment: Payment, code: str = "40306") -> Payment:
    """Ask for the status; DOKU refuses to say."""
    merchant.world.simulator.add_dial(Dial("status", "code", when="before", code=code))
    return ask_status(payment, merchant.world.process(), merchant.world.deadline())


def messages(merchant: Merchant) -> list[tuple[str, datetime]]:
    return [(one.queue, at) for at, _, one, _ in merchant.world.queues.waiting]


# --- the claim -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("early", "again"), [(5, True), (6, False), (600, False)])
def test_a_look_that_comes_early_comes_again_only_where_a_clock_may_be_behind(early: int, again: bool) -> None:
    merchant, payment = sent_before(MINUTE * 10)
    now = merchant.world.clock.now()
    due = now + early * SECOND
    payment = merchant.world.process().payments.save(payment, replace(payment.noted(now), due_at=due))
    assert inquire_status(REF, merchant.world.process(), merchant.world.deadline()) == payment
    assert messages(merchant) == ([("inquiry", due)] if again else [])
    assert requests(merchant.world, "status") == 0


def test_a_look_is_claimed_for_two_minutes_before_doku_is_asked() -> None:
    merchant, payment = sent_before(MINUTE * 10)
    seen: list[Payment] = []
    merchant.world.weather = Meanwhile("doku.status", lambda: seen.append(merchant.payment()))
    inquire_status(REF, merchant.world.process(), merchant.world.deadline())
    now = merchant.world.clock.now()
    assert [(one.last_inquiry_at, one.due_at) for one in seen] == [(now, now + 2 * MINUTE)]
    assert payment.last_inquiry_at is None


# --- no answer -------------------------------------------------------------------------------------------------------


def test_a_question_without_an_answer_is_in_the_log_with_dokus_code() -> None:
    merchant, payment = sent_before(MINUTE * 10)
    ask_in_vain(merchant, payment)
    assert ("status inquiry without an answer", {"ref": REF, "code": "4035506"}) in merchant.world.telemetry.notes


@pytest.mark.parametrize(
    ("changes", "wait"),
    [
        ({}, 10 * MINUTE),
        ({"questioned_at": 3 * MINUTE}, 10 * MINUTE),  # unfinished: it was asked about since it was sent
        (NOT_FOUND, 10 * MINUTE),
        ({"state": PaymentState.PAID, "questioned_at": 3 * MINUTE}, 3 * MINUTE),
        ({"state": PaymentState.PAID, "questioned_at": MINUTE}, 2 * MINUTE),
        ({"state": PaymentState.PAID, "questioned_at": 60 * MINUTE}, 12 * MINUTE),
    ],
)
def test_who_refuses_to_say_is_asked_the_less_often_the_longer_it_is_asked(
    changes: dict[str, object], wait: timedelta
) -> None:
    age = changes.get("questioned_at")
    merchant, payment = sent_before(10 * MINUTE, **{name: one for name, one in changes.items() if one is not age})
    now = merchant.world.clock.now()
    if isinstance(age, timedelta):
        raised = replace(payment.noted(now), questioned_at=now - age)
        payment = merchant.world.process().payments.save(payment, raised)
    after = ask_in_vain(merchant, payment)
    assert after.due_at == now + wait
    assert merchant.payment() == after


@pytest.mark.parametrize(("age", "due"), [(61, 90), (3600, 3600 + 120)])
def test_a_doku_that_is_away_is_asked_again_in_two_minutes_or_at_the_step_before(age: int, due: int) -> None:
    merchant, payment = sent_before(age * SECOND)
    merchant.world.weather = Strike("doku.status", Fault.FAIL)
    after = ask_status(payment, merchant.world.process(), merchant.world.deadline())
    assert after.due_at == payment.sent_at + due * SECOND


@pytest.mark.parametrize(("age", "counted"), [(A_DAY, 0), (A_DAY + SECOND, 1)])
def test_a_question_open_for_more_than_a_day_is_counted_at_each_look(age: timedelta, counted: int) -> None:
    merchant, payment = sent_before(3 * A_DAY, state=PaymentState.PAID)
    now = merchant.world.clock.now()
    raised = replace(payment.noted(now), questioned_at=now - age)
    payment = merchant.world.process().payments.save(payment, raised)
    ask_in_vain(merchant, payment)
    assert merchant.world.telemetry.counts[Metric.QUESTION_UNANSWERED] == counted


@pytest.mark.parametrize("status", ["02", "07", "99", None])
def test_at_the_schedules_end_an_unfinished_payment_needs_a_person(status: str | None) -> None:
    merchant, payment = sent_before(A_DAY)
    after = ask_in_vain(merchant, payment) if status is None else ask(merchant, payment, status)
    if status == "07":  # it is the second one that says so: this one is the first
        assert (after.not_found_count, after.not_found_since) == (1, merchant.world.clock.now())
    assert (after.state, after.review) == (PaymentState.NEEDS_REVIEW, ReviewReason.EXHAUSTED)
    assert after.due_at is None


def test_a_settled_payment_with_a_question_is_asked_about_past_the_schedules_end() -> None:
    merchant, payment = sent_before(3 * A_DAY, state=PaymentState.PAID)
    now = merchant.world.clock.now()
    raised = replace(payment.noted(now), questioned_at=now - 2 * A_DAY)
    payment = merchant.world.process().payments.save(payment, raised)
    after = ask_in_vain(merchant, payment)
    assert (after.state, after.questioned_at) == (PaymentState.PAID, payment.questioned_at)
    assert after.due_at == now + 12 * MINUTE


# --- questions that are answered, or not -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "status", "heard", "answered"),
    [
        (PaymentState.PAID, "00", None, True),
        (PaymentState.PAID, "05", None, True),
        (PaymentState.PROCESSING, "02", None, True),
        (PaymentState.UNKNOWN, "07", None, False),
        (PaymentState.PROCESSING, "99", None, False),
        (PaymentState.PAID, "02", None, False),  # the question is days old, and this is the first answer to it
        (PaymentState.PAID, "07", None, False),
        (PaymentState.PAID, "07", 6 * 60 * MINUTE, False),
        (PaymentState.PAID, "02", SCHEDULE - SECOND, False),
        (PaymentState.PAID, "02", SCHEDULE, True),  # all of the schedule has said so
        (PaymentState.PAID, "07", SCHEDULE, True),
    ],
)
def test_a_question_is_answered_by_a_status_that_ends_it_or_by_a_whole_schedule_that_says_the_same(
    state: PaymentState, status: str, heard: timedelta | None, answered: bool
) -> None:
    merchant, payment = sent_before(10 * MINUTE, state=state)
    now = merchant.world.clock.now()
    since = None if heard is None else now - heard
    raised = replace(payment.noted(now), questioned_at=now - 3 * A_DAY, question_heard_at=since)
    payment = merchant.world.process().payments.save(payment, raised)
    after = ask(merchant, payment, status)
    assert merchant.payment() == after
    assert (after.questioned_at is None) == answered
    assert after.question_heard_at == (None if answered else since or now)
    if not answered:
        assert after.due_at is not None
        assert after.due_at > now
    elif after.is_final:
        assert after.due_at is None


def test_what_is_planned_has_the_time_at_which_it_was_written() -> None:
    merchant, payment = sent_before(10 * MINUTE, state=PaymentState.PROCESSING)
    clock = merchant.world.clock

    def answer_slowly(*_: object) -> StatusAnswer:
        clock.tick(7)
        return StatusAnswer("99", "2005500", None, "R1")

    with patch.object(DokuAdapter, "inquire_status", answer_slowly):
        after = ask_status(payment, merchant.world.process(), merchant.world.deadline())
    assert after.updated_at == clock.now()
    assert (after.last_inquiry_at, after.version) == (clock.now() - 7 * SECOND, payment.version + 2)


def test_a_payment_without_a_question_gets_none() -> None:
    merchant, payment = sent_before(10 * MINUTE, state=PaymentState.PROCESSING)
    after = ask(merchant, payment, "02")
    assert (after.questioned_at, after.due_at) == (None, payment.sent_at + 900 * SECOND)


# --- the look after it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "due"),
    [
        (61, 90),
        (700, 900),
        (850, 900),
        (900, 900 + 120),  # DOKU has to say it again, minutes later
        (3600, 3600 + 120),
    ],
)
def test_after_not_found_the_next_look_is_soon(age: int, due: int) -> None:
    merchant, payment = sent_before(age * SECOND)
    after = ask(merchant, payment, "07")
    assert (after.state, after.not_found_count) == (PaymentState.UNKNOWN, 1)
    assert after.due_at == payment.sent_at + due * SECOND


def test_the_look_after_not_found_is_spread_over_half_a_minute() -> None:
    merchant, payment = sent_before(3600 * SECOND)
    with jitter(0.8):
        after = ask(merchant, payment, "07")
    assert after.due_at == merchant.world.clock.now() + 144 * SECOND


def test_what_has_failed_as_not_found_keeps_to_the_schedule() -> None:
    merchant, payment = sent_before(3600 * SECOND, **NOT_FOUND)
    after = ask(merchant, payment, "07")
    assert (after.state, after.due_at) == (PaymentState.FAILED, payment.sent_at + 7200 * SECOND)


@pytest.mark.parametrize(
    ("state", "questioned", "distance", "queued"),
    [
        (PaymentState.UNKNOWN, False, 900, True),
        (PaymentState.UNKNOWN, False, 901, False),
        (PaymentState.PROCESSING, True, 900, True),
        (PaymentState.PROCESSING, True, 901, False),
        (PaymentState.PROCESSING, False, 900, False),
    ],
)
def test_the_next_look_has_a_message_where_it_matters_and_the_queue_reaches_that_far(
    state: PaymentState, questioned: bool, distance: int, queued: bool
) -> None:
    merchant, payment = sent_before(61 * SECOND, state=state)
    merchant.world.settings = replace(merchant.world.settings, inquiry_schedule=(61, 61 + distance, 86400))
    now = merchant.world.clock.now()
    if questioned:
        raised = replace(payment.noted(now), questioned_at=now - 61 * SECOND)
        payment = merchant.world.process().payments.save(payment, raised)
    after = ask(merchant, payment, "99")
    assert after.due_at == now + distance * SECOND
    assert messages(merchant) == ([("inquiry", now + distance * SECOND)] if queued else [])


def test_who_is_overtaken_while_planning_leaves_the_plan_to_the_other() -> None:
    merchant, payment = sent_before(10 * MINUTE, state=PaymentState.PROCESSING)
    payments = merchant.world.process().payments

    def touch() -> None:
        current = merchant.payment()
        payments.save(current, replace(current.noted(merchant.world.clock.now()), remarks="another"))

    merchant.world.weather = Meanwhile("store.update_item", touch, skip=1)  # the first write is the claim
    after = ask(merchant, payment, "99")
    assert after == merchant.payment()
    assert after.remarks == "another"


# --- not found -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "since", "believed"),
    [(900, 120, True), (899, 120, False), (900, 119, False), (900, 0, False), (3600, 3000, True)],
)
def test_not_found_is_believed_when_said_again_minutes_later_and_not_before_its_time(
    age: int, since: int, believed: bool
) -> None:
    merchant, payment = sent_before(age * SECOND)
    now = merchant.world.clock.now()
    first = now - since * SECOND
    said = replace(payment.noted(now), not_found_count=1, not_found_since=first)
    payment = merchant.world.process().payments.save(payment, said)
    after = ask(merchant, payment, "07")
    assert (after.state is PaymentState.FAILED) == believed
    assert (after.not_found_count, after.not_found_since) == (2, first)


def test_what_doku_says_else_ends_both_what_it_said_and_since_when() -> None:
    merchant, payment = sent_before(3600 * SECOND)
    after = ask(merchant, payment, "07")
    after = ask(merchant, after, "99")
    assert (after.not_found_count, after.not_found_since) == (0, None)
    assert ("status of unknown meaning", {"ref": REF, "code": "99"}) in merchant.world.telemetry.notes


def test_of_a_settled_payment_not_found_is_not_counted() -> None:
    merchant, payment = sent_before(600 * SECOND, state=PaymentState.PAID)
    after = ask(merchant, payment, "07")
    assert (after.state, after.not_found_count, after.not_found_since) == (PaymentState.PAID, 0, None)


# --- reversals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reversed_before", "status", "reversed_after", "counted"),
    [
        (False, "05", True, 1),
        (True, "05", True, 0),  # said again
        (True, "02", True, 0),  # it proves nothing
        (True, "00", False, 0),
        (False, "02", False, 0),
        (False, "00", False, 0),
    ],
)
def test_a_reversal_is_written_and_counted_once_and_ends_by_dokus_word_alone(
    reversed_before: bool, status: str, reversed_after: bool, counted: int
) -> None:
    merchant, payment = sent_before(600 * SECOND, state=PaymentState.PAID)
    since = merchant.world.clock.now() - MINUTE
    if reversed_before:
        reversed_ = replace(payment.noted(since), reversed_at=since)
        payment = merchant.world.process().payments.save(payment, reversed_)
    merchant.world.weather = effects = Strike("", Fault.NONE)
    after = ask(merchant, payment, status)
    if reversed_before and reversed_after:
        assert after.reversed_at == since
    assert (after.reversed_at is not None) == reversed_after
    assert merchant.world.telemetry.counts[Metric.PAYMENT_REVERSED] == counted
    written = 2 + (reversed_before != reversed_after)  # the claim, what has changed, and the plan
    assert effects.names.count("store.update_item") == written


# --- what a status means ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("original", "reason"),
    [
        ("4030412", FailureReason.EXPIRED),
        ("4030411", FailureReason.OTP_BLOCKED),
        ("4035414", FailureReason.DECLINED),
        (None, FailureReason.DECLINED),
    ],
)
def test_a_failure_has_the_reason_of_its_original_code(original: str | None, reason: FailureReason) -> None:
    merchant, payment = sent_before(10 * MINUTE)
    after = ask(merchant, payment, "06", original)
    assert after.failure == PaymentFailure(reason, "06")
    assert after.response_code == (original or payment.response_code)


@pytest.mark.parametrize(
    ("age", "attempts", "abandoned"),
    [(A_DAY, 0, True), (A_DAY - SECOND, 0, False), (A_DAY, 1, False)],
)
def test_a_code_is_abandoned_after_a_day_in_which_none_was_given(
    age: timedelta, attempts: int, abandoned: bool
) -> None:
    merchant, payment = sent_before(age, state=PaymentState.OTP_PENDING, otp_attempts=attempts)
    after = ask(merchant, payment, "03", "4035413")
    if abandoned:
        assert after.failure == PaymentFailure(FailureReason.OTP_ABANDONED, "03")
    else:
        assert after.state is PaymentState.OTP_PENDING


def test_dokus_reference_is_learnt_from_the_status() -> None:
    merchant, payment = sent_before(10 * MINUTE, doku_reference=None)
    assert ask(merchant, payment, "02").doku_reference == "R1"


def test_a_status_without_a_reference_takes_none_away() -> None:
    merchant, payment = sent_before(10 * MINUTE, doku_reference="D-1")
    answer = StatusAnswer("02", "2005500", None, None)
    with patch.object(DokuAdapter, "inquire_status", lambda *_: answer):
        after = ask_status(payment, merchant.world.process(), merchant.world.deadline())
    assert after.doku_reference == "D-1"


# --- questions and sweeps --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "planned", "due"),
    [(30, None, 30), (30, 300, 30), (600, None, 0), (600, 300, 0), (600, -60, -60)],
)
def test_a_question_is_due_at_once_but_not_within_the_first_minute_and_puts_nothing_off(
    age: int, planned: int | None, due: int
) -> None:
    merchant, payment = sent_before(age * SECOND, state=PaymentState.PAID)
    now = merchant.world.clock.now()
    before = replace(payment.noted(now), due_at=None if planned is None else now + planned * SECOND)
    payment = merchant.world.process().payments.save(payment, before)
    after = request_inquiry(merchant.world.process(), payment)
    assert (after.questioned_at, after.due_at) == (now, now + due * SECOND)
    assert messages(merchant) == [("inquiry", now + max(due, 0) * SECOND)]


@pytest.mark.parametrize(("payment_due", "refund_due"), [(0, 1), (1, 0), (None, -60), (-60, None)])
def test_the_sweep_hands_on_what_is_due_and_nothing_else(payment_due: int | None, refund_due: int | None) -> None:
    merchant, payment = sent_before(600 * SECOND, state=PaymentState.PAID)
    now = merchant.world.clock.now()

    def at(seconds: int | None) -> datetime | None:
        return None if seconds is None else now + seconds * SECOND

    refund = Refund(
        number="R",
        reason="",
        request_hash="",
        requested_at=now,
        due_at=at(refund_due),
        evidence=Evidence(EvidenceSource.CALLER, now),
    )
    sweep_payment(replace(payment, due_at=at(payment_due), refund=refund), merchant.world.process())
    due = {"inquiry": payment_due, "refund": refund_due}
    assert messages(merchant) == [
        (queue, now) for queue, seconds in due.items() if seconds is not None and seconds <= 0
    ]
