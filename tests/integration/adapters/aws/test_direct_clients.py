"""The direct clients beside botocore's: the same requests on the wire, the same answers, errors and repeats."""

import json
import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import boto3
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.retries.standard import ExponentialBackoff, ThrottledRetryableChecker, TransientRetryableChecker

from direct_debit.adapters.aws import direct_clients
from direct_debit.adapters.aws.botocore_clients import CLIENT_CONFIG, BotocoreClients
from direct_debit.adapters.aws.direct_clients import DirectClients
from direct_debit.adapters.aws.endpoints import AwsPlace
from direct_debit.adapters.aws.json_api import MOST_PAUSE, PASSING_CODES, PASSING_STATUSES
from tests.fakes.clock import START, FakeClock
from tests.fakes.ids import SeededIds
from tests.integration.doku_snap.faulty_server import Behaviour, FaultyServer, reset, respond, serving

if TYPE_CHECKING:
    from direct_debit.adapters.aws.clients import AwsClients

KEY = {"pk": {"S": "a"}, "sk": {"S": "é"}}
PLACE = AwsPlace("ap-southeast-3", "amazonaws.com", "AKIAIOSFODNN7EXAMPLE", "secret", "token", None)


class Call(Protocol):
    """One call of an adapter's."""

    def __call__(self, aws: "AwsClients", url: str) -> object: ...


CALLS: Mapping[str, Call] = {
    "GetItem": lambda aws, _: aws.dynamodb.get_item(TableName="t", Key=KEY, ConsistentRead=True),
    "PutItem": lambda aws, _: aws.dynamodb.put_item(
        TableName="t",
        Item={**KEY, "number": {"N": "12"}, "map": {"M": {"yes": {"BOOL": True}, "none": {"NULL": True}}}},
        ConditionExpression="attribute_not_exists(#p)",
        ExpressionAttributeNames={"#p": "pk"},
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    ),
    "UpdateItem": lambda aws, _: aws.dynamodb.update_item(
        TableName="t", Key=KEY, UpdateExpression="REMOVE x", ReturnValues="ALL_NEW"
    ),
    "Query": lambda aws, _: aws.dynamodb.query(TableName="t", IndexName="due", Limit=10, ScanIndexForward=False),
    "TransactWriteItems": lambda aws, _: aws.dynamodb.transact_write_items(
        TransactItems=[{"Delete": {"TableName": "t", "Key": KEY}}], ClientRequestToken="0" * 32
    ),
    "SendMessage": lambda aws, url: aws.sqs.send_message(QueueUrl=f"{url}/q", MessageBody='{"a":"é"}', DelaySeconds=1),
    "ChangeMessageVisibility": lambda aws, url: aws.sqs.change_message_visibility(
        QueueUrl=f"{url}/q", ReceiptHandle="h", VisibilityTimeout=5
    ),
    "PutEvents": lambda aws, _: aws.events.put_events(
        Entries=[{"EventBusName": "b", "Source": "s", "DetailType": "d", "Detail": "{}", "Time": START}]
    ),
    "SendTaskSuccess": lambda aws, _: aws.stepfunctions.send_task_success(taskToken="t", output="{}"),
    "GetSecretValue": lambda aws, _: aws.secrets.get_secret_value(SecretId="s", VersionStage="AWSCURRENT"),
}
ANSWERS: Mapping[str, Mapping[str, object]] = {
    "GetItem": {"Item": {**KEY, "number": {"N": "12"}}},
    "UpdateItem": {"Attributes": KEY},
    "Query": {"Items": [KEY], "LastEvaluatedKey": KEY, "Count": 1},
    "SendMessage": {"MessageId": "1", "MD5OfMessageBody": "0"},
    "PutEvents": {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "m"}]},
    "GetSecretValue": {"SecretString": "{}", "CreatedDate": 1777777777.125, "VersionStages": ["AWSCURRENT"]},
}


@dataclass
class Sides:
    """Both kinds of clients for one address."""

    clock: FakeClock = field(default_factory=FakeClock)

    def __call__(self, url: str) -> "tuple[AwsClients, AwsClients]":
        session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", "token", region_name="ap-southeast-3")
        place = replace(PLACE, endpoint=url)
        return DirectClients(place, self.clock, SeededIds()), BotocoreClients(session.client, url)


@pytest.fixture
def sides(monkeypatch: pytest.MonkeyPatch) -> Sides:
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return Sides()


def read(request: bytes) -> tuple[str, object, dict[str, str]]:
    """A request's first line, its body, and its headers but those that name the client or the moment."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    # Not the length: botocore writes blanks into the body.
    kept = ("content-type", "host", "x-amz-target", "x-amz-security-token")
    return first, json.loads(body), {name: headers[name] for name in kept}


@pytest.mark.parametrize("operation", CALLS)
def test_a_call_is_on_the_wire_what_botocore_makes_of_it_and_so_is_its_answer(operation: str, sides: Sides) -> None:
    answer = json.dumps(ANSWERS.get(operation, {})).encode()
    with serving(lambda connection, _: connection.sendall(respond("200 OK", answer))) as server:
        told = [CALLS[operation](client, server.url) for client in sides(server.url)]
        ours, theirs = (read(request) for request in server.requests)
    assert ours == theirs
    assert without_metadata(told[0]) == without_metadata(told[1])


def without_metadata(answer: object) -> object:
    if not isinstance(answer, dict):
        return answer
    plain = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    created = plain.get("CreatedDate")
    return {**plain, "CreatedDate": created.astimezone(UTC)} if isinstance(created, datetime) else plain


REFUSALS = {
    "a condition": (
        "400 Bad Request",
        {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message": "m", "Item": KEY},
    ),
    "a transaction": (
        "400 Bad Request",
        {
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "m",
            "CancellationReasons": [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": KEY, "Message": "m"}],
        },
    ),
    "throttled": ("400 Bad Request", {"__type": "com.amazon.coral.availability#ThrottlingException", "message": "m"}),
    "in progress": (
        "400 Bad Request",
        {"__type": "com.amazonaws.dynamodb.v20120810#TransactionInProgressException", "Message": "m"},
    ),
    "too much": (
        "400 Bad Request",
        {"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "message": "m"},
    ),
    "denied": ("400 Bad Request", {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "m"}),
    "expired": ("400 Bad Request", {"__type": "com.amazon.coral.service#ExpiredTokenException", "message": "m"}),
    "wrong": ("400 Bad Request", {"__type": "com.amazon.coral.validate#ValidationException", "message": "m"}),
    "a code": ("403 Forbidden", {"code": "InvalidSignatureException", "message": "m"}),
    "broken": ("500 Internal Server Error", {"__type": "InternalServerError", "message": "m"}),
    "away": ("503 Service Unavailable", {}),
    "moved": ("301 Moved Permanently", {}),
    "odd": ("418 I'm a teapot", {}),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_told_and_repeated_as_botocore_does(name: str, sides: Sides) -> None:
    status, body = REFUSALS[name]
    told, asked = [], []
    with serving(lambda connection, _: connection.sendall(respond(status, json.dumps(body).encode()))) as server:
        for client in sides(server.url):
            before = len(server.requests)
            with pytest.raises(ClientError) as error:
                client.dynamodb.get_item(TableName="t", Key=KEY)
            response = error.value.response
            told.append(
                {
                    "code": response["Error"]["Code"],
                    "message": response["Error"].get("Message"),
                    "status": response["ResponseMetadata"]["HTTPStatusCode"],
                    "item": response.get("Item"),
                    "reasons": response.get("CancellationReasons"),
                    "operation": error.value.operation_name,
                }
            )
            asked.append(len(server.requests) - before)
    assert told[0] == told[1]
    assert asked[0] == asked[1]


def test_a_queue_keeps_its_old_names(sides: Sides) -> None:
    body = b'{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "m"}'
    old = "AWS.SimpleQueueService.NonExistentQueue"
    answer = respond("400 Bad Request", body, f"x-amzn-query-error: {old};Sender")
    with serving(lambda connection, _: connection.sendall(answer)) as server:
        for client in sides(server.url):
            with pytest.raises(ClientError) as error:
                client.sqs.send_message(QueueUrl="q", MessageBody="b")
            assert error.value.response["Error"]["Code"] == old


def hang_up(connection: socket.socket, _: FaultyServer) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def cut_short(connection: socket.socket, server: FaultyServer) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}")
    hang_up(connection, server)


def babble(connection: socket.socket, server: FaultyServer) -> None:
    connection.sendall(b"\x00\x01\x02\r\n\r\n")
    hang_up(connection, server)


SILENCES: Mapping[str, Behaviour] = {
    "hung up": hang_up,
    "reset": lambda connection, _: reset(connection),
    "cut": cut_short,
    "no HTTP": babble,
}


@pytest.mark.parametrize("name", SILENCES)
def test_what_is_no_answer_is_an_error_of_botocores_after_two_attempts(name: str, sides: Sides) -> None:
    with serving(SILENCES[name]) as server:
        ours, _ = sides(server.url)
        with pytest.raises(BotoCoreError):
            ours.dynamodb.get_item(TableName="t", Key=KEY)
        assert len(server.requests) == 2
    assert len(sides.clock.slept) == 1
    assert sides.clock.slept[0] <= MOST_PAUSE


def test_who_never_answers_is_told_as_such_after_two_attempts(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    def say_nothing(_: socket.socket, server: FaultyServer) -> None:
        server.released.wait()

    monkeypatch.setattr(direct_clients, "READ_SECONDS", 0.05)
    with serving(say_nothing) as server:
        ours, _ = sides(server.url)
        with pytest.raises(ReadTimeoutError):
            ours.dynamodb.get_item(TableName="t", Key=KEY)
        assert server.connections == 2
        server.released.set()


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'"a"', b"{"])
def test_an_answer_that_can_not_be_read_is_none(body: bytes, sides: Sides) -> None:
    with serving(lambda connection, _: connection.sendall(respond("200 OK", body))) as server:
        ours, _ = sides(server.url)
        with pytest.raises(BotoCoreError):
            ours.dynamodb.get_item(TableName="t", Key=KEY)
        assert len(server.requests) == 2


def test_nobody_there_is_told_as_such(sides: Sides) -> None:
    with serving(hang_up) as server:
        url = server.url
    ours, theirs = sides(url)
    for client in (ours, theirs):
        with pytest.raises(EndpointConnectionError):
            client.sqs.send_message(QueueUrl="q", MessageBody="b")


def test_a_connection_that_hangs_up_is_told_as_such(sides: Sides) -> None:
    with serving(hang_up) as server:
        for client in sides(server.url):
            with pytest.raises(ConnectionClosedError):
                client.sqs.send_message(QueueUrl="q", MessageBody="b")


def test_the_second_attempt_is_signed_at_its_own_time_and_its_answer_counts(sides: Sides) -> None:
    def behave(connection: socket.socket, server: FaultyServer) -> None:
        again = len(server.requests) == 2
        connection.sendall(respond("200 OK", b'{"Item": {}}') if again else respond("503 Slow Down", b"{}"))

    with serving(behave) as server:
        sides.clock.tick(0.9)  # of a second, so that the pause ends in the next one
        ours, _ = sides(server.url)
        assert ours.dynamodb.get_item(TableName="t", Key=KEY) == {"Item": {}}
        dates = [request.lower().partition(b"x-amz-date: ")[2][:16] for request in server.requests]
    assert sides.clock.slept
    assert dates[0] < dates[1]


def test_what_is_repeated_is_botocores() -> None:
    throttled, transient = vars(ThrottledRetryableChecker), vars(TransientRetryableChecker)
    assert {*throttled["_THROTTLED_ERROR_CODES"], *transient["_TRANSIENT_ERROR_CODES"]} == PASSING_CODES
    assert set(transient["_TRANSIENT_STATUS_CODES"]) == PASSING_STATUSES


def test_both_are_as_patient(sides: Sides) -> None:
    given = vars(CLIENT_CONFIG)["_user_provided_options"]
    assert (given["connect_timeout"], given["read_timeout"]) == (1, 2)
    assert given["retries"] == {"mode": "standard", "total_max_attempts": 2}
    ours, _ = sides("http://127.0.0.1:1")
    timeout = vars(vars(ours.sqs)["_api"])["_pool"].timeout
    assert (timeout.connect_timeout, timeout.read_timeout) == (1, 2)


def test_the_trace_goes_along(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS ends a loop of functions and queues by it."""
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a87bd80c:1"
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", trace)
    with serving(lambda connection, _: connection.sendall(respond("200 OK", b"{}"))) as server:
        for client in sides(server.url):
            client.sqs.send_message(QueueUrl="q", MessageBody="b")
        for request in server.requests:
            assert b"x-amzn-trace-id: " + trace.encode().lower() in request.lower()


def test_a_trace_with_a_line_break_goes_nowhere(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1\r\nx-amz-target: other")
    with serving(lambda connection, _: connection.sendall(respond("200 OK", b"{}"))) as server:
        ours, _ = sides(server.url)
        with pytest.raises(BotoCoreError):
            ours.sqs.send_message(QueueUrl="q", MessageBody="b")
        assert server.requests == []


def test_a_request_goes_out_in_one_piece(sides: Sides) -> None:
    """Head and body of a small request are one segment, and one TLS record; a second one costs a call of the system."""
    first: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    with listener:
        ours, _ = sides(f"http://127.0.0.1:{listener.getsockname()[1]}")
        answering = _answer_once(listener, first)
        ours.dynamodb.get_item(TableName="t", Key=KEY)
        answering()
    head, _, body = first[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST / HTTP/1.1")
    assert json.loads(body)["TableName"] == "t"


def _answer_once(listener: socket.socket, received: list[bytes]) -> Callable[[], None]:
    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            received.append(connection.recv(65536))
            connection.sendall(respond("200 OK", b"{}"))

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    return thread.join


class Echo(BaseHTTPRequestHandler):
    """Answers a query with the name of its table."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        name = json.loads(self.rfile.read(int(self.headers["content-length"])))["TableName"]
        self.wfile.write(respond("200 OK", json.dumps({"Items": [{"pk": {"S": name}}]}).encode()))


def test_many_threads_get_their_own_answers(sides: Sides) -> None:
    """The sweep asks for its partitions at the same time, over one client."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server, ThreadPoolExecutor(17) as threads:
        threads.submit(server.serve_forever)
        ours, _ = sides(f"http://127.0.0.1:{server.server_port}")
        names = [f"table{number}" for number in range(200)]
        found = list(threads.map(lambda name: ours.dynamodb.query(TableName=name)["Items"], names))
        server.shutdown()
    assert found == [[{"pk": {"S": name}}] for name in names]


def test_nobody_is_spoken_to_whose_certificate_is_not_trusted(sides: Sides, certificate: Path) -> None:
    with serving(lambda connection, _: connection.sendall(respond("200 OK", b"{}")), certificate) as server:
        ours, _ = sides(server.url)
        with pytest.raises(SSLError):
            ours.secrets.get_secret_value(SecretId="s")
        assert server.requests == []
