"""AWS's clients: botocore's own, short timeouts, one retry. Never a shared state beyond the connections.

They are made by botocore, which is boto3's engine: boto3 itself adds what is not used here, and loads it at each cold
start. Where the build has put the few models that are needed beside the code, no others are read (decision 0039).
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

    from direct_debit.adapters.dynamodb.client import DynamoDb

    type MakeClient = Callable[..., object]
    """Makes the client of a service by its name: `endpoint_url`, `config`."""

AWS_DATA = Path(__file__).parents[2] / "aws_data"
"""Where the build puts botocore's models of what is used (tools/local_cloud/aws_data.py)."""

# Two attempts of at most three seconds each: far below every function's timeout, and a lost reply is met by write ids.
# What is sent is typed, and AWS checks it; the name is set once, and not put together anew for each request.
CLIENT_CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 2},
    parameter_validation=False,
    user_agent=f"direct-debit botocore/{botocore.__version__}",
)


class AwsClients:
    """The clients of one composition root, each made at its first use (making one costs tens of milliseconds).

    `make` is `client` of a boto3 session, or botocore's own. `endpoint` is where AWS is found when it is not at its
    usual addresses.
    """

    def __init__(
        self, make: MakeClient | None = None, endpoint: str | None = None, *, config: Config = CLIENT_CONFIG
    ) -> None:
        self._make_client = make or _make_session().create_client
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


def _make_session() -> botocore.session.Session:
    session = botocore.session.get_session()
    if AWS_DATA.is_dir():
        loader = Loader(extra_search_paths=[str(AWS_DATA)], include_default_search_paths=False)
        session.register_component("data_loader", loader)
    return session
