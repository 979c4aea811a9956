"""Both tables in moto, with what a world has stored: a second store for P8, and nobody's own.

moto works in the stage's process, so that its time is not measured. Two of its habits are taken from it all the same: a
query walks through the whole table, and a transaction begins with a copy of it. Whoever has waited for that finds the
processor's caches full of other things, and needs up to 1.7 times as long for the same work.
"""

import gc
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table

from tests.fakes.in_memory_dynamodb import APPLICATION_SCHEMA, InMemoryDynamoDb
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tests.integration.adapters.conftest import create_tables

_ACCOUNT = "123456789012"
_TABLES = (BINDINGS, TRANSACTIONS)
_READS = frozenset({"get_item", "query"})
_PARTITIONS = ("pk", *(index.partition for index in APPLICATION_SCHEMA.indexes.values()))

type Request = Mapping[str, Any]


class MotoTables:
    """Answers as boto3's client does. What was in its region before is gone. Only inside `mock_aws`."""

    def __init__(self, store: InMemoryDynamoDb, region: str) -> None:
        backend = dynamodb_backends[_ACCOUNT][region]
        backend.reset()
        self._client = boto3.client("dynamodb", region_name=region, aws_access_key_id="-", aws_secret_access_key="-")
        create_tables(self._client, names=_TABLES)
        self._tables = {name: _IndexedTable(backend.tables[name]) for name in _TABLES}
        gc.disable()
        for name, table in self._tables.items():
            for item in store.items(name):
                table.put(item)
        gc.enable()
        gc.freeze()

    def ask(self, method: str, request: Request) -> Mapping[str, object]:
        """Do what a method of the client does. Raises ClientError; RuntimeError for a transaction that fails."""
        call: Callable[..., dict[str, object]] = getattr(self._client, method)
        if method == "query":
            self._tables[request["TableName"]].narrow(request["ExpressionAttributeValues"].values())
        try:
            answer = call(**request)
        except ClientError as error:
            if method == "transact_write_items":
                raise RuntimeError("a transaction failed, and nothing puts back what it has written") from error
            raise
        for write in _writes(method, request):
            self._tables[write["TableName"]].file(write.get("Key") or write["Item"])
        del answer["ResponseMetadata"]
        return answer


def _writes(method: str, request: Request) -> list[Request]:
    """The writes to single items that a request consists of."""
    if method == "transact_write_items":
        return [write for step in request["TransactItems"] for write in step.values()]
    return [] if method in _READS else [request]


class _IndexedTable:
    """A table of moto's, and the keys of its items by the values of their partition keys, the table's and the indexes'.

    A key stays where it once was: moto itself looks at each item that it is given.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._keys: dict[str, dict[tuple[str, str], None]] = {}
        # A transaction's copy is this table itself: nothing is put back.
        vars(table)["__deepcopy__"] = lambda _: table

    def put(self, item: Mapping[str, Mapping[str, Any]]) -> None:
        """Store an item as moto copies one: without a check of the size after each of its attributes."""
        attributes = {name: DynamoType(dict(value)) for name, value in item.items()}
        stored = Item(attributes["pk"], attributes["sk"], {})
        stored.attrs = LimitedSizeDict.__new__(LimitedSizeDict)
        dict.update(stored.attrs, attributes)
        self._table.items[attributes["pk"]][attributes["sk"]] = stored
        self.file(item)

    def file(self, key: Mapping[str, Mapping[str, str]]) -> None:
        """Note under which values the item of a key is found now, if there is one."""
        if item := self._find(key["pk"]["S"], key["sk"]["S"]):
            for name in _PARTITIONS:
                if name in item.attrs:
                    self._keys.setdefault(item.attrs[name].value, {})[key["pk"]["S"], key["sk"]["S"]] = None

    def narrow(self, values: Iterable[Mapping[str, str]]) -> None:
        """Let the next query find no items but those that are filed under one of its values."""
        keys = {key for value in values for key in self._keys.get(value.get("S", ""), ())}
        found = [item for key in sorted(keys) if (item := self._find(*key))]
        vars(self._table)["all_items"] = lambda: found

    def _find(self, partition: str, sort: str) -> Item | None:
        items: Mapping[DynamoType, Item] = self._table.items.get(DynamoType({"S": partition}), {})
        return items.get(DynamoType({"S": sort}))
