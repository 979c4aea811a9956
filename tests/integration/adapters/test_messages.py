"""Queues, bus and workflows over moto and botocore's stubber."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.stub import Stubber
from moto import mock_aws

from direct_debit.adapters.aws.botocore_clients import BotocoreClients
from direct_debit.adapters.eventbridge import EventBridgeEvents
from direct_debit.adapters.sqs import SqsQueue, SqsQueues
from direct_debit.adapters.stepfunctions import StepFunctionsWorkflows
from direct_debit.application.errors import StoreUnavailable, Undeliverable
from direct_debit.application.ports.messages import Events, OutboxEvent, Queues, Workflows
from tests.fakes.clock import START

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

EVENT = OutboxEvent("payment.paid", "r1:3:payment.paid", START, {"partnerReferenceNo": "r1", "code": None})


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> BotocoreClients:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    return BotocoreClients(boto3.Session(region_name="ap-southeast-3").client)


def test_clients_give_up_long_before_a_function_does(aws: BotocoreClients) -> None:
    for client in (aws.dynamodb, aws.sqs, aws.events, aws.stepfunctions, aws.secrets):
        assert isinstance(client, BaseClient)
        config = vars(client.meta.config)["_user_provided_options"]
        assert config["connect_timeout"] == 1
        assert config["read_timeout"] == 2
        assert config["retries"] == {"mode": "standard", "total_max_attempts": 2}
    assert aws.dynamodb is aws.dynamodb


@mock_aws
def test_messages_carry_ids_attempts_and_chains_only(aws: BotocoreClients) -> None:
    urls = {name: aws.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("n", "r", "i")}
    queues: Queues = SqsQueues(
        notifications=SqsQueue(aws.sqs, urls["n"]),
        refunds=SqsQueue(aws.sqs, urls["r"]),
        inquiries=SqsQueue(aws.sqs, urls["i"]),
    )
    queues.send_notification("i1")
    queues.send_refund("r1", 2, 0.0)
    queues.send_inquiry("r2", 0, -1.0, chain=3)
    received = {
        name: [json.loads(message["Body"]) for message in aws.sqs.receive_message(QueueUrl=url)["Messages"]]
        for name, url in urls.items()
    }
    assert received == {
        "n": [{"inboxId": "i1", "chain": 0}],
        "r": [{"ref": "r1", "attempt": 2, "chain": 0}],
        "i": [{"ref": "r2", "attempt": 0, "chain": 3}],
    }


@mock_aws
def test_a_queue_that_is_not_there_is_unavailable(aws: BotocoreClients) -> None:
    queue = SqsQueue(aws.sqs, "https://sqs.ap-southeast-3.amazonaws.com/123456789012/nobody")
    with pytest.raises(StoreUnavailable):
        queue.send({"inboxId": "i1"})


def test_the_delay_that_leaves_is_bounded(aws: BotocoreClients) -> None:
    with Stubber(aws.sqs) as stub:
        stub.add_response(
            "send_message",
            {"MessageId": "1"},
            {"QueueUrl": "q", "MessageBody": '{"ref":"r1","attempt":1}', "DelaySeconds": 900},
        )
        SqsQueue(aws.sqs, "q").send({"ref": "r1", "attempt": 1}, 86400.0)
        stub.assert_no_pending_responses()


def test_an_event_is_published_with_its_id(aws: BotocoreClients) -> None:
    detail = (
        '{"partnerReferenceNo":"r1","code":null,"eventId":"r1:3:payment.paid","occurredAt":"2026-03-02T09:00:00+00:00"}'
    )
    entry = {
        "EventBusName": "bus",
        "Source": "direct-debit",
        "DetailType": "payment.paid",
        "Detail": detail,
        "Time": START,
    }
    events: Events = EventBridgeEvents(aws.events, "bus")
    with Stubber(aws.events) as stub:
        stub.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}, {"Entries": [entry]})
        events.publish(EVENT)
        stub.assert_no_pending_responses()


def test_an_event_that_the_bus_refuses_is_not_taken_for_published(aws: BotocoreClients) -> None:
    events = EventBridgeEvents(aws.events, "bus")
    with Stubber(aws.events) as stub:
        stub.add_response("put_events", {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]})
        with pytest.raises(StoreUnavailable) as error:
            events.publish(EVENT)
        assert error.value.store_code == "ThrottlingException"
        stub.add_client_error("put_events", "InternalException")
        with pytest.raises(StoreUnavailable):
            events.publish(EVENT)


@pytest.mark.parametrize("code", ["MalformedDetail", "InvalidArgument"])
def test_an_event_that_the_bus_can_not_read_is_never_taken(aws: BotocoreClients, code: str) -> None:
    events = EventBridgeEvents(aws.events, "bus")
    with Stubber(aws.events) as stub:
        stub.add_response("put_events", {"FailedEntryCount": 1, "Entries": [{"ErrorCode": code}]})
        with pytest.raises(Undeliverable) as error:
            events.publish(EVENT)
        assert error.value.aws_code == code
        stub.add_client_error("put_events", "ValidationException")
        with pytest.raises(Undeliverable):
            events.publish(EVENT)


def many(count: int, text: str = "") -> list[OutboxEvent]:
    """Events of as many payments."""
    return [
        OutboxEvent("payment.paid", f"r{number}:3:payment.paid", START, {"partnerReferenceNo": f"r{number}{text}"})
        for number in range(count)
    ]


class RecordingBus:
    """Answers like PutEvents: each entry by itself. `answers` are those to the requests, one after the other."""

    def __init__(self, *answers: Callable[[int], str | None] | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[list[dict[str, str]]] = []

    def put_events(self, Entries: list[dict[str, str]]) -> dict[str, object]:  # noqa: N803 - boto3's name
        """Take what the answer lets it take."""
        self.requests.append(Entries)
        answer = self.answers.pop(0) if self.answers else lambda _: None
        if isinstance(answer, Exception):
            raise answer
        codes = [answer(position) for position in range(len(Entries))]
        entries = [{"EventId": "1"} if code is None else {"ErrorCode": code} for code in codes]
        return {"FailedEntryCount": sum(code is not None for code in codes), "Entries": entries}


def bus(*answers: Callable[[int], str | None] | Exception) -> tuple[RecordingBus, Events]:
    recording = RecordingBus(*answers)
    return recording, EventBridgeEvents(cast("EventBridgeClient", recording), "bus")


def test_ten_events_go_in_one_request() -> None:
    recording, events = bus()
    assert events.publish_together(many(25)) == {event.id for event in many(25)}
    assert [len(request) for request in recording.requests] == [10, 10, 5]


def test_a_request_stays_below_what_the_bus_takes() -> None:
    recording, events = bus()
    events.publish_together(many(10, "é" * 30_000))
    assert [len(request) for request in recording.requests] == [1] * 10  # twice 180 kB escaped would be too much
    recording, events = bus()
    events.publish_together(many(10, "x" * 60_000))
    assert [len(request) for request in recording.requests] == [4, 4, 2]
    assert events.publish_together([]) == frozenset()


def test_of_several_events_only_those_are_published_that_the_bus_took() -> None:
    _, events = bus(lambda position: "ThrottlingException" if position % 2 else None)
    assert events.publish_together(many(4)) == {"r0:3:payment.paid", "r2:3:payment.paid"}


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ThrottlingException"}}, "PutEvents"),
        ClientError({"Error": {"Code": "ValidationException"}}, "PutEvents"),
        ReadTimeoutError(endpoint_url="events"),
    ],
)
def test_a_bus_that_does_not_answer_is_not_asked_on(error: Exception) -> None:
    recording, events = bus(lambda _: None, error)
    assert events.publish_together(many(30)) == {event.id for event in many(10)}
    assert len(recording.requests) == 2


@contextmanager
def answering(aws: BotocoreClients, plan: Callable[[Stubber], None]) -> Iterator[Workflows]:
    with Stubber(aws.stepfunctions) as stub:
        plan(stub)
        yield StepFunctionsWorkflows(aws.stepfunctions)
        stub.assert_no_pending_responses()


def test_a_task_is_completed_with_the_outcome(aws: BotocoreClients) -> None:
    expected = {"taskToken": "token", "output": '{"state":"PAID","code":null}'}
    with answering(aws, lambda stub: stub.add_response("send_task_success", {}, expected)) as workflows:
        workflows.succeed("token", {"state": "PAID", "code": None})


@pytest.mark.parametrize("code", ["TaskDoesNotExist", "TaskTimedOut", "InvalidToken"])
def test_a_task_that_is_gone_is_fine(aws: BotocoreClients, code: str) -> None:
    with answering(aws, lambda stub: stub.add_client_error("send_task_success", code)) as workflows:
        workflows.succeed("token", {"state": "PAID"})


@pytest.mark.parametrize("code", ["InvalidOutput", "ValidationException"])
def test_an_outcome_that_can_not_be_read_is_never_taken(aws: BotocoreClients, code: str) -> None:
    with (
        answering(aws, lambda stub: stub.add_client_error("send_task_success", code)) as workflows,
        pytest.raises(Undeliverable) as error,
    ):
        workflows.succeed("token", {"state": "PAID"})
    assert error.value.aws_code == code


def test_any_other_answer_is_not(aws: BotocoreClients) -> None:
    with (
        answering(aws, lambda stub: stub.add_client_error("send_task_success", "AccessDeniedException")) as workflows,
        pytest.raises(StoreUnavailable),
    ):
        workflows.succeed("token", {"state": "PAID"})
