"""botocore's clients, without boto3: a function does not use what that adds, and it loads S3's transfer manager."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, cast

import botocore.session
from botocore.config import Config

from direct_debit.adapters.aws.json_api import ATTEMPTS, CONNECT_SECONDS, READ_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

    from direct_debit.adapters.dynamodb.client import DynamoDb

    type MakeClient = Callable[..., object]
    """Makes the client of a service by its name: `endpoint_url`, `config`."""

CLIENT_CONFIG = Config(
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    parameter_validation=False,
    user_agent=f"direct-debit botocore/{botocore.__version__}",
)
"""What is sent is typed, and AWS checks it; the name is set once, and not put together anew for each request."""


class BotocoreClients:
    """Implements `AwsClients`, each made at its first use (making one costs tens of milliseconds).

    `make` is `client` of a boto3 session, or botocore's own. `endpoint` is where AWS is found when it is not at its
    usual addresses.
    """

    def __init__(
        self, make: MakeClient | None = None, endpoint: str | None = None, *, config: Config = CLIENT_CONFIG
    ) -> None:
        self._make_client = make or botocore.session.get_session().create_client
        self._endpoint = endpoint
        self._config = config

    def _make(self, service: str) -> object:
        return self._make_client(service, endpoint_url=self._endpoint, config=self._config)

    @cached_property
    def dynamodb(self) -> DynamoDb:
        """The low-level DynamoDB client."""
        return cast("DynamoDb", self._make("dynamodb"))

    @cached_property
    def sqs(self) -> SQSClient:
        """The SQS client."""
        return cast("SQSClient", self._make("sqs"))

    @cached_property
    def events(self) -> EventBridgeClient:
        """The EventBridge client."""
        return cast("EventBridgeClient", self._make("events"))

    @cached_property
    def stepfunctions(self) -> SFNClient:
        """The Step Functions client."""
        return cast("SFNClient", self._make("stepfunctions"))

    @cached_property
    def secrets(self) -> SecretsManagerClient:
        """The Secrets Manager client."""
        return cast("SecretsManagerClient", self._make("secretsmanager"))
