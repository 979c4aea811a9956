"""The outbox: each stored change becomes a history item and, where the merchant cares, an event (design section 6).

It runs off the hot path on the table's stream. Records may come twice, out of order, or never: items and events are
keyed by the record's version, and the record carries its moves until they are told (domain.move), so that what a lost
stream record had to say is told by the next one, or by the sweep.
"""

from direct_debit.application.complete_task import complete_binding_task, complete_payment_task
from direct_debit.application.errors import NotFound, PaymentChanged
from direct_debit.application.ports import HistoryEntry, OutboxEvent, Ports
from direct_debit.domain.binding import Binding, BindingState, remember_move
from direct_debit.domain.move import Move
from direct_debit.domain.payment import Payment, PaymentState, remember_moves
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
    """Tell what a stored change of a payment means; at rest, whatever was not told before as well, in order.

    `before` None: the payment is new, or its record is given again by an operator. Raises StoreUnavailable: the record
    must be given again; what was done already is harmless to repeat.
    """
    if before is not None or after.version == 1:
        after = remember_moves(before, after)  # written by code that did not note it
    since = 0 if before is None else before.version
    if after.is_open:
        for move in after.untold:
            if move.version > since:
                _tell(after, move, ports)
        return
    if after.untold:
        tell_payment(after, ports)


def tell_payment(payment: Payment, ports: Ports) -> None:
    """Tell every move of a payment that is not told yet, in order; let its account go if it is at rest.

    The history item of a move is the receipt that it was told. Raises StoreUnavailable.
    """
    told = {entry.version for entry in ports.payments.history(payment.ref)}
    for move in payment.untold:
        if move.version not in told:
            _tell(payment, move, ports)
    if payment.is_final:
        complete_payment_task(ports, payment)
    if payment.is_open:
        ports.payments.confirm_told(payment)
    else:
        _let_go(payment, ports)


def record_binding_change(before: Binding | None, after: Binding, ports: Ports) -> None:
    """Tell what became of a link and complete a waiting workflow. Raises StoreUnavailable."""
    if before is not None:
        after = remember_move(before, after)
    if after.untold:
        tell_binding(after, ports)


def tell_binding(binding: Binding, ports: Ports) -> None:
    """Tell every move of a link that is not told yet, in order. Raises StoreUnavailable."""
    for move in binding.untold:
        if move.moved:
            _publish_link(binding, move, ports)
    complete_binding_task(ports, binding)
    ports.bindings.confirm_told(binding)


def _publish_link(binding: Binding, move: Move, ports: Ports) -> None:
    ports.events.publish(
        OutboxEvent(
            name=_BINDING_EVENTS[BindingState(move.state)],
            id=f"{binding.id}:{move.version}",
            at=move.at,
            detail={
                "bindingId": binding.id,
                "customerId": binding.customer_id,
                "state": move.state,
                "responseCode": move.response_code,
            },
        )
    )


def _let_go(payment: Payment, ports: Ports) -> None:
    """All is told of a payment at rest: its record carries it no longer, and its account may be unlinked."""
    try:
        ports.payments.release_account(payment.binding_id, payment.ref, payment, told=True)
    except (NotFound, PaymentChanged):
        return  # it is not there (a restored table), or has moved on: that change has its own record and its own time


def _tell(payment: Payment, move: Move, ports: Ports) -> None:
    if move.moved and move.state in _PAYMENT_EVENTS:
        _publish(_PAYMENT_EVENTS[PaymentState(move.state)], payment, move, ports)
    if move.refund_moved and move.refund_state in _REFUND_EVENTS:
        _publish(_REFUND_EVENTS[RefundState(move.refund_state)], payment, move, ports)
    ports.payments.add_history(
        payment.ref,
        HistoryEntry(
            version=move.version,
            at=move.at,
            state=move.state,
            refund_state=move.refund_state,
            source=move.source,
            code=move.code,
        ),
    )


def _publish(name: str, payment: Payment, move: Move, ports: Ports) -> None:
    ports.events.publish(
        OutboxEvent(
            name=name,
            id=f"{payment.ref}:{move.version}:{name}",
            at=move.at,
            detail={
                "partnerReferenceNo": payment.ref,
                "bindingId": payment.binding_id,
                "customerId": payment.customer_id,
                "amount": str(payment.amount),
                "currency": "IDR",
                "state": move.state,
                "reason": move.reason,
                "responseCode": move.response_code,
                "partnerRefundNo": None
                if payment.refund is None or move.refund_state is None
                else payment.refund.number,
            },
        )
    )
