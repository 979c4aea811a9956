import json

import pytest

from tests.fakes.in_memory_dynamodb import APPLICATION_SCHEMA
from tests.template.translation import functions, resources, source, translated

TABLES = ["Bindings", "Transactions"]
SECRETS = ["DokuCredentials", "InboundSecret", "SigningSecret", "DataSecret", "WebhookSecret"]


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_protected_and_nothing_expires(name: str) -> None:
    table = resources("AWS::DynamoDB::Table")[name]
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert "TimeToLiveSpecification" not in table


def test_deletion_protection_is_on_unless_chosen_otherwise() -> None:
    assert source()["Parameters"]["DeletionProtection"]["Default"] == "true"


def test_there_is_no_other_table_but_the_log_of_the_webhooks() -> None:
    assert sorted(resources("AWS::DynamoDB::Table")) == [*TABLES, "WebhookLog"]


@pytest.mark.parametrize("name", [*TABLES, *SECRETS, "WebhookLog"])
def test_money_records_and_keys_outlive_the_stack(name: str) -> None:
    resource = translated()["Resources"][name]
    assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resource["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("name", TABLES)
def test_indexes_serve_the_customer_and_the_resolver(name: str) -> None:
    table = resources("AWS::DynamoDB::Table")[name]
    keys = {
        index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
        for index in table["GlobalSecondaryIndexes"]
    }
    by_reference = {"dokuReference": ["dokuReference", "createdAt"]} if name == "Transactions" else {}
    common = {"customer": ["customerId", "createdAt"], "day": ["day", "createdAt"], "due": ["dueShard", "dueAt"]}
    assert keys == common | by_reference
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]


@pytest.mark.parametrize("name", TABLES)
def test_the_store_of_the_tests_keeps_in_its_indexes_what_the_tables_do(name: str) -> None:
    table = resources("AWS::DynamoDB::Table")[name]
    kept = {
        index["IndexName"]: frozenset(index["Projection"].get("NonKeyAttributes", []))
        for index in table["GlobalSecondaryIndexes"]
        if index["Projection"]["ProjectionType"] != "ALL"
    }
    known = {index: one.attributes for index, one in APPLICATION_SCHEMA.indexes.items()}
    if name == "Bindings":
        del known["dokuReference"]
    assert kept == known


def test_the_template_gives_no_secret_a_value_that_a_deployment_could_put_over_the_operators() -> None:
    secrets = resources("AWS::SecretsManager::Secret")
    assert sorted(secrets) == sorted(SECRETS)
    assert all(set(secret) == {"Description"} for secret in secrets.values())


def test_no_parameter_carries_a_secret() -> None:
    words = ("secret", "password", "privatekey", "token")
    free = [name for name, one in source()["Parameters"].items() if "AllowedValues" not in one]
    assert not [name for name in free if any(word in name.lower() for word in words)]


RESTORED = {
    f"Restored{name}{what}Arn": f"arn:aws:dynamodb:ap-southeast-3:123456789012:table/{name}-2{path}"
    for name in TABLES
    for what, path in (("", ""), ("Stream", "/stream/2026-11-27T00:00:00.000"))
}


def test_restored_tables_are_used_everywhere_or_nowhere() -> None:
    """A table that is restored has another name: whoever used the old one by name, right or stream uses the new one."""
    before, after = translated(), translated(**RESTORED)
    for name in TABLES:
        mentioned = f'"{name}"', f"${{{name}."
        uses = {
            logical_id
            for logical_id, resource in before["Resources"].items()
            if logical_id != name and any(word in json.dumps(resource) for word in mentioned)
        }
        assert len(uses) > len(functions())
        left = {
            logical_id
            for logical_id, resource in after["Resources"].items()
            if logical_id != name and any(word in json.dumps(resource) for word in mentioned)
        }
        assert left == set()
        assert name in after["Resources"], "the old table stays: it is the evidence"
        assert f"Restored{name}Arn" in json.dumps(after["Outputs"][f"{name}TableName"])


@pytest.mark.parametrize("missing", RESTORED)
def test_half_a_restore_is_refused(missing: str) -> None:
    rule = source()["Rules"]["RestoredTogether"]
    asserted = [one["Assert"]["Fn::Not"][0]["Fn::Equals"] for one in rule["Assertions"]]
    assert [{"Ref": missing}, ""] in asserted
    assert {"Fn::Not": [{"Fn::Equals": [{"Ref": missing}, ""]}]} in rule["RuleCondition"]["Fn::Or"]
