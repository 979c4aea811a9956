"""The repositories over two stores: moto's DynamoDB through boto3, and the one in memory. Every case runs over both.

Around either stand AWS's rules about request tokens, which neither keeps. `make second-opinion` asks a third store.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import boto3
import pytest
from moto import mock_aws

from direct_debit.adapters.aws.botocore_clients import BotocoreClients
from direct_debit.adapters.dynamodb.b2b_tokens import DynamoDbB2BTokens
from direct_debit.adapters.dynamodb.bindings import DynamoDbBindings
from direct_debit.adapters.dynamodb.circuit import DynamoDbCircuit
from direct_debit.adapters.dynamodb.client import DynamoDb, Store
from direct_debit.adapters.dynamodb.inbox import DynamoDbInbox
from direct_debit.adapters.dynamodb.payments import DynamoDbPayments
from direct_debit.application.ports.bindings import Bindings
from direct_debit.application.ports.fleet import B2BTokens, Circuit
from direct_debit.application.ports.inbox import Inbox
from direct_debit.application.ports.payments import Payments
from tests.aws_rules.idempotency_tokens import RememberingTokens
from tests.fakes.clock import START, FakeClock
from tests.fakes.ids import SeededIds
from tests.fakes.in_memory_dynamodb import APPLICATION_SCHEMA, Index, InMemoryDynamoDb, Schema
from tests.integration.adapters import dynalite
from tests.integration.adapters.records import BINDINGS, TRANSACTIONS
from tests.patience import PATIENCE_SECONDS
from tools.local_cloud.executions import poll_until

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import ProjectionTypeDef

MAX_OPEN = 3
MAX_PER_DAY = 4
MAX_PAGES = 40


@dataclass(frozen=True, slots=True)
class World:
    """All repositories over one client."""

    client: DynamoDb
    clock: FakeClock
    bindings: Bindings
    payments: Payments
    inbox: Inbox
    tokens: B2BTokens
    circuit: Circuit

    def release(self, ref: str, binding: str = "b1") -> None:
        """Let the account of a payment go, as it stands now."""
        self.payments.release_account(binding, ref, self.payments.get(ref))


def make_world(client: DynamoDb, seed: int = 0) -> World:
    """Return the repositories of one container; `seed` tells containers apart, as write ids must."""
    clock = FakeClock()
    store = Store(client, clock, SeededIds(random.Random(seed)))  # noqa: S311 - a test's chance has to repeat
    return World(
        client,
        clock,
        DynamoDbBindings(store, BINDINGS, max_pages_per_day=MAX_PAGES),
        DynamoDbPayments(store, TRANSACTIONS, BINDINGS, max_open_payments=MAX_OPEN, max_payments_per_day=MAX_PER_DAY),
        DynamoDbInbox(store, TRANSACTIONS),
        DynamoDbB2BTokens(store, BINDINGS),
        DynamoDbCircuit(store, TRANSACTIONS),
    )


def make_moto(schema: Schema = APPLICATION_SCHEMA) -> DynamoDb:
    """Return boto3's client, as the functions make it, with both tables. Only inside `mock_aws`."""
    session = boto3.Session(region_name="ap-southeast-3")
    create_tables(session.client("dynamodb"), schema)
    return BotocoreClients(session.client, config=dynalite.CHECKING).dynamodb


def create_tables(
    admin: DynamoDBClient, schema: Schema = APPLICATION_SCHEMA, names: Sequence[str] = (BINDINGS, TRANSACTIONS)
) -> None:
    """Make both tables, as the template does."""
    attributes = {schema.partition, schema.sort}
    for index in schema.indexes.values():
        attributes |= {index.partition, index.sort}
    for table in names:
        admin.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in sorted(attributes)],
            KeySchema=[
                {"AttributeName": schema.partition, "KeyType": "HASH"},
                {"AttributeName": schema.sort, "KeyType": "RANGE"},
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": name,
                    "KeySchema": [
                        {"AttributeName": index.partition, "KeyType": "HASH"},
                        {"AttributeName": index.sort, "KeyType": "RANGE"},
                    ],
                    "Projection": _projection(index),
                }
                for name, index in schema.indexes.items()
            ],
        )


def _projection(index: Index) -> ProjectionTypeDef:
    if index.attributes is None:
        return {"ProjectionType": "ALL"}
    if not index.attributes:
        return {"ProjectionType": "KEYS_ONLY"}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": sorted(index.attributes)}


@pytest.fixture(scope="session")
def dynalite_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with dynalite.running(tmp_path_factory.mktemp("dynalite")) as url:
        yield url


@pytest.fixture(params=["memory", "moto", *(["dynalite"] if dynalite.CLI else [])])
def bare(request: pytest.FixtureRequest) -> Iterator[DynamoDb]:
    """Either store, without AWS's memory of request tokens."""
    if request.param == "memory":
        yield InMemoryDynamoDb(BINDINGS, TRANSACTIONS)
    elif request.param == "moto":
        with mock_aws():
            yield make_moto()
    else:
        yield from _over_dynalite(dynalite.clients(request.getfixturevalue("dynalite_url")))


def _over_dynalite(aws: BotocoreClients) -> Iterator[DynamoDb]:
    admin = cast("DynamoDBClient", aws.dynamodb)

    def statuses() -> list[str]:
        names = admin.list_tables()["TableNames"]
        return [admin.describe_table(TableName=name)["Table"]["TableStatus"] for name in names]

    create_tables(admin)
    poll_until("the tables", lambda: statuses() == ["ACTIVE", "ACTIVE"], PATIENCE_SECONDS)
    try:
        yield dynalite.Dynalite(admin)
    finally:
        for name in (BINDINGS, TRANSACTIONS):
            admin.delete_table(TableName=name)
        poll_until("no tables", lambda: admin.list_tables()["TableNames"] == [], PATIENCE_SECONDS)


@pytest.fixture
def client(bare: DynamoDb) -> DynamoDb:
    return RememberingTokens(bare, lambda: START)


@pytest.fixture
def world(client: DynamoDb) -> World:
    return make_world(client)
