"""What waits for a person: found through the sparse index, never by a scan of the tables."""

from dataclasses import dataclass, replace
from datetime import datetime

from direct_debit.adapters.dynamodb.due import WaitingRecord, list_waiting_for_review
from direct_debit.application.ports import InboxState
from direct_debit.domain.payment import PaymentState
from direct_debit.domain.refund import RefundState
from tools.ops.failure import OpsError
from tools.ops.report import DONE, NEEDS_A_PERSON, Report, align, tell_time, write_time
from tools.ops.system import System

_LIMIT = 200
_NEXT = {
    "payment": "explain REF; then DOKU's back office",
    "refund": "explain REF; then redrive-refund REF, or settle it otherwise",
    "notification": "explain the reference; then close-notification ID",
}


@dataclass(frozen=True, slots=True)
class _Row:
    kind: str
    id: str
    since: datetime
    reason: str
    about: str | None = None  # the reference that a notification speaks of


def review(system: System) -> Report:
    """List payments and refunds that need a review, and notifications that were put aside, the oldest first."""
    now = system.ports.clock.now()
    waiting = list_waiting_for_review(system.store, system.environment.transactions_table, now, _LIMIT)
    rows = [row for record in waiting for row in _describe(record, system)]
    facts = {
        "waiting": [
            {
                "kind": row.kind,
                "id": row.id,
                "about": row.about,
                "since": write_time(row.since),
                "reason": row.reason,
            }
            for row in rows
        ],
        "complete": len(waiting) < _LIMIT,
    }
    if not rows:
        return Report(facts, ["nothing needs a person"])
    table = [("what", "id", "about", "since", "reason", "next")]
    table.extend(
        (row.kind, row.id, row.about or "-", tell_time(row.since, now), row.reason, _NEXT[row.kind]) for row in rows
    )
    more = [] if len(waiting) < _LIMIT else [f"and more: only the {_LIMIT} oldest are shown"]
    return Report(facts, [*align(table), *more], NEEDS_A_PERSON)


def close_notification(item_id: str, system: System) -> Report:
    """Take a quarantined notification off the list: somebody has looked. It stays stored, and moves no money.

    Repeating it is harmless. Raises OpsError when there is no such notification, or it is not put aside.
    """
    item = system.ports.inbox.get(item_id)
    if item is None:
        raise OpsError(f"there is no notification {item_id}")
    if item.state is InboxState.ACCEPTED:
        raise OpsError(f"the notification {item_id} is still being processed")
    if item.state is InboxState.QUARANTINED:
        closed = replace(item, state=InboxState.PROCESSED, attempts=item.attempts + 1)
        system.ports.inbox.settle(item, closed)
    return Report({"notification": item_id, "closed": True, "reason": item.reason}, [f"closed {item_id}"], DONE)


def _describe(record: WaitingRecord, system: System) -> list[_Row]:
    """The index may be a moment behind: the record itself decides."""
    if record.kind == "INBOX":
        item = system.ports.inbox.get(record.id)
        if item is None or item.state is not InboxState.QUARANTINED:
            return []
        reason = f"{item.kind}: {item.reason or 'put aside'}"
        return [_Row("notification", item.id, item.received_at, reason, item.subject)]
    payment = system.ports.payments.get(record.id)
    if payment is None:
        return []
    if payment.state is PaymentState.NEEDS_REVIEW:
        return [_Row("payment", payment.ref, payment.evidence.at, str(payment.review or "needs review"))]
    refund = payment.refund
    refused = refund is not None and refund.automatic and refund.state is RefundState.FAILED
    if refund is None or not (refused or refund.state is RefundState.NEEDS_REVIEW):
        return []
    return [_Row("refund", payment.ref, refund.evidence.at, f"{refund.state}, code {refund.response_code or '-'}")]
