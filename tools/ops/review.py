"""What waits for a person: found through the sparse index, never by a scan of the tables.

What nobody visits any more is filed there for a person; what is still visited, and should have ended, is found among
what is due.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from direct_debit.adapters.dynamodb.binding_item import was_given_up_at
from direct_debit.adapters.dynamodb.review import WaitingRecord, list_waiting_for_review
from direct_debit.application.errors import NotFound, RecordUnreadable, Rejected
from direct_debit.application.payments.close_reversal import close_reversal as end_reversal
from direct_debit.application.payments.close_review import close_review as end_review
from direct_debit.application.ports.fleet import CircuitState
from direct_debit.application.ports.inbox import InboxItem, InboxKind, InboxState
from direct_debit.application.ports.ports import Ports
from direct_debit.domain.binding import Binding, BindingState
from direct_debit.domain.payment import Payment, PaymentState
from direct_debit.domain.refund import RefundState
from tools.ops.failure import OpsError
from tools.ops.report import DONE, NEEDS_A_PERSON, Report, align, tell_time, write_time
from tools.ops.system import System

LONG = timedelta(days=1)
"""A question, or an unlinking, that is open for longer is for a person."""

_LIMIT = 200  # of what is filed for a person
_VISITED = 1000  # of each kind of what is due
_HORIZON = timedelta(days=2)  # nothing is due later
_GIVEN_UP_SHOWN = timedelta(days=14)  # there is nothing to do for it here, so nothing to close


@dataclass(frozen=True, slots=True)
class _Row:
    kind: str
    id: str
    since: datetime
    reason: str
    next: str
    about: str | None = None  # the reference that a notification speaks of
    payment: Payment | None = None  # the one concerned: what DOKU's back office is compared with


def review(system: System) -> Report:
    """List what needs a person, the oldest first.

    Payments and refunds that need a review, refunds that DOKU refused, payments that DOKU reversed or of which it has
    left a question unanswered for a day, unlinkings that are open for a day, links given up without DOKU's word in the
    last two weeks, notifications that were put aside.
    """
    now = system.ports.clock.now()
    tables = system.environment
    filed = list_waiting_for_review(system.store, tables.transactions_table, now, _LIMIT)
    given_up = list_waiting_for_review(system.store, tables.bindings_table, now, _LIMIT, since=now - _GIVEN_UP_SHOWN)
    payments = system.ports.payments.list_due(now + _HORIZON, _VISITED)
    bindings = system.ports.bindings.list_due(now + _HORIZON, _VISITED)
    unknown: set[str] = set()
    described = _describe_all([*filed, *given_up], payments, bindings, system, now, unknown=unknown)
    rows = sorted(described, key=lambda row: row.since)
    circuit = system.ports.circuit.read()
    complete = max(len(filed), len(given_up)) < _LIMIT and max(len(payments), len(bindings)) < _VISITED
    facts = {
        "waiting": [
            {
                "kind": row.kind,
                "id": row.id,
                "about": row.about,
                "amount": None if row.payment is None else str(row.payment.amount),
                "externalId": None if row.payment is None else row.payment.external_id,
                "since": write_time(row.since),
                "reason": row.reason,
                "next": row.next,
            }
            for row in rows
        ],
        "complete": complete,
        "unknown": len(unknown),
        "circuitOpenUntil": write_time(circuit.open_until),
    }
    heals = [*_tell_circuit(circuit, now), *_tell_unknown(unknown)]
    more = (
        []
        if complete
        else [f"perhaps more: only {_LIMIT} that stand still and {_VISITED} of each kind that are due were read"]
    )
    if not rows:
        return Report(facts, ["nothing needs a person", *heals, *more])
    table = [("what", "id", "about", "amount", "X-EXTERNAL-ID", "since", "reason", "next")]
    table.extend(
        (
            row.kind,
            row.id,
            row.about or "-",
            "-" if row.payment is None else str(row.payment.amount),
            "-" if row.payment is None else row.payment.external_id,
            tell_time(row.since, now),
            row.reason,
            row.next,
        )
        for row in rows
    )
    return Report(facts, [*align(table), *heals, *more], NEEDS_A_PERSON)


def _tell_circuit(circuit: CircuitState, now: datetime) -> Iterator[str]:
    if circuit.open_until is not None:
        probe = tell_time(circuit.open_until, now)
        yield f"DOKU does not answer: the circuit is open, new payments get 503; one is let through from {probe} on"


def _tell_unknown(unknown: Collection[str]) -> Iterator[str]:
    if unknown:
        one, others = ("payment is", "it") if len(unknown) == 1 else ("payments are", "them")
        yield f"{len(unknown)} {one} UNKNOWN: DOKU is being asked about {others}, without a person"


def needs_a_person(payment: Payment, now: datetime) -> bool:
    """Return whether somebody has to look at a payment or its refund."""
    return any(True for _ in _describe_payment(payment, now))


def close_notification(item_id: str, system: System) -> Report:
    """Take a quarantined notification off the list: somebody has looked. It moves no money.

    That it came, about which reference and why it was put aside, stays stored; what it said does not.

    Repeating it is harmless. Raises OpsError when there is no such notification, or it is not put aside.
    """
    item = system.ports.inbox.get(item_id)
    if item is None:
        raise OpsError(f"there is no notification {item_id}")
    if item.state is InboxState.ACCEPTED:
        raise OpsError(f"the notification {item_id} is still being processed")
    if item.state is InboxState.QUARANTINED:
        closed = replace(item, state=InboxState.PROCESSED, attempts=item.attempts + 1, body=InboxItem.GONE)
        system.ports.inbox.settle(item, closed)
    return Report({"notification": item_id, "closed": True, "reason": item.reason}, [f"closed {item_id}"], DONE)


def close_reversal(ref: str, system: System) -> Report:
    """Take a reversed payment off the list: somebody has settled it. Its state stays as it is.

    Raises OpsError when there is no such payment, or nothing to close.
    """
    return _close("reversal", end_reversal, ref, system)


def close_review(ref: str, system: System) -> Report:
    """Take a payment that needs a person off the list: somebody has settled it. Its state stays as it is.

    Raises OpsError when there is no such payment, or nothing to close.
    """
    return _close("review", end_review, ref, system)


def _close(what: str, end: Callable[[str, Ports], Payment], ref: str, system: System) -> Report:
    try:
        payment = end(ref, system.ports)
    except (NotFound, Rejected) as error:
        raise OpsError(f"{error.detail}: {ref}") from None
    return Report(
        {"partnerReferenceNo": ref, "closed": True, "state": payment.state},
        [f"closed the {what} of {ref}, which stays {payment.state}"],
    )


def _describe_all(
    waiting: Sequence[WaitingRecord],
    payments: Sequence[str],
    bindings: Sequence[str],
    system: System,
    now: datetime,
    *,
    unknown: set[str],
) -> Iterator[_Row]:
    """Describe what waits, and note the payments that are UNKNOWN in `unknown`.

    The index may be a moment behind, and a record may be in both lists meanwhile: the record itself decides.
    """
    ids: dict[str, list[str]] = {"PAYMENT": list(payments), "BINDING": list(bindings), "INBOX": []}
    for record in waiting:
        ids[record.kind].append(record.id)
    for kind, (name, describe) in _describers(system, now, unknown).items():
        for one in dict.fromkeys(ids[kind]):
            try:
                yield from describe(one)
            except RecordUnreadable as error:
                then = "deploy the release that wrote it, see docs/operations.md"
                yield _Row(name, one, now, f"can not be read: {error.fault}", then)


def _describers(
    system: System, now: datetime, unknown: set[str]
) -> Mapping[str, tuple[str, Callable[[str], Sequence[_Row]]]]:
    """For each kind of record in the index: its name, and what makes its rows."""
    ports = system.ports

    def payment(ref: str) -> Sequence[_Row]:
        found = ports.payments.get(ref)
        if found is not None and found.state is PaymentState.UNKNOWN:
            unknown.add(ref)
        return () if found is None else tuple(_describe_payment(found, now))

    def binding(binding_id: str) -> Sequence[_Row]:
        found = ports.bindings.get(binding_id)
        return () if found is None else tuple(_describe_binding(found, now))

    def notification(item_id: str) -> Sequence[_Row]:
        found = ports.inbox.get(item_id)
        if found is None:
            return ()
        about = ports.payments.get(found.subject) if _speaks_of_a_payment(found) and found.subject else None
        return tuple(replace(row, payment=about) for row in _describe_notification(found))

    return {
        "PAYMENT": ("payment", payment),
        "BINDING": ("link", binding),
        "INBOX": ("notification", notification),
    }


def _describe_payment(payment: Payment, now: datetime) -> Iterator[_Row]:
    return (replace(row, payment=payment) for row in _find_reasons(payment, now))


def _find_reasons(payment: Payment, now: datetime) -> Iterator[_Row]:
    ref, refund = payment.ref, payment.refund
    if payment.state is PaymentState.NEEDS_REVIEW and payment.review_closed_at is None:
        reason = str(payment.review or "needs review")
        then = f"explain {ref}; DOKU's back office; then close-review {ref}"
        yield _Row("payment", ref, payment.evidence.at, reason, then)
    if payment.reversed_at is not None:
        reason = f"{payment.state}, and DOKU's status says that it was cancelled or failed"
        then = f"explain {ref}; DOKU's back office; then close-reversal {ref}"
        yield _Row("reversal", ref, payment.reversed_at, reason, then)
    if payment.questioned_at is not None and now - payment.questioned_at >= LONG:
        reason = f"{payment.state}, and DOKU does not answer what became of it"
        yield _Row("question", ref, payment.questioned_at, reason, f"explain {ref}; then write to DOKU")
    if refund is not None and refund.state in (RefundState.FAILED, RefundState.NEEDS_REVIEW):
        reason = f"{refund.state}, code {refund.response_code or '-'}"
        then = f"explain {ref}; then redrive-refund {ref}, or settle it otherwise"
        yield _Row("refund", ref, refund.evidence.at, reason, then)


def _describe_binding(binding: Binding, now: datetime) -> Iterator[_Row]:
    begun = binding.unbind_requested_at
    if binding.state is BindingState.UNBIND_OTP_PENDING and begun is not None and now - begun >= LONG:
        reason = f"its end is not known, last code {binding.response_code or '-'}"
        yield _Row("unlinking", binding.id, begun, reason, f"explain-binding {binding.id}; then write to DOKU")
    given_up_at = was_given_up_at(binding)
    if given_up_at is not None:
        reason = "given up: DOKU did not say whether the customer had finished"
        yield _Row("link", binding.id, given_up_at, reason, "the customer may link again; else write to DOKU")


def _speaks_of_a_payment(item: InboxItem) -> bool:
    return item.kind is InboxKind.PAYMENT and item.subject is not None


def _describe_notification(item: InboxItem) -> Iterator[_Row]:
    if item.state is InboxState.QUARANTINED:
        told = "" if item.told is None else f", DOKU told {item.told}"
        reason = f"{item.kind}: {item.reason or 'put aside'}{told}"
        look = f"explain {item.subject}; then " if _speaks_of_a_payment(item) else ""
        yield _Row(
            "notification", item.id, item.received_at, reason, f"{look}close-notification {item.id}", item.subject
        )
