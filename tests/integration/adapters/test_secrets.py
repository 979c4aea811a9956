import json
from collections.abc import Iterator
from dataclasses import dataclass

import boto3
import pytest
from moto import mock_aws
from mypy_boto3_secretsmanager import SecretsManagerClient

from direct_debit.adapters.aws import AwsClients
from direct_debit.adapters.credentials import CredentialSource, MalformedCredentials
from direct_debit.adapters.secrets import SecretsManagerCredentials
from direct_debit.application.errors import StoreUnavailable
from tests.fakes.clock import FakeClock
from tests.unit.adapters.test_credentials import FIELDS

NAME = "doku"
PLACEHOLDER = '{"clientId": "", "secretKey": "", "merchantPrivateKey": "", "dokuPublicKey": "", "tokenKeys": {}}'


@dataclass(frozen=True, slots=True)
class Kept:
    source: CredentialSource
    client: SecretsManagerClient
    clock: FakeClock

    def put(self, client_id: str) -> None:
        self.client.put_secret_value(SecretId=NAME, SecretString=json.dumps({**FIELDS, "clientId": client_id}))


@pytest.fixture
def kept() -> Iterator[Kept]:
    with mock_aws():
        client = AwsClients(boto3.Session(region_name="ap-southeast-3")).secrets
        client.create_secret(Name=NAME, SecretString=PLACEHOLDER)
        clock = FakeClock()
        yield Kept(SecretsManagerCredentials(client, NAME, clock), client, clock)


def test_a_placeholder_is_malformed_and_the_first_real_version_is_read_at_once(kept: Kept) -> None:
    with pytest.raises(MalformedCredentials):
        kept.source.current()
    kept.put("one")
    assert kept.source.current().client_id == "one"


def test_a_placeholder_is_no_previous_version(kept: Kept) -> None:
    assert kept.source.previous() is None
    kept.put("one")
    kept.clock.tick(300)
    assert kept.source.previous() is None


def test_a_rotation_is_seen_within_five_minutes_and_the_old_version_stays_usable(kept: Kept) -> None:
    kept.put("one")
    assert kept.source.current().client_id == "one"
    kept.put("two")
    kept.clock.tick(299)
    assert kept.source.current().client_id == "one"
    kept.clock.tick(1)
    assert kept.source.current().client_id == "two"
    previous = kept.source.previous()
    assert previous is not None
    assert previous.client_id == "one"


def test_a_refresh_is_seen_at_once_but_only_once_a_minute(kept: Kept) -> None:
    kept.put("one")
    kept.source.current()
    kept.put("two")
    assert kept.source.refresh()
    assert kept.source.current().client_id == "two"
    kept.put("three")
    assert not kept.source.refresh()
    assert kept.source.current().client_id == "two"
    kept.clock.tick(60)
    assert kept.source.refresh()
    assert kept.source.current().client_id == "three"


def test_what_is_kept_serves_while_secrets_manager_does_not(kept: Kept) -> None:
    kept.put("one")
    kept.source.current()
    kept.client.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=False)
    kept.clock.tick(300)
    assert kept.source.current().client_id == "one"
    kept.client.restore_secret(SecretId=NAME)
    kept.put("two")
    kept.clock.tick(59)
    assert kept.source.current().client_id == "one"
    kept.clock.tick(1)
    assert kept.source.current().client_id == "two"


def test_nothing_kept_and_nothing_readable_is_unavailable(kept: Kept) -> None:
    kept.client.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)
    with pytest.raises(StoreUnavailable):
        kept.source.current()
    assert kept.source.previous() is None
