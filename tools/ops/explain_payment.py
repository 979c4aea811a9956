"""What a payment is, why, and what comes next: without customer, addresses, or the merchant's texts."""

from collections.abc import Sequence
from datetime import datetime

from direct_debit.application.payments.list_history import list_history
from direct_debit.application.ports.history import HistoryEntry
from direct_debit.domain.evidence import Evidence
from direct_debit.domain.payment import Payment
from direct_debit.domain.refund import Refund
from tools.ops.failure import OpsError
from tools.ops.foresee import foresee_payment, foresee_refund
from tools.ops.report import DONE, NEEDS_A_PERSON, Report, align, tell_time, write_time
from tools.ops.review import needs_a_person
from tools.ops.system import System


def explain_payment(ref: str, system: System) -> Report:
    """Explain one payment by its reference. Raises OpsError when there is none."""
    found = system.ports.payments.get_with_history(ref)
    if found is None:
        raise OpsError(f"there is no payment {ref} in the stack {system.name}")
    payment, recorded = found
    now = system.ports.clock.now()
    history = list_history(payment, recorded)
    settings = system.environment.settings
    steps = foresee_payment(payment, settings, now)
    refund_steps = [] if payment.refund is None else foresee_refund(payment.refund, settings, now)
    lines = [
        f"payment  {payment.ref}  {payment.amount} IDR  {_name_state(payment)}",
        f"since    {tell_time(payment.evidence.at, now)}",
        f"why      {tell_evidence(payment.evidence)}",
        f"binding  {payment.binding_id}",
        f"sent     {tell_time(payment.sent_at, now)}, X-EXTERNAL-ID {payment.external_id}",
        f"DOKU     reference {payment.doku_reference or '-'}, last response code {payment.response_code or '-'}",
        *_tell_doubts(payment, now),
        *([] if payment.refund is None else _tell_refund(payment.refund, now)),
        "",
        *tell_history(history),
        "",
        "next",
        *(f"  {step}" for step in steps),
        *(f"  {step}" for step in refund_steps),
    ]
    facts = {
        "partnerReferenceNo": payment.ref,
        "bindingId": payment.binding_id,
        "amount": str(payment.amount),
        "currency": "IDR",
        "state": payment.state,
        "reason": _reason(payment),
        "since": write_time(payment.evidence.at),
        "evidence": _evidence_facts(payment.evidence),
        "createdAt": write_time(payment.created_at),
        "sentAt": write_time(payment.sent_at),
        "externalId": payment.external_id,
        "dokuReference": payment.doku_reference,
        "responseCode": payment.response_code,
        "otpAttempts": payment.otp_attempts,
        "notFoundCount": payment.not_found_count,
        "notFoundSince": write_time(payment.not_found_since),
        "questionedAt": write_time(payment.questioned_at),
        "reversedAt": write_time(payment.reversed_at),
        "reviewClosedAt": write_time(payment.review_closed_at),
        "lastInquiryAt": write_time(payment.last_inquiry_at),
        "untold": len(payment.untold),
        "lateSuccess": payment.late_success,
        "dueAt": write_time(payment.due_at),
        "refund": None if payment.refund is None else _refund_facts(payment.refund),
        "history": [history_facts(entry) for entry in history],
        "next": [*steps, *refund_steps],
    }
    return Report(facts, lines, NEEDS_A_PERSON if needs_a_person(payment, now) else DONE)


def tell_evidence(evidence: Evidence) -> str:
    """Return where a fact came from, in words."""
    words = {
        "caller": "the merchant asked for it",
        "answer": "DOKU's answer",
        "status": "DOKU's status",
        "notification": "DOKU's notification",
        "probe": "a harmless call told",
        "nothing_sent": "proved that nothing was sent",
        "no_answer": "no answer, or one that proves nothing",
        "schedule": "the schedule ended",
    }
    return words[evidence.source] + ("" if evidence.code is None else f" {evidence.code}")


def _reason(payment: Payment) -> str | None:
    if payment.failure is not None:
        return payment.failure.reason
    return None if payment.review is None else payment.review


def _name_state(payment: Payment) -> str:
    reason = _reason(payment)
    return payment.state if reason is None else f"{payment.state}({reason})"


def _tell_doubts(payment: Payment, now: datetime) -> list[str]:
    """What DOKU said that does not fit, and how often it was asked in vain."""
    lines = []
    asked = payment.last_inquiry_at
    if asked is not None:
        lines.append(f"asked    last at {tell_time(asked, now)}")
    if payment.not_found_since is not None:
        times = "once" if payment.not_found_count == 1 else f"{payment.not_found_count} times"
        lines.append(
            f"unknown  DOKU said {times} that it does not know it, first at {tell_time(payment.not_found_since, now)}"
        )
    if payment.questioned_at is not None:
        lines.append(f"question DOKU told something odd at {tell_time(payment.questioned_at, now)}")
    if payment.reversed_at is not None:
        lines.append(
            f"reversed DOKU's status says since {tell_time(payment.reversed_at, now)} that it was cancelled or failed"
        )
    return lines


def _tell_refund(refund: Refund, now: datetime) -> list[str]:
    by = "" if refund.requested_by is None else f", asked for by {refund.requested_by}"
    origin = "our own, after a late success" if refund.automatic else f"the merchant's{by}"
    return [
        f"refund   {refund.number}  {refund.state}  since {tell_time(refund.evidence.at, now)}, {origin}",
        f"         {tell_evidence(refund.evidence)}; attempts {refund.attempts}; refundNo {refund.refund_no or '-'}",
    ]


def tell_history(history: Sequence[HistoryEntry]) -> list[str]:
    """Return the steps as a table."""
    if not history:
        return ["history  none recorded yet (it is written off the hot path)"]
    rows = [("version", "at", "state", "refund", "source", "code", "asked for by")]
    rows.extend(
        (
            str(entry.version),
            f"{entry.at:%Y-%m-%d %H:%M:%S.%f}"[:-3] + "Z",
            entry.state,
            entry.refund_state or "-",
            entry.source,
            entry.code or "-",
            entry.requested_by or "-",
        )
        for entry in history
    )
    return ["history", *(f"  {line}" for line in align(rows))]


def _evidence_facts(evidence: Evidence) -> dict[str, object]:
    return {"source": evidence.source, "code": evidence.code, "at": write_time(evidence.at)}


def _refund_facts(refund: Refund) -> dict[str, object]:
    return {
        "partnerRefundNo": refund.number,
        "state": refund.state,
        "automatic": refund.automatic,
        "attempts": refund.attempts,
        "requestedAt": write_time(refund.requested_at),
        "requestedBy": refund.requested_by,
        "sentAt": write_time(refund.sent_at),
        "dueAt": write_time(refund.due_at),
        "refundNo": refund.refund_no,
        "responseCode": refund.response_code,
        "evidence": _evidence_facts(refund.evidence),
    }


def history_facts(entry: HistoryEntry) -> dict[str, object]:
    """Return a step as JSON."""
    return {
        "version": entry.version,
        "at": write_time(entry.at),
        "state": entry.state,
        "refundState": entry.refund_state,
        "source": entry.source,
        "code": entry.code,
        "requestedBy": entry.requested_by,
    }
