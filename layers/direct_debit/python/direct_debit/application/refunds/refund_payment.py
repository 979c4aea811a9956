"""Accept the refund of a payment: full amount, one number for ever (invariant 4). A worker sends it."""

from dataclasses import dataclass, replace

from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import Conflict, PaymentChanged, no_payment
from direct_debit.application.payments.advance_payment import queue_refund, save_with_refund
from direct_debit.application.payments.result import PaymentResult
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.vault import SealedField
from direct_debit.application.references import canonical, canonical_with_absent, derive_reference
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.payment import PaymentState
from direct_debit.domain.refund import Refund

_DEFAULT_REASON = "Refund"
_NOT_PAID = {True: "there is nothing to give back", False: "send this again when it is"}  # whether it is settled


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPayment:
    """Which payment to give back. Without a number one is derived from the payment's reference.

    `requested_by` is who asks, and no part of what is asked: a repeat by somebody else is the same refund.
    """

    ref: str
    partner_refund_no: str | None = None
    reason: str | None = None
    requested_by: str | None = None


def refund_payment(command: RefundPayment, ports: Ports, deadline: Deadline) -> PaymentResult:  # noqa: ARG001 - every use case has a deadline
    """Record the refund and queue it; return the payment with its refund.

    Raises NotFound, Conflict (not PAID, or a refund with another number or reason exists).
    """
    payment = ports.payments.get(command.ref)
    if payment is None:
        raise no_payment()
    number = command.partner_refund_no or derive_reference(f"refund:{command.ref}")
    request_hash = ports.vault.fingerprint(describe_content(command.ref, number, command.reason))
    while True:
        if payment.refund is not None:
            _require_same(payment.refund, command, number, request_hash, ports)
            return PaymentResult(payment, replayed=True)
        if payment.state is not PaymentState.PAID:
            raise Conflict(
                f"only a PAID payment can be refunded; this one is {payment.state}: {_NOT_PAID[payment.is_final]}"
            )
        now = ports.clock.now()
        refund = Refund(
            number=number,
            reason=_DEFAULT_REASON if command.reason is None else "",
            sealed_reason=_seal(command.reason, command.ref, ports),
            request_hash=request_hash,
            requested_at=now,
            requested_by=command.requested_by,
            due_at=now,
            evidence=Evidence(EvidenceSource.CALLER, now),
        )
        try:
            stored = save_with_refund(ports, payment, replace(payment.noted(now), refund=refund))
        except PaymentChanged as race:
            payment = race.current
            continue
        queue_refund(ports, stored)
        return PaymentResult(stored)


def _seal(reason: str | None, ref: str, ports: Ports) -> str | None:
    """Return the merchant's words as they are kept: they may be about the customer."""
    return None if reason is None else ports.vault.seal(reason, SealedField.REFUND_REASON, ref)


def describe_content(ref: str, number: str, reason: str | None) -> str:
    """Return the text whose fingerprint tells whether two requests are the same one."""
    return "refund:" + canonical({"ref": ref, "number": number, "reason": reason})


# The members of a request when absent ones were part of the text. It never grows.
_EARLIER_MEMBERS = ("ref", "number", "reason")


def describe_content_as_before(ref: str, number: str, reason: str | None) -> str | None:
    """Return the text as earlier releases made it; None for a request that they did not know."""
    text = canonical_with_absent({"ref": ref, "number": number, "reason": reason}, _EARLIER_MEMBERS)
    return None if text is None else "refund:" + text


def _require_same(refund: Refund, command: RefundPayment, number: str, request_hash: str, ports: Ports) -> None:
    if refund.number != number:
        raise Conflict(
            f"the payment has a refund already (partnerRefundNo {refund.number}); there is only one, and "
            "GET /payments/{ref}/refund shows it"
        )
    if refund.automatic or refund.request_hash == request_hash:
        return
    text = describe_content_as_before(command.ref, number, command.reason)
    if text is None or refund.request_hash != ports.vault.fingerprint(text):
        raise Conflict(
            "this refund was requested with another reason; repeat it as it was, or leave it and read it with "
            "GET /payments/{ref}/refund"
        )
