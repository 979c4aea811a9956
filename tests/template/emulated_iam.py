"""Asks the emulator's IAM whether roles may do what they are asked for (run by the Python of `.tools/ministack`).

It takes {"roles": {name: {"policies": [document], "managed": [ARN], "boundary": document or null}}, "requests":
[request]} as JSON on standard input and prints one list of booleans. The evaluation and AWS's own policies are the
emulator's, mended as the local cloud mends it (`leading_keys`, found through PYTHONPATH).

request: {"role", "action", "resource"} | {"role", "action": "dynamodb:<operation>", "body": DynamoDB's request}
"""

import json
import sys
from typing import Any

import leading_keys  # type: ignore[import-not-found]  # lies in tools/local_cloud, on PYTHONPATH here
from ministack.core import iam_actions, iam_evaluator

REGION, ACCOUNT = "ap-southeast-3", "123456789012"

type Json = dict[str, Any]

# A policy of AWS's that the emulator does not have, as AWS's reference of managed policies shows it.
UNKNOWN_THERE = {
    "AWSXrayWriteOnlyAccess": {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [
                    "xray:PutTraceSegments",
                    "xray:PutTelemetryRecords",
                    "xray:GetSamplingRules",
                    "xray:GetSamplingTargets",
                    "xray:GetSamplingStatisticSummaries",
                ],
                "Resource": ["*"],
            }
        ],
    }
}


def partition_of(_table: str, _index: str | None) -> str:
    """Return the partition key of both tables."""
    return "pk"


read_context = leading_keys.with_leading_keys(iam_actions.dynamodb_service_context, partition_of)
take_apart = leading_keys.with_keyed_steps(iam_actions.dynamodb_transaction_checks, partition_of)


def find_questions(request: Json) -> list[tuple[str, str, Json]]:
    """Return action, resource and condition keys of all that a request takes."""
    if "body" not in request:
        return [(request["action"], request["resource"], {})]
    body = json.dumps(request["body"]).encode()
    steps = take_apart(request["action"], body, REGION, ACCOUNT)
    if steps:
        return [(action, table, {leading_keys.LEADING_KEYS: table.leading_keys}) for action, table in steps]
    (table,) = iam_actions.dynamodb_resource_arns(body, REGION, ACCOUNT)
    return [(request["action"], table, read_context(body))]


def find_managed(arn: str) -> Json:
    """Return the document of one of AWS's own policies. Raises LookupError where it is not known."""
    if arn.rpartition("/")[2] in UNKNOWN_THERE:
        return UNKNOWN_THERE[arn.rpartition("/")[2]]
    document = iam_evaluator._resolve_managed_policy_document(arn, ACCOUNT)
    if document is None:
        raise LookupError(arn)
    found: Json = json.loads(document) if isinstance(document, str) else document
    return found


def is_allowed(role: Json, action: str, resource: str, context: Json) -> bool:
    """Ask the emulator's evaluation."""
    asked = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/role/session",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=action,
        resource_arn=str(resource),
        region=REGION,
        service_context={key.lower(): value for key, value in context.items()},
    )
    documents = [*role["policies"], *map(find_managed, role["managed"])]
    policies = [iam_evaluator.parse_policy_document(document) for document in documents]
    limits = [] if role["boundary"] is None else [[iam_evaluator.parse_policy_document(role["boundary"])]]
    return bool(iam_evaluator.evaluate(asked, policies, *limits).decision == "Allow")


def main() -> None:
    """Answer all requests."""
    given = json.load(sys.stdin)
    answers = [
        all(is_allowed(given["roles"][request["role"]], *question) for question in find_questions(request))
        for request in given["requests"]
    ]
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
