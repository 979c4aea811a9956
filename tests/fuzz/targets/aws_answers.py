"""AWS's answers to every call of the direct clients: an input is the status, a line break, and the body.

Behind the status may stand a blank and what SQS writes into `x-amzn-query-error`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from direct_debit.adapters.aws import direct_clients
from direct_debit.adapters.aws.connections import HttpAnswer
from direct_debit.adapters.aws.endpoints import AwsPlace
from direct_debit.adapters.aws.json_api import JsonApi, JsonService
from direct_debit.adapters.credentials import parse_credentials
from direct_debit.adapters.dynamodb.binding_item import read_binding
from direct_debit.adapters.dynamodb.changes import remove
from direct_debit.adapters.dynamodb.client import Refused, Store
from direct_debit.adapters.dynamodb.conditions import EXISTS
from direct_debit.adapters.dynamodb.history_item import read_history
from direct_debit.adapters.dynamodb.items import Item
from direct_debit.adapters.dynamodb.keys import payment_key
from direct_debit.adapters.dynamodb.payment_item import read_payment, write_payment
from direct_debit.adapters.dynamodb.steps import check_step
from direct_debit.adapters.eventbridge import EventBridgeEvents
from direct_debit.adapters.secrets import SecretsManagerCredentials
from direct_debit.adapters.sqs import SqsQueue
from direct_debit.adapters.stepfunctions import StepFunctionsWorkflows
from direct_debit.application.errors import DirectDebitError, StoreUnavailable, Undeliverable
from direct_debit.application.ports.messages import OutboxEvent
from tests.fakes.clock import START, FakeClock
from tests.fakes.ids import SeededIds
from tests.fakes.telemetry import RecordingTelemetry
from tests.fuzz.target import CANARY, Target, keep_secret, require
from tests.integration.adapters.records import a_payment

if TYPE_CHECKING:
    from direct_debit.adapters.aws.connections import Connections

type Ask = Callable[[], None]

_FIRST = re.compile(rb"([1-5][0-9]{2})(?: ([ -~]{0,80}))?")
_KEY = payment_key("r1")
_MISTAKES = frozenset({"ValidationException", "IdempotentParameterMismatchException"})


class _Wire:
    """An AWS that answers what the input says, each time it is asked."""

    def __init__(self) -> None:
        self.answer = HttpAnswer(200, {}, b"")

    def find_pool(self, _: str) -> _Wire:
        """Return the connections to a service."""
        return self

    def post(self, *_: object) -> HttpAnswer:
        """Answer."""
        return self.answer

    def say(self, data: bytes) -> None:
        """Answer this from now on."""
        first, _, body = data.partition(b"\n")
        told = _FIRST.fullmatch(first)
        if told is None:
            self.answer = HttpAnswer(200, {}, data)
            return
        headers = {} if told[2] is None else {"x-amzn-query-error": told[2].decode()}
        self.answer = HttpAnswer(int(told[1]), headers, body)


_WIRE, _CLOCK, _IDS = _Wire(), FakeClock(), SeededIds()
_PLACE = AwsPlace("ap-southeast-3", "amazonaws.com", "AKIAIOSFODNN7EXAMPLE", "secret", None, None)


def _api(service: JsonService) -> JsonApi:
    return JsonApi(service, _PLACE, cast("Connections", _WIRE), _CLOCK, _IDS)


_STORE = Store(direct_clients.DirectDynamoDb(_api(direct_clients.DYNAMODB)), _CLOCK, _IDS)
_QUEUE = SqsQueue(direct_clients.DirectSqs(_api(direct_clients.SQS)), "https://sqs.example/q")
_EVENTS = EventBridgeEvents(direct_clients.DirectEvents(_api(direct_clients.EVENTS)), "bus")
_WORKFLOWS = StepFunctionsWorkflows(direct_clients.DirectStepFunctions(_api(direct_clients.STEP_FUNCTIONS)))
_SECRETS = direct_clients.DirectSecretsManager(_api(direct_clients.SECRETS_MANAGER))
_TOLD = [OutboxEvent(name="payment.paid", id=f"r1:{number}", at=START, detail={}) for number in (2, 3)]


def _check(ask: Ask, data: bytes) -> None:
    _WIRE.say(data)
    try:
        ask()
    except DirectDebitError as error:
        code = error.store_code if isinstance(error, StoreUnavailable) else None
        code = error.aws_code if isinstance(error, Undeliverable) else code
        told = [str(error), repr(error), str(error.code)]
        # A name of AWS's stands in it, which a changed input makes of any word.
        keep_secret([text if code is None else text.replace(code, "") for text in told])
    except ClientError as error:
        require(error.response["Error"]["Code"] in _MISTAKES, "only what would not help to repeat is no error of ours")


def _read(item: Item | None) -> None:
    """Read an item as every kind of record, as far as it is one."""
    for read in (read_payment, read_binding, read_history):
        if item is not None:
            try:
                record = read(item)
            except DirectDebitError as error:
                keep_secret([str(error), repr(error)])
            else:
                require(record == read(item), "a record")


def _read_refused(answer: Refused | None) -> None:
    if answer is not None:
        require(answer.is_write("w") in (True, False), "whose write it is")
        _read(answer.item)


def _ask_update() -> None:
    answer = _STORE.update("t", _KEY, remove("x"), EXISTS)
    if isinstance(answer, Refused):
        _read_refused(answer)
    else:
        _read(answer)


def _ask_query() -> None:
    # A page that says that there is a next one says so for ever here: the caller's bound ends it.
    for item in _STORE.query({"TableName": "t", "KeyConditionExpression": "#pk = :pk", "Limit": 1}):
        _read(item)


def _ask_transact() -> None:
    refusals = _STORE.transact([check_step("t", _KEY, EXISTS), check_step("t", _KEY, EXISTS)], "w")
    if refusals is not None:
        first, second = refusals
        require(first is not None or second is not None, "who refuses says which step")
        _read_refused(first)
        _read_refused(second)


def _ask_events() -> None:
    taken = _EVENTS.publish_together(_TOLD)
    require(taken <= {event.id for event in _TOLD}, "no more is taken than was given")
    _EVENTS.publish(_TOLD[0])


def _ask_secret() -> None:
    telemetry = RecordingTelemetry()
    source = SecretsManagerCredentials(_SECRETS, "s", _CLOCK, telemetry, parse_credentials, overlap=timedelta(hours=24))
    source.current()
    source.overlapping()
    source.settled()


def _dump(status: int, body: object, header: str = "") -> bytes:
    return f"{status}{header}\n".encode() + json.dumps(body, separators=(",", ":")).encode()


def _refuse(code: str, **more: object) -> bytes:
    return _dump(400, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": CANARY, **more})


_ITEM = write_payment(a_payment())
_SECRET_ITEM: Mapping[str, object] = {**_ITEM, "taskToken": {"S": CANARY}}
_CANCELLED = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Message": CANARY, "Item": _SECRET_ITEM}]
_FAULTS = [
    _dump(500, {"__type": "InternalServerError", "Message": CANARY}),
    _refuse("ProvisionedThroughputExceededException"),
    _refuse("ValidationException"),
    b"503\n<html>busy</html>",
    b"200\n",
]

_ASKS: Mapping[str, tuple[Ask, list[bytes]]] = {
    "get-item": (lambda: _read(_STORE.get("t", _KEY)), [_dump(200, {"Item": _SECRET_ITEM}), b"200\n{}"]),
    "query": (_ask_query, [_dump(200, {"Items": [_ITEM], "Count": 1, "LastEvaluatedKey": _KEY})]),
    "put-item": (
        lambda: _read_refused(_STORE.put("t", {**_KEY}, EXISTS)),
        [b"200\n{}", _refuse("ConditionalCheckFailedException", Item=_SECRET_ITEM)],
    ),
    "update-item": (
        _ask_update,
        [
            _dump(200, {"Attributes": _SECRET_ITEM}),
            _refuse("ConditionalCheckFailedException", Item=_SECRET_ITEM),
            _refuse("TransactionConflictException"),
        ],
    ),
    "transact-write-items": (
        _ask_transact,
        [
            b"200\n{}",
            _refuse("TransactionCanceledException", CancellationReasons=_CANCELLED),
            _refuse("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}] * 2),
            _refuse("TransactionInProgressException"),
        ],
    ),
    "send-message": (
        lambda: _QUEUE.send({"ref": "r1", "attempt": 1}),
        [
            _dump(200, {"MessageId": "1", "MD5OfMessageBody": "0"}),
            _dump(400, {"__type": "com.amazonaws.sqs#QueueDoesNotExist"}, " AWS.NonExistentQueue;Sender"),
        ],
    ),
    "put-events": (
        _ask_events,
        [
            _dump(200, {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}, {"EventId": "2"}]}),
            _dump(200, {"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, {"ErrorCode": "InternalFailure"}]}),
            _dump(200, {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "MalformedDetail", "ErrorMessage": CANARY}]}),
        ],
    ),
    "send-task-success": (
        lambda: _WORKFLOWS.succeed("t", {"state": "PAID"}),
        [
            b"200\n{}",
            _dump(400, {"__type": "TaskTimedOut", "message": CANARY}),
            _dump(400, {"__type": "InvalidOutput"}),
        ],
    ),
    "get-secret-value": (
        _ask_secret,
        [
            _dump(200, {"SecretString": f'{{"secretKey":"{CANARY}"}}', "CreatedDate": 1772442000.5}),
            _dump(200, {"SecretBinary": CANARY, "CreatedDate": datetime(9999, 1, 1, tzinfo=UTC).timestamp()}),
            _dump(400, {"__type": "ResourceNotFoundException", "Message": CANARY}),
        ],
    ),
}

AWS_ANSWERS = tuple(
    Target(
        f"aws-{name}",
        "an answer of the shape that its type says, or an error that callers handle; none repeats what stands in it",
        partial(_check, ask),
        [*seeds, *_FAULTS],
    )
    for name, (ask, seeds) in _ASKS.items()
)
