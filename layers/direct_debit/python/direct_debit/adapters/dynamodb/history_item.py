"""A step in a payment's history as an item beside its payment, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.items import instant, number, read_instant, read_number, read_text, text
from direct_debit.adapters.dynamodb.items import read_text_or_none as maybe
from direct_debit.adapters.dynamodb.keys import history_key
from direct_debit.application.ports.history import HistoryEntry

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.items import AttributeValue, Item

HISTORY_KIND = "history"


def write_history(ref: str, entry: HistoryEntry) -> dict[str, AttributeValue]:
    """Return the item of one step of the payment `ref`."""
    item: dict[str, AttributeValue] = {
        **history_key(ref, entry.version),
        "kind": text(HISTORY_KIND),
        "version": number(entry.version),
        "at": instant(entry.at),
        "state": text(entry.state),
        "source": text(entry.source),
    }
    if entry.refund_state is not None:
        item["refundState"] = text(entry.refund_state)
    for name, value in (("code", entry.code), ("reason", entry.reason), ("responseCode", entry.response_code)):
        if value is not None:
            item[name] = text(value)
    return item


def read_history(item: Item) -> HistoryEntry:
    """Return the step of an item. Raises MalformedItem."""
    return HistoryEntry(
        version=read_number(item, "version"),
        at=read_instant(item, "at"),
        state=read_text(item, "state"),
        refund_state=maybe(item, "refundState"),
        source=read_text(item, "source"),
        code=maybe(item, "code"),
        reason=maybe(item, "reason"),
        response_code=maybe(item, "responseCode"),
    )
