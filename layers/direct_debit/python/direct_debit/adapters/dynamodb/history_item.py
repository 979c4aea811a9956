"""A step in the history of a payment or a link as an item beside its record, and back."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.items import instant, number, read_instant, read_number, read_text, text
from direct_debit.adapters.dynamodb.items import read_text_or_none as maybe
from direct_debit.adapters.dynamodb.keys import binding_history_key, history_key
from direct_debit.application.ports.history import HistoryEntry

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.items import AttributeValue, Item

HISTORY_KIND = "history"


# DOKU's codes are its own texts. Those of links are kept where they look like codes only: nobody can be in one.
_CODE = re.compile(r"[A-Za-z0-9_]{1,16}")


def write_history(ref: str, entry: HistoryEntry) -> dict[str, AttributeValue]:
    """Return the item of one step of the payment `ref`."""
    return {**history_key(ref, entry.version), **_write(entry)}


def write_binding_history(binding_id: str, entry: HistoryEntry) -> dict[str, AttributeValue]:
    """Return the item of one step of a link."""
    told = replace(entry, code=_keep_code(entry.code), response_code=_keep_code(entry.response_code))
    return {**binding_history_key(binding_id, entry.version), **_write(told)}


def _keep_code(code: str | None) -> str | None:
    return None if code is None or _CODE.fullmatch(code) is None else code


def _write(entry: HistoryEntry) -> dict[str, AttributeValue]:
    item: dict[str, AttributeValue] = {
        "kind": text(HISTORY_KIND),
        "version": number(entry.version),
        "at": instant(entry.at),
        "state": text(entry.state),
        "source": text(entry.source),
    }
    if entry.refund_state is not None:
        item["refundState"] = text(entry.refund_state)
    for name, value in (
        ("code", entry.code),
        ("reason", entry.reason),
        ("responseCode", entry.response_code),
        ("requestedBy", entry.requested_by),
    ):
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
        requested_by=maybe(item, "requestedBy"),
    )
