"""What the emulator's IAM is told of a DynamoDB request: its partition keys, by AWS's documentation."""

import json
from typing import Any

import pytest

from tools.local_cloud.launcher import with_boundary
from tools.local_cloud.leading_keys import (
    LEADING_KEYS,
    KeyedArn,
    find_leading_keys,
    with_key_of_step,
    with_keyed_steps,
    with_leading_keys,
)

type Json = dict[str, Any]

ITEM = {"pk": {"S": "PAYMENT#1"}, "sk": {"S": "PAYMENT"}}
OTHER = {"pk": {"S": "INBOX#2"}, "sk": {"S": "INBOX"}}


def partition_of(table: str, index: str | None) -> str | None:
    return None if table != "T" else "pk" if index is None else "customerId"


def query(condition: str, **more: object) -> Json:
    values = {":pk": {"S": "PAYMENT#1"}, ":customer": {"S": "C-1"}, ":sk": {"S": "HISTORY"}}
    return {"TableName": "T", "KeyConditionExpression": condition, "ExpressionAttributeValues": values, **more}


@pytest.mark.parametrize(
    ("request_", "keys"),
    [
        ({"TableName": "T", "Key": ITEM}, ["PAYMENT#1"]),
        ({"TableName": "T", "Item": ITEM | {"amount": {"N": "1"}}}, ["PAYMENT#1"]),
        (query("pk = :pk AND begins_with(sk, :sk)"), ["PAYMENT#1"]),
        (query("#s = :sk AND #p = :pk", ExpressionAttributeNames={"#p": "pk", "#s": "sk"}), ["PAYMENT#1"]),
        (query("customerId = :customer", IndexName="customer"), ["C-1"]),
        ({"RequestItems": {"T": {"Keys": [ITEM, OTHER]}}}, ["PAYMENT#1", "INBOX#2"]),
        (
            {"RequestItems": {"T": [{"PutRequest": {"Item": ITEM}}, {"DeleteRequest": {"Key": OTHER}}]}},
            ["PAYMENT#1", "INBOX#2"],
        ),
        ({"TableName": "T"}, None),  # a scan
        ({"TableName": "U", "Key": ITEM}, None),
        ({}, None),
    ],
)
def test_the_partition_keys_of_a_request(request_: Json, keys: list[str] | None) -> None:
    assert find_leading_keys(request_, partition_of) == keys


def test_they_stand_beside_the_other_condition_keys() -> None:
    read = with_leading_keys(lambda _: {"dynamodb:Select": "ALL_ATTRIBUTES"}, partition_of)
    assert read(json.dumps({"TableName": "T", "Key": ITEM}).encode()) == {
        "dynamodb:Select": "ALL_ATTRIBUTES",
        LEADING_KEYS: ["PAYMENT#1"],
    }
    assert read(b"no JSON") == read(b"[]") == {"dynamodb:Select": "ALL_ATTRIBUTES"}


def test_each_step_of_a_transaction_is_judged_by_its_own_key() -> None:
    def checks(_action: str, body: bytes, _region: str, _account: str) -> list[tuple[str, str]]:
        return [(name, step["TableName"]) for one in json.loads(body)["TransactItems"] for name, step in one.items()]

    judged: list[tuple[str, str, object]] = []

    def enforce(_key: str, action: str, *, resource_arn: str, service_context: Json) -> None:
        judged.append((action, resource_arn, service_context.get(LEADING_KEYS)))

    steps = [{"Put": {"TableName": "T", "Item": ITEM}}, {"Update": {"TableName": "T", "Key": OTHER}}]
    body = json.dumps({"TransactItems": steps}).encode()
    for action, table in with_keyed_steps(checks, partition_of)("dynamodb:TransactWriteItems", body, "r", "a"):
        with_key_of_step(enforce)("key", action, resource_arn=table, service_context={"other": 1})
    with_key_of_step(enforce)("key", "Get", resource_arn="T", service_context={LEADING_KEYS: ["given"]})
    assert judged == [("Put", "T", ["PAYMENT#1"]), ("Update", "T", ["INBOX#2"]), ("Get", "T", ["given"])]
    assert not isinstance(judged[-1][1], KeyedArn)


def test_a_request_that_is_no_transaction_has_no_steps() -> None:
    assert with_keyed_steps(lambda *_: [("never", "asked")], partition_of)("dynamodb:GetItem", b"{}", "r", "a") == []


def test_a_role_gets_its_boundary_when_it_is_made_and_loses_it_when_it_is_changed() -> None:
    roles: dict[str, Json] = {"role": {}}
    made = with_boundary(lambda *_, **__: ("role", {"Arn": "arn"}), roles, 1)
    assert made("Role", {"PermissionsBoundary": "limit"}, "stack") == ("role", {"Arn": "arn"})
    assert roles["role"]["PermissionsBoundary"] == "limit"
    changed = with_boundary(lambda *_, **__: ("role", {}), roles, 2)
    changed("role", {"PermissionsBoundary": "limit"}, {}, "stack", logical_id="Role")
    assert roles["role"]["PermissionsBoundary"] is None
