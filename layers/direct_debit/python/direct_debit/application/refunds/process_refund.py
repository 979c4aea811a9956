"""One step of a refund: send it, or find out what became of it (contract 3.11).

The number never changes; each sending has a new X-EXTERNAL-ID. Before anything is sent again, `refundHistory` is
asked. What can not be ended is NEEDS_REVIEW, counted, and can be started again without doubling anything.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from direct_debit.application.calls.call_doku import call_doku
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import (
    DirectDebitError,
    NotDone,
    OutcomeUnknown,
    PaymentChanged,
    Rejected,
    RelinkRequired,
    StoreUnavailable,
    Unsendable,
)
from direct_debit.application.looks import NO_ANSWER, claim_until, ever_later, next_try
from direct_debit.application.payments.advance_payment import (
    QUEUE_REACH,
    plan_after_move,
    queue_refund,
    save_with_refund,
)
from direct_debit.application.ports.doku import Reply, WriteAnswer
from direct_debit.application.ports.doku_reads import StatusAnswer
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.ports.vault import SealedField
from direct_debit.application.references import make_external_id
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.payment import Payment, PaymentEvent, PaymentState
from direct_debit.domain.refund import Refund, RefundEvent, RefundState
from direct_debit.domain.schedule import next_due

_ROUNDS = 20
_CLOCK_SKEW = timedelta(seconds=5)
_SHORTEST_WAIT = timedelta(seconds=1)
_LONGEST_POSTPONED = timedelta(hours=1)  # what passes is tried again within the hour, however late in the schedule
_PAID = "00"


class _ClaimLost(Exception):
    """Somebody else is doing this step."""


_EVENTS = {
    Reply.DONE: RefundEvent.SUCCEEDED,
    Reply.IN_PROGRESS: RefundEvent.OUTCOME_LOST,  # accepted is not done: refundHistory tells
    Reply.LATER: RefundEvent.POSTPONED,
    Reply.DECLINED: RefundEvent.REFUSED,
    Reply.CUSTOMER_MUST_ACT: RefundEvent.REFUSED,
    Reply.EXPIRED: RefundEvent.REFUSED,
    Reply.CANCELLED: RefundEvent.REFUSED,
}

# What the answer to one sending says about that sending only, and the history about those before it was asked.
_OF_THE_ATTEMPT = frozenset(
    {
        RefundEvent.POSTPONED,
        RefundEvent.NOT_SENT,
        RefundEvent.OUTCOME_LOST,
        RefundEvent.REFUSED,
        RefundEvent.NOT_IN_HISTORY,
    }
)


def process_refund(ref: str, ports: Ports, deadline: Deadline) -> None:
    """Do the step that is due. A repeated, early or needless call does nothing. Raises StoreUnavailable.

    Only who did the step queues the next one: if each repeated message queued one too, they would multiply.
    """
    payment = ports.payments.get(ref)
    if payment is None or payment.refund is None or payment.refund.is_final or payment.refund.due_at is None:
        return
    now = ports.clock.now()
    if now < payment.refund.due_at:
        # That step has its own message, or the sweep; only a clock that is behind comes again.
        if payment.refund.due_at - now <= _CLOCK_SKEW:
            _queue_next_step(ports, payment)
        return
    try:
        payment = _do_step(payment, ports, deadline)
    except _ClaimLost:
        return
    _queue_next_step(ports, payment)


def _do_step(payment: Payment, ports: Ports, deadline: Deadline) -> Payment:
    if payment.refund is None:
        return payment
    if payment.refund.state is RefundState.SENDING:
        payment = _take_over(payment, payment.refund, ports)
    may_send = True
    if payment.refund is not None and payment.refund.attempts > 0:
        payment, may_send = _ask(payment, ports, deadline)
    sendable = (RefundState.REQUESTED, RefundState.RETRYING)
    if may_send and payment.refund is not None and payment.refund.state in sendable:
        payment = _send(payment, ports, deadline)
    return payment


def _take_over(payment: Payment, refund: Refund, ports: Ports) -> Payment:
    """Whoever was sending seems to have died: what came of it is unknown.

    Any change since the record was read means that somebody is at it after all, perhaps sending: raises _ClaimLost.
    """
    evidence = Evidence(EvidenceSource.NO_ANSWER, ports.clock.now())
    lost = refund.moved(RefundEvent.OUTCOME_LOST, evidence)
    if lost is None:
        raise _ClaimLost
    planned = _planned(ports, lost, evidence.at)
    try:
        taken = ports.payments.save(payment, replace(payment.noted(evidence.at), refund=planned))
    except PaymentChanged as race:
        raise _ClaimLost from race
    _announce(ports, taken)
    return taken


def redrive_refund(ref: str, ports: Ports) -> Payment:
    """Start a refund again that needs a review or that DOKU refused, under its old number; the history is asked first.

    Raises TransitionRefused in any other state, Rejected where the payment is not PAID (any more).
    """
    payment = ports.payments.get(ref)
    while True:
        if payment is None or payment.refund is None:
            raise Rejected("there is no such refund")
        if payment.state is not PaymentState.PAID:
            raise Rejected(f"the payment is {payment.state}: there is nothing to give back")
        now = ports.clock.now()
        moved = payment.refund.moved(RefundEvent.REDRIVEN, Evidence(EvidenceSource.CALLER, now))
        if moved is None:
            return payment
        restarted = replace(moved, requested_at=now, due_at=now)
        try:
            # It needs the customer's token again, so its account stays linked again.
            return save_with_refund(ports, payment, replace(payment.noted(now), refund=restarted))
        except PaymentChanged as race:
            payment = race.current


def _queue_next_step(ports: Ports, payment: Payment) -> None:
    """Send the message of a step that is near; a later one has its due time, and the sweep."""
    refund = payment.refund
    if refund is None or refund.is_final or refund.due_at is None:
        return
    wait = max(_SHORTEST_WAIT, refund.due_at - ports.clock.now())
    if wait <= QUEUE_REACH:
        queue_refund(ports, payment, wait / timedelta(seconds=1))


def _ask(payment: Payment, ports: Ports, deadline: Deadline) -> tuple[Payment, bool]:
    """Ask `refundHistory`; True when it proves that DOKU does not know the refund, so that it may be sent again.

    A crash after the claim costs the claim's two minutes: the step of the schedule is written with the answer.
    """
    payment = _claim_look(ports, payment)
    refund = payment.refund
    if refund is None:
        return payment, False
    try:
        answer = call_doku(ports, deadline, lambda call: ports.doku.inquire_status(payment, call))
    except NO_ANSWER as error:
        ports.telemetry.note("refund inquiry without an answer", ref=payment.ref, code=error.code)
        return _plan_another_look(ports, payment, error), False
    event = _read_history(answer, refund.number)
    if event is RefundEvent.REFUSED and not _was_sent_since_asked_for(refund) and answer.status == _PAID:
        event = RefundEvent.NOT_IN_HISTORY  # that refusal is the one for which a person has started it again
    if event is None:
        return _plan_another_look(ports, payment), False
    if event is RefundEvent.NOT_IN_HISTORY and _was_sent_after_schedule(ports, refund):
        return _exhaust(ports, payment), False  # sent again and again without a clear answer: a person must look
    evidence = Evidence(EvidenceSource.STATUS, ports.clock.now(), answer.status)
    followed = _advance(ports, payment, event, evidence, refund.attempt)
    # Somebody may have sent it again since this history was asked for: of that sending it knows nothing.
    is_latest = followed.refund is not None and followed.refund.attempt == refund.attempt
    return followed, event is RefundEvent.NOT_IN_HISTORY and is_latest


def _read_history(answer: StatusAnswer, number: str) -> RefundEvent | None:
    """Return what the history says of this refund (contract 12.6); None while it is pending, or not shown."""
    ours = {row.status for row in answer.refunds if row.number == number}
    if "00" in ours or answer.status == "04":
        return RefundEvent.SUCCEEDED
    if "03" in ours:
        return None
    if any(row.status in ("00", "03") for row in answer.refunds if row.number != number):
        # The payment is being refunded under another number, for example from the back office: never a second one.
        return RefundEvent.EXHAUSTED
    if "06" in ours:
        return RefundEvent.REFUSED
    # Only an answer that shows the payment as paid shows its refunds too: a status that lags behind proves nothing.
    return RefundEvent.NOT_IN_HISTORY if answer.status == _PAID else None


def _send(payment: Payment, ports: Ports, deadline: Deadline) -> Payment:
    refund = payment.refund
    if refund is None or refund.moved(RefundEvent.CLAIMED, refund.evidence) is None:
        return payment
    reason = refund.reason
    if refund.sealed_reason is not None:
        reason = ports.vault.unseal(refund.sealed_reason, SealedField.REFUND_REASON, payment.ref)
    sent, claimed = _claim_sending(payment, refund, ports)
    attempt = claimed.attempt

    def renew_external_id() -> str:
        # The refused request did nothing. Before the next one: is this attempt still the one that may send?
        nonlocal sent
        external_id = make_external_id(ports.clock, ports.ids)
        renewed = replace(claimed, external_id=external_id)
        try:
            sent = ports.payments.save(sent, replace(sent.noted(ports.clock.now()), refund=renewed))
        except PaymentChanged as race:
            raise NotDone("the refund was changed while its tokens were renewed; nothing was sent") from race
        return external_id

    try:
        answer = call_doku(
            ports,
            deadline,
            lambda call: ports.doku.refund_payment(sent, reason, call),
            binding_id=sent.binding_id,
            external_id=claimed.external_id,
            renew_external_id=renew_external_id,
        )
    except OutcomeUnknown as error:
        evidence = Evidence(EvidenceSource.NO_ANSWER, ports.clock.now(), error.code)
        return _conclude(ports, sent, RefundEvent.OUTCOME_LOST, evidence, attempt)
    except (NotDone, RelinkRequired, Unsendable) as error:
        return _conclude_unsent(ports, sent, error, attempt)
    return _follow(ports, sent, claimed, answer)


def _claim_sending(payment: Payment, refund: Refund, ports: Ports) -> tuple[Payment, Refund]:
    """Write that this attempt sends the refund now. Raises _ClaimLost when somebody else does."""
    now = ports.clock.now()
    moved = refund.moved(RefundEvent.CLAIMED, Evidence(EvidenceSource.CALLER, now))
    claimed = replace(
        moved or refund,
        attempt=ports.ids.new_id(),
        attempts=refund.attempts + 1,
        external_id=make_external_id(ports.clock, ports.ids),
        sent_at=now,
        due_at=claim_until(ports, now),
    )
    try:
        sent = ports.payments.save(payment, replace(payment.noted(now), refund=claimed))
    except PaymentChanged as race:
        raise _ClaimLost from race
    return sent, claimed


def _conclude_unsent(
    ports: Ports, sent: Payment, error: NotDone | RelinkRequired | Unsendable, attempt: str | None
) -> Payment:
    evidence = Evidence(EvidenceSource.NOTHING_SENT, ports.clock.now(), error.code)
    if isinstance(error, Unsendable):  # a defect of ours: a person has to know
        return _conclude(ports, sent, RefundEvent.EXHAUSTED, evidence, attempt)
    # Where only the customer can mend it, by linking again, the schedule's steps will do.
    not_done = error if isinstance(error, NotDone) else None
    return _conclude(ports, sent, RefundEvent.NOT_SENT, evidence, attempt, not_done=not_done)


def _follow(ports: Ports, sent: Payment, claimed: Refund, answer: WriteAnswer) -> Payment:
    event = _EVENTS.get(answer.reply, RefundEvent.OUTCOME_LOST)
    if event is RefundEvent.REFUSED and claimed.attempts > 1:
        event = RefundEvent.OUTCOME_LOST  # perhaps refused because an earlier sending has worked: refundHistory tells
    evidence = Evidence(EvidenceSource.ANSWER, ports.clock.now(), answer.code)
    return _conclude(
        ports,
        sent,
        event,
        evidence,
        claimed.attempt,
        change=lambda after: replace(after, refund_no=answer.reference, refunded_at=answer.time),
    )


def _conclude(
    ports: Ports,
    payment: Payment,
    event: RefundEvent,
    evidence: Evidence,
    attempt: str | None,
    *,
    change: Callable[[Refund], Refund] = lambda refund: refund,
    not_done: DirectDebitError | None = None,
) -> Payment:
    try:
        return _advance(ports, payment, event, evidence, attempt, change=change, not_done=not_done)
    except StoreUnavailable:
        ports.telemetry.note("refund answer not written, left to the next step", ref=payment.ref, code=evidence.code)
        return payment


def _advance(
    ports: Ports,
    payment: Payment,
    event: RefundEvent,
    evidence: Evidence,
    attempt: str | None = None,
    *,
    change: Callable[[Refund], Refund] = lambda refund: refund,
    not_done: DirectDebitError | None = None,
) -> Payment:
    """Apply a refund event to the payment as stored; the payment becomes REFUNDED in the same write as its refund."""
    current = payment
    for _ in range(_ROUNDS):
        refund = current.refund
        if refund is None or (attempt is not None and event in _OF_THE_ATTEMPT and refund.attempt != attempt):
            return current
        moved = refund.moved(event, evidence)
        if moved is None:
            return current
        after = replace(current.noted(evidence.at), refund=_planned(ports, change(moved), evidence.at, not_done))
        if moved.state is RefundState.REFUNDED:
            completed = current.moved(PaymentEvent.REFUND_COMPLETED, evidence)
            if completed is not None:
                due = plan_after_move(ports, current, completed, evidence.at)  # a question may be open
                after = replace(completed, refund=after.refund, due_at=due)
        try:
            stored = ports.payments.save(current, after)
        except PaymentChanged as race:
            current = race.current
            continue
        _announce(ports, stored)
        if stored.refund is not None and not stored.refund.is_final and stored.refund.due_at is None:
            return _exhaust(ports, stored)
        return stored
    raise StoreUnavailable("the payment changed too often to be written")


def _planned(ports: Ports, refund: Refund, now: datetime, not_done: DirectDebitError | None = None) -> Refund:
    """Plan the next step; `not_done` is why the newest sending did not take place. Without a step it has to end."""
    if refund.is_final:
        return replace(refund, due_at=None)
    if refund.state is RefundState.UNKNOWN and refund.sent_at is not None:
        # No status inquiry within the first minute after the sending.
        now = max(now, refund.sent_at + timedelta(seconds=ports.settings.first_inquiry))
        origin = refund.sent_at if refund.attempts <= 1 else refund.requested_at
        due = next_due(origin, now, ports.settings.refund_schedule, ports.ids.jitter())
        if due is not None and refund.attempts > 1 and refund.evidence.source is EvidenceSource.NO_ANSWER:
            # One that had to be sent again keeps to its one schedule, so that the repetitions come to an end; but of
            # one that nobody answered it is asked within a quarter of an hour, whatever the step is by then.
            due = min(due, ever_later(ports, since=refund.requested_at, now=now))
        return replace(refund, due_at=due or now)
    if refund.evidence.source is EvidenceSource.STATUS and refund.state is RefundState.RETRYING:
        return replace(refund, due_at=now)  # DOKU does not know it: send it now
    due = next_due(refund.requested_at, now, ports.settings.refund_schedule, ports.ids.jitter())
    if due is not None and not_done is not None:
        due = next_try(ports, not_done, since=refund.requested_at, now=now, step=due)
    elif due is not None and refund.evidence.source is EvidenceSource.ANSWER:
        due = min(due, now + _LONGEST_POSTPONED)
    return replace(refund, due_at=due)


def _claim_look(ports: Ports, payment: Payment) -> Payment:
    """Claim the next look at a refund. Raises _ClaimLost when somebody else has it."""
    refund = payment.refund
    if refund is None:
        return payment
    now = ports.clock.now()
    claimed = replace(refund, due_at=claim_until(ports, now))
    try:
        return ports.payments.save(payment, replace(payment.noted(now), refund=claimed))
    except PaymentChanged as race:
        raise _ClaimLost from race


def _plan_another_look(ports: Ports, payment: Payment, error: DirectDebitError | None = None) -> Payment:
    """Plan the look after one that brought nothing new, or (with `error`) no answer.

    A refund whose schedule has ended so needs a person; it is never dropped.
    """
    refund = payment.refund
    if refund is None or refund.is_final:
        return payment
    now = ports.clock.now()
    due = next_due(refund.requested_at, now, ports.settings.refund_schedule, ports.ids.jitter())
    if due is None:
        return _exhaust(ports, payment)
    if error is not None:
        due = next_try(ports, error, since=refund.requested_at, now=now, step=due)
    try:
        return ports.payments.save(payment, replace(payment.noted(now), refund=replace(refund, due_at=due)))
    except PaymentChanged as race:
        return race.current


def _was_sent_after_schedule(ports: Ports, refund: Refund) -> bool:
    last = refund.requested_at + timedelta(seconds=ports.settings.refund_schedule[-1])
    return refund.sent_at is not None and refund.sent_at >= last


def _was_sent_since_asked_for(refund: Refund) -> bool:
    return refund.sent_at is not None and refund.sent_at >= refund.requested_at


def _exhaust(ports: Ports, payment: Payment) -> Payment:
    return _advance(ports, payment, RefundEvent.EXHAUSTED, Evidence(EvidenceSource.SCHEDULE, ports.clock.now()))


def _announce(ports: Ports, payment: Payment) -> None:
    refund = payment.refund
    if refund is None:
        return
    ports.telemetry.note("refund moved", ref=payment.ref, state=refund.state, code=refund.evidence.code)
    if refund.state is RefundState.NEEDS_REVIEW:
        ports.telemetry.count(Metric.REFUND_NEEDS_REVIEW)
    if refund.state is RefundState.FAILED:
        ports.telemetry.count(Metric.REFUND_FAILED)
