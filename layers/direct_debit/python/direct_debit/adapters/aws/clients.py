"""AWS's clients, whichever they are: short timeouts, one retry. Never a shared state beyond the connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from direct_debit.adapters.aws.endpoints import find_place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from direct_debit.adapters.dynamodb.client import DynamoDb
    from direct_debit.adapters.eventbridge import EventBus
    from direct_debit.adapters.secrets import SecretsManager
    from direct_debit.adapters.sqs import Sqs
    from direct_debit.adapters.stepfunctions import StepFunctions
    from direct_debit.application.ports.time_and_chance import Clock, Ids

type AwsWay = Literal["direct", "botocore"]


class AwsClients(Protocol):
    """The clients of one composition root, each made at its first use."""

    @property
    def dynamodb(self) -> DynamoDb:
        """DynamoDB."""
        ...

    @property
    def sqs(self) -> Sqs:
        """SQS."""
        ...

    @property
    def events(self) -> EventBus:
        """EventBridge."""
        ...

    @property
    def stepfunctions(self) -> StepFunctions:
        """Step Functions."""
        ...

    @property
    def secrets(self) -> SecretsManager:
        """Secrets Manager."""
        ...


def make_clients(variables: Mapping[str, str], way: AwsWay, clock: Clock, ids: Ids) -> AwsClients:
    """Return clients that speak to AWS directly where a function's surroundings are the usual ones, else botocore's.

    `way` `botocore` asks for botocore's everywhere (decision 0056).
    """
    place = find_place(variables) if way == "direct" else None
    if place is None:
        from direct_debit.adapters.aws.botocore_clients import BotocoreClients  # noqa: PLC0415 - it takes long to load

        return BotocoreClients()
    from direct_debit.adapters.aws.direct_clients import DirectClients  # noqa: PLC0415 - where it is used

    return DirectClients(place, clock, ids)
