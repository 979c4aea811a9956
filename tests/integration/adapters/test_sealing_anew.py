"""Reading a whole table, and sealing an item anew, over moto's DynamoDB and the one in memory."""

from collections.abc import Iterator
from typing import cast

import pytest
from moto import mock_aws

from direct_debit.adapters.credentials import FixedCredentials
from direct_debit.adapters.dynamodb.changes import set_and_remove
from direct_debit.adapters.dynamodb.client import DynamoDb, Refused, Store
from direct_debit.adapters.dynamodb.items import Item, number, read_text_map, text, text_map
from direct_debit.adapters.dynamodb.sealed_item import list_sealed, put_in_place
from direct_debit.adapters.vault import AesGcmVault
from tests.fakes.clock import FakeClock
from tests.fakes.credentials import CREDENTIALS
from tests.fakes.ids import SeededIds
from tests.fakes.in_memory_dynamodb import InMemoryDynamoDb
from tests.fakes.scanning import Scannable
from tests.integration.adapters.conftest import make_moto
from tests.integration.adapters.records import BINDINGS, TRANSACTIONS
from tests.integration.handlers.sealed_records import put_records, say
from tools.ops import system
from tools.ops.system import Scanning, read_pages

VAULT = AesGcmVault(FixedCredentials(CREDENTIALS), SeededIds())


@pytest.fixture(params=["memory", "moto"])
def tables(request: pytest.FixtureRequest) -> Iterator[DynamoDb]:
    if request.param == "memory":
        yield InMemoryDynamoDb(BINDINGS, TRANSACTIONS)
    else:
        with mock_aws():
            yield make_moto()


def scannable(tables: DynamoDb) -> Scanning:
    return Scannable(tables) if isinstance(tables, InMemoryDynamoDb) else cast("Scanning", tables)


def put(tables: DynamoDb, name: str) -> None:
    put_records(tables, VAULT, VAULT, name, bindings=BINDINGS, transactions=TRANSACTIONS)


@pytest.mark.parametrize("records", [0, 1, 3, 6, 7])
def test_all_items_are_read_once_in_pages(tables: DynamoDb, records: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "PAGE", 3)
    for one in range(records):
        put(tables, f"r{one}")
    pages = list(read_pages(scannable(tables), BINDINGS))
    assert sorted(item["pk"]["S"] for page in pages for item in page) == [f"BINDING#r{one}" for one in range(records)]
    assert max(map(len, pages)) <= 3


def test_all_texts_of_an_item_are_put_in_one_write_that_a_change_refuses(tables: DynamoDb) -> None:
    store = Store(tables, FakeClock(), SeededIds())
    put(tables, "one")
    (item,) = next(read_pages(scannable(tables), BINDINGS))
    key: Item = {"pk": item["pk"], "sk": item["sk"]}
    anew = {one: VAULT.seal(say(one.field, one.owner), one.field, one.owner) for one in list_sealed(item)}
    attributes, condition = put_in_place(item, anew)
    after = store.update(BINDINGS, key, set_and_remove(attributes), condition)
    assert not isinstance(after, Refused)
    assert {one.text for one in list_sealed(after)} == set(anew.values())
    assert read_text_map(after, "earlierPages").keys() == {"1", "2"}
    refused = store.update(BINDINGS, key, set_and_remove(attributes), condition)
    assert isinstance(refused, Refused)
    assert refused.item == after

    changes: list[Item] = [{"accessToken": text("other")}, {"version": number(99)}, {"earlierPages": text_map({})}]
    for changed in changes:
        tables.put_item(TableName=BINDINGS, Item={**item, **changed})
        answer = store.update(BINDINGS, key, set_and_remove(attributes), condition)
        assert isinstance(answer, Refused), changed
