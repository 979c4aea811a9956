"""One step of a refund, to the second: who may do it, what is written before and after, when the next is due."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from unittest.mock import patch

import pytest

from direct_debit.adapters.doku import DokuAdapter
from direct_debit.application.errors import Rejected
from direct_debit.application.payments import advance_payment
from direct_debit.application.payments.advance_payment import QUEUE_REACH
from direct_debit.application.ports.doku import Reply, WriteAnswer
from direct_debit.application.ports.doku_reads import RefundRecord, StatusAnswer
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.refunds.process_refund import process_refund, redrive_refund
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.payment import Payment, PaymentState
from direct_debit.domain.refund import Refund, RefundState
from direct_debit.domain.transitions import TransitionRefused
from tests.fakes.ids import SeededIds
from tests.fakes.journey import REF, Merchant
from tests.fakes.records import with_fields
from tests.fakes.weather import Crash, Fault
from tests.unit.application.support import Meanwhile, Strike, paid, refund_of, requests
from tools.doku_simulator.dials import Dial

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
A_DAY = timedelta(days=1)
NUMBER = "R-1"


@pytest.fixture(autouse=True)
def exact_steps() -> Iterator[None]:
    """No jitter: steps come when the schedule says."""
    with patch.object(SeededIds, "jitter", lambda _: 0.0), patch.object(advance_payment, "spread_of", lambda _: 0.0):
        yield


def refund_in(
    state: RefundState, *, requested: timedelta = MINUTE * 10, sent: timedelta | None = None, **changes: object
) -> Merchant:
    """Return a merchant with a refund of a state, due now: asked for and sent so long ago."""
    merchant = paid()
    merchant.refund(number=NUMBER)
    world = merchant.world
    world.queues.waiting.clear()
    world.telemetry.notes.clear()
    now, payment, refund = world.clock.now(), merchant.payment(), refund_of(merchant)
    changed = replace(
        refund,
        state=state,
        requested_at=now - requested,
        sent_at=None if sent is None else now - sent,
        attempts=0 if sent is None else 1,
        attempt=None if sent is None else "before",
        due_at=now,
    )
    changed = with_fields(changed, **changes)
    world.process().payments.save(payment, replace(payment.noted(now), refund=changed))
    return merchant


type Queued = tuple[float, ...]
"""In how many seconds the messages arrive that a step has queued for the refund."""

NOTHING: Queued = ()


def step(merchant: Merchant) -> Queued:
    world = merchant.world
    world.queues.waiting.clear()
    process_refund(REF, world.process(), world.deadline())
    return tuple(
        (at - world.clock.now()) / SECOND for at, _, message, _ in world.queues.waiting if message.queue == "refund"
    )


def within_reach(wait: timedelta) -> Queued:
    """A step that is nearer than a queue can hold a message back has its message; a later one is the sweep's."""
    return (wait / SECOND,) if wait <= QUEUE_REACH else NOTHING


def answer_to_sending(merchant: Merchant, reply: Reply, code: str = "4035806") -> Queued:
    """Do the step; DOKU answers the refund request with this."""
    answer = WriteAnswer(reply, code, "D-9", time=merchant.world.clock.now())
    with patch.object(DokuAdapter, "refund_payment", lambda *_: answer):
        return step(merchant)


def answer_to_asking(merchant: Merchant, status: str, *rows: tuple[str, str]) -> Queued:
    """Do the step; DOKU answers the question with this status and these rows (number, status)."""
    records = tuple(RefundRecord(number, state, None) for number, state in rows)
    answer = StatusAnswer(status, "2005500", None, "D-1", records)
    with patch.object(DokuAdapter, "inquire_status", lambda *_: answer):
        return step(merchant)


def due_in(merchant: Merchant) -> timedelta | None:
    due = refund_of(merchant).due_at
    return None if due is None else due - merchant.world.clock.now()


# --- whose turn it is ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("early", "expected"),
    [(5, (5.0,)), (6, NOTHING), (0.5, (1.0,)), (3600, NOTHING)],
)
def test_a_step_that_comes_early_comes_again_only_where_a_clock_may_be_behind(early: float, expected: Queued) -> None:
    merchant = refund_in(RefundState.REQUESTED)
    due = merchant.world.clock.now() + early * SECOND
    change(merchant, due_at=due)
    assert step(merchant) == expected
    assert requests(merchant.world, "refund") == 0


def change(merchant: Merchant, **changes: object) -> None:
    payments, payment = merchant.world.process().payments, merchant.payment()
    changed = with_fields(refund_of(merchant), **changes)
    payments.save(payment, replace(payment.noted(merchant.world.clock.now()), refund=changed))


def test_what_is_settled_or_not_there_needs_no_step() -> None:
    merchant = paid()
    assert step(merchant) == NOTHING
    for state in (RefundState.REFUNDED, RefundState.FAILED, RefundState.NEEDS_REVIEW):
        assert step(refund_in(state)) == NOTHING
    assert step(refund_in(RefundState.REQUESTED, due_at=None)) == NOTHING
    ports = merchant.world.process()
    merchant.world.queues.waiting.clear()
    process_refund("NONE", ports, merchant.world.deadline())
    assert merchant.world.queues.waiting == []


def test_of_two_who_do_a_step_at_once_one_does_it_and_plans_the_next() -> None:
    merchant = refund_in(RefundState.REQUESTED)
    others: list[Queued] = []
    merchant.world.weather = Meanwhile("store.update_item", lambda: others.append(step(merchant)))
    assert step(merchant) == NOTHING
    assert others == [NOTHING]
    assert requests(merchant.world, "refund") == 1


# --- sending ---------------------------------------------------------------------------------------------------------


def test_a_sending_is_written_before_it_is_sent() -> None:
    merchant = refund_in(RefundState.REQUESTED)
    seen: list[Payment] = []
    merchant.world.weather = Meanwhile("doku.refund", lambda: seen.append(merchant.payment()))
    assert step(merchant) == NOTHING
    refund, now = seen[0].refund, merchant.world.clock.now()
    assert refund is not None
    assert (refund.state, refund.attempts, refund.sent_at) == (RefundState.SENDING, 1, now)
    assert refund.due_at == now + 2 * MINUTE
    assert refund.attempt is not None
    (sent,) = [one for one in merchant.world.simulator.requests if one.operation == "refund"]
    assert sent.external_id == refund.external_id


def test_what_the_answer_brings_is_kept_and_the_payment_is_refunded_with_it() -> None:
    merchant = refund_in(RefundState.REQUESTED)
    assert answer_to_sending(merchant, Reply.DONE, "2005800") == NOTHING
    refund = refund_of(merchant)
    assert (refund.state, refund.refund_no, refund.refunded_at) == (
        RefundState.REFUNDED,
        "D-9",
        merchant.world.clock.now(),
    )
    assert (refund.due_at, refund.response_code) == (None, "2005800")
    assert (merchant.payment().state, merchant.payment().due_at) == (PaymentState.REFUNDED, None)
    assert merchant.world.telemetry.notes == [
        ("refund moved", {"ref": REF, "state": "REFUNDED", "code": "2005800"}),
    ]


@pytest.mark.parametrize(
    ("reply", "sent", "state"),
    [
        (Reply.IN_PROGRESS, None, RefundState.UNKNOWN),
        (Reply.LATER, None, RefundState.RETRYING),
        (Reply.DECLINED, None, RefundState.FAILED),
        (Reply.CUSTOMER_MUST_ACT, None, RefundState.FAILED),
        (Reply.EXPIRED, None, RefundState.FAILED),
        (Reply.CANCELLED, None, RefundState.FAILED),
        (Reply.OTP_WRONG, None, RefundState.UNKNOWN),
        (Reply.LATER, 5 * MINUTE, RefundState.RETRYING),
        (Reply.DECLINED, 5 * MINUTE, RefundState.UNKNOWN),  # perhaps the sending before has worked
    ],
)
def test_an_answer_means_something_else_for_a_repetition(
    reply: Reply, sent: timedelta | None, state: RefundState
) -> None:
    merchant = refund_in(RefundState.RETRYING, sent=sent)
    with patch.object(DokuAdapter, "inquire_status", lambda *_: StatusAnswer("00", "2005500", None, None)):
        answer_to_sending(merchant, reply)
    assert refund_of(merchant).state is state
    failed = state is RefundState.FAILED
    assert merchant.world.telemetry.counts[Metric.REFUND_FAILED] == int(failed)
    assert (due_in(merchant) is None) == failed


# --- when the next step is due ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requested", "wait"),
    [
        (0 * MINUTE, 61 * SECOND),
        (10 * MINUTE, 5 * MINUTE),
        (3 * HOUR, HOUR),  # the next step lies three hours away
    ],
)
def test_what_doku_postpones_is_tried_at_the_next_step_and_within_the_hour(
    requested: timedelta, wait: timedelta
) -> None:
    merchant = refund_in(RefundState.REQUESTED, requested=requested)
    assert answer_to_sending(merchant, Reply.LATER) == within_reach(wait)
    assert due_in(merchant) == wait


def test_what_was_not_sent_because_doku_was_away_is_sent_in_two_minutes() -> None:
    merchant = refund_in(RefundState.REQUESTED, requested=3 * HOUR)
    merchant.world.weather = Strike("doku.refund", Fault.FAIL)
    step(merchant)
    assert (refund_of(merchant).state, due_in(merchant)) == (RefundState.RETRYING, 2 * MINUTE)
    assert refund_of(merchant).evidence.source is EvidenceSource.NOTHING_SENT


def test_what_was_refused_for_the_customers_token_has_the_steps_of_the_schedule() -> None:
    merchant = refund_in(RefundState.REQUESTED, requested=3 * HOUR)
    merchant.world.simulator.unlink_customer(merchant.customer)
    step(merchant)
    assert (refund_of(merchant).state, due_in(merchant)) == (RefundState.RETRYING, 3 * HOUR)


@pytest.mark.parametrize("requested", [10 * MINUTE, 30 * HOUR])
def test_a_first_sending_whose_answer_was_lost_has_a_schedule_of_its_own(requested: timedelta) -> None:
    merchant = refund_in(RefundState.REQUESTED, requested=requested)
    assert answer_to_sending(merchant, Reply.IN_PROGRESS) == (61.0,)
    assert due_in(merchant) == 61 * SECOND


@pytest.mark.parametrize(
    ("requested", "wait"),
    [
        (10 * MINUTE, 5 * MINUTE),
        (15 * MINUTE, 15 * MINUTE),  # the farthest that a queue holds back
        (14 * MINUTE + 30 * SECOND, 15 * MINUTE + 30 * SECOND),  # a question within the first minute is none
        (A_DAY - HOUR, HOUR),
        (A_DAY, MINUTE),  # past the schedule's end: as soon as DOKU may be asked
    ],
)
def test_a_repeated_sending_whose_answer_was_lost_keeps_to_the_refunds_schedule(
    requested: timedelta, wait: timedelta
) -> None:
    merchant = refund_in(RefundState.RETRYING, requested=requested, sent=requested)
    with patch.object(DokuAdapter, "inquire_status", lambda *_: StatusAnswer("00", "2005500", None, None)):
        queued = answer_to_sending(merchant, Reply.IN_PROGRESS)
    assert (refund_of(merchant).attempts, due_in(merchant)) == (2, wait)
    assert queued == within_reach(wait)


@pytest.mark.parametrize(
    ("requested", "wait"),
    [
        (10 * MINUTE, 5 * MINUTE),  # the schedule's step
        (A_DAY - 5 * HOUR, 13 * MINUTE),  # the first minute, and then a quarter of an hour at most
        (A_DAY, MINUTE),
    ],
)
def test_a_repeated_sending_that_nobody_answered_is_asked_about_soon(requested: timedelta, wait: timedelta) -> None:
    merchant = refund_in(RefundState.RETRYING, requested=requested, sent=requested)
    merchant.world.simulator.add_dial(Dial("refund", "drop", "before"))
    with patch.object(DokuAdapter, "inquire_status", lambda *_: StatusAnswer("00", "2005500", None, None)):
        step(merchant)
    assert (refund_of(merchant).state, refund_of(merchant).attempts) == (RefundState.UNKNOWN, 2)
    assert due_in(merchant) == wait


# --- asking ----------------------------------------------------------------------------------------------------------


def test_a_look_is_claimed_for_two_minutes_before_doku_is_asked() -> None:
    merchant = refund_in(RefundState.UNKNOWN, sent=5 * MINUTE)
    seen: list[datetime | None] = []
    merchant.world.weather = Meanwhile("doku.status", lambda: seen.append(refund_of(merchant).due_at))
    step(merchant)
    assert seen == [merchant.world.clock.now() + 2 * MINUTE]


@pytest.mark.parametrize(
    ("status", "rows", "state", "sent"),
    [
        ("00", [(NUMBER, "00")], RefundState.REFUNDED, 0),
        ("04", [], RefundState.REFUNDED, 0),
        ("00", [(NUMBER, "03")], RefundState.UNKNOWN, 0),
        ("00", [(NUMBER, "06")], RefundState.FAILED, 0),
        ("00", [("OTHER", "00")], RefundState.NEEDS_REVIEW, 0),
        ("00", [("OTHER", "03")], RefundState.NEEDS_REVIEW, 0),
        ("00", [("OTHER", "06")], RefundState.REFUNDED, 1),
        ("00", [], RefundState.REFUNDED, 1),
        ("02", [], RefundState.UNKNOWN, 0),
        ("07", [], RefundState.UNKNOWN, 0),
    ],
)
def test_a_history_ends_a_refund_sends_it_again_or_proves_nothing(
    status: str, rows: list[tuple[str, str]], state: RefundState, sent: int
) -> None:
    merchant = refund_in(RefundState.UNKNOWN, sent=5 * MINUTE)
    answer_to_asking(merchant, status, *rows)
    assert refund_of(merchant).state is state
    assert requests(merchant.world, "refund") == sent
    if state is RefundState.UNKNOWN:
        assert due_in(merchant) == 5 * MINUTE  # asked for ten minutes ago: the next step


@pytest.mark.parametrize(
    ("requested", "state"), [(A_DAY, RefundState.NEEDS_REVIEW), (A_DAY - SECOND, RefundState.UNKNOWN)]
)
def test_a_history_that_shows_nothing_to_the_schedules_end_needs_a_person(
    requested: timedelta, state: RefundState
) -> None:
    merchant = refund_in(RefundState.UNKNOWN, requested=requested, sent=5 * MINUTE)
    answer_to_asking(merchant, "00", (NUMBER, "03"))
    assert refund_of(merchant).state is state
    reviewed = state is RefundState.NEEDS_REVIEW
    assert merchant.world.telemetry.counts[Metric.REFUND_NEEDS_REVIEW] == int(reviewed)
    assert (refund_of(merchant).evidence.source is EvidenceSource.SCHEDULE) == reviewed


@pytest.mark.parametrize(("code", "wait"), [("40306", 10 * MINUTE), ("50000", 2 * MINUTE)])
def test_a_question_without_an_answer_is_asked_again_as_of_payments(code: str, wait: timedelta) -> None:
    merchant = refund_in(RefundState.UNKNOWN, sent=5 * MINUTE)
    merchant.world.simulator.add_dial(Dial("status", "code", when="before", code=code))
    assert step(merchant) == within_reach(wait)
    assert (refund_of(merchant).state, due_in(merchant)) == (RefundState.UNKNOWN, wait)


@pytest.mark.parametrize(
    ("requested", "sent", "state"),
    [
        (2 * A_DAY, A_DAY, RefundState.NEEDS_REVIEW),
        (2 * A_DAY, A_DAY + SECOND, RefundState.REFUNDED),
        (2 * A_DAY, 30 * HOUR, RefundState.REFUNDED),
    ],
)
def test_a_refund_sent_after_its_schedule_that_doku_does_not_know_needs_a_person(
    requested: timedelta, sent: timedelta, state: RefundState
) -> None:
    merchant = refund_in(RefundState.UNKNOWN, requested=requested, sent=sent)
    answer_to_asking(merchant, "00")
    assert refund_of(merchant).state is state


@pytest.mark.parametrize(
    ("requested", "status", "state"),
    [
        (5 * MINUTE, "00", RefundState.FAILED),  # sent in the moment in which it was asked for
        (5 * MINUTE - SECOND, "00", RefundState.REFUNDED),  # refused before it was started again
        (5 * MINUTE - SECOND, "05", RefundState.FAILED),
    ],
)
def test_a_refusal_in_the_history_counts_for_what_was_sent_since_it_was_asked_for(
    requested: timedelta, status: str, state: RefundState
) -> None:
    merchant = refund_in(RefundState.RETRYING, requested=requested, sent=5 * MINUTE)
    answer_to_asking(merchant, status, (NUMBER, "06"))
    assert refund_of(merchant).state is state


def test_who_is_overtaken_while_planning_leaves_the_plan_to_the_other() -> None:
    merchant = refund_in(RefundState.UNKNOWN, sent=5 * MINUTE)
    merchant.world.weather = weather = Meanwhile("store.update_item", lambda: change(merchant, refund_no="D"), skip=1)
    answer_to_asking(merchant, "00", (NUMBER, "03"))
    assert weather.done
    assert (refund_of(merchant).refund_no, due_in(merchant)) == ("D", 2 * MINUTE)  # the claim's


@pytest.mark.parametrize("code", ["40306", "50000"])
def test_without_an_answer_nothing_is_sent_again(code: str) -> None:
    merchant = refund_in(RefundState.RETRYING, sent=5 * MINUTE)
    merchant.world.simulator.add_dial(Dial("status", "code", when="before", code=code))
    step(merchant)
    assert requests(merchant.world, "refund") == 0
    assert refund_of(merchant).state is RefundState.RETRYING


@pytest.mark.parametrize("state", [RefundState.UNKNOWN, RefundState.RETRYING])
def test_a_history_read_before_another_sending_sends_nothing_although_that_one_was_postponed(
    state: RefundState,
) -> None:
    merchant = refund_in(state, sent=5 * MINUTE)

    def ask(*_: object) -> StatusAnswer:
        sent = merchant.world.clock.now()
        change(merchant, state=RefundState.RETRYING, attempt="another", attempts=2, sent_at=sent)
        return StatusAnswer("00", "2005500", None, "D-1")

    with patch.object(DokuAdapter, "inquire_status", ask):
        step(merchant)
    assert requests(merchant.world, "refund") == 0
    assert (refund_of(merchant).state, refund_of(merchant).attempts) == (RefundState.RETRYING, 2)


def test_a_first_sending_is_two_writes() -> None:
    merchant = refund_in(RefundState.REQUESTED)
    merchant.world.weather = effects = Strike("", Fault.NONE)
    answer_to_sending(merchant, Reply.DONE, "2005800")
    assert effects.names.count("store.update_item") == 2


def test_a_refund_that_is_done_puts_off_no_question() -> None:
    merchant = refund_in(RefundState.REQUESTED)
    payments, payment, now = merchant.world.process().payments, merchant.payment(), merchant.world.clock.now()
    raised = replace(payment.noted(now), questioned_at=now, sent_at=now - HOUR, due_at=now + 10 * HOUR)
    payments.save(payment, raised)
    answer_to_sending(merchant, Reply.DONE, "2005800")
    assert (merchant.payment().state, merchant.payment().due_at) == (PaymentState.REFUNDED, now + 61 * SECOND)


def test_who_is_overtaken_before_asking_asks_nothing() -> None:
    merchant = refund_in(RefundState.UNKNOWN, sent=5 * MINUTE)
    merchant.world.weather = Meanwhile("store.update_item", lambda: change(merchant, refund_no="D"))
    assert step(merchant) == NOTHING
    assert requests(merchant.world, "status") == 0


def test_a_refund_that_doku_does_not_know_is_due_at_once_should_its_sender_die() -> None:
    merchant = refund_in(RefundState.UNKNOWN, sent=5 * MINUTE)
    # The look's claim and its answer are written, the claim of the sending is not.
    merchant.world.weather = Strike("store.update_item", Fault.CRASH_BEFORE, skip=2)
    with pytest.raises(Crash):
        answer_to_asking(merchant, "00")
    assert (refund_of(merchant).state, due_in(merchant)) == (RefundState.RETRYING, timedelta(0))


# --- taking over and starting again ----------------------------------------------------------------------------------


def test_a_sending_that_nobody_finished_is_unknown_and_asked_about() -> None:
    merchant = refund_in(RefundState.SENDING, sent=3 * MINUTE)
    seen: list[Refund] = []
    merchant.world.weather = Meanwhile("doku.status", lambda: seen.append(refund_of(merchant)))
    answer_to_asking(merchant, "00", (NUMBER, "03"))
    lost = [fields for text, fields in merchant.world.telemetry.notes if text == "refund moved"]
    assert lost == [{"ref": REF, "state": "UNKNOWN"}]
    assert refund_of(merchant).state is RefundState.UNKNOWN
    assert refund_of(merchant).evidence.source is EvidenceSource.NO_ANSWER
    assert due_in(merchant) == 5 * MINUTE


@pytest.mark.parametrize("state", [RefundState.NEEDS_REVIEW, RefundState.FAILED])
def test_a_refund_that_is_started_again_is_due_at_once_with_a_new_schedule(state: RefundState) -> None:
    merchant = refund_in(state, requested=3 * A_DAY, sent=3 * A_DAY, due_at=None)
    before, now = refund_of(merchant), merchant.world.clock.now()
    redriven = redrive_refund(REF, merchant.world.process()).refund
    assert redriven == refund_of(merchant)
    expected = Evidence(EvidenceSource.CALLER, now)
    assert redriven == replace(before, state=RefundState.RETRYING, requested_at=now, due_at=now, evidence=expected)


def test_a_refund_that_ends_while_it_is_started_again_is_not() -> None:
    merchant = refund_in(RefundState.NEEDS_REVIEW, due_at=None)
    merchant.world.weather = weather = Meanwhile(
        "store.transact_write_items", lambda: change(merchant, state=RefundState.REFUNDED)
    )
    with pytest.raises(TransitionRefused, match="REFUNDED"):
        redrive_refund(REF, merchant.world.process())
    assert weather.done
    assert refund_of(merchant).state is RefundState.REFUNDED


def test_there_is_no_refund_to_start_again() -> None:
    merchant = paid()
    with pytest.raises(Rejected, match="no such refund"):
        redrive_refund(REF, merchant.world.process())
    with pytest.raises(Rejected, match="no such refund"):
        redrive_refund("NONE", merchant.world.process())
    merchant = refund_in(RefundState.NEEDS_REVIEW, due_at=None)
    payments, payment = merchant.world.process().payments, merchant.payment()
    payments.save(payment, replace(payment.noted(merchant.world.clock.now()), state=PaymentState.REFUNDED))
    with pytest.raises(Rejected, match="nothing to give back"):
        redrive_refund(REF, merchant.world.process())
