"""What DynamoDB would charge for the calls of the in-memory store: write and read units, of the table and its indexes.

By AWS's rules ("DynamoDB read and write operations", developer guide): a write costs one unit per started KB of the
larger of the item before and after it, twice that in a transaction, also when its condition refuses it; an index costs
one write for a new or removed entry, one for a changed one, two when its key changes, and none when nothing that it
projects changes. A read costs half a unit per started 4 KB, a whole one when it is consistent.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any, cast

from tests.fakes.in_memory_dynamodb import APPLICATION_SCHEMA, Index, InMemoryDynamoDb, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.fakes.dynamodb_expressions import Item

type Request = Mapping[str, Any]

_INDEX_ENTRY_OVERHEAD = 100  # bytes of an entry beside its attributes
_NUMBER_BYTES = 21  # at most; what a number takes depends on its digits


@dataclass(slots=True)
class MeteredDynamoDb:
    """Passes each call on and counts what it costs: units by `table/name` and `index/table.name`."""

    store: InMemoryDynamoDb
    schema: Schema = APPLICATION_SCHEMA
    written: Counter[str] = field(default_factory=Counter)
    read: float = 0.0

    @property
    def write_units(self) -> int:
        """All of them."""
        return self.written.total()

    def get_item(self, **kwargs: object) -> Mapping[str, object]:
        """Read one item."""
        answer = self.store.get_item(**cast("Any", kwargs))
        self._count_read(_size(cast("Item", answer.get("Item", {}))), kwargs)
        return answer

    def query(self, **kwargs: object) -> Mapping[str, object]:
        """Read a page of one partition."""
        answer = self.store.query(**cast("Any", kwargs))
        self._count_read(sum(_size(item) for item in cast("list[Item]", answer["Items"])), kwargs)
        return answer

    def put_item(self, **kwargs: object) -> Mapping[str, object]:
        """Write one item."""
        item = cast("Item", kwargs["Item"])
        return self._write("put_item", kwargs, [(str(kwargs["TableName"]), _key_of(item), item)], times=1)

    def update_item(self, **kwargs: object) -> Mapping[str, object]:
        """Change one item."""
        written = [(str(kwargs["TableName"]), cast("Item", kwargs["Key"]), None)]
        return self._write("update_item", kwargs, written, times=1)

    def transact_write_items(self, **kwargs: object) -> Mapping[str, object]:
        """Write several items, all or nothing."""
        written: list[tuple[str, Item, Item | None]] = []
        for step in cast("list[dict[str, Request]]", kwargs["TransactItems"]):
            ((kind, request),) = step.items()
            key = _key_of(request["Item"]) if kind == "Put" else request["Key"]
            written.append((request["TableName"], key, request.get("Item")))
        return self._write("transact_write_items", kwargs, written, times=2)

    def _write(
        self, method: str, request: Request, written: Sequence[tuple[str, Item, Item | None]], times: int
    ) -> Mapping[str, object]:
        before = [self._image(table, key) for table, key, _ in written]
        try:
            answer: Mapping[str, object] = getattr(self.store, method)(**request)
        finally:
            for (table, key, item), old in zip(written, before, strict=True):
                new = self._image(table, key)
                size = max(_size(old or {}), _size(new or {}), _size(item or {}))
                self.written[f"table/{table}"] += times * _write_units(size)
                self._count_indexes(table, old, new)
        return answer

    def _image(self, table: str, key: Item) -> Item | None:
        return cast("Item | None", self.store.get_item(**cast("Any", {"TableName": table, "Key": key})).get("Item"))

    def _count_indexes(self, table: str, old: Item | None, new: Item | None) -> None:
        for name, index in self.schema.indexes.items():
            before, after = self._entry(index, old), self._entry(index, new)
            if before == after:
                continue
            moved = before is not None and after is not None and _places(index, before) != _places(index, after)
            sizes = [_size(one) + _INDEX_ENTRY_OVERHEAD for one in (before, after) if one is not None]
            units = sum(map(_write_units, sizes)) if moved else _write_units(max(sizes))
            self.written[f"index/{table}.{name}"] += units

    def _entry(self, index: Index, item: Item | None) -> Item | None:
        """What the index keeps of an item; None when the item is not in it."""
        if item is None or index.partition not in item or index.sort not in item:
            return None
        if index.attributes is None:
            return item
        kept = {self.schema.partition, self.schema.sort, index.partition, index.sort, *index.attributes}
        return {name: value for name, value in item.items() if name in kept}

    def _count_read(self, size: int, request: Request) -> None:
        self.read += max(1, ceil(size / 4096)) * (1 if request.get("ConsistentRead") else 0.5)


def _key_of(item: Item) -> Item:
    return {"pk": item["pk"], "sk": item["sk"]}


def _places(index: Index, entry: Item) -> tuple[object, object]:
    return entry[index.partition], entry[index.sort]


def _write_units(size: int) -> int:
    return max(1, ceil(size / 1024))


def _size(item: Item) -> int:
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return min(_NUMBER_BYTES, ceil(len(content.strip("-").replace(".", "")) / 2) + 1)
    if kind in {"BOOL", "NULL"}:
        return 1
    if kind == "SS":
        return sum(len(one.encode()) for one in content)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _value_size(inner) for name, inner in content.items())
    if kind == "L":
        return 3 + sum(1 + _value_size(inner) for inner in content)
    raise NotImplementedError(kind)
