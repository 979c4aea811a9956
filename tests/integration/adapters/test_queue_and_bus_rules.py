"""Queues and bus as AWS runs them, where the emulators are kinder."""

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from direct_debit.adapters.aws.botocore_clients import BotocoreClients
from direct_debit.adapters.eventbridge import EventBridgeEvents
from direct_debit.adapters.sqs import SqsQueue
from direct_debit.application.errors import StoreUnavailable
from direct_debit.application.ports.messages import OutboxEvent
from tests.aws_rules.event_bus import Mood, ThrottlingBus
from tests.aws_rules.queue_limits import LARGEST_MESSAGE, LONGEST_DELAY, StrictSqs
from tests.fakes.clock import START

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

EVENT = OutboxEvent("payment.paid", "r1:3:payment.paid", START, {"partnerReferenceNo": "r1"})


@pytest.fixture
def queue() -> Iterator[tuple[StrictSqs, str]]:
    with mock_aws():
        client = BotocoreClients(boto3.Session(region_name="ap-southeast-3").client).sqs
        yield StrictSqs(client), client.create_queue(QueueName="q")["QueueUrl"]


@pytest.mark.parametrize("delay", [-5.0, 0.0, 0.2, 899.9, 900.0, 900.1, 86400.0, float("inf")])
def test_every_delay_that_leaves_is_one_that_sqs_takes(queue: tuple[StrictSqs, str], delay: float) -> None:
    client, url = queue
    SqsQueue(cast("SQSClient", client), url).send({"ref": "r1", "attempt": 1}, delay)


@pytest.mark.parametrize("wrong", [{"DelaySeconds": LONGEST_DELAY + 1}, {"DelaySeconds": -1}, {"MessageBody": ""}])
def test_what_sqs_refuses_is_refused(queue: tuple[StrictSqs, str], wrong: dict[str, object]) -> None:
    client, url = queue
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        client.send_message(**{"QueueUrl": url, "MessageBody": "x", **wrong})
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        client.send_message(QueueUrl=url, MessageBody="x" * (LARGEST_MESSAGE + 1))
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        client.change_message_visibility(QueueUrl=url, ReceiptHandle="r", VisibilityTimeout=43201)


@pytest.mark.parametrize("mood", [Mood.THROTTLED, Mood.SOME_THROTTLED])
def test_an_event_that_is_throttled_is_not_taken_for_published_and_may_be_published_again(mood: Mood) -> None:
    bus = ThrottlingBus(deque([mood]))
    events = EventBridgeEvents(cast("EventBridgeClient", bus), "bus")
    with pytest.raises(StoreUnavailable) as error:
        events.publish(EVENT)
    assert error.value.store_code == "ThrottlingException"
    assert bus.taken == []
    events.publish(EVENT)
    assert [entry["DetailType"] for entry in bus.taken] == ["payment.paid"]


def test_the_bus_of_the_tests_takes_ten_entries_and_answers_for_each() -> None:
    bus = ThrottlingBus(deque([Mood.SOME_THROTTLED]))
    entries = [{"DetailType": str(number)} for number in range(10)]
    answer = bus.put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 5
    assert [entry["DetailType"] for entry in bus.taken] == ["1", "3", "5", "7", "9"]
    with pytest.raises(ClientError, match="ValidationException"):
        bus.put_events(Entries=[*entries, {}])
