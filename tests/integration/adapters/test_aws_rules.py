"""What DynamoDB refuses is refused here as well, by the store in memory and by moto with the rules around it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, cast

import pytest
from botocore.exceptions import ClientError

from tests.aws_rules.idempotency_tokens import WINDOW, RememberingTokens
from tests.aws_rules.item_limits import LARGEST_ITEM, LONGEST_PARTITION_KEY, LONGEST_SORT_KEY, item_size
from tests.aws_rules.transaction_limits import MOST_ACTIONS
from tests.fakes.clock import FakeClock
from tests.fakes.in_memory_dynamodb import InMemoryDynamoDb
from tests.integration.adapters.dynalite import Dynalite
from tests.integration.adapters.records import TRANSACTIONS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from direct_debit.adapters.dynamodb.client import DynamoDb
    from direct_debit.adapters.dynamodb.items import Item

NEW = "attribute_not_exists(pk)"


def put(pk: str, **more: str) -> TransactWriteItemTypeDef:
    item = {"pk": {"S": pk}, "sk": {"S": "s"}, **{name: {"S": value} for name, value in more.items()}}
    return {"Put": {"TableName": TRANSACTIONS, "Item": cast("Item", item), "ConditionExpression": NEW}}


def refused(code: str) -> pytest.RaisesExc[ClientError]:
    return pytest.raises(ClientError, check=lambda error: error.response["Error"]["Code"] == code)


def test_the_same_request_under_its_token_is_done_once(client: DynamoDb) -> None:
    for _ in range(2):
        client.transact_write_items(TransactItems=[put("a")], ClientRequestToken="t")
    with refused("TransactionCanceledException"):
        client.transact_write_items(TransactItems=[put("a")], ClientRequestToken="u")
    with refused("TransactionCanceledException"):
        client.transact_write_items(TransactItems=[put("a")], ClientRequestToken="u")


def test_another_request_under_the_same_token_is_refused_after_a_success(client: DynamoDb) -> None:
    client.transact_write_items(TransactItems=[put("a")], ClientRequestToken="t")
    with refused("IdempotentParameterMismatchException"):
        client.transact_write_items(TransactItems=[put("b")], ClientRequestToken="t")


def test_another_request_under_the_same_token_is_refused_after_a_cancellation(client: DynamoDb) -> None:
    client.transact_write_items(TransactItems=[put("a")])
    with refused("TransactionCanceledException"):
        client.transact_write_items(TransactItems=[put("a")], ClientRequestToken="t")
    with refused("IdempotentParameterMismatchException"):
        client.transact_write_items(TransactItems=[put("b")], ClientRequestToken="t")


def test_the_store_in_memory_knows_another_request_by_itself() -> None:
    store = InMemoryDynamoDb(TRANSACTIONS)
    for _ in range(2):
        with contextlib.suppress(ClientError):
            store.transact_write_items(TransactItems=[put("a")], ClientRequestToken="t")
    with refused("IdempotentParameterMismatchException"):
        store.transact_write_items(TransactItems=[put("b")], ClientRequestToken="t")


def test_a_token_is_forgotten_after_ten_minutes(bare: DynamoDb) -> None:
    clock = FakeClock()
    store = RememberingTokens(bare, clock.now)
    store.transact_write_items(TransactItems=[put("a")], ClientRequestToken="t")
    clock.tick(WINDOW.total_seconds() - 1)
    store.transact_write_items(TransactItems=[put("a")], ClientRequestToken="t")
    clock.tick(1)
    with refused("TransactionCanceledException"):
        store.transact_write_items(TransactItems=[put("a")], ClientRequestToken="t")


@pytest.mark.parametrize("token", ["", "t" * 37])
def test_a_token_has_1_to_36_characters(bare: DynamoDb, token: str) -> None:
    store = RememberingTokens(bare, FakeClock().now)
    with refused("ValidationException"):
        store.transact_write_items(TransactItems=[put("a")], ClientRequestToken=token)


def test_a_transaction_has_100_actions_and_no_item_twice(client: DynamoDb) -> None:
    client.transact_write_items(TransactItems=[put(f"a{number}") for number in range(MOST_ACTIONS)])
    with refused("ValidationException"):
        client.transact_write_items(TransactItems=[put(f"b{number}") for number in range(MOST_ACTIONS + 1)])
    with refused("ValidationException"):
        client.transact_write_items(TransactItems=[put("c"), put("c", other="1")])


def test_an_item_has_at_most_400_kb(client: DynamoDb) -> None:
    def item(size: int) -> Item:
        return {"pk": {"S": "a"}, "sk": {"S": "s"}, "text": {"S": "x" * size}}

    client.put_item(TableName=TRANSACTIONS, Item=item(LARGEST_ITEM - 8192))  # moto does not count to the byte
    with refused("ValidationException"):
        client.put_item(TableName=TRANSACTIONS, Item=item(LARGEST_ITEM + 1))
    with refused("ValidationException"):
        client.update_item(
            TableName=TRANSACTIONS,
            Key={"pk": {"S": "a"}, "sk": {"S": "s"}},
            UpdateExpression="SET #more = :more",
            ExpressionAttributeNames={"#more": "more"},
            ExpressionAttributeValues={":more": {"S": "x" * 8192}},
        )


def test_the_store_in_memory_counts_to_the_byte() -> None:
    store = InMemoryDynamoDb(TRANSACTIONS)
    frame = item_size({"pk": {"S": "a"}, "sk": {"S": "s"}, "text": {"S": ""}})
    for size, fits in ((LARGEST_ITEM - frame, True), (LARGEST_ITEM - frame + 1, False)):
        item: Item = {"pk": {"S": "a"}, "sk": {"S": "s"}, "text": {"S": "x" * size}}
        with contextlib.nullcontext() if fits else refused("ValidationException"):
            store.put_item(TableName=TRANSACTIONS, Item=item)


@pytest.mark.parametrize(
    "item",
    [
        {"pk": {"S": ""}, "sk": {"S": "s"}},
        {"pk": {"S": "a"}, "sk": {"S": ""}},
        {"pk": {"S": "a"}, "sk": {"S": "s" * (LONGEST_SORT_KEY + 1)}},
        {"pk": {"S": "a"}, "sk": {"S": "s"}, "dueShard": {"S": ""}, "dueAt": {"S": "x"}},
        {"pk": {"S": "a"}, "sk": {"S": "s"}, "customerId": {"S": "c"}, "createdAt": {"S": ""}},
    ],
)
def test_a_key_is_not_empty_nor_too_long(client: DynamoDb, bare: DynamoDb, item: Item) -> None:
    if isinstance(bare, Dynalite) and len(item) > 2:
        pytest.skip("dynalite takes empty keys of indexes")
    with refused("ValidationException"):
        client.put_item(TableName=TRANSACTIONS, Item=item)


def test_an_indexs_key_is_not_too_long_either() -> None:
    store = InMemoryDynamoDb(TRANSACTIONS)  # moto and dynalite take any
    item = {"pk": {"S": "a"}, "sk": {"S": "s"}, "createdAt": {"S": "x"}}
    longest = "r" * LONGEST_PARTITION_KEY
    store.put_item(TableName=TRANSACTIONS, Item={**item, "dokuReference": {"S": longest}})
    with refused("ValidationException"):
        store.put_item(TableName=TRANSACTIONS, Item={**item, "dokuReference": {"S": longest + "r"}})


def test_the_size_counts_names_and_values() -> None:
    item: dict[str, dict[str, object]] = {
        "é": {"S": "é"},
        "n": {"N": "12345"},
        "b": {"BOOL": True},
        "s": {"SS": ["ab", "c"]},
        "m": {"M": {"k": {"S": "v"}}},
        "l": {"L": [{"S": "ab"}]},
    }
    assert item_size(item) == (2 + 2) + (1 + 4) + (1 + 1) + (1 + 3) + (1 + 3 + 1 + 1 + 1) + (1 + 3 + 1 + 2)
