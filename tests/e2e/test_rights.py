"""A function's deployed role, used by a thief: what it may not do is refused by the cloud itself."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tools.local_cloud.resources import stack_resources
from tools.local_cloud.stack import LocalStack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

pytestmark = pytest.mark.e2e

ACCOUNT_KINDS = ("BINDING", "ACCOUNT", "CUSTOMER", "RETURN", "TOKEN")
MONEY_KINDS = ("PAYMENT", "KEY", "CIRCUIT")
NEVER = "attribute_exists(neverWritten)"  # so that what is allowed changes nothing


@contextmanager
def stolen(stack: LocalStack, function: str) -> Iterator["DynamoDBClient"]:
    """Use a role's policies and boundary as they are deployed, by a copy of it that root may assume."""
    iam = stack.cloud.iam()
    deployed = stack_resources(stack.cloud, stack.name).physical_ids("AWS::IAM::Role")[f"{function}Role"]
    role = iam.get_role(RoleName=deployed)["Role"]
    root = role["Arn"].split(":")[4]
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{root}:root"}, "Action": "sts:AssumeRole"}
    name = f"thief-{uuid4()}"
    copy = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        PermissionsBoundary=role["PermissionsBoundary"]["PermissionsBoundaryArn"],
    )["Role"]
    names = iam.list_role_policies(RoleName=deployed)["PolicyNames"]
    attached = [one["PolicyArn"] for one in iam.list_attached_role_policies(RoleName=deployed)["AttachedPolicies"]]
    try:
        for policy in names:
            document = iam.get_role_policy(RoleName=deployed, PolicyName=policy)["PolicyDocument"]
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
        for policy in attached:
            iam.attach_role_policy(RoleName=name, PolicyArn=policy)
        yield _client(stack, copy["Arn"])
    finally:
        for policy in names:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        for policy in attached:
            iam.detach_role_policy(RoleName=name, PolicyArn=policy)
        iam.delete_role(RoleName=name)


def _client(stack: LocalStack, role: str) -> "DynamoDBClient":
    root = boto3.Session("test", "test", region_name=stack.cloud.region)
    sts = root.client("sts", endpoint_url=stack.cloud.endpoint, config=Config(proxies={}))
    given = sts.assume_role(RoleArn=role, RoleSessionName="thief")["Credentials"]
    session = boto3.Session(
        given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name=stack.cloud.region
    )
    return session.client("dynamodb", endpoint_url=stack.cloud.endpoint, config=Config(proxies={}))


def refused(call: Callable[[], object]) -> bool:
    """Whether the cloud refuses a call; what it allows, the call's own condition refuses."""
    with pytest.raises(ClientError) as caught:
        call()
    code = caught.value.response["Error"]["Code"]
    assert code in {"AccessDeniedException", "ConditionalCheckFailedException", "TransactionCanceledException"}
    return code == "AccessDeniedException"


def writable(client: "DynamoDBClient", table: str, kinds: Sequence[str]) -> set[tuple[str, str]]:
    """What of each kind a role may do to an item, directly and in a transaction; nothing is changed."""
    may = set()
    for kind in kinds:
        key = {
            "pk": {"S": {"TOKEN": "TOKEN#b2b", "CIRCUIT": "CIRCUIT#doku"}.get(kind, f"{kind}#thief")},
            "sk": {"S": kind},
        }
        update = "SET stolen = :one"
        one = {":one": {"S": "1"}}
        direct = {
            "Put": partial(client.put_item, TableName=table, Item=key, ConditionExpression=NEVER),
            "Delete": partial(client.delete_item, TableName=table, Key=key, ConditionExpression=NEVER),
            "Update": partial(
                client.update_item,
                TableName=table,
                Key=key,
                UpdateExpression=update,
                ExpressionAttributeValues=one,
                ConditionExpression=NEVER,
            ),
        }
        steps: dict[str, TransactWriteItemTypeDef] = {
            "Put": {"Put": {"TableName": table, "Item": key, "ConditionExpression": NEVER}},
            "Delete": {"Delete": {"TableName": table, "Key": key, "ConditionExpression": NEVER}},
            "Update": {
                "Update": {
                    "TableName": table,
                    "Key": key,
                    "UpdateExpression": update,
                    "ExpressionAttributeValues": one,
                    "ConditionExpression": NEVER,
                }
            },
        }
        for name, call in direct.items():
            alone = refused(call)
            assert refused(partial(client.transact_write_items, TransactItems=[steps[name]])) == alone
            may |= set() if alone else {(name, kind)}
    return may


@pytest.mark.parametrize(
    ("function", "bindings", "transactions"),
    [
        ("IssueToken", set(), set()),
        ("ReceivePaymentNotification", set(), {("Put", "INBOX")}),
        ("ReceiveBindingNotification", set(), {("Put", "INBOX")}),
        (
            "ReturnFromBinding",
            {
                ("Update", "BINDING"),
                *((name, kind) for name in ("Update", "Delete") for kind in ("ACCOUNT", "CUSTOMER")),
            },
            set(),
        ),
        ("RefundPayment", {("Update", "BINDING")}, {("Update", "PAYMENT")}),
    ],
)
def test_a_stolen_role_writes_only_what_its_function_writes(
    stack: LocalStack, function: str, bindings: set[tuple[str, str]], transactions: set[tuple[str, str]]
) -> None:
    with stolen(stack, function) as client:
        assert writable(client, stack.bindings_table, ACCOUNT_KINDS) == bindings
        assert writable(client, stack.transactions_table, (*MONEY_KINDS, "INBOX")) == transactions


def test_a_payment_can_not_ride_along_with_a_notification(stack: LocalStack) -> None:
    def put(kind: str) -> "TransactWriteItemTypeDef":
        item = {"pk": {"S": f"{kind}#thief"}, "sk": {"S": kind}}
        return {"Put": {"TableName": stack.transactions_table, "Item": item, "ConditionExpression": NEVER}}

    with stolen(stack, "ReceivePaymentNotification") as client:
        assert not refused(partial(client.transact_write_items, TransactItems=[put("INBOX")]))
        assert refused(partial(client.transact_write_items, TransactItems=[put("INBOX"), put("PAYMENT")]))


@pytest.mark.parametrize("function", ["ReceivePaymentNotification", "IssueToken", "ReturnFromBinding"])
def test_a_stolen_role_reads_no_payment(stack: LocalStack, function: str) -> None:
    key = {"pk": {"S": "PAYMENT#thief"}, "sk": {"S": "PAYMENT"}}
    partition = {":pk": key["pk"]}
    with stolen(stack, function) as client:
        table = stack.transactions_table
        assert refused(partial(client.get_item, TableName=table, Key=key))
        assert refused(partial(client.scan, TableName=table))
        query = partial(client.query, TableName=table, KeyConditionExpression="pk = :pk")
        assert refused(partial(query, ExpressionAttributeValues=partition))
