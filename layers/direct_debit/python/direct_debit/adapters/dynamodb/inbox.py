"""Accepted notifications of DOKU, in the transactions table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb import conditions
from direct_debit.adapters.dynamodb.changes import WRITE_ID, difference, set_and_remove
from direct_debit.adapters.dynamodb.due import list_due
from direct_debit.adapters.dynamodb.items import (
    flag,
    instant,
    number,
    read_choice,
    read_flag,
    read_instant,
    read_instant_or_none,
    read_number,
    read_text,
    read_text_or_none,
    text,
)
from direct_debit.adapters.dynamodb.keys import REVIEW_KIND, due_shard, inbox_key
from direct_debit.application.errors import StoreUnavailable
from direct_debit.application.ports.inbox import InboxItem, InboxKind, InboxState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from direct_debit.adapters.dynamodb.client import Store
    from direct_debit.adapters.dynamodb.items import AttributeValue, Item

INBOX_KIND = "inbox"


class DynamoDbInbox:
    """Implements `Inbox`."""

    def __init__(self, store: Store, transactions_table: str) -> None:
        self._store = store
        self._table = transactions_table

    def put(self, item: InboxItem) -> InboxItem | None:
        """Store; return the equal notification that is stored already, as it is now, or None.

        Raises MalformedItem, StoreUnavailable.
        """
        write_id = self._store.new_write_id()
        refused = self._store.put(self._table, {**write_inbox_item(item), WRITE_ID: text(write_id)}, conditions.IS_NEW)
        if refused is None or refused.is_write(write_id):
            return None
        if refused.item is None:
            raise StoreUnavailable("the store refused the notification without telling what is there")
        return read_inbox_item(refused.item)

    def get(self, item_id: str) -> InboxItem | None:
        """Read consistently."""
        item = self._store.get(self._table, inbox_key(item_id))
        return None if item is None else read_inbox_item(item)

    def settle(self, before: InboxItem, after: InboxItem) -> None:
        """Write what became of it. A change by somebody else in between is kept."""
        change = difference(write_inbox_item(before), write_inbox_item(after), self._store.new_write_id())
        condition = conditions.unsettled(before.attempts, before.state.value)
        self._store.update(self._table, inbox_key(before.id), change, condition)

    def clear(self, item: InboxItem) -> None:
        """Take its content out of a settled notification; a change by somebody else in between is kept."""
        change = set_and_remove({"body": text(InboxItem.GONE)})
        self._store.update(
            self._table, inbox_key(item.id), change, conditions.unsettled(item.attempts, item.state.value)
        )

    def list_due(self, now: datetime, limit: int) -> Sequence[str]:
        """Return ids whose processing is overdue (eventually consistent, oldest first)."""
        return list_due(self._store, self._table, INBOX_KIND, now, limit)


def write_inbox_item(item: InboxItem) -> dict[str, AttributeValue]:
    """Return the whole item of a notification. `notificationKind` is what DOKU spoke of, `kind` what the item is.

    One that is put aside is filed in the index for a person, since its receipt.
    """
    attributes: dict[str, AttributeValue] = {
        **inbox_key(item.id),
        "kind": text(INBOX_KIND),
        "id": text(item.id),
        "notificationKind": text(item.kind.value),
        "receivedAt": instant(item.received_at),
        "fresh": flag(item.fresh),
        "body": text(item.body),
        "state": text(item.state.value),
        "attempts": number(item.attempts),
    }
    if item.is_by_replaced_key:
        attributes["byReplacedKey"] = flag(item.is_by_replaced_key)
    for name, value in (("subject", item.subject), ("reason", item.reason), ("told", item.told)):
        if value is not None:
            attributes[name] = text(value)
    if item.due_at is not None:
        attributes["dueShard"] = text(due_shard(INBOX_KIND, item.id))
        attributes["dueAt"] = instant(item.due_at)
    elif item.state is InboxState.QUARANTINED:
        attributes["dueShard"] = text(due_shard(REVIEW_KIND, item.id))
        attributes["dueAt"] = instant(item.received_at)
    return attributes


def read_inbox_item(item: Item) -> InboxItem:
    """Return the notification of an item. Raises MalformedItem."""
    waits_for_a_person = (read_text_or_none(item, "dueShard") or "").startswith(REVIEW_KIND)
    return InboxItem(
        id=read_text(item, "id"),
        kind=read_choice(item, "notificationKind", InboxKind),
        received_at=read_instant(item, "receivedAt"),
        fresh=read_flag(item, "fresh"),
        is_by_replaced_key=read_flag(item, "byReplacedKey"),
        body=read_text(item, "body"),
        state=read_choice(item, "state", InboxState),
        subject=read_text_or_none(item, "subject"),
        reason=read_text_or_none(item, "reason"),
        told=read_text_or_none(item, "told"),
        attempts=read_number(item, "attempts", 0),
        due_at=None if waits_for_a_person else read_instant_or_none(item, "dueAt"),
    )
