"""boto3 clients: one session, short timeouts, one retry. Never a shared state beyond the connections."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

    from direct_debit.adapters.dynamodb.client import DynamoDb

# Two attempts of at most three seconds each: far below every function's timeout, and a lost reply is met by write ids.
CLIENT_CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})


class AwsClients:
    """The clients of one composition root, each made at its first use (making one costs tens of milliseconds).

    `endpoint` is where AWS is found when it is not at its usual addresses.
    """

    def __init__(self, session: boto3.Session | None = None, endpoint: str | None = None) -> None:
        self._session = session or boto3.Session()
        self._endpoint = endpoint

    @cached_property
    def dynamodb(self) -> DynamoDb:
        """The low-level DynamoDB client."""
        return self._session.client("dynamodb", endpoint_url=self._endpoint, config=CLIENT_CONFIG)

    @cached_property
    def sqs(self) -> SQSClient:
        """The SQS client."""
        return self._session.client("sqs", endpoint_url=self._endpoint, config=CLIENT_CONFIG)

    @cached_property
    def events(self) -> EventBridgeClient:
        """The EventBridge client."""
        return self._session.client("events", endpoint_url=self._endpoint, config=CLIENT_CONFIG)

    @cached_property
    def stepfunctions(self) -> SFNClient:
        """The Step Functions client."""
        return self._session.client("stepfunctions", endpoint_url=self._endpoint, config=CLIENT_CONFIG)

    @cached_property
    def secrets(self) -> SecretsManagerClient:
        """The Secrets Manager client."""
        return self._session.client("secretsmanager", endpoint_url=self._endpoint, config=CLIENT_CONFIG)
