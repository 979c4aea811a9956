"""What is off by default: a key of the customer's own, and executions that are kept free."""

from typing import Any

import pytest

from tests.template.translation import as_list, functions, resources, statements, translated

KEY = "arn:aws:kms:ap-southeast-3:123456789012:key/11111111-2222-3333-4444-555555555555"
REF = {"Ref": "KmsKeyArn"}
QUEUE_WORKERS = {
    "ProcessNotification": "WorkerConcurrency",
    "ProcessRefund": "WorkerConcurrency",
    "InquireStatus": "WorkerConcurrency",
    "DeliverWebhook": "WebhookConcurrency",
}
DOORS = ("IssueToken", "ReceivePaymentNotification", "ReceiveBindingNotification")
PLACES = {
    "AWS::SQS::Queue": "KmsMasterKeyId",
    "AWS::Logs::LogGroup": "KmsKeyId",
    "AWS::SecretsManager::Secret": "KmsKeyId",
    "AWS::SNS::Topic": "KmsMasterKeyId",
}


def with_key() -> dict[str, Any]:
    return translated(KmsKeyArn=KEY)


@pytest.mark.parametrize("kind", PLACES)
def test_a_key_is_for_everything_that_keeps_data(kind: str) -> None:
    kept = resources(kind, with_key())
    assert kept
    assert {name: one.get(PLACES[kind]) for name, one in kept.items()} == dict.fromkeys(kept, REF)
    assert all(PLACES[kind] not in one for one in resources(kind).values())


def test_a_key_is_for_every_table() -> None:
    tables = resources("AWS::DynamoDB::Table", with_key())
    chosen = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": REF}
    assert {name: one["SSESpecification"] for name, one in tables.items()} == dict.fromkeys(tables, chosen)


def test_a_queue_has_one_encryption_and_not_two() -> None:
    assert all("SqsManagedSseEnabled" not in one for one in resources("AWS::SQS::Queue", with_key()).values())


def uses_of_the_key() -> dict[str, Any]:
    """The statement on the key, of each function that has one: in a policy for all, and in the webhooks' own."""
    use = resources("AWS::IAM::ManagedPolicy", with_key())["KeyUse"]
    (for_all,) = use["PolicyDocument"]["Statement"]
    own = {role: s for role, s in statements(with_key()) if s.get("Sid") == "UseKey"}
    return {role.removesuffix("Role"): s for role, s in ({one["Ref"]: for_all for one in use["Roles"]} | own).items()}


def test_whoever_reads_or_writes_what_is_kept_may_have_the_key_used() -> None:
    kept = {"dynamodb", "sqs", "secretsmanager"}
    who = {
        role.removesuffix("Role") for role, s in statements() if {a.split(":")[0] for a in as_list(s["Action"])} & kept
    }
    differing = sorted(set(uses_of_the_key()) ^ who)
    assert not differing, (
        f"template.yaml, Roles of KeyUse: {differing}: whoever reads or writes what is kept has its role there (or a "
        "statement UseKey of its own), and no other has"
    )
    assert "ExplainProblem" not in who


def test_the_key_is_used_by_the_services_that_keep_data_and_the_boundary_lets_it() -> None:
    bound = resources("AWS::IAM::ManagedPolicy", with_key())["FunctionBoundary"]["PolicyDocument"]["Statement"]
    limit = next(statement for statement in bound if statement["Sid"] == "UseKey")
    for function, use in uses_of_the_key().items():
        assert use["Resource"] == limit["Resource"] == REF
        assert use["Action"] == limit["Action"], function
        services = use["Condition"]["StringEquals"]["kms:ViaService"]
        assert [one["Fn::Sub"].split(".")[0] for one in services] == ["dynamodb", "sqs", "secretsmanager"]


def test_without_a_key_nobody_has_a_right_on_one() -> None:
    assert "kms:" not in str(resources("AWS::IAM::ManagedPolicy")["FunctionBoundary"])
    assert translated()["Resources"]["KeyUse"]["Condition"] == "HasKmsKey"


def reserved(**chosen: str) -> dict[str, Any]:
    all_functions = functions(translated(**chosen))
    return {
        name: one["ReservedConcurrentExecutions"]
        for name, one in all_functions.items()
        if "ReservedConcurrentExecutions" in one
    }


def test_no_execution_is_reserved_by_default() -> None:
    assert reserved() == {}


def test_a_worker_reserves_exactly_what_its_source_may_use() -> None:
    """Less would throttle what was taken from the queue already, and count towards its dead-letter queue."""
    assert reserved(ReserveWorkerConcurrency="true") == {name: {"Ref": of} for name, of in QUEUE_WORKERS.items()}
    mappings = resources("AWS::Lambda::EventSourceMapping").items()
    limits = {name: one["ScalingConfig"]["MaximumConcurrency"] for name, one in mappings if "ScalingConfig" in one}
    assert {name.removesuffix("Messages"): limit["Ref"] for name, limit in limits.items()} == QUEUE_WORKERS


def test_doors_and_outbox_reserve_what_is_chosen() -> None:
    assert reserved(DoorReservedConcurrency="20") == {door: {"Ref": "DoorReservedConcurrency"} for door in DOORS}
    assert reserved(OutboxReservedConcurrency="80") == {"PublishEvents": {"Ref": "OutboxReservedConcurrency"}}
