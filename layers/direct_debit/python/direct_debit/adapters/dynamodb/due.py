"""The sparse `due` index: which records have to be visited (invariant 9), and which wait for a person.

A record is in one partition of it at a time. Who visits what is due reads the partitions of a kind of record; what
waits for a person is in those of another kind (review.py).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.items import instant, read_text, text
from direct_debit.adapters.dynamodb.keys import DUE_INDEX, due_shards, record_id

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.client import Store
    from direct_debit.adapters.dynamodb.items import Item


EVER = datetime(1970, 1, 1, tzinfo=UTC)


def list_due(store: Store, table: str, kind: str, now: datetime, limit: int) -> list[str]:
    """Return the ids of at most `limit` records of a kind that are due, the longest overdue first."""
    return [record_id(read_text(item, "pk")) for item in find_filed(store, table, kind, now, limit)]


def find_filed(store: Store, table: str, kind: str, now: datetime, limit: int, *, since: datetime = EVER) -> list[Item]:
    """Return at most `limit` items of a kind, the longest there first; none from before `since`.

    Every shard is read up to `limit`, so that a full shard can not hide an older record of another one.
    """
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
