"""What has to be true of the account and the region before anything is deployed there."""

from collections.abc import Mapping

from botocore.exceptions import BotoCoreError, ClientError

from tools.deploy.clients import Clients
from tools.deploy.failure import DeployError
from tools.deploy.template import Node, deployed_functions, member, node

# Environments that must be free for the API beside the consumers that run all the time.
_FOR_CALLERS = 20
_SWEEP = 1
_SHARDS = 4  # an on-demand table begins with as many partitions, and its stream with as many shards
_NOT_ENABLED = frozenset({"UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure", "OptInRequired"})


def check_account(clients: Clients, region: str, template: Node, values: Mapping[str, str]) -> None:
    """Raise DeployError where no credentials are found, the region is not enabled, or too few functions may run.

    A new account may run 10 functions at once (Lambda's quota "Concurrent executions"), fewer than the workers alone.
    """
    try:
        quota = clients.functions.get_account_settings()["AccountLimit"].get("UnreservedConcurrentExecutions", 0)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _NOT_ENABLED:
            raise DeployError(
                f"AWS does not take these credentials in {region} ({code}); is the region enabled for the account? "
                f"(aws account enable-region --region-name {region}; ap-southeast-3 is off until somebody enables it)"
            ) from None
        raise DeployError(f"the account's limits can not be read: {code} ({error.operation_name})") from None
    except BotoCoreError as error:
        raise DeployError(f"AWS can not be reached: {error}") from None
    needed = most_at_once(template, values) + _FOR_CALLERS
    if quota < needed:
        raise DeployError(
            f"only {quota} functions may run at once in {region}, and this stack needs {needed} (its consumers and "
            f"{_FOR_CALLERS} for callers): ask AWS to raise the quota "
            "(aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 "
            "--desired-value 1000), or choose a lower WorkerConcurrency"
        )


def most_at_once(template: Node, values: Mapping[str, str]) -> int:
    """How many environments the consumers of queues and streams of a new stack use at most."""
    return _SWEEP + sum(
        _event_concurrency(node(event), values)
        for properties in deployed_functions(template, values).values()
        for event in member(properties, "Events").values()
    )


def _event_concurrency(event: Node, values: Mapping[str, str]) -> int:
    properties = member(event, "Properties")
    if event.get("Type") == "SQS":
        return _number(member(properties, "ScalingConfig").get("MaximumConcurrency"), values)
    if event.get("Type") == "DynamoDB":
        return _SHARDS * _number(properties.get("ParallelizationFactor", 1), values)
    return 0


def _number(value: object, values: Mapping[str, str]) -> int:
    return int(values[str(value["Ref"])] if isinstance(value, dict) else str(value))
