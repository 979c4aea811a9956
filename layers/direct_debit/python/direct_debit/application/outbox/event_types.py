"""The events that others are told, as a catalogue: which there are, when each happens, and what its detail holds.

`docs/events.md` and the JSON Schemas beside it are written from here (tools/event_catalogue.py). A detail carries no
personal data: references, states, an amount, the merchant's own name of the customer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from direct_debit.domain.binding import BindingState
from direct_debit.domain.money import CURRENCY
from direct_debit.domain.payment import FailureReason, PaymentState, ReviewReason
from direct_debit.domain.refund import RefundState
from direct_debit.domain.values import AMOUNT

SCHEMA_VERSION = 1
"""Of all events. Members may be added under the same version; what is there keeps its meaning and its values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of a detail: what it is, and what is promised of its values. All members are always there.

    `values`: it has one of these, None among them where it may be null; where there are none, any. `pattern` is a
    regular expression for the whole text.
    """

    says: str
    type: Literal["string", "integer"] = "string"
    values: Sequence[str | int | None] = ()
    pattern: str | None = None
    nullable: bool = False

    @property
    def may_be_null(self) -> bool:
        """Whether null may stand in its place."""
        return self.nullable or None in self.values


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """One event by its name, which is its detail type on the bus.

    `moves_to` is the state whose entry it tells, of the record or (a refund's event) of the refund within it. `states`
    are those that the record itself may be in then, `reasons` what `reason` may say.
    """

    name: str
    subject: Literal["payment", "refund", "binding"]
    when: str
    moves_to: PaymentState | RefundState | BindingState
    states: Sequence[str]
    reasons: Sequence[str] = ()


def _payment(name: str, state: PaymentState, when: str, reasons: Sequence[str] = ()) -> EventType:
    return EventType(name=name, subject="payment", when=when, moves_to=state, states=(state,), reasons=reasons)


def _refund(name: str, state: RefundState, when: str, payment: PaymentState = PaymentState.PAID) -> EventType:
    return EventType(name=name, subject="refund", when=when, moves_to=state, states=(payment,))


def _binding(name: str, state: BindingState, when: str) -> EventType:
    return EventType(name=name, subject="binding", when=when, moves_to=state, states=(state,))


EVENT_TYPES: Sequence[EventType] = (
    _payment("payment.otp_pending", PaymentState.OTP_PENDING, "The customer was sent a code, at first or once more."),
    _payment(
        "payment.unknown",
        PaymentState.UNKNOWN,
        "An answer of DOKU's was lost. Do nothing: another event says what became of the payment.",
    ),
    _payment("payment.paid", PaymentState.PAID, "The money moved. Fulfil the order."),
    _payment(
        "payment.failed",
        PaymentState.FAILED,
        "No money moved; `reason` says why. After `not_found`, and only then, a `payment.paid` may still follow.",
        tuple(FailureReason),
    ),
    _payment("payment.refunded", PaymentState.REFUNDED, "The money is back; comes with `refund.completed`."),
    _payment(
        "payment.needs_review",
        PaymentState.NEEDS_REVIEW,
        "Whether the money moved can not be told without a person; `reason` says why.",
        tuple(ReviewReason),
    ),
    _refund("refund.requested", RefundState.REQUESTED, "A refund was asked for, by the merchant or by itself."),
    _refund("refund.completed", RefundState.REFUNDED, "The refund reached the customer.", PaymentState.REFUNDED),
    _refund("refund.failed", RefundState.FAILED, "DOKU refused the refund for good; the payment stays PAID."),
    _refund("refund.needs_review", RefundState.NEEDS_REVIEW, "Whether the refund was made needs a person."),
    _binding("binding.activated", BindingState.ACTIVE, "The account is linked, at first or again: it can be charged."),
    _binding("binding.failed", BindingState.FAILED, "The link came to nothing. The customer may start anew."),
    _binding(
        "binding.relink_required",
        BindingState.RELINK_REQUIRED,
        "DOKU does not take the customer's token any more: the customer has to link the account again.",
    ),
    _binding("binding.unbound", BindingState.UNBOUND, "The account is unlinked."),
)
EVENTS_BY_NAME: Mapping[str, EventType] = {one.name: one for one in EVENT_TYPES}


def name_payment_event(state: str) -> str | None:
    """Return the event of a payment's entry into a state, None where nobody is told."""
    return _NAMES["payment"].get(state)


def name_refund_event(state: str) -> str | None:
    """Return the event of a refund's entry into a state, None where nobody is told."""
    return _NAMES["refund"].get(state)


def name_binding_event(state: str) -> str:
    """Return the event of a link's entry into one of `domain.binding.TOLD_STATES`."""
    return _NAMES["binding"][state]


_NAMES: Mapping[str, Mapping[str, str]] = {
    subject: {str(one.moves_to): one.name for one in EVENT_TYPES if one.subject == subject}
    for subject in ("payment", "refund", "binding")
}


def list_members(event: EventType) -> Mapping[str, Member]:
    """Return the members of an event's detail by their names, as the bus and a webhook have them."""
    own = _members_of_link(event) if event.subject == "binding" else _members_of_payment(event)
    return {**own, **_COMMON}


_COMMON: Mapping[str, Member] = {
    "responseCode": Member(says="DOKU's newest response code about it, null where there was none.", nullable=True),
    "recordVersion": Member(
        says="Grows with each event of the same record, not by one: of two, the one with the higher number is newer.",
        type="integer",
    ),
    "schemaVersion": Member(says="Version of this schema.", type="integer", values=(SCHEMA_VERSION,)),
    "eventId": Member(says="The event's own id, the same however often it comes. Deduplicate by it."),
    "occurredAt": Member(
        says="When it happened, UTC, ISO 8601.", pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?\+00:00$"
    ),
}


def _members_of_link(event: EventType) -> Mapping[str, Member]:
    return {
        "bindingId": Member(says="The link."),
        "customerId": Member(says="The merchant's own name of the customer, as it was given."),
        "state": Member(says="State of the link.", values=tuple(event.states)),
    }


def _members_of_payment(event: EventType) -> Mapping[str, Member]:
    is_refund = event.subject == "refund"
    return {
        "partnerReferenceNo": Member(says="The payment."),
        "bindingId": Member(says="The link that it is charged to."),
        "customerId": Member(says="The merchant's own name of the customer, as it was given."),
        "amount": Member(says="Amount of the payment, and of its refund.", pattern=AMOUNT),
        "currency": Member(says="Its currency.", values=(CURRENCY,)),
        "state": Member(says="State of the payment.", values=tuple(event.states)),
        "reason": Member(says="Why it failed or needs a review, else null.", values=(*event.reasons, None)),
        "partnerRefundNo": Member(says="The refund, null while there is none.", nullable=not is_refund),
        "refundState": Member(
            says="State of the refund, null while there is none.",
            values=(str(event.moves_to),) if is_refund else (*RefundState, None),
        ),
    }
