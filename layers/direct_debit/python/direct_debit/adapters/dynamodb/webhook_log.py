"""The log of the webhooks in a table of its own: tries, which expire, and the events of links, which do not.

A partition has what concerns one payment or link: a try by its time, an event by its id.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.conditions import IS_NEW
from direct_debit.adapters.dynamodb.items import (
    instant,
    number,
    read_instant,
    read_number,
    read_text,
    text,
    write_instant,
)
from direct_debit.adapters.dynamodb.items import read_text_or_none as maybe
from direct_debit.application.ports.webhooks import WebhookAnswer, WebhookTry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from direct_debit.adapters.dynamodb.client import Store
    from direct_debit.adapters.dynamodb.items import AttributeValue, Item

KEPT = timedelta(days=30)
EXPIRES = "expiresAt"
"""The table's TTL attribute, in seconds since 1970."""

TRY, EVENT = "TRY#", "EVENT#"


class DynamoDbWebhookLog:
    """Implements `WebhookLog`."""

    def __init__(self, store: Store, table: str) -> None:
        self._store = store
        self._table = table

    def add_try(self, one: WebhookTry) -> None:
        """Write a try down; it is there for a month."""
        item: dict[str, AttributeValue] = {
            **_key(one.subject, f"{TRY}{write_instant(one.at)}#{one.webhook_id}"),
            "webhookId": text(one.webhook_id),
            "name": text(one.name),
            "at": instant(one.at),
            "milliseconds": number(one.answer.milliseconds),
            EXPIRES: number(int((one.at + KEPT).timestamp())),
        }
        if one.answer.status is not None:
            item["status"] = number(one.answer.status)
        if one.answer.failure is not None:
            item["failure"] = text(one.answer.failure)
        self._store.put(self._table, item, IS_NEW)

    def list_tries(self, subject: str) -> Sequence[WebhookTry]:
        """Return the tries of a payment's or a link's events, oldest first."""
        items = self._store.query(
            {
                "TableName": self._table,
                "KeyConditionExpression": "pk = :subject AND begins_with(sk, :tries)",
                "ExpressionAttributeValues": {":subject": text(subject), ":tries": text(TRY)},
            }
        )
        return [_read_try(subject, item) for item in items]

    def keep_event(self, subject: str, webhook_id: str, name: str, at: str, detail: str) -> None:
        """Keep an event for good."""
        moment = instant(datetime.fromisoformat(at).astimezone(UTC))
        item = {**event_key(subject, webhook_id), "name": text(name), "at": moment, "detail": text(detail)}
        self._store.put(self._table, item, IS_NEW)


def list_events_of(store: Store, table: str, subject: str) -> Sequence[Item]:
    """Return the items of the events of a payment or link that are kept."""
    return store.query(
        {
            "TableName": table,
            "KeyConditionExpression": "pk = :subject AND begins_with(sk, :events)",
            "ExpressionAttributeValues": {":subject": text(subject), ":events": text(EVENT)},
            "ConsistentRead": True,
        }
    )


def event_key(subject: str, webhook_id: str) -> dict[str, AttributeValue]:
    """Return where an event is kept."""
    return _key(subject, EVENT + webhook_id)


def _key(subject: str, sort: str) -> dict[str, AttributeValue]:
    return {"pk": text(subject), "sk": text(sort)}


def _read_try(subject: str, item: Item) -> WebhookTry:
    status = read_number(item, "status", -1)
    answer = WebhookAnswer(None if status < 0 else status, maybe(item, "failure"), read_number(item, "milliseconds"))
    return WebhookTry(
        subject=subject,
        webhook_id=read_text(item, "webhookId"),
        name=read_text(item, "name"),
        at=read_instant(item, "at"),
        answer=answer,
    )
