"""The outbox: each stored change becomes a history item and, where the merchant cares, an event (design section 6).

It runs off the hot path on the table's stream. Records may come twice or out of order: items and events are keyed
by the record's version.
"""

from direct_debit.application.complete_task import complete_binding_task, complete_payment_task
from direct_debit.application.ports import HistoryEntry, OutboxEvent, Ports
from direct_debit.application.release_account import release_account
from direct_debit.domain.binding import Binding, BindingState
from direct_debit.domain.payment import Payment, PaymentState
from direct_debit.domain.refund import RefundState

_PAYMENT_EVENTS = {
    PaymentState.OTP_PENDING: "payment.otp_pending",
    PaymentState.UNKNOWN: "payment.unknown",
    PaymentState.PAID: "payment.paid",
    PaymentState.FAILED: "payment.failed",
    PaymentState.REFUNDED: "payment.refunded",
    PaymentState.NEEDS_REVIEW: "payment.needs_review",
}
_REFUND_EVENTS = {
    RefundState.REQUESTED: "refund.requested",
    RefundState.REFUNDED: "refund.completed",
    RefundState.FAILED: "refund.failed",
    RefundState.NEEDS_REVIEW: "refund.needs_review",
}
_BINDING_EVENTS = {
    BindingState.ACTIVE: "binding.activated",
    BindingState.FAILED: "binding.failed",
    BindingState.RELINK_REQUIRED: "binding.relink_required",
    BindingState.UNBOUND: "binding.unbound",
}


def record_payment_change(before: Payment | None, after: Payment, ports: Ports) -> None:
    """Write the step, publish its events, complete a waiting workflow, release the account of a settled payment.

    Raises StoreUnavailable: the record must be given again; what was done already is harmless to repeat.
    """
    refund_before = None if before is None or before.refund is None else before.refund.state
    refund_after = None if after.refund is None else after.refund.state
    moved = before is None or before.state is not after.state
    refund_moved = refund_before is not refund_after
    if moved or refund_moved:
        _write_history(after, ports, of_refund=refund_moved and not moved)
    if moved and after.state in _PAYMENT_EVENTS:
        _publish(_PAYMENT_EVENTS[after.state], after, ports)
    if refund_moved and refund_after in _REFUND_EVENTS:
        _publish(_REFUND_EVENTS[refund_after], after, ports)
    if moved and after.is_final:
        complete_payment_task(ports, after)
    if not after.is_open:
        release_account(after.binding_id, after.ref, ports)


def record_binding_change(before: Binding | None, after: Binding, ports: Ports) -> None:
    """Publish what became of a link and complete a waiting workflow. Raises StoreUnavailable."""
    if before is not None and before.state is after.state:
        return
    name = _BINDING_EVENTS.get(after.state)
    unlinking_failed = before is not None and before.state is BindingState.UNBIND_OTP_PENDING
    if name is not None and not (after.state is BindingState.ACTIVE and unlinking_failed):
        ports.events.publish(
            OutboxEvent(
                name=name,
                id=f"{after.id}:{after.version}",
                at=after.updated_at,
                detail={
                    "bindingId": after.id,
                    "customerId": after.customer_id,
                    "state": after.state,
                    "responseCode": after.response_code,
                },
            )
        )
    complete_binding_task(ports, after)


def _write_history(payment: Payment, ports: Ports, *, of_refund: bool) -> None:
    evidence = payment.refund.evidence if of_refund and payment.refund is not None else payment.evidence
    ports.payments.add_history(
        payment.ref,
        HistoryEntry(
            version=payment.version,
            at=payment.updated_at,
            state=payment.state,
            refund_state=None if payment.refund is None else payment.refund.state,
            source=evidence.source,
            code=evidence.code,
        ),
    )


def _publish(name: str, payment: Payment, ports: Ports) -> None:
    ports.events.publish(
        OutboxEvent(
            name=name,
            id=f"{payment.ref}:{payment.version}:{name}",
            at=payment.updated_at,
            detail={
                "partnerReferenceNo": payment.ref,
                "bindingId": payment.binding_id,
                "customerId": payment.customer_id,
                "amount": str(payment.amount),
                "currency": "IDR",
                "state": payment.state,
                "reason": None if payment.failure is None else payment.failure.reason,
                "responseCode": payment.response_code,
                "partnerRefundNo": None if payment.refund is None else payment.refund.number,
            },
        )
    )
