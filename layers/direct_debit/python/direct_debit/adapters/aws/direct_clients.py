"""Clients that speak to AWS directly, over one TLS context and kept connections (decision 0056)."""

from __future__ import annotations

import ssl
from functools import cached_property
from typing import TYPE_CHECKING

import certifi
import urllib3

from direct_debit.adapters.aws.connections import Connections
from direct_debit.adapters.aws.direct import (
    DirectDynamoDb,
    DirectEvents,
    DirectSecretsManager,
    DirectSqs,
    DirectStepFunctions,
)
from direct_debit.adapters.aws.json_api import CONNECT_SECONDS, READ_SECONDS, JsonApi
from direct_debit.adapters.aws.json_services import DYNAMODB, EVENTS, SECRETS_MANAGER, SQS, STEP_FUNCTIONS

if TYPE_CHECKING:
    from direct_debit.adapters.aws.endpoints import AwsPlace
    from direct_debit.adapters.aws.json_services import JsonService
    from direct_debit.application.ports.time_and_chance import Clock, Ids

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
