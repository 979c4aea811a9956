"""Ask DOKU what became of a payment, and follow the answer (contract 3.9, section 6).

This is the primary repair path: lost answers, crashes, lost notifications and abandoned codes all end here.
"""

from dataclasses import replace
from datetime import timedelta

from direct_debit.application.advance_payment import advance_payment, plan_next_look, queue_inquiry, queue_refund
from direct_debit.application.call_doku import call_doku
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import (
    CustomerActionRequired,
    NotDone,
    PaymentChanged,
    Rejected,
)
from direct_debit.application.ports import Metric, Ports, StatusAnswer
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.payment import Payment, PaymentEvent, PaymentSituation, PaymentState

_NOT_FOUND_AT_LEAST = 2  # "not found" counts only when DOKU has said it again minutes later (contract section 7)
_AWAITING_OTP = "4035413"  # 4035413 as the original response code: the bank still waits for the customer's code

_CLOCK_SKEW = timedelta(seconds=5)
_QUEUE_REACH = timedelta(minutes=15)  # the longest delay of an SQS message

NO_ANSWER_AGAIN = timedelta(minutes=2)  # resolved within minutes of DOKU being reachable again (invariant M6)

_OUTCOMES = {
    "00": PaymentEvent.SUCCEEDED,
    "04": PaymentEvent.REFUNDED,
    "05": PaymentEvent.CANCELLED,
}
_PENDING = frozenset({"01", "02", "03"})
_FAILED = "06"
_NOT_FOUND = "07"


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


def _queue_soon(ports: Ports, payment: Payment) -> None:
    """Plan the next look of an unresolved payment by message when it is near; the sweep does the rest."""
    if payment.state is not PaymentState.UNKNOWN or payment.due_at is None:
        return
    if payment.due_at - ports.clock.now() <= _QUEUE_REACH:
        queue_inquiry(ports, payment)


def ask_status(payment: Payment, ports: Ports, deadline: Deadline) -> Payment:
    """Claim one look at the payment, ask, and apply the answer.

    Only one caller gets the claim; the others return what they see. A crash after the claim costs one step of the
    schedule, never the payment.
    """
    now = ports.clock.now()
    claimed = replace(payment.noted(now), last_inquiry_at=now, due_at=plan_next_look(ports, payment, now))
    last = claimed.due_at is None or not _has_step_left(payment, ports)
    if claimed.due_at is None:
        claimed = replace(claimed, due_at=now + timedelta(seconds=ports.settings.first_inquiry))
    try:
        claimed = ports.payments.save(payment, claimed)
    except PaymentChanged as race:
        return race.current
    try:
        answer = call_doku(ports, deadline, lambda call: ports.doku.inquire_status(claimed, call))
    except (NotDone, Rejected, CustomerActionRequired) as error:
        ports.telemetry.note("status inquiry without an answer", ref=payment.ref, code=error.code)
        silent = isinstance(error, NotDone) and (error.code is None or error.code.startswith("5"))
        if silent and (claimed.is_final or not last):
            return _ask_again_soon(ports, claimed, last)
        return _settle(ports, claimed, last)
    followed = _follow(ports, claimed, answer)
    return _settle(ports, followed, last)


def _ask_again_soon(ports: Ports, payment: Payment, last: bool) -> Payment:
    """Plan another look shortly: DOKU was not there, and the schedule's later steps lie hours apart.

    A final payment that is asked about (something odd was said of it) waits for a real answer as well.
    """
    now = ports.clock.now()
    soon = now + NO_ANSWER_AGAIN * (1 + ports.ids.jitter() / 4)
    if not last and payment.due_at is not None and payment.due_at <= soon:
        _queue_soon(ports, payment)
        return payment
    try:
        planned = ports.payments.save(payment, replace(payment.noted(now), due_at=soon))
    except PaymentChanged as race:
        return race.current
    _queue_soon(ports, planned)
    return planned


def _has_step_left(payment: Payment, ports: Ports) -> bool:
    steps = (
        ports.settings.otp_schedule if payment.state is PaymentState.OTP_PENDING else ports.settings.inquiry_schedule
    )
    return ports.clock.now() < payment.sent_at + timedelta(seconds=steps[-1])


def _follow(ports: Ports, payment: Payment, answer: StatusAnswer) -> Payment:
    now = ports.clock.now()
    evidence = Evidence(EvidenceSource.STATUS, now, answer.status)
    if answer.status == _NOT_FOUND:
        return _follow_not_found(ports, payment, evidence)
    if answer.amount is not None and answer.amount != payment.amount:
        # Another amount than ours is no evidence about our payment (invariant N4).
        ports.telemetry.count(Metric.NOTIFICATION_QUARANTINED)
        ports.telemetry.note("status names another amount", ref=payment.ref, code=answer.status)
        return payment
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
    if original == _AWAITING_OTP and not payment.otp_accepted:
        return PaymentEvent.OTP_REQUIRED
    return PaymentEvent.PENDING


def _follow_not_found(ports: Ports, payment: Payment, evidence: Evidence) -> Payment:
    """DOKU does not know the payment: believed after the grace period and when said again, and asked on for a day."""
    counted = replace(payment.noted(evidence.at), not_found_count=payment.not_found_count + 1)
    old_enough = evidence.at - payment.sent_at >= timedelta(seconds=ports.settings.not_found_final)
    if old_enough and counted.not_found_count >= _NOT_FOUND_AT_LEAST:
        return advance_payment(
            ports,
            payment,
            PaymentEvent.NOT_FOUND,
            evidence,
            attempt=payment.attempt,
            change=lambda after: replace(after, not_found_count=after.not_found_count + 1),
        )
    try:
        return ports.payments.save(payment, counted)
    except PaymentChanged as race:
        return race.current


def _settle(ports: Ports, payment: Payment, last: bool) -> Payment:
    """Plan what comes after an inquiry; the last one ends in a final state or in a review, never in silence."""
    if payment.situation is PaymentSituation.FAILED_NOT_FOUND or payment.is_final:
        wanted = plan_next_look(ports, payment, ports.clock.now())
        if wanted is None and payment.due_at is not None:
            return _save_due(ports, payment)
        return payment
    if last:
        evidence = Evidence(EvidenceSource.SCHEDULE, ports.clock.now())
        return advance_payment(ports, payment, PaymentEvent.EXHAUSTED, evidence, attempt=payment.attempt)
    _queue_soon(ports, payment)
    return payment


def _save_due(ports: Ports, payment: Payment) -> Payment:
    try:
        return ports.payments.save(payment, replace(payment.noted(ports.clock.now()), due_at=None))
    except PaymentChanged as race:
        return race.current


def request_inquiry(ports: Ports, payment: Payment) -> None:
    """Have DOKU asked about a payment soon, whatever its state, but not within its first minute.

    For facts that may not be believed as such: a stale notification, one with another amount.
    """
    now = ports.clock.now()
    due = max(now, payment.sent_at + timedelta(seconds=ports.settings.first_inquiry))
    try:
        planned = ports.payments.save(payment, replace(payment.noted(now), due_at=due))
    except PaymentChanged:
        return  # somebody made progress with it: the next fact decides again
    queue_inquiry(ports, planned)


def sweep_payment(ref: str, ports: Ports) -> None:
    """Hand a payment whose time has come to the queue of whatever it waits for. Raises StoreUnavailable."""
    payment = ports.payments.get(ref)
    if payment is None:
        return
    now = ports.clock.now()
    if payment.due_at is not None and payment.due_at <= now:
        queue_inquiry(ports, payment)
    if payment.refund is not None and payment.refund.due_at is not None and payment.refund.due_at <= now:
        queue_refund(ports, payment)
