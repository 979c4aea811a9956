"""The fake of Secrets Manager, and what the operator's tools ask of it, held against moto."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws
from mypy_boto3_secretsmanager import SecretsManagerClient

from tests.fakes.clock import FakeClock
from tests.fakes.secrets_manager import FakeSecretsManager
from tools.ops.failure import OpsError
from tools.ops.secret_versions import SecretVersions, Stage

NAME = "secret"
_STAGES: tuple[Stage, ...] = ("AWSCURRENT", "AWSPREVIOUS", "AWSPENDING")


@pytest.fixture(params=["fake", "moto"])
def client(request: pytest.FixtureRequest) -> Iterator[SecretsManagerClient]:
    if request.param == "fake":
        yield FakeSecretsManager(FakeClock()).client
        return
    with mock_aws():
        client = boto3.Session(region_name="ap-southeast-3").client("secretsmanager")
        client.create_secret(Name=NAME)
        yield client


@pytest.fixture
def versions(client: SecretsManagerClient) -> SecretVersions:
    return SecretVersions(client, NAME)


def texts(versions: SecretVersions) -> list[str | None]:
    found = [versions.read(stage) for stage in _STAGES]
    return [None if one is None else one.text for one in found]


def test_a_secret_without_a_value(versions: SecretVersions) -> None:
    assert texts(versions) == [None, None, None]
    with pytest.raises(OpsError, match=r"\./ops onboard fills it"):
        versions.read_current()
    assert not versions.end("AWSPREVIOUS")


def test_each_version_makes_the_one_before_it_previous(versions: SecretVersions) -> None:
    first = versions.put("one", after=None)
    assert texts(versions) == ["one", None, None]
    second = versions.put("two", after=first)
    assert texts(versions) == ["two", "one", None]
    third = versions.put("three", after=second)
    assert texts(versions) == ["three", "two", None]
    assert third.created_at >= first.created_at
    assert "three" not in repr(third)


def test_a_version_that_has_lost_its_label_can_be_read_for_a_while(versions: SecretVersions) -> None:
    first = versions.put("one", after=None)
    versions.put("two", after=first)
    assert versions.end("AWSPREVIOUS")
    assert texts(versions) == ["two", None, None]
    assert [one.text for one in versions.read_unlabelled()] == ["one"]


def test_a_pending_one_changes_nothing_in_use(versions: SecretVersions) -> None:
    current = versions.put("one", after=None)
    versions.put_pending("later")
    versions.put_pending("later still")
    assert texts(versions) == ["one", None, "later still"]
    versions.put("two", after=current)
    assert versions.end("AWSPENDING")
    assert texts(versions) == ["two", "one", None]


def test_a_change_by_somebody_else_is_seen(versions: SecretVersions, client: SecretsManagerClient) -> None:
    first = versions.put("one", after=None)
    client.put_secret_value(SecretId=NAME, SecretString="theirs")
    with pytest.raises(OpsError, match="somebody else changed the secret"):
        versions.put("two", after=first)
