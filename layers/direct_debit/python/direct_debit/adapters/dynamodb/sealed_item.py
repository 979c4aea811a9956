"""Where sealed texts stand in the items of both tables, so that all of them can be found and sealed anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.b2b_tokens import TOKEN_KIND
from direct_debit.adapters.dynamodb.binding_item import BINDING_KIND, read_binding
from direct_debit.adapters.dynamodb.conditions import texts_as_read
from direct_debit.adapters.dynamodb.inbox import INBOX_KIND
from direct_debit.adapters.dynamodb.items import read_text, read_text_map, text, text_map
from direct_debit.adapters.dynamodb.keys import record_id
from direct_debit.adapters.dynamodb.payment_item import PAYMENT_KIND, read_payment
from direct_debit.adapters.vault import find_key_id
from direct_debit.application.calls.obtain_b2b_token import OWNER
from direct_debit.application.ports.vault import SealedField

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from direct_debit.adapters.dynamodb.conditions import Condition
    from direct_debit.adapters.dynamodb.items import AttributeValue, Item

SEALED_FIELDS: Mapping[str, Mapping[str, SealedField]] = {
    BINDING_KIND: {
        "accessToken": SealedField.ACCESS_TOKEN,
        "refreshToken": SealedField.REFRESH_TOKEN,
        "authCode": SealedField.AUTH_CODE,
        "earlierPages": SealedField.AUTH_CODE,
        "redirectUrl": SealedField.LINK_PAGE,
        "unbindRedirectUrl": SealedField.UNLINK_PAGE,
        "successUrl": SealedField.SUCCESS_PAGE,
        "failedUrl": SealedField.FAILED_PAGE,
        "taskToken": SealedField.LINK_TASK,
    },
    PAYMENT_KIND: {
        "webRedirectUrl": SealedField.PAYMENT_PAGE,
        "taskToken": SealedField.PAYMENT_TASK,
        "refundReasonSealed": SealedField.REFUND_REASON,
    },
    INBOX_KIND: {"body": SealedField.NOTICE},
    TOKEN_KIND: {"token": SealedField.B2B_TOKEN},
}
"""The sealed attributes of each kind of item, by their names."""

_MAPS = frozenset({"earlierPages"})  # a text each, by the external id
_FREE_TEXTS = frozenset({"metadata", "remarks"})  # callers may write there what they like, also what looks sealed


@dataclass(frozen=True, slots=True)
class SealedText:
    """One text: the attribute that it stands in, the member of it where that is a map, and what it is bound to.

    `text` is never empty. It may be a clear one of earlier versions, where the field once was.
    """

    attribute: str
    member: str | None
    field: SealedField
    owner: str
    text: str


def kind_of(item: Item) -> str:
    """Return what an item is; "" where it does not say."""
    return item.get("kind", {}).get("S", "")


def list_sealed(item: Item) -> Sequence[SealedText]:
    """Return the texts of an item that are sealed, or should be. Raises MalformedItem."""
    return [one for name, field in SEALED_FIELDS.get(kind_of(item), {}).items() for one in _read(item, name, field)]


def _read(item: Item, name: str, field: SealedField) -> Iterator[SealedText]:
    if name not in item:
        return
    owner = OWNER if field is SealedField.B2B_TOKEN else record_id(read_text(item, "pk"))
    texts = [*read_text_map(item, name).items()] if name in _MAPS else [(None, read_text(item, name))]
    for member, sealed in texts:
        if sealed:
            yield SealedText(name, member, field, owner, sealed)


def list_strangers(item: Item) -> Sequence[tuple[str, str]]:
    """Return the attributes in which a text looks sealed and none should be, with the id of the key that it names.

    A newer release may have put it there. What callers may write as they like is left out.
    """
    known = SEALED_FIELDS.get(kind_of(item), {}).keys() | _FREE_TEXTS
    found = [
        (name, find_key_id(one)) for name, value in item.items() if name not in known for one in _list_texts(value)
    ]
    return [(name, key_id) for name, key_id in found if key_id is not None]


def _list_texts(value: AttributeValue) -> Iterator[str]:
    if "S" in value:
        yield value["S"]
    yield from value.get("SS", ())
    for nested in (*value.get("L", ()), *value.get("M", {}).values()):
        yield from _list_texts(nested)


def has_pending_news(item: Item) -> bool:
    """Return whether a write of the record would have its news told once more: what the stream has not told yet of a
    link, or of a payment at rest. Raises MalformedItem, also for a record that the stream could not read.
    """
    kind = kind_of(item)
    if kind == BINDING_KIND:
        return bool(read_binding(item).untold)
    if kind == PAYMENT_KIND:
        payment = read_payment(item)
        return bool(payment.untold) and not payment.is_open
    return False


def put_in_place(item: Item, anew: Mapping[SealedText, str]) -> tuple[Item, Condition]:
    """Return the attributes of an item in which some texts are others, and the condition under which to write them.

    The record's version and write id stay, as do its times: no writer loses a race by it, and nothing is news.
    """
    new: dict[str, AttributeValue] = {}
    for one, sealed in anew.items():
        if one.member is None:
            new[one.attribute] = text(sealed)
        else:
            before = new.get(one.attribute, item[one.attribute])
            new[one.attribute] = text_map({**read_text_map({"": before}, ""), one.member: sealed})
    return new, texts_as_read(item, list(new))
