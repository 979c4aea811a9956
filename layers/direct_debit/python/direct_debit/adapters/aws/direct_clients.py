"""Clients that speak to AWS directly, over one TLS context and kept connections (decision 0056).

They have the operations that are used, with the arguments and answers of boto3's clients.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Unpack, cast

import certifi
import urllib3
from botocore.exceptions import HTTPClientError

from direct_debit.adapters.aws.connections import Connections
from direct_debit.adapters.aws.json_api import CONNECT_SECONDS, READ_SECONDS, JsonApi, JsonService

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb.type_defs import (
        GetItemInputTypeDef,
        PutItemInputTypeDef,
        QueryInputTypeDef,
        TransactWriteItemsInputTypeDef,
        UpdateItemInputTypeDef,
    )
    from mypy_boto3_events.type_defs import PutEventsRequestTypeDef, PutEventsResponseTypeDef
    from mypy_boto3_secretsmanager.type_defs import GetSecretValueRequestTypeDef, GetSecretValueResponseTypeDef
    from mypy_boto3_sqs.type_defs import ChangeMessageVisibilityRequestTypeDef, SendMessageRequestTypeDef
    from mypy_boto3_stepfunctions.type_defs import SendTaskSuccessInputTypeDef

    from direct_debit.adapters.aws.endpoints import AwsPlace
    from direct_debit.application.ports.time_and_chance import Clock, Ids

    type Answer = Mapping[str, object]

DYNAMODB = JsonService("dynamodb", "DynamoDB_20120810", "1.0")
SQS = JsonService("sqs", "AmazonSQS", "1.0")
EVENTS = JsonService("events", "AWSEvents", "1.1")
STEP_FUNCTIONS = JsonService("states", "AWSStepFunctions", "1.0")
SECRETS_MANAGER = JsonService("secretsmanager", "secretsmanager", "1.1")

_END = 2**35  # seconds since 1970, the year 3058: no time is reckoned from a later one
_MOST_KEPT = 10  # connections, as many as botocore keeps; the sweep asks eight times at once


class DirectClients:
    """Implements `AwsClients` in a place whose keys last as long as this process."""

    def __init__(self, place: AwsPlace, clock: Clock, ids: Ids) -> None:
        self._place = place
        self._clock = clock
        self._ids = ids

    @cached_property
    def dynamodb(self) -> DirectDynamoDb:
        """DynamoDB."""
        return DirectDynamoDb(self._make(DYNAMODB))

    @cached_property
    def sqs(self) -> DirectSqs:
        """SQS."""
        return DirectSqs(self._make(SQS))

    @cached_property
    def events(self) -> DirectEvents:
        """EventBridge."""
        return DirectEvents(self._make(EVENTS))

    @cached_property
    def stepfunctions(self) -> DirectStepFunctions:
        """Step Functions."""
        return DirectStepFunctions(self._make(STEP_FUNCTIONS))

    @cached_property
    def secrets(self) -> DirectSecretsManager:
        """Secrets Manager."""
        return DirectSecretsManager(self._make(SECRETS_MANAGER))

    def _make(self, service: JsonService) -> JsonApi:
        return JsonApi(service, self._place, self._connections, self._clock, self._ids)

    @cached_property
    def _connections(self) -> Connections:
        tls = ssl.create_default_context(cafile=certifi.where()) if self._place.is_encrypted else None
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        return Connections(kept=_MOST_KEPT, timeout=timeout, tls=tls)


class DirectDynamoDb:
    """Implements `DynamoDb`."""

    def __init__(self, api: JsonApi) -> None:
        self._api = api

    def get_item(self, **kwargs: Unpack[GetItemInputTypeDef]) -> Answer:
        """Read one item."""
        return self._api.call("GetItem", kwargs)

    def put_item(self, **kwargs: Unpack[PutItemInputTypeDef]) -> Answer:
        """Write one item."""
        return self._api.call("PutItem", kwargs)

    def update_item(self, **kwargs: Unpack[UpdateItemInputTypeDef]) -> Answer:
        """Change one item."""
        return self._api.call("UpdateItem", kwargs)

    def query(self, **kwargs: Unpack[QueryInputTypeDef]) -> Answer:
        """Read a page of one partition."""
        return self._api.call("Query", kwargs)

    def transact_write_items(self, **kwargs: Unpack[TransactWriteItemsInputTypeDef]) -> Answer:
        """Write several items, all or nothing."""
        return self._api.call("TransactWriteItems", kwargs)


class DirectSqs:
    """Implements `Sqs`."""

    def __init__(self, api: JsonApi) -> None:
        self._api = api

    def send_message(self, **kwargs: Unpack[SendMessageRequestTypeDef]) -> Answer:
        """Send a message."""
        return self._api.call("SendMessage", kwargs)

    def change_message_visibility(self, **kwargs: Unpack[ChangeMessageVisibilityRequestTypeDef]) -> Answer | None:
        """Hide a message that was taken for longer, or for less long."""
        return self._api.call("ChangeMessageVisibility", kwargs)


class DirectEvents:
    """Implements `EventBus`."""

    def __init__(self, api: JsonApi) -> None:
        self._api = api

    def put_events(self, **kwargs: Unpack[PutEventsRequestTypeDef]) -> PutEventsResponseTypeDef:
        """Put events on a bus. Raises BotoCoreError also for an answer that does not speak of each of them."""
        answer = self._api.call("PutEvents", kwargs)
        failed, told = answer.get("FailedEntryCount"), answer.get("Entries")
        each = isinstance(told, list) and len(told) == len(kwargs["Entries"]) and all(map(_is_entry, told))
        if not isinstance(failed, int) or (failed and not each):
            raise HTTPClientError(error="the answer does not speak of each event")
        return cast("PutEventsResponseTypeDef", answer)


class DirectStepFunctions:
    """Implements `StepFunctions`."""

    def __init__(self, api: JsonApi) -> None:
        self._api = api

    def send_task_success(self, **kwargs: Unpack[SendTaskSuccessInputTypeDef]) -> Answer:
        """Complete a task that waits for its token."""
        return self._api.call("SendTaskSuccess", kwargs)


class DirectSecretsManager:
    """Implements `SecretsManager`."""

    def __init__(self, api: JsonApi) -> None:
        self._api = api

    def get_secret_value(self, **kwargs: Unpack[GetSecretValueRequestTypeDef]) -> GetSecretValueResponseTypeDef:
        """Read a version of a secret; `CreatedDate` is a datetime. Raises BotoCoreError also for an unreadable one."""
        answer = self._api.call("GetSecretValue", kwargs)
        text, created = answer.get("SecretString", ""), answer.get("CreatedDate")
        if not isinstance(text, str) or not isinstance(created, int | float | None) or not 0 <= (created or 0) < _END:
            raise HTTPClientError(error="the answer is no version of a secret")
        if created is not None:
            answer["CreatedDate"] = datetime.fromtimestamp(created, UTC)
        return cast("GetSecretValueResponseTypeDef", answer)


def _is_entry(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("ErrorCode", ""), str)
