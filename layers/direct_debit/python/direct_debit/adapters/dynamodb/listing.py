"""Lists of records by the indexes that hold keys only: of a customer, of a day, of what is unresolved. Never a scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.items import MalformedItem, instant, read_instant, read_text, text
from direct_debit.adapters.dynamodb.keys import (
    CUSTOMER_INDEX,
    DAY_INDEX,
    DUE_INDEX,
    REVIEW_KIND,
    day_shards,
    due_shards,
    record_id,
    record_kind,
)
from direct_debit.application.ports.pages import OfCustomer, OfDay, Page, PageMark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

    from direct_debit.adapters.dynamodb.client import Store
    from direct_debit.adapters.dynamodb.items import Item
    from direct_debit.application.ports.pages import Selection


@dataclass(frozen=True, slots=True)
class _Index:
    """Where a list is found, and how it is sorted."""

    name: str
    partition: str
    sort: str
    partitions: Sequence[str]
    descending: bool


def list_page[Record](
    store: Store,
    table: str,
    kind: str,
    *,
    selection: Selection,
    limit: int,
    after: PageMark | None,
    read: Callable[[Item], Record],
) -> Page[Record]:
    """Return a page of the records of a kind (`payment`, `binding`), each as it is now.

    The indexes have their keys only: with more they would be written again at each change of a record. A new record may
    be missing for a moment.
    """
    entries = _read_entries(store, table, _find_index(selection, kind), limit + 1, after)
    shown = entries[:limit]
    mine = [(mark, key) for mark, key in shown if record_kind(key) == kind.upper()]
    return read_page(store, table, kind, mine, shown[-1][0] if len(entries) > limit else None, read=read)


def read_page[Record](
    store: Store,
    table: str,
    kind: str,
    mine: Sequence[tuple[PageMark, str]],
    following: PageMark | None,
    *,
    read: Callable[[Item], Record],
) -> Page[Record]:
    """Return the records whose marks and partition keys an index gave, each as it is now."""
    items = store.get_each(table, [{"pk": text(key), "sk": text(kind.upper())} for _, key in mine])
    records: list[Record] = []
    marks: list[PageMark] = []
    unreadable: list[str] = []
    for (mark, key), item in zip(mine, items, strict=True):
        if item is None:
            continue
        try:
            records.append(read(item))
        except MalformedItem:
            unreadable.append(record_id(key))
        else:
            marks.append(mark)
    return Page(tuple(records), tuple(marks), tuple(unreadable), following)


def _find_index(selection: Selection, kind: str) -> _Index:
    match selection:
        case OfCustomer(customer_id):
            return _Index(CUSTOMER_INDEX, "customerId", "createdAt", [customer_id], descending=True)
        case OfDay(day, oldest_first):
            return _Index(DAY_INDEX, "day", "createdAt", day_shards(day), descending=not oldest_first)
        case _:
            shards = [*due_shards(kind), *due_shards(REVIEW_KIND)]
            return _Index(DUE_INDEX, "dueShard", "dueAt", shards, descending=False)


def _read_entries(
    store: Store, table: str, index: _Index, limit: int, after: PageMark | None
) -> list[tuple[PageMark, str]]:
    """Read each partition up to `limit`, so that a full one can not hide what comes earlier in another one."""
    unread = [_write_query(table, index, partition, after) for partition in index.partitions]
    at_most = limit + 2  # one may stand at the mark, and the last one may have others of its instant behind it
    entries: list[tuple[PageMark, str]] = []
    while unread:
        answers = store.query_each([{**query, "Limit": at_most} for query in unread])
        again: list[QueryInputTypeDef] = []
        for query, items in zip(unread, answers, strict=True):
            read = mark_entries(items, index.sort)
            if len(read) == at_most:  # DynamoDB sorts those of one instant by itself: take all of an instant, or none
                last = read[-1][0].at
                read = [entry for entry in read if entry[0].at != last]
            behind = [entry for entry in read if after is None or _is_behind(entry, after, index)]
            if len(items) == at_most and len(behind) < limit:
                again.append(query)
            else:
                entries += behind
        unread = again
        at_most *= 2
    entries.sort(key=_place, reverse=index.descending)
    return entries[:limit]


def _write_query(table: str, index: _Index, partition: str, after: PageMark | None) -> QueryInputTypeDef:
    behind = "<=" if index.descending else ">="
    return {
        "TableName": table,
        "IndexName": index.name,
        "KeyConditionExpression": "#partition = :partition" + (f" AND #sort {behind} :mark" if after else ""),
        "ProjectionExpression": "#pk, #sort",
        "ExpressionAttributeNames": {"#partition": index.partition, "#sort": index.sort, "#pk": "pk"},
        "ExpressionAttributeValues": {
            ":partition": text(partition),
            **({":mark": instant(after.at)} if after else {}),
        },
        "ScanIndexForward": not index.descending,
    }


def _is_behind(entry: tuple[PageMark, str], after: PageMark, index: _Index) -> bool:
    gone = (after.at, after.id)
    return _place(entry) < gone if index.descending else _place(entry) > gone


def mark_entries(items: Sequence[Item], sort: str) -> list[tuple[PageMark, str]]:
    """Return the entries of an index with what they are sorted by."""
    return [
        (PageMark(read_instant(item, sort), record_id(read_text(item, "pk"))), read_text(item, "pk")) for item in items
    ]


def _place(entry: tuple[PageMark, str]) -> tuple[datetime, str]:
    return entry[0].at, entry[0].id
