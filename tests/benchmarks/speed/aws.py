"""AWS as far as the functions call it: one request in, one answer out.

Shapes: the services' JSON protocols ("AWS JSON 1.0/1.1", smithy.io), errors as HTTP 400 with `__type`.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tests.benchmarks.speed.merchant import WEBHOOK_KEY, WEBHOOK_KEYS_AT
from tests.benchmarks.speed.secret import secret_texts

type Document = Mapping[str, Any]
type Ask = Callable[[str, Document], Mapping[str, object]]
"""A method of DynamoDB's low-level client, by its name, with a request: its answer. Raises ClientError."""

_DYNAMODB = {
    "GetItem": "get_item",
    "PutItem": "put_item",
    "UpdateItem": "update_item",
    "Query": "query",
    "TransactWriteItems": "transact_write_items",
}
_DYNAMODB_ERROR = "com.amazonaws.dynamodb.v20120810#"
_BESIDE_THE_ERROR = ("CancellationReasons", "Item")  # what an error's answer may hold besides


@dataclass(frozen=True, slots=True)
class AwsAnswer:
    """HTTP status and JSON body."""

    status: int
    body: bytes


class Aws:
    """The services behind one address; each request names its service and operation in `X-Amz-Target`."""

    def __init__(self, ask_tables: Ask) -> None:
        self._ask_tables = ask_tables
        self._secrets = {**secret_texts(), WEBHOOK_KEYS_AT: WEBHOOK_KEY}
        self._services: dict[str, Callable[[str, Document], AwsAnswer]] = {
            "DynamoDB_20120810": self._dynamodb,
            "secretsmanager": self._secretsmanager,
            "AmazonSQS": self._sqs,
            "AWSEvents": self._events,
            "AWSStepFunctions": lambda _, __: _ok({}),
        }

    def answer(self, target: str, body: bytes) -> AwsAnswer:
        """Answer one request. Raises KeyError for a service or an operation that nobody plays here."""
        service, _, operation = target.partition(".")
        return self._services[service](operation, json.loads(body))

    def _dynamodb(self, operation: str, request: Document) -> AwsAnswer:
        try:
            return _ok(self._ask_tables(_DYNAMODB[operation], request))
        except ClientError as error:
            response: Document = dict(error.response)
            refusal = {
                "__type": _DYNAMODB_ERROR + response["Error"]["Code"],
                "message": response["Error"]["Message"],
                **{name: response[name] for name in _BESIDE_THE_ERROR if name in response},
            }
            return AwsAnswer(400, json.dumps(refusal).encode())

    def _secretsmanager(self, operation: str, request: Document) -> AwsAnswer:
        if operation != "GetSecretValue":
            raise KeyError(operation)
        stage = request.get("VersionStage", "AWSCURRENT")
        if stage != "AWSCURRENT":
            refusal = {"__type": "ResourceNotFoundException", "Message": f"no value for staging label {stage}"}
            return AwsAnswer(400, json.dumps(refusal).encode())
        return _ok(
            {
                "ARN": f"arn:aws:secretsmanager:ap-southeast-3:123456789012:secret:{request['SecretId']}",
                "CreatedDate": 1772442000.0,
                "Name": request["SecretId"],
                "SecretString": self._secrets[request["SecretId"]],
                "VersionId": str(uuid.UUID(int=1)),
                "VersionStages": [stage],
            }
        )

    def _sqs(self, operation: str, request: Document) -> AwsAnswer:
        if operation != "SendMessage":
            raise KeyError(operation)
        digest = hashlib.md5(request["MessageBody"].encode(), usedforsecurity=False).hexdigest()
        return _ok({"MD5OfMessageBody": digest, "MessageId": str(uuid.uuid4())})

    def _events(self, operation: str, request: Document) -> AwsAnswer:
        if operation != "PutEvents":
            raise KeyError(operation)
        return _ok({"FailedEntryCount": 0, "Entries": [{"EventId": str(uuid.uuid4())} for _ in request["Entries"]]})


def _ok(document: Mapping[str, object]) -> AwsAnswer:
    return AwsAnswer(200, json.dumps(document, separators=(",", ":")).encode())
