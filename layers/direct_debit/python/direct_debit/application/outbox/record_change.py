"""The outbox: each stored change becomes a history item and, where the merchant cares, an event (design section 6).

It runs off the hot path on the table's stream. Records may come twice, out of order, or never: items and events are
keyed by the record's version, and the record carries its moves until they are told (domain.move), so that what a lost
stream record had to say is told by the next one, or by the sweep.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from direct_debit.application.errors import NotFound, PaymentChanged
from direct_debit.application.outbox.event_types import (
    SCHEMA_VERSION,
    name_binding_event,
    name_payment_event,
    name_refund_event,
)
from direct_debit.application.ports.history import HistoryEntry
from direct_debit.application.ports.messages import Events, OutboxEvent
from direct_debit.application.ports.ports import Ports
from direct_debit.application.tasks.complete_task import complete_binding_task, complete_payment_task
from direct_debit.domain.binding import Binding, BindingState, remember_move
from direct_debit.domain.evidence import EvidenceSource
from direct_debit.domain.money import CURRENCY
from direct_debit.domain.move import Move
from direct_debit.domain.payment import Payment, remember_moves
from direct_debit.domain.refund import RefundState

MOST_TOGETHER = 10
"""How many records' events are published in one request: what the bus takes at most."""

_FEWEST_TOGETHER = 2


@dataclass(frozen=True, slots=True)
class News:
    """What a record has still to tell: the moves, oldest first.

    `settles`: nothing is left to tell then, so the record carries its moves no longer and lets go of what waits for it.
    """

    record: Payment | Binding
    moves: tuple[Move, ...]
    settles: bool

    @property
    def events(self) -> Sequence[OutboxEvent]:
        """The events that tell it, in order."""
        return [event for move in self.moves for event in list_events(self.record, move)]


def find_payment_news(before: Payment | None, after: Payment, ports: Ports) -> News:
    """Return what a stored change of a payment means; at rest, whatever was not told before as well.

    Of an open payment, what a lost record had to say comes before the events that follow it.

    `before` None: the payment is new, or its record is given again by an operator. Raises StoreUnavailable.
    """
    if before is not None:
        after = remember_moves(before, after)  # written by code that did not note it
    since = 0 if before is None else before.version
    if not after.is_open:
        return find_untold(after, ports) if after.untold else News(after, (), settles=False)
    news = News(after, tuple(move for move in after.untold if move.version > since), settles=False)
    earlier = News(after, tuple(move for move in after.untold if move.version <= since), settles=False)
    return replace(find_untold(after, ports), settles=False) if news.events and earlier.events else news


def find_untold(payment: Payment, ports: Ports) -> News:
    """Return every move of a payment that is not told yet: its history item is the receipt. Raises StoreUnavailable."""
    told = {entry.version for entry in ports.payments.history(payment.ref)}
    return News(payment, tuple(move for move in payment.untold if move.version not in told), settles=True)


def find_binding_news(before: Binding | None, after: Binding) -> News:
    """Return what became of a link.

    That an unlinking was begun settles nothing: its record carries the move until it has ended.
    """
    if before is not None:
        after = remember_move(before, after)
    if any(move.state != BindingState.UNBIND_OTP_PENDING for move in after.untold):
        return News(after, after.untold, settles=True)
    since = 0 if before is None else before.version
    return News(after, tuple(move for move in after.untold if move.version > since), settles=False)


def tell(news: News, ports: Ports) -> None:
    """Publish the events of each move and write its receipt, in order; then complete a waiting workflow and let go.

    Raises StoreUnavailable: the record must be given again; what was done already is harmless to repeat. Raises
    Undeliverable for what AWS can not take as it stands.
    """
    record = news.record
    for move in news.moves:
        for event in list_events(record, move):
            ports.events.publish(event)
        entry = _make_entry(news, move)
        if isinstance(record, Payment):
            ports.payments.add_history(record.ref, entry)
        else:
            ports.bindings.add_history(record.id, entry)
    if not news.settles:
        return
    if isinstance(record, Binding):
        complete_binding_task(ports, record)
        ports.bindings.confirm_told(record)
        return
    if record.is_final:
        complete_payment_task(ports, record)
    if record.is_open:
        ports.payments.confirm_told(record)
    else:
        _let_go(record, ports)


def publish_ahead(several: Sequence[News], ports: Ports) -> Ports:
    """Publish the first event of each record in one request; return the ports with which `tell` does not repeat them.

    No record may be there twice with events: then each payment's stay in order, whatever the bus takes. What it does
    not take now is published by `tell`, in its turn, and so is what follows.
    """
    firsts = [news.events[0] for news in several if news.events]
    if len(firsts) < _FEWEST_TOGETHER:
        return ports
    return replace(ports, events=_PublishedAhead(ports.events, ports.events.publish_together(firsts)))


def record_payment_change(before: Payment | None, after: Payment, ports: Ports) -> None:
    """Tell what a stored change of a payment means. Raises StoreUnavailable, Undeliverable."""
    tell(find_payment_news(before, after, ports), ports)


def tell_payment(payment: Payment, ports: Ports) -> None:
    """Tell every move of a payment that is not told yet; let its account go if it is at rest.

    Raises StoreUnavailable, Undeliverable.
    """
    tell(find_untold(payment, ports), ports)


def record_binding_change(before: Binding | None, after: Binding, ports: Ports) -> None:
    """Tell what became of a link. Raises StoreUnavailable, Undeliverable."""
    tell(find_binding_news(before, after), ports)


def tell_binding(binding: Binding, ports: Ports) -> None:
    """Tell every move of a link that is not told yet, in order. Raises StoreUnavailable, Undeliverable."""
    tell(News(binding, binding.untold, settles=True), ports)


@dataclass(frozen=True, slots=True)
class _PublishedAhead:
    """Implements `Events` where some are published already."""

    events: Events
    taken: frozenset[str]

    def publish(self, event: OutboxEvent) -> None:
        """Publish what is not published yet."""
        if event.id not in self.taken:
            self.events.publish(event)

    def publish_together(self, events: Sequence[OutboxEvent]) -> frozenset[str]:
        """Publish what is not published yet."""
        return self.taken | self.events.publish_together([event for event in events if event.id not in self.taken])


def list_events(record: Payment | Binding, move: Move) -> Sequence[OutboxEvent]:
    """Return the events that tell a move of a record: the payment's own before its refund's."""
    if isinstance(record, Binding):
        return [_event_of_link(record, move)] if move.moved else []
    names = (
        name_payment_event(move.state) if move.moved else None,
        name_refund_event(move.refund_state) if move.refund_moved and move.refund_state is not None else None,
    )
    return [_event_of_payment(name, record, move) for name in names if name is not None]


def _event_of_link(binding: Binding, move: Move) -> OutboxEvent:
    return OutboxEvent(
        name=name_binding_event(move.state),
        id=f"{binding.id}:{move.version}",
        at=move.at,
        detail={
            "bindingId": binding.id,
            "customerId": binding.customer_id,
            "state": move.state,
            "responseCode": move.response_code,
            "recordVersion": move.version,
            "schemaVersion": SCHEMA_VERSION,
        },
    )


def _event_of_payment(name: str, payment: Payment, move: Move) -> OutboxEvent:
    return OutboxEvent(
        name=name,
        id=f"{payment.ref}:{move.version}:{name}",
        at=move.at,
        detail={
            "partnerReferenceNo": payment.ref,
            "bindingId": payment.binding_id,
            "customerId": payment.customer_id,
            "amount": str(payment.amount),
            "currency": CURRENCY,
            "state": move.state,
            "reason": move.reason,
            "partnerRefundNo": None if payment.refund is None or move.refund_state is None else payment.refund.number,
            "refundState": move.refund_state,
            "responseCode": move.response_code,
            "recordVersion": move.version,
            "schemaVersion": SCHEMA_VERSION,
        },
    )


def _make_entry(news: News, move: Move) -> HistoryEntry:
    return HistoryEntry(
        version=move.version,
        at=move.at,
        state=move.state,
        refund_state=move.refund_state,
        source=move.source,
        code=move.code,
        reason=move.reason,
        response_code=move.response_code,
        requested_by=_find_who_asked(news, move),
    )


def _find_who_asked(news: News, move: Move) -> str | None:
    """Return who asked for this move, where the record of it says so: of a refund, or of a link's end.

    A link names who asked last. Of an unlinking that has ended, and was not told before another one began, nobody
    knows it any more.
    """
    record = news.record
    if isinstance(record, Payment):
        begun = move.refund_moved and move.refund_state == RefundState.REQUESTED
        return record.refund.requested_by if begun and record.refund is not None else None
    asked = [one for one in news.moves if one.source == EvidenceSource.CALLER]
    return record.unbind_requested_by if asked and move is asked[-1] else None


def _let_go(payment: Payment, ports: Ports) -> None:
    """All is told of a payment at rest: its record carries it no longer, and its account may be unlinked."""
    try:
        ports.payments.release_account(payment.binding_id, payment.ref, payment, told=True)
    except (NotFound, PaymentChanged):
        return  # it is not there (a restored table), or has moved on: that change has its own record and its own time
