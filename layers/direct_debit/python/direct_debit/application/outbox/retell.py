"""What a payment's events were, told again from its history: it is kept for ever, and each event has one id."""

from collections.abc import Iterator, Sequence

from direct_debit.application.outbox.record_change import list_events
from direct_debit.application.ports.history import HistoryEntry
from direct_debit.application.ports.messages import OutboxEvent
from direct_debit.domain.move import Move
from direct_debit.domain.payment import Payment, PaymentState


def retell_payment(payment: Payment, history: Sequence[HistoryEntry]) -> Sequence[OutboxEvent]:
    """Return every event that a payment's recorded steps (oldest first) have told, in their order, as they were.

    Steps that releases before this catalogue recorded have neither reason nor response code: null stands there.
    """
    return [event for move in _list_moves(history) for event in list_events(payment, move)]


def _list_moves(history: Sequence[HistoryEntry]) -> Iterator[Move]:
    state, refund_state = str(PaymentState.REQUESTED), None
    for entry in history:
        yield Move(
            version=entry.version,
            at=entry.at,
            state=entry.state,
            moved=entry.state != state,
            refund_state=entry.refund_state,
            refund_moved=entry.refund_state != refund_state,
            source=entry.source,
            code=entry.code,
            reason=entry.reason,
            response_code=entry.response_code,
        )
        state, refund_state = entry.state, entry.refund_state
