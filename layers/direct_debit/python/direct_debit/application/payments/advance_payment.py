"""Moving a payment on: decide by the transition table, write if nobody was faster, decide again if somebody was."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from direct_debit.application.errors import PaymentChanged, StoreUnavailable
from direct_debit.application.looks import SOON
from direct_debit.application.ports.payments import BindingUnusable
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.references import derive_reference
from direct_debit.application.settings import LateSuccess
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.payment import Payment, PaymentEvent, PaymentSituation, PaymentState
from direct_debit.domain.refund import Refund, RefundEvent
from direct_debit.domain.schedule import next_due, spread_of

QUEUE_REACH = timedelta(minutes=15)
"""The longest that a queue holds a message back; a later step is left to the minute's sweep."""

_LATE_QUESTION = timedelta(hours=6)
_ROUNDS = 20  # each lost round means that somebody else made progress

# What an answer says about the attempt it belongs to, and a status about the attempt it was asked after: something
# sent since then is not judged by it. Everything else is a fact about the payment, whenever it arrives.
_OF_THE_ATTEMPT = frozenset(
    {
        PaymentEvent.RELEASED,
        PaymentEvent.OTP_NOT_SENT,
        PaymentEvent.OTP_WRONG,
        PaymentEvent.OUTCOME_LOST,
        PaymentEvent.OTP_REQUIRED,
        PaymentEvent.PENDING,
        PaymentEvent.NOT_FOUND,
        PaymentEvent.OTP_ABANDONED,
        PaymentEvent.EXHAUSTED,
    }
)


REFUSALS = frozenset({PaymentEvent.DECLINED, PaymentEvent.CANCELLED, PaymentEvent.EXPIRED, PaymentEvent.OTP_BLOCKED})


def advance_payment(
    ports: Ports,
    payment: Payment,
    event: PaymentEvent,
    evidence: Evidence,
    *,
    attempt: str | None = None,
    change: Callable[[Payment], Payment] = lambda after: after,
) -> Payment:
    """Apply `event` to the payment and return it as stored afterwards, moved or not.

    `attempt` is the attempt that the fact belongs to, where it came as an answer or a status. `change` adds what the
    event brought along (a reference, a code); it is applied only if the payment moves.
    Raises TransitionRefused for a command that does not fit, StoreUnavailable when the store fails.
    """
    current = payment
    for _ in range(_ROUNDS):
        refused = event in REFUSALS and evidence.source is EvidenceSource.ANSWER
        if attempt is not None and (refused or event in _OF_THE_ATTEMPT) and current.attempt != attempt:
            return current
        after = current.moved(_meaning(current, event, refused=refused), evidence)
        if after is None:
            return current
        after = _with_completed_refund(_with_late_refund(ports, change(after), evidence.at), evidence)
        after = replace(after, due_at=plan_after_move(ports, current, after, evidence.at))
        try:
            reopened = after.refund is not None and current.refund is None
            stored = save_with_refund(ports, current, after) if reopened else ports.payments.save(current, after)
        except PaymentChanged as race:
            current = race.current
            continue
        _announce(ports, current, stored)
        return stored
    raise StoreUnavailable("the payment changed too often to be written; ask for its state")


def _meaning(current: Payment, event: PaymentEvent, *, refused: bool) -> PaymentEvent:
    """Return what an event means for the payment as it stands now, not as it stood when DOKU was asked."""
    if refused and current.may_be_done_by_an_earlier_request:
        return PaymentEvent.OUTCOME_LOST  # the status decides
    if event is PaymentEvent.OTP_REQUIRED and current.otp_accepted:
        return PaymentEvent.PENDING  # said before the code was accepted, or by a status that lags behind
    return event


def save_with_refund(ports: Ports, before: Payment, after: Payment) -> Payment:
    """Write a payment that got a refund, and keep its account linked meanwhile: the refund needs the customer's token.

    Where the account is not linked any more the refund is recorded all the same. Raises PaymentChanged.
    """
    outcome = ports.payments.hold_account(before, after)
    return ports.payments.save(before, after) if isinstance(outcome, BindingUnusable) else outcome


def plan_next_look(ports: Ports, payment: Payment, now: datetime) -> datetime | None:
    """Return when the resolver must look at a payment in this state; None when nothing is open (invariant 9).

    Whatever the schedule says, never earlier after the sending than DOKU wants to be asked.
    """
    looks = [
        due for due in (_plan_by_state(ports, payment, now), _plan_question(ports, payment, now)) if due is not None
    ]
    earliest = payment.sent_at + timedelta(seconds=ports.settings.first_inquiry)
    return max(earliest, min(looks)) if looks else None


def plan_after_move(ports: Ports, before: Payment, after: Payment, now: datetime) -> datetime | None:
    """Return when the resolver must look at a payment that has moved.

    A question that is open was to be repeated at a time of its own, which no move puts off.
    """
    step = plan_next_look(ports, after, now)
    if step is None or after.questioned_at is None or before.due_at is None:
        return step
    return min(step, max(before.due_at, now))


def has_step_left(payment: Payment, ports: Ports, now: datetime) -> bool:
    """Whether the schedule of an unfinished payment goes on."""
    return now < payment.sent_at + timedelta(seconds=_steps(payment, ports)[-1])


def _plan_by_state(ports: Ports, payment: Payment, now: datetime) -> datetime | None:
    if payment.situation is PaymentSituation.FAILED_NOT_FOUND:
        return next_due(payment.sent_at, now, ports.settings.inquiry_schedule, spread_of(payment.ref))
    if payment.is_final:
        return None
    due = next_due(payment.sent_at, now, _steps(payment, ports), spread_of(payment.ref))
    # Past the last step there is one more look, which ends in a final state or in NEEDS_REVIEW.
    return due or now + SOON


def _plan_question(ports: Ports, payment: Payment, now: datetime) -> datetime | None:
    """A question stays due until DOKU has answered it; after a day of asking, every few hours."""
    if payment.questioned_at is None:
        return None
    due = next_due(payment.questioned_at, now, ports.settings.inquiry_schedule, spread_of(payment.ref))
    return due or now + _LATE_QUESTION


def _steps(payment: Payment, ports: Ports) -> tuple[int, ...]:
    waits_for_code = payment.state is PaymentState.OTP_PENDING
    return ports.settings.otp_schedule if waits_for_code else ports.settings.inquiry_schedule


def queue_inquiry(ports: Ports, payment: Payment) -> None:
    """Ask for a status inquiry at the payment's due time. If the queue fails, the minute's sweep does it."""
    if payment.due_at is None:
        return
    delay = max(0.0, (payment.due_at - ports.clock.now()) / timedelta(seconds=1))
    try:
        ports.queues.send_inquiry(payment.ref, payment.version, delay)
    except StoreUnavailable:
        ports.telemetry.note("inquiry not queued, left to the sweep", ref=payment.ref)


def queue_refund(ports: Ports, payment: Payment, delay: float = 0.0) -> None:
    """Ask for a step of the payment's refund. If the queue fails, the minute's sweep does it."""
    if payment.refund is None:
        return
    try:
        ports.queues.send_refund(payment.ref, payment.refund.attempts, delay)
    except StoreUnavailable:
        ports.telemetry.note("refund not queued, left to the sweep", ref=payment.ref)


def _with_late_refund(ports: Ports, after: Payment, now: datetime) -> Payment:
    """A payment that succeeds after we told the merchant "failed" is given back, in the same write."""
    gives_back = (
        after.late_success
        and after.state is PaymentState.PAID
        and after.refund is None
        and ports.settings.late_success is LateSuccess.REFUND
    )
    if not gives_back:
        return after
    number = derive_reference(f"refund:{after.ref}")
    reason = "Paid after it was reported as failed"
    refund = Refund(
        number=number,
        reason=reason,
        request_hash="",
        requested_at=now,
        due_at=now,
        automatic=True,
        evidence=after.evidence,
    )
    return replace(after, refund=refund)


def _with_completed_refund(after: Payment, evidence: Evidence) -> Payment:
    """A payment that DOKU reports as refunded ends its refund in the same write: nothing more may be sent for it."""
    if after.state is not PaymentState.REFUNDED or after.refund is None:
        return after
    completed = after.refund.moved(RefundEvent.SUCCEEDED, evidence)
    return after if completed is None else replace(after, refund=replace(completed, due_at=None))


def _announce(ports: Ports, before: Payment, after: Payment) -> None:
    ports.telemetry.note(
        "payment moved",
        ref=after.ref,
        state=after.state,
        code=after.evidence.code,
        reason=None if after.failure is None else after.failure.reason,
    )
    if after.state is PaymentState.UNKNOWN and before.state is not PaymentState.UNKNOWN:
        ports.telemetry.count(Metric.PAYMENT_OUTCOME_UNKNOWN)
        queue_inquiry(ports, after)
    if before.state is PaymentState.UNKNOWN and after.is_final:
        ports.telemetry.count(Metric.PAYMENT_RESOLVED)
    if after.state is PaymentState.NEEDS_REVIEW:
        ports.telemetry.count(Metric.PAYMENT_NEEDS_REVIEW)
    if after.late_success and not before.late_success:
        ports.telemetry.count(Metric.LATE_SUCCESS)
        queue_refund(ports, after)
