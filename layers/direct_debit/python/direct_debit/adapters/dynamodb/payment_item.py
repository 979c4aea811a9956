"""A payment as an item of the transactions table, and back; the stream's consumer reads its images with this too."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from direct_debit.adapters.dynamodb.evidence_item import read_evidence, write_evidence
from direct_debit.adapters.dynamodb.items import (
    MalformedItem,
    flag,
    instant,
    number,
    read_choice,
    read_flag,
    read_instant,
    read_instant_or_none,
    read_number,
    read_text,
    read_text_map,
    read_text_or_none,
    text,
    text_map,
)
from direct_debit.adapters.dynamodb.keys import REVIEW_KIND, day_shard, due_shard, payment_key, record_id
from direct_debit.adapters.dynamodb.move_item import UNTOLD, read_moves, write_moves
from direct_debit.adapters.dynamodb.refund_item import read_refund, write_refund
from direct_debit.domain.money import Amount
from direct_debit.domain.payment import FailureReason, Payment, PaymentFailure, PaymentState, ReviewReason
from direct_debit.domain.refund import RefundState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from direct_debit.adapters.dynamodb.items import AttributeValue, Item

PAYMENT_KIND = "payment"


class _Plain(NamedTuple):
    """A field that stands in the item as it is."""

    field: str
    attribute: str
    write: Callable[[object], AttributeValue]
    read: Callable[[Item, str], object]


def _find_plain() -> Iterator[_Plain]:
    """Yield each field that its type alone says how to store: a new optional one needs no line here.

    So its name is part of what is stored, and its default is None, false or zero: what has no attribute is read so. The
    tests hold both to items of before (stored-items.json) and to drawn payments.
    """
    ways: Mapping[object, tuple[object, object]] = {
        str | None: (text, read_text),
        datetime | None: (instant, read_instant),
        bool: (flag, read_flag),
        int: (number, read_number),
    }
    for field in fields(Payment):
        if field.type in ways and field.name not in _OTHERWISE:
            first, *others = field.name.split("_")
            attribute = first + "".join([word.capitalize() for word in others])
            yield _Plain(field.name, attribute, *ways[field.type])  # type: ignore[arg-type]  # each for its type


_OTHERWISE = frozenset({"version", "due_at"})  # always there; `ownDueAt`, since `dueAt` is the index's
_PLAIN = tuple(_find_plain())


def write_payment(payment: Payment) -> dict[str, AttributeValue]:
    """Return the whole item of a payment. What is None, false, zero or empty has no attribute: each write counts bytes.

    `ownDueAt` is the payment's due time, `refundDueAt` its refund's and `tellBy` its news'; the index key `dueAt` is
    the earliest of them, or, where nothing is due, the time since when the payment or its refund waits for a person.
    """
    failure = payment.failure
    item: dict[str, AttributeValue] = {
        **payment_key(payment.ref),
        "kind": text(PAYMENT_KIND),
        "bindingId": text(payment.binding_id),
        "customerId": text(payment.customer_id),
        "amount": text(str(payment.amount)),
        "remarks": text(payment.remarks),
        # The release before kept the pages here, and reads no payment without them: a rollback has to find some.
        "successUrl": text(""),
        "failedUrl": text(""),
        "requestHash": text(payment.request_hash),
        "state": text(payment.state.value),
        "version": number(payment.version),
        "createdAt": instant(payment.created_at),
        "day": text(day_shard(payment.created_at, payment.ref)),
        "updatedAt": instant(payment.updated_at),
        "externalId": text(payment.external_id),
        "attempt": text(payment.attempt),
        "sentAt": instant(payment.sent_at),
        **write_evidence(payment.evidence, "evidence"),
    }
    for plain in _PLAIN:
        said: object = getattr(payment, plain.field)
        if said is not None and said != 0:
            item[plain.attribute] = plain.write(said)
    if payment.metadata:
        item["metadata"] = text_map(payment.metadata)
    if payment.review is not None:
        item["review"] = text(payment.review)
    if failure is not None:
        item["failureReason"] = text(failure.reason)
        if failure.code is not None:
            item["failureCode"] = text(failure.code)
    refund = payment.refund
    if refund is not None:
        item.update(write_refund(refund))
    if payment.untold:
        item[UNTOLD] = write_moves(payment.untold)
    if payment.due_at is not None:
        item["ownDueAt"] = instant(payment.due_at)
    item.update(write_filing(payment))
    return item


def write_filing(payment: Payment) -> dict[str, AttributeValue]:
    """Return the keys of the `due` index: a partition of payments or, where a person is waited for, of reviews.

    None where nothing is due and nobody is waited for.
    """
    first_due, kind = payment.first_due, PAYMENT_KIND
    if first_due is None:
        first_due, kind = _waits_for_a_person_since(payment), REVIEW_KIND
    if first_due is None:
        return {}
    return {"dueAt": instant(first_due), "dueShard": text(due_shard(kind, payment.ref))}


def _waits_for_a_person_since(payment: Payment) -> datetime | None:
    """Since when somebody has to look at the payment or its refund; None when nobody has to.

    A refund that DOKU refused counts: the customer's money is still here. So does a payment that DOKU reversed.
    """
    refund = payment.refund
    if payment.state is PaymentState.NEEDS_REVIEW and payment.review_closed_at is None:
        return payment.evidence.at
    if payment.reversed_at is not None:
        return payment.reversed_at
    stuck = refund is not None and refund.state in (RefundState.FAILED, RefundState.NEEDS_REVIEW)
    return refund.evidence.at if refund is not None and stuck else None


def read_payment(item: Item) -> Payment:
    """Return the payment of an item. Raises MalformedItem, also for a state that this code does not know."""
    failure = None
    if "failureReason" in item:
        failure = PaymentFailure(
            read_choice(item, "failureReason", FailureReason),
            read_text_or_none(item, "failureCode"),
        )
    plain = {one.field: one.read(item, one.attribute) for one in _PLAIN if one.attribute in item}
    return Payment(
        ref=record_id(read_text(item, "pk")),
        binding_id=read_text(item, "bindingId"),
        customer_id=read_text(item, "customerId"),
        amount=_read_amount(item),
        remarks=read_text(item, "remarks"),
        request_hash=read_text(item, "requestHash"),
        state=read_choice(item, "state", PaymentState),
        version=read_number(item, "version"),
        created_at=read_instant(item, "createdAt"),
        updated_at=read_instant(item, "updatedAt"),
        external_id=read_text(item, "externalId"),
        attempt=read_text(item, "attempt"),
        sent_at=read_instant(item, "sentAt"),
        metadata=read_text_map(item, "metadata"),
        failure=failure,
        review=read_choice(item, "review", ReviewReason) if "review" in item else None,
        due_at=read_instant_or_none(item, "ownDueAt"),
        untold=read_moves(item, PaymentState, RefundState),
        evidence=read_evidence(item, "evidence"),
        refund=read_refund(item),
        **plain,  # type: ignore[arg-type]  # what _PLAIN reads of each field is of its type
    )


def _read_amount(item: Item) -> Amount:
    try:
        return Amount.parse(read_text(item, "amount"))
    except ValueError:
        raise MalformedItem("amount is no amount of money") from None
