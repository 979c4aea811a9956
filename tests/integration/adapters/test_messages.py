"""Queues, bus and workflows over moto and botocore's stubber."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import boto3
import pytest
from botocore.client import BaseClient
from botocore.stub import Stubber
from moto import mock_aws

from direct_debit.adapters.aws import AwsClients
from direct_debit.adapters.eventbridge import EventBridgeEvents
from direct_debit.adapters.sqs import SqsQueue, SqsQueues
from direct_debit.adapters.stepfunctions import StepFunctionsWorkflows
from direct_debit.application.errors import StoreUnavailable
from direct_debit.application.ports import Events, OutboxEvent, Queues, Workflows
from tests.fakes.clock import START

EVENT = OutboxEvent("payment.paid", "r1:3:payment.paid", START, {"partnerReferenceNo": "r1", "code": None})


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> AwsClients:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    return AwsClients(boto3.Session(region_name="ap-southeast-3"))


def test_clients_give_up_long_before_a_function_does(aws: AwsClients) -> None:
    for client in (aws.dynamodb, aws.sqs, aws.events, aws.stepfunctions, aws.secrets):
        assert isinstance(client, BaseClient)
        config = vars(client.meta.config)["_user_provided_options"]
        assert config["connect_timeout"] == 1
        assert config["read_timeout"] == 2
        assert config["retries"] == {"mode": "standard", "total_max_attempts": 2}
    assert aws.dynamodb is aws.dynamodb


@mock_aws
def test_messages_carry_ids_and_attempts_only(aws: AwsClients) -> None:
    urls = {name: aws.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("n", "r", "i")}
    queues: Queues = SqsQueues(
        notifications=SqsQueue(aws.sqs, urls["n"]),
        refunds=SqsQueue(aws.sqs, urls["r"]),
        inquiries=SqsQueue(aws.sqs, urls["i"]),
    )
    queues.send_notification("i1")
    queues.send_refund("r1", 2, 0.0)
    queues.send_inquiry("r2", 0, -1.0)
    received = {
        name: [json.loads(message["Body"]) for message in aws.sqs.receive_message(QueueUrl=url)["Messages"]]
        for name, url in urls.items()
    }
    assert received == {
        "n": [{"inboxId": "i1"}],
        "r": [{"ref": "r1", "attempt": 2}],
        "i": [{"ref": "r2", "attempt": 0}],
    }


@mock_aws
def test_a_queue_that_is_not_there_is_unavailable(aws: AwsClients) -> None:
    queue = SqsQueue(aws.sqs, "https://sqs.ap-southeast-3.amazonaws.com/123456789012/nobody")
    with pytest.raises(StoreUnavailable):
        queue.send({"inboxId": "i1"})


def test_the_delay_that_leaves_is_bounded(aws: AwsClients) -> None:
    with Stubber(aws.sqs) as stub:
        stub.add_response(
            "send_message",
            {"MessageId": "1"},
            {"QueueUrl": "q", "MessageBody": '{"ref":"r1","attempt":1}', "DelaySeconds": 900},
        )
        SqsQueue(aws.sqs, "q").send({"ref": "r1", "attempt": 1}, 86400.0)
        stub.assert_no_pending_responses()


def test_an_event_is_published_with_its_id(aws: AwsClients) -> None:
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


def test_an_event_that_the_bus_refuses_is_not_taken_for_published(aws: AwsClients) -> None:
    events = EventBridgeEvents(aws.events, "bus")
    with Stubber(aws.events) as stub:
        stub.add_response("put_events", {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]})
        with pytest.raises(StoreUnavailable) as error:
            events.publish(EVENT)
        assert error.value.store_code == "ThrottlingException"
        stub.add_client_error("put_events", "InternalException")
        with pytest.raises(StoreUnavailable):
            events.publish(EVENT)


@contextmanager
def answering(aws: AwsClients, plan: Callable[[Stubber], None]) -> Iterator[Workflows]:
    with Stubber(aws.stepfunctions) as stub:
        plan(stub)
        yield StepFunctionsWorkflows(aws.stepfunctions)
        stub.assert_no_pending_responses()


def test_a_task_is_completed_with_the_outcome(aws: AwsClients) -> None:
    expected = {"taskToken": "token", "output": '{"state":"PAID","code":null}'}
    with answering(aws, lambda stub: stub.add_response("send_task_success", {}, expected)) as workflows:
        workflows.succeed("token", {"state": "PAID", "code": None})


@pytest.mark.parametrize("code", ["TaskDoesNotExist", "TaskTimedOut", "InvalidToken"])
def test_a_task_that_is_gone_is_fine(aws: AwsClients, code: str) -> None:
    with answering(aws, lambda stub: stub.add_client_error("send_task_success", code)) as workflows:
        workflows.succeed("token", {"state": "PAID"})


def test_any_other_answer_is_not(aws: AwsClients) -> None:
    with (
        answering(aws, lambda stub: stub.add_client_error("send_task_success", "AccessDeniedException")) as workflows,
        pytest.raises(StoreUnavailable),
    ):
        workflows.succeed("token", {"state": "PAID"})
