"""The condition key `dynamodb:LeadingKeys`, which the emulator's IAM does not know: the partition keys of a request.

By AWS's documentation ("Using IAM policy conditions for fine-grained access control", "Using IAM with DynamoDB
transactions") it holds the partition keys of the items that a request names; of a `Query` that which is asked for, in
an index the index's own; of a `Scan` nothing. Each item of a transaction is authorised as the operation underneath it,
so by its own key.

Imported by `launcher.py`, which runs beside it in the emulator's Python: the standard library only.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

LEADING_KEYS = "dynamodb:LeadingKeys"

_EQUALITY = re.compile(r"(?P<name>[#\w.-]+)\s*=\s*(?P<value>:\w+)")

type PartitionOf = Callable[[str, str | None], str | None]
"""The name of the partition key of a table, or of one of its indexes; None where there is no such table."""


class KeyedArn(str):
    """The ARN of the table of one item, with that item's partition key."""

    __slots__ = ("leading_keys",)
    leading_keys: list[str]


def find_leading_keys(request: Mapping[str, Any], partition_of: PartitionOf) -> list[str] | None:
    """Return the partition keys that a DynamoDB request (its JSON body) names; None when it names none."""
    if "RequestItems" in request:
        steps = [
            (table, step)
            for table, asked in request["RequestItems"].items()
            for step in (asked if isinstance(asked, list) else [{"Key": key} for key in asked.get("Keys", [])])
        ]
        keys = [
            key
            for table, step in steps
            for inner in (step.get("PutRequest") or step.get("DeleteRequest") or step,)
            for key in find_leading_keys({"TableName": table, **inner}, partition_of) or []
        ]
        return keys or None
    partition = partition_of(str(request.get("TableName")), request.get("IndexName"))
    item = request.get("Key") or request.get("Item")
    if isinstance(item, Mapping):
        return None if partition is None or partition not in item else [_value(item[partition])]
    for match in _EQUALITY.finditer(str(request.get("KeyConditionExpression", ""))):
        name = (request.get("ExpressionAttributeNames") or {}).get(match["name"], match["name"])
        if name == partition:
            return [_value(request["ExpressionAttributeValues"][match["value"]])]
    return None


def _value(attribute: Mapping[str, Any]) -> str:
    return str(next(iter(attribute.values())))


def with_leading_keys(
    context: Callable[[bytes], dict[str, Any]], partition_of: PartitionOf
) -> Callable[[bytes], dict[str, Any]]:
    """Wrap the reading of a request's condition keys so that its partition keys are among them."""

    def wrapped(body: bytes) -> dict[str, Any]:
        found = context(body)
        keys = find_leading_keys(_read(body), partition_of)
        return found if keys is None else {**found, LEADING_KEYS: keys}

    return wrapped


def with_keyed_steps(
    checks: Callable[[str, bytes, str, str], list[tuple[str, str]]], partition_of: PartitionOf
) -> Callable[[str, bytes, str, str], list[tuple[str, str]]]:
    """Wrap the taking apart of a transaction so that the ARN of each step knows its item's key."""

    def wrapped(action: str, body: bytes, region: str, account: str) -> list[tuple[str, str]]:
        keyed: list[tuple[str, str]] = []
        for item in _read(body).get("TransactItems") or []:
            alone = json.dumps({"TransactItems": [item]}).encode()
            steps = [step for step in item.values() if isinstance(step, Mapping)]
            keys = [key for step in steps for key in find_leading_keys(step, partition_of) or []]
            for step_action, table in checks(action, alone, region, account):
                arn = KeyedArn(table)
                arn.leading_keys = keys
                keyed.append((step_action, arn))
        return keyed

    return wrapped


def with_key_of_step(enforce: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the authorisation of a request so that a transaction's step is judged by its own key."""

    def wrapped(*arguments: object, **options: Any) -> Any:  # noqa: ANN401 - as the emulator's own
        table = options.get("resource_arn")
        if isinstance(table, KeyedArn):
            options["service_context"] = {**(options.get("service_context") or {}), LEADING_KEYS: table.leading_keys}
        return enforce(*arguments, **options)

    return wrapped


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        return {}
    return data if isinstance(data, Mapping) else {}


def mend_leading_keys() -> None:
    """Mend what the emulator's IAM knows of a DynamoDB request."""
    from ministack.core import iam_actions, iam_evaluator  # noqa: PLC0415 - exists in the emulator's environment only
    from ministack.services import dynamodb  # noqa: PLC0415 - as above

    def partition_of(table: str, index: str | None) -> str | None:
        found = dynamodb._tables.get(table.rpartition("/")[2])  # noqa: SLF001 - no public hook
        if found is None:
            return None
        indexes = [*(found.get("GlobalSecondaryIndexes") or []), *(found.get("LocalSecondaryIndexes") or [])]
        schemas = {one["IndexName"]: one["KeySchema"] for one in indexes} | {None: found["KeySchema"]}
        return next((key["AttributeName"] for key in schemas.get(index, []) if key["KeyType"] == "HASH"), None)

    iam_actions.dynamodb_service_context = with_leading_keys(iam_actions.dynamodb_service_context, partition_of)
    iam_actions.dynamodb_transaction_checks = with_keyed_steps(iam_actions.dynamodb_transaction_checks, partition_of)
    iam_evaluator.enforce = with_key_of_step(iam_evaluator.enforce)
