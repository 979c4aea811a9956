"""The sparse `due` index: which records have to be visited (invariant 9), and which wait for a person.

A record is in one partition of it at a time. Who visits what is due reads the partitions of a kind of record; the
operator's tools read those of `REVIEW_KIND`, where nothing is visited by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.items import instant, read_instant, read_text, text
from direct_debit.adapters.dynamodb.keys import DUE_INDEX, REVIEW_KIND, due_shards, record_id, record_kind

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.client import Store
    from direct_debit.adapters.dynamodb.items import Item


_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class WaitingRecord:
    """A record that waits for a person: what it is (`PAYMENT`, `INBOX`, `BINDING`), its id, and since when. UTC."""

    kind: str
    id: str
    since: datetime


def list_due(store: Store, table: str, kind: str, now: datetime, limit: int) -> list[str]:
    """Return the ids of at most `limit` records of a kind that are due, the longest overdue first."""
    return [record_id(read_text(item, "pk")) for item in _find(store, table, kind, now, limit)]


def list_waiting_for_review(
    store: Store, table: str, now: datetime, limit: int, *, since: datetime = _EVER
) -> list[WaitingRecord]:
    """Return at most `limit` records that wait for a person, the longest waiting first; none from before `since`."""
    found = []
    for item in _find(store, table, REVIEW_KIND, now, limit, since=since):
        key = read_text(item, "pk")
        found.append(WaitingRecord(record_kind(key), record_id(key), read_instant(item, "dueAt")))
    return found


def _find(store: Store, table: str, kind: str, now: datetime, limit: int, *, since: datetime = _EVER) -> list[Item]:
    """Read every shard up to `limit`, so that a full shard can not hide an older record of another one."""
    shards = store.query_each(
        [
            {
                "TableName": table,
                "IndexName": DUE_INDEX,
                "KeyConditionExpression": "#dueShard = :shard AND #dueAt BETWEEN :since AND :now",
                "ProjectionExpression": "#pk, #dueAt",
                "ExpressionAttributeNames": {"#dueShard": "dueShard", "#dueAt": "dueAt", "#pk": "pk"},
                "ExpressionAttributeValues": {
                    ":shard": text(shard),
                    ":since": instant(since),
                    ":now": instant(now),
                },
                "Limit": limit,
            }
            for shard in due_shards(kind)
        ]
    )
    found = [item for items in shards for item in items]
    found.sort(key=lambda item: (read_text(item, "dueAt"), read_text(item, "pk")))
    return found[:limit]
