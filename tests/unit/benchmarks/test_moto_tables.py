"""moto's tables in the bench find what the tests' own store finds, before and after each kind of write."""

from collections.abc import Callable, Iterator, Mapping

import pytest
from moto import mock_aws

from tests.benchmarks.speed.aws import Ask, Document
from tests.benchmarks.speed.moto_tables import MotoTables
from tests.fakes.in_memory_dynamodb import APPLICATION_SCHEMA, InMemoryDynamoDb
from tests.fakes.processes import BINDINGS, TRANSACTIONS

type Item = dict[str, Mapping[str, str]]

_TABLES = (BINDINGS, TRANSACTIONS)


def item(number: int, **more: str) -> Item:
    day = {"day": "2026-11-28#0", "createdAt": f"2026-11-28T00:00:0{number}Z", "customerId": f"CUST-{number % 2}"}
    values = {"pk": f"PAYMENT#{number}", "sk": "PAYMENT", **day, **more}
    return {name: {"S": value} for name, value in values.items()}


@pytest.fixture
def both() -> Iterator[tuple[InMemoryDynamoDb, MotoTables]]:
    store = InMemoryDynamoDb(*_TABLES)
    for number in range(4):
        store.put_item(TableName=TRANSACTIONS, Item=item(number))
    with mock_aws():
        yield store, MotoTables(store, "ap-southeast-1")


def in_memory(store: InMemoryDynamoDb) -> Ask:
    def ask(method: str, request: Document) -> Mapping[str, object]:
        call: Callable[..., Mapping[str, object]] = getattr(store, method)
        return call(**request)

    return ask


def found(ask: Ask, attribute: str, value: str, index: str | None = None) -> object:
    request = {
        "TableName": TRANSACTIONS,
        **({"IndexName": index} if index else {}),
        "KeyConditionExpression": "#a = :v",
        "ExpressionAttributeNames": {"#a": attribute},
        "ExpressionAttributeValues": {":v": {"S": value}},
    }
    return ask("query", request)["Items"]


def differences(store: InMemoryDynamoDb, moto: MotoTables) -> list[str]:
    values = {value["S"] for one in store.items(TRANSACTIONS) for value in one.values()} | {"SHARD#0"}
    places = [("pk", None), *((index.partition, name) for name, index in APPLICATION_SCHEMA.indexes.items())]
    return [
        f"{name or 'table'}: {value}"
        for attribute, name in places
        for value in sorted(values)
        if found(in_memory(store), attribute, value, name) != found(moto.ask, attribute, value, name)
    ]


def test_what_was_stored_before_is_found(both: tuple[InMemoryDynamoDb, MotoTables]) -> None:
    store, moto = both
    assert differences(store, moto) == []
    assert found(moto.ask, "customerId", "CUST-1", "customer") != []


WRITES: dict[str, tuple[str, dict[str, object]]] = {
    "put": ("put_item", {"TableName": TRANSACTIONS, "Item": item(7, dueShard="SHARD#0", dueAt="2026-11-28")}),
    "update": (
        "update_item",
        {
            "TableName": TRANSACTIONS,
            "Key": {"pk": {"S": "PAYMENT#1"}, "sk": {"S": "PAYMENT"}},
            "UpdateExpression": "SET dueShard = :s, dueAt = :a REMOVE customerId",
            "ExpressionAttributeValues": {":s": {"S": "SHARD#0"}, ":a": {"S": "2026-11-28"}},
        },
    ),
    "transaction": (
        "transact_write_items",
        {
            "TransactItems": [
                {"Put": {"TableName": TRANSACTIONS, "Item": item(8)}},
                {
                    "Delete": {
                        "TableName": TRANSACTIONS,
                        "Key": {"pk": {"S": "PAYMENT#2"}, "sk": {"S": "PAYMENT"}},
                    }
                },
            ]
        },
    ),
}


@pytest.mark.parametrize("write", WRITES)
def test_what_is_written_is_found_under_its_new_values(both: tuple[InMemoryDynamoDb, MotoTables], write: str) -> None:
    store, moto = both
    method, request = WRITES[write]
    in_memory(store)(method, request)
    moto.ask(method, request)
    assert differences(store, moto) == []


def test_a_transaction_that_fails_ends_the_measure(both: tuple[InMemoryDynamoDb, MotoTables]) -> None:
    _, moto = both
    put = {"TableName": TRANSACTIONS, "Item": item(1), "ConditionExpression": "attribute_not_exists(pk)"}
    with pytest.raises(RuntimeError, match="a transaction failed"):
        moto.ask("transact_write_items", {"TransactItems": [{"Put": put}]})
