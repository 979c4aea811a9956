"""The sparse `due` index: which records of a kind have to be visited (invariant 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.items import instant, read_text, text
from direct_debit.adapters.dynamodb.keys import DUE_INDEX, due_shards, record_id

if TYPE_CHECKING:
    from datetime import datetime

    from direct_debit.adapters.dynamodb.client import Store


def list_due(store: Store, table: str, kind: str, now: datetime, limit: int) -> list[str]:
    """Return the ids of at most `limit` records of a kind that are due, the longest overdue first.

    Reads every shard up to `limit`, so that a full shard can not hide an older record of another one.
    """
    found: list[tuple[str, str]] = []
    for shard in due_shards(kind):
        items = store.query(
            {
                "TableName": table,
                "IndexName": DUE_INDEX,
                "KeyConditionExpression": "#dueShard = :shard AND #dueAt <= :now",
                "ProjectionExpression": "#pk, #dueAt",
                "ExpressionAttributeNames": {"#dueShard": "dueShard", "#dueAt": "dueAt", "#pk": "pk"},
                "ExpressionAttributeValues": {":shard": text(shard), ":now": instant(now)},
                "Limit": limit,
            }
        )
        found.extend((read_text(item, "dueAt"), record_id(read_text(item, "pk"))) for item in items)
    found.sort()
    return [name for _, name in found[:limit]]
