"""An idempotency key as an item of the transactions table: the payment that it names. It stays for ever.

The key's text is nowhere; what names the item is its keyed hash. The item has no write id: it is the same whoever
writes it, so a repeated write changes nothing and the stream tells nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.items import read_text, text
from direct_debit.adapters.dynamodb.keys import idempotency_key

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.items import Item
    from direct_debit.application.ports.payments import PaymentKey

KEY_KIND = "key"


def write_key(key: PaymentKey, ref: str) -> Item:
    """Return the item that lets the key name the payment `ref`."""
    return {**idempotency_key(key.fingerprint), "kind": text(KEY_KIND), "ref": text(ref)}


def read_key(item: Item) -> str:
    """Return the reference that a key names. Raises MalformedItem."""
    return read_text(item, "ref")
