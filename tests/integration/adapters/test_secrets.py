import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

import boto3
import pytest
from moto import mock_aws
from mypy_boto3_secretsmanager import SecretsManagerClient

from direct_debit.adapters.aws.botocore_clients import BotocoreClients
from direct_debit.adapters.credentials import Credentials, CredentialSource, MalformedCredentials, parse_credentials
from direct_debit.adapters.secrets import SecretsManagerCredentials
from direct_debit.application.errors import NotConfigured, StoreUnavailable
from direct_debit.application.ports.telemetry import Metric
from tests.fakes.clock import FakeClock
from tests.fakes.telemetry import RecordingTelemetry
from tests.unit.adapters.test_credentials import FIELDS

NAME = "doku"
OVERLAP = timedelta(hours=24)
MALFORMED = '{"clientId": ""}'


@dataclass(frozen=True, slots=True)
class Kept:
    source: CredentialSource[Credentials]
    client: SecretsManagerClient
    clock: FakeClock
    telemetry: RecordingTelemetry

    @property
    def counted(self) -> int:
        """How often a version was met that can not be used."""
        return self.telemetry.counts[Metric.SECRET_UNUSABLE]

    def put(self, client_id: str) -> None:
        self.client.put_secret_value(SecretId=NAME, SecretString=json.dumps({**FIELDS, "clientId": client_id}))


def make_source(
    client: SecretsManagerClient, clock: FakeClock, telemetry: RecordingTelemetry
) -> SecretsManagerCredentials[Credentials]:
    return SecretsManagerCredentials(client, NAME, clock, telemetry, parse_credentials, overlap=OVERLAP)


@pytest.fixture
def kept() -> Iterator[Kept]:
    with mock_aws():
        client = BotocoreClients(boto3.Session(region_name="ap-southeast-3").client).secrets
        client.create_secret(Name=NAME)  # as the template makes it
        clock, telemetry = FakeClock(), RecordingTelemetry()
        yield Kept(make_source(client, clock, telemetry), client, clock, telemetry)


def test_a_secret_without_a_value_is_not_set_up_and_the_first_value_is_read_at_once(kept: Kept) -> None:
    with pytest.raises(NotConfigured, match=r"no value.*docs/operations\.md"):
        kept.source.current()
    assert kept.source.previous() is None
    assert kept.counted == 1
    kept.put("one")
    assert kept.source.current().client_id == "one"


def test_a_malformed_first_version_is_not_set_up_either_and_is_no_previous_one(kept: Kept) -> None:
    kept.client.put_secret_value(SecretId=NAME, SecretString=MALFORMED)
    with pytest.raises(MalformedCredentials) as error:
        kept.source.current()
    assert isinstance(error.value, NotConfigured)
    assert kept.counted == 1
    kept.put("one")
    assert kept.source.previous() is None
    assert kept.source.current().client_id == "one"


def test_a_function_that_starts_while_the_new_version_is_malformed_takes_the_one_before(kept: Kept) -> None:
    kept.put("one")
    kept.client.put_secret_value(SecretId=NAME, SecretString=MALFORMED)
    assert kept.source.current().client_id == "one"
    assert not kept.source.is_confirmed()
    assert kept.counted == 1
    (note,) = kept.telemetry.notes
    assert "clientId" in str(note)
    kept.put("two")
    kept.clock.tick(60)
    assert kept.source.current().client_id == "two"


def test_a_part_that_can_not_be_used_is_counted_and_named(kept: Kept) -> None:
    keys = {**cast("dict[str, str]", FIELDS["tokenKeys"]), "k1": "CANARY"}
    kept.client.put_secret_value(SecretId=NAME, SecretString=json.dumps({**FIELDS, "tokenKeys": keys}))
    assert list(kept.source.current().token_keys) == ["k2"]
    assert kept.counted == 1
    (note,) = kept.telemetry.notes
    assert "tokenKeys.k1" in str(note)


@pytest.mark.parametrize("forced", [False, True], ids=["after its time", "when doubted"])
def test_a_malformed_new_version_leaves_the_one_before_in_use_and_is_counted(kept: Kept, forced: bool) -> None:
    kept.put("one")
    kept.source.current()
    kept.client.put_secret_value(SecretId=NAME, SecretString=MALFORMED)
    if forced:
        assert kept.source.refresh()
    else:
        kept.clock.tick(300)
    assert kept.source.current().client_id == "one"
    assert kept.source.current().client_id == "one"
    assert kept.counted == 1
    (note,) = kept.telemetry.notes
    assert "clientId" in note[1]["reason"]
    kept.clock.tick(60)
    assert kept.source.current().client_id == "one"
    assert kept.counted == 2
    kept.put("two")
    kept.clock.tick(60)
    assert kept.source.current().client_id == "two"


def test_a_version_that_breaks_a_further_rule_is_a_malformed_one(kept: Kept) -> None:
    def read(text: str) -> Credentials:
        if "bad" in text:
            raise MalformedCredentials(("clientId", "is bad"))
        return parse_credentials(text)

    source = SecretsManagerCredentials(kept.client, NAME, kept.clock, kept.telemetry, read, overlap=OVERLAP)
    kept.put("bad")
    with pytest.raises(MalformedCredentials):
        source.current()
    kept.put("one")
    assert source.current().client_id == "one"
    assert source.previous() is None
    kept.put("bad")
    kept.clock.tick(300)
    assert source.current().client_id == "one"


def test_a_value_that_is_gone_leaves_what_is_kept_in_use(kept: Kept) -> None:
    kept.put("one")
    kept.source.current()
    kept.client.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)
    kept.clock.tick(300)
    assert kept.source.current().client_id == "one"
    assert kept.counted == 1


def test_a_rotation_is_seen_within_a_minute_and_the_old_version_stays_usable(kept: Kept) -> None:
    kept.put("one")
    assert kept.source.current().client_id == "one"
    kept.put("two")
    kept.clock.tick(49)
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


class _Dated:
    """Secrets Manager whose versions are made when the test's clock says so."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self.made: dict[str, datetime | None] = {}

    def put(self, client_id: str, *, is_dated: bool = True) -> None:
        self._kept.put(client_id)
        answer = self._kept.client.get_secret_value(SecretId=NAME)
        self.made[answer["VersionId"]] = self._kept.clock.now() if is_dated else None

    def get_secret_value(self, **question: str) -> Mapping[str, object]:
        answer = self._kept.client.get_secret_value(**question)
        made = self.made[answer["VersionId"]]
        return {name: value for name, value in {**answer, "CreatedDate": made}.items() if value is not None}


def overlapping(kept: Kept, client: _Dated) -> CredentialSource[Credentials]:
    secrets = cast("SecretsManagerClient", client)
    return make_source(secrets, kept.clock, kept.telemetry)


def test_a_replaced_version_is_heard_until_its_overlap_ends_and_opens_texts_after_it(kept: Kept) -> None:
    client = _Dated(kept)
    source = overlapping(kept, client)
    client.put("one")
    assert source.overlapping() is None
    kept.clock.tick(7 * 86_400)
    client.put("two")
    kept.clock.tick(60)
    heard = source.overlapping()
    assert heard is not None
    assert heard.client_id == "one"
    kept.clock.tick(OVERLAP.total_seconds() - 61)
    assert source.overlapping() is not None
    kept.clock.tick(1)
    assert source.overlapping() is None
    unsealing = source.previous()
    assert unsealing is not None
    assert unsealing.client_id == "one"
    assert overlapping(kept, client).overlapping() is None  # a function that starts now


def test_a_version_of_unknown_age_replaces_at_once(kept: Kept) -> None:
    client = _Dated(kept)
    client.put("one")
    client.put("two", is_dated=False)
    assert overlapping(kept, client).overlapping() is None


def test_a_version_is_confirmed_while_it_was_read_within_a_minute(kept: Kept) -> None:
    assert not kept.source.is_confirmed()
    kept.put("one")
    kept.source.current()
    assert kept.source.is_confirmed()
    kept.client.put_secret_value(SecretId=NAME, SecretString=MALFORMED)
    kept.clock.tick(49)
    assert kept.source.is_confirmed()
    kept.clock.tick(1)
    assert kept.source.current().client_id == "one"
    assert not kept.source.is_confirmed()  # it may be what somebody has replaced, by mistake unreadably
    kept.put("two")
    kept.clock.tick(60)
    assert kept.source.current().client_id == "two"
    assert kept.source.is_confirmed()
