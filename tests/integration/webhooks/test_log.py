"""The log of the webhooks over moto's table, and the search in it by time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import boto3
import pytest
from moto import mock_aws

from direct_debit.adapters.aws.botocore_clients import BotocoreClients
from direct_debit.adapters.dynamodb.client import Store
from direct_debit.adapters.dynamodb.webhook_log import EXPIRES, KEPT, DynamoDbWebhookLog, event_key
from direct_debit.application.errors import StoreUnavailable
from direct_debit.application.ports.webhooks import WebhookAnswer, WebhookTry
from tests.fakes.clock import START, FakeClock
from tests.fakes.ids import SeededIds
from tools.ops.system import scan_times

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "webhook-log"
FIRST = WebhookTry(
    subject="INV.1",
    webhook_id="INV~1:5:payment~paid",
    name="payment.paid",
    at=START,
    answer=WebhookAnswer(204, None, 12),
)


@dataclass
class Place:
    client: "DynamoDBClient"
    log: DynamoDbWebhookLog


@pytest.fixture
def place() -> Iterator[Place]:
    with mock_aws():
        session = boto3.Session(region_name="ap-southeast-3", aws_access_key_id="-", aws_secret_access_key="-")
        aws = BotocoreClients(session.client)
        client = cast("DynamoDBClient", aws.dynamodb)
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        store = Store(aws.dynamodb, FakeClock(), SeededIds())
        yield Place(client, DynamoDbWebhookLog(store, TABLE))


def test_tries_come_back_as_they_were_oldest_first(place: Place) -> None:
    later = replace(FIRST, at=START + timedelta(seconds=5), answer=WebhookAnswer(None, "timeout", 10_000))
    other = replace(FIRST, at=START, webhook_id="INV~1:5:refund~requested", name="refund.requested")
    for one in (later, FIRST, other, replace(FIRST, subject="INV.2")):
        place.log.add_try(one)
    place.log.add_try(FIRST)  # harmless
    place.log.keep_event("INV.1", "x", "binding.unbound", START.isoformat(), "{}")
    assert place.log.list_tries("INV.1") == [FIRST, other, later]
    assert place.log.list_tries("INV.3") == []


def test_tries_expire_after_a_month_and_events_never(place: Place) -> None:
    place.log.add_try(FIRST)
    place.log.keep_event("b1", "b1:3", "binding.activated", START.isoformat(), '{"eventId":"b1:3"}')
    items = place.client.scan(TableName=TABLE)["Items"]
    expiry = {item["pk"]["S"]: item.get(EXPIRES, {}).get("N") for item in items}
    assert expiry == {"INV.1": str(int((START + KEPT).timestamp())), "b1": None}


def test_an_event_is_kept_once_as_it_came_first(place: Place) -> None:
    for detail in ({"eventId": "b1:3"}, {"eventId": "other"}):
        place.log.keep_event("b1", "b1:3", "binding.activated", "2026-03-02T16:00:00+07:00", json.dumps(detail))
    item = place.client.get_item(TableName=TABLE, Key=event_key("b1", "b1:3"))["Item"]
    assert (item["detail"], item["at"]) == ({"S": '{"eventId": "b1:3"}'}, {"S": "2026-03-02T09:00:00.000000Z"})


def test_a_range_of_time_is_found_page_by_page_its_end_not_included(place: Place) -> None:
    for minutes in range(5):
        place.log.add_try(replace(FIRST, subject=f"R{minutes}", at=START + minutes * timedelta(minutes=1)))
    end = START + timedelta(minutes=3)
    found = [item["pk"]["S"] for item in scan_times(place.client, TABLE, START + timedelta(minutes=1), end)]
    assert sorted(found) == ["R1", "R2"]


def test_a_table_that_is_not_there_is_unavailable(place: Place) -> None:
    place.client.delete_table(TableName=TABLE)
    with pytest.raises(StoreUnavailable):
        place.log.add_try(FIRST)
