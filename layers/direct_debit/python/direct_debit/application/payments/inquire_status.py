"""Ask DOKU what became of a payment, and follow the answer (contract 3.9, section 6).

This is the primary repair path: lost answers, crashes, lost notifications and abandoned codes all end here.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from direct_debit.application.calls.call_doku import call_doku
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import DirectDebitError, PaymentChanged, StoreUnavailable
from direct_debit.application.looks import NO_ANSWER, SOON, claim_until, next_try
from direct_debit.application.payments.advance_payment import (
    QUEUE_REACH,
    advance_payment,
    has_step_left,
    plan_next_look,
    queue_inquiry,
    queue_refund,
)
from direct_debit.application.ports.doku_reads import StatusAnswer
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.telemetry import Metric
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.payment import Payment, PaymentEvent, PaymentState

_AWAITING_OTP = "4035413"  # 4035413 as the original response code: the bank still waits for the customer's code

_CLOCK_SKEW = timedelta(seconds=5)
_LONG_UNANSWERED = timedelta(days=1)  # then somebody should know that DOKU does not answer a question
_ROUNDS = 20

_OUTCOMES = {
    "00": PaymentEvent.SUCCEEDED,
    "04": PaymentEvent.REFUNDED,
    "05": PaymentEvent.CANCELLED,
}
_PENDING = frozenset({"01", "02", "03"})
_FAILED = "06"
_NOT_FOUND = "07"
_FINAL = frozenset({"00", "04", "05", "06"})
_REVERSALS = frozenset({"05", "06"})


def inquire_status(ref: str, ports: Ports, deadline: Deadline) -> Payment | None:
    """Look at a payment whose time has come; a repeated, early or needless call does nothing.

    Returns the payment as it is afterwards, None when there is none. Raises StoreUnavailable.
    """
    payment = ports.payments.get(ref)
    if payment is None or payment.due_at is None:
        return payment
    now = ports.clock.now()
    if now < payment.due_at:
        # Another look is planned, which has its own message or the sweep; only a clock that is behind asks again.
        if payment.due_at - now <= _CLOCK_SKEW:
            queue_inquiry(ports, payment)
        return payment
    return ask_status(payment, ports, deadline)


def ask_status(payment: Payment, ports: Ports, deadline: Deadline) -> Payment:
    """Claim one look at the payment, ask, and apply the answer.

    Only one caller gets the claim; the others return what they see. A crash after the claim costs the claim's two
    minutes: the step of the schedule is written with the answer.
    """
    now = ports.clock.now()
    claim = replace(payment.noted(now), last_inquiry_at=now, due_at=claim_until(ports, now))
    try:
        claimed = ports.payments.save(payment, claim)
    except PaymentChanged as race:
        return race.current
    try:
        answer = call_doku(ports, deadline, lambda call: ports.doku.inquire_status(claimed, call))
    except NO_ANSWER as error:
        ports.telemetry.note("status inquiry without an answer", ref=payment.ref, code=error.code)
        return _plan_another(ports, claimed, error)
    return _settle(ports, _follow(ports, claimed, answer), answer, claimed.questioned_at)


def _plan_another(ports: Ports, payment: Payment, error: DirectDebitError) -> Payment:
    """Plan another look where DOKU did not answer; past the schedule's end an unfinished payment needs a person.

    A final payment that is asked about (something odd was said of it) waits for a real answer, however long.
    """
    now = ports.clock.now()
    if not payment.is_final and not has_step_left(payment, ports, now):
        return _exhaust(ports, payment)
    since = payment.questioned_at if payment.is_final and payment.questioned_at is not None else payment.sent_at
    step = plan_next_look(ports, payment, now)
    if payment.questioned_at is not None and now - payment.questioned_at > _LONG_UNANSWERED:
        ports.telemetry.count(Metric.QUESTION_UNANSWERED)
    due = next_try(ports, error, since=since, now=now, step=step)
    return _plan(ports, payment, replace(payment, due_at=due))


def _settle(ports: Ports, payment: Payment, answer: StatusAnswer, asked: datetime | None) -> Payment:
    """Plan what comes after an answer; the last one ends in a final state or in a review, never in silence.

    `asked` is the question that was open when DOKU was asked: only that one can have been answered.
    """
    now = ports.clock.now()
    if not payment.is_final and not has_step_left(payment, ports, now):
        return _exhaust(ports, payment)
    after = payment
    if asked is not None and payment.questioned_at == asked:
        if _is_answered(payment, answer, ports, now):
            after = replace(payment, questioned_at=None, question_heard_at=None)
        else:
            after = replace(payment, question_heard_at=payment.question_heard_at or now)
    return _plan(ports, payment, replace(after, due_at=_next_look(ports, after, answer, now)))


def _is_answered(payment: Payment, answer: StatusAnswer, ports: Ports, now: datetime) -> bool:
    """Whether a status answers the question of a payment.

    A final one does. One that is pending does where the payment goes on being asked about anyway. Where it does not,
    and for "not found" of a payment of which DOKU has spoken, DOKU has to say so as long as the schedule is: time in
    which it said nothing, or refused to, does not count.
    """
    if answer.status in _FINAL or (answer.status in _PENDING and not payment.is_final):
        return True
    first, last = ports.settings.inquiry_schedule[0], ports.settings.inquiry_schedule[-1]
    heard = payment.question_heard_at
    return heard is not None and now - heard >= timedelta(seconds=last - first)


def _next_look(ports: Ports, payment: Payment, answer: StatusAnswer, now: datetime) -> datetime | None:
    step = plan_next_look(ports, payment, now)
    if answer.status != _NOT_FOUND or payment.is_final or step is None:
        return step
    # The second "not found" is asked for minutes after the first, not a step of the schedule later (contract section
    # 7).
    believed = payment.sent_at + timedelta(seconds=ports.settings.not_found_final)
    return min(step, max(believed, now + SOON * (1 + ports.ids.jitter() / 4)))


def _plan(ports: Ports, before: Payment, after: Payment) -> Payment:
    """Write what is planned, and send the next look's message when that is near; the sweep does the rest."""
    payment = before
    if after != before:
        now = ports.clock.now()
        payment = _save(ports, before, replace(after, version=before.version + 1, updated_at=now))
    near = payment.due_at is not None and payment.due_at - ports.clock.now() <= QUEUE_REACH
    if near and (payment.state is PaymentState.UNKNOWN or payment.questioned_at is not None):
        queue_inquiry(ports, payment)
    return payment


def _save(ports: Ports, before: Payment, after: Payment) -> Payment:
    """Write, unless somebody was faster: then that one has planned what follows."""
    try:
        return ports.payments.save(before, after)
    except PaymentChanged as race:
        return race.current


def _exhaust(ports: Ports, payment: Payment) -> Payment:
    evidence = Evidence(EvidenceSource.SCHEDULE, ports.clock.now())
    return advance_payment(ports, payment, PaymentEvent.EXHAUSTED, evidence, attempt=payment.attempt)


def _follow(ports: Ports, payment: Payment, answer: StatusAnswer) -> Payment:
    now = ports.clock.now()
    evidence = Evidence(EvidenceSource.STATUS, now, answer.status)
    if answer.status == _NOT_FOUND:
        return _follow_not_found(ports, payment, evidence)
    if payment.not_found_count:
        payment = _save(ports, payment, replace(payment.noted(now), not_found_count=0, not_found_since=None))
    if payment.state is PaymentState.PAID:
        payment = _follow_reversal(ports, payment, answer)
    event = interpret_status(payment, answer, ports)
    if event is None:
        ports.telemetry.note("status of unknown meaning", ref=payment.ref, code=answer.status)
        return payment

    def change(after: Payment) -> Payment:
        return replace(
            after,
            doku_reference=answer.reference or after.doku_reference,
            response_code=answer.original_code or after.response_code,
        )

    return advance_payment(ports, payment, event, evidence, attempt=payment.attempt, change=change)


def _follow_reversal(ports: Ports, payment: Payment, answer: StatusAnswer) -> Payment:
    """DOKU says of a payment that it told as paid that it was cancelled, or failed: it stays PAID, and a person
    looks. Raises StoreUnavailable."""
    reverses = answer.status in _REVERSALS
    if not reverses and answer.status != "00":
        return payment
    current = payment
    for _ in range(_ROUNDS):
        if current.state is not PaymentState.PAID or (current.reversed_at is not None) is reverses:
            return current
        now = ports.clock.now()
        try:
            stored = ports.payments.save(current, replace(current.noted(now), reversed_at=now if reverses else None))
        except PaymentChanged as race:
            current = race.current
            continue
        if reverses:
            ports.telemetry.count(Metric.PAYMENT_REVERSED)
            ports.telemetry.note("DOKU says that a paid payment is not", ref=payment.ref, code=answer.status)
        return stored
    raise StoreUnavailable("the payment changed too often to be written")


def interpret_status(payment: Payment, answer: StatusAnswer, ports: Ports) -> PaymentEvent | None:
    """Return what a status means for this payment; None for a value outside contract section 6."""
    if answer.status in _OUTCOMES:
        return _OUTCOMES[answer.status]
    original = answer.original_code or ""
    if answer.status == _FAILED:
        return {"4030412": PaymentEvent.EXPIRED, "4030411": PaymentEvent.OTP_BLOCKED}.get(
            original, PaymentEvent.DECLINED
        )
    if answer.status not in _PENDING:
        return None
    age = ports.clock.now() - payment.created_at
    if (
        payment.state is PaymentState.OTP_PENDING
        and payment.otp_attempts == 0
        and age >= timedelta(seconds=ports.settings.abandoned_otp)
    ):
        return PaymentEvent.OTP_ABANDONED
    if original == _AWAITING_OTP:
        return PaymentEvent.OTP_REQUIRED
    return PaymentEvent.PENDING


def _follow_not_found(ports: Ports, payment: Payment, evidence: Evidence) -> Payment:
    """DOKU does not know the payment: believed after the grace period, and only when DOKU said it minutes before
    already (contract section 7); and asked on for a day."""
    if payment.is_final:
        return payment
    since = payment.not_found_since or evidence.at
    count = payment.not_found_count + 1
    old_enough = evidence.at - payment.sent_at >= timedelta(seconds=ports.settings.not_found_final)
    if old_enough and evidence.at - since >= SOON:
        return advance_payment(
            ports,
            payment,
            PaymentEvent.NOT_FOUND,
            evidence,
            attempt=payment.attempt,
            change=lambda after: replace(after, not_found_count=count, not_found_since=since),
        )
    counted = replace(payment.noted(evidence.at), not_found_count=count, not_found_since=since)
    return _save(ports, payment, counted)


def request_inquiry(ports: Ports, payment: Payment) -> Payment:
    """Have DOKU asked about a payment until it has answered, whatever its state, but not within its first minute.

    For facts that may not be believed as such: a stale notification, one with another amount. Raises StoreUnavailable:
    then the fact must be given again.
    """
    current = payment
    for _ in range(_ROUNDS):
        now = ports.clock.now()
        due = max(now, current.sent_at + timedelta(seconds=ports.settings.first_inquiry))
        due = due if current.due_at is None else min(due, current.due_at)
        try:
            raised = replace(current.noted(now), questioned_at=now, question_heard_at=None, due_at=due)
            planned = ports.payments.save(current, raised)
        except PaymentChanged as race:
            current = race.current
            continue
        queue_inquiry(ports, planned)
        return planned
    raise StoreUnavailable("the payment changed too often to be written")


def sweep_payment(payment: Payment, ports: Ports) -> None:
    """Hand a payment whose time has come to the queue of whatever it waits for."""
    now = ports.clock.now()
    if payment.due_at is not None and payment.due_at <= now:
        queue_inquiry(ports, payment)
    if payment.refund is not None and payment.refund.due_at is not None and payment.refund.due_at <= now:
        queue_refund(ports, payment)
