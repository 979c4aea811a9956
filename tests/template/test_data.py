import pytest

from tests.fakes.in_memory_dynamodb import APPLICATION_SCHEMA
from tests.template.translation import resources, source, translated

TABLES = ["Bindings", "Transactions"]


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


def test_there_are_no_other_tables() -> None:
    assert sorted(resources("AWS::DynamoDB::Table")) == TABLES


@pytest.mark.parametrize("name", [*TABLES, "DokuCredentials"])
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
    assert keys == {"customer": ["customerId", "createdAt"], "due": ["dueShard", "dueAt"]}
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]


@pytest.mark.parametrize("name", TABLES)
def test_the_store_of_the_tests_keeps_in_its_indexes_what_the_tables_do(name: str) -> None:
    table = resources("AWS::DynamoDB::Table")[name]
    kept = {
        index["IndexName"]: frozenset(index["Projection"].get("NonKeyAttributes", []))
        for index in table["GlobalSecondaryIndexes"]
        if index["Projection"]["ProjectionType"] != "ALL"
    }
    assert kept == {index: one.attributes for index, one in APPLICATION_SCHEMA.indexes.items()}


def test_the_template_gives_the_secret_no_value_that_a_deployment_could_put_over_the_operators() -> None:
    (secret,) = resources("AWS::SecretsManager::Secret").values()
    assert set(secret) == {"Description"}


def test_no_parameter_carries_a_secret() -> None:
    words = ("secret", "password", "privatekey", "token")
    assert not [name for name in source()["Parameters"] if any(word in name.lower() for word in words)]
