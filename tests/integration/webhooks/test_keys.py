"""The webhooks' own secret: as people paste it, one key or two, and never shown."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import boto3
import pytest
from botocore.stub import Stubber

from direct_debit.adapters.aws.botocore_clients import BotocoreClients
from direct_debit.adapters.webhook_keys import LIFETIME, SecretsManagerWebhookKeys, parse_webhook_keys
from direct_debit.application.errors import StoreUnavailable
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.ports.webhooks import WebhookSecretUnusable
from tests.fakes.clock import FakeClock
from tests.fakes.telemetry import RecordingTelemetry


def written(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


NEW, OLD = b"\xfbn" * 16, b"\xffo" * 16


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (written(NEW), (NEW,)),
        (written(NEW) + "\n", (NEW,)),
        ("\ufeff" + written(NEW) + "\r\n", (NEW,)),
        (f"  {written(NEW)}\r\n{written(OLD)}  ", (NEW, OLD)),
        (f"{written(NEW)} {written(OLD)}", (NEW, OLD)),
        (written(b"k" * 24), (b"k" * 24,)),
        (written(b"k" * 64), (b"k" * 64,)),
    ],
)
def test_one_key_or_two_are_read(text: str, keys: tuple[bytes, ...]) -> None:
    assert parse_webhook_keys(text) == keys


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "put one key in"),
        (" ".join(written(key) for key in (NEW, OLD, b"x" * 32)), "put one key in"),
        ("canary-canary-canary-canary", "key 1 is not whsec_ and base64"),
        (f"{written(NEW)} {base64.b64encode(OLD).decode()}", "key 2 is not whsec_ and base64"),
        ("whsec_canary!canary", "key 1 is not whsec_ and base64"),
        ("whsec_canar", "key 1 is not whsec_ and base64"),
        ("whsec_" + base64.urlsafe_b64encode(NEW).decode(), "key 1 is not whsec_ and base64"),
        (written(b"canary" * 3), "24 to 64 bytes"),
        (written(b"k" * 65), "24 to 64 bytes"),
        ('{"key": "canary"}', "key 1 is not whsec_ and base64"),
    ],
)
def test_what_is_no_key_is_refused_and_not_repeated(text: str, told: str) -> None:
    with pytest.raises(WebhookSecretUnusable, match=told) as caught:
        parse_webhook_keys(text)
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert "canary" not in repr(caught.value.__context__)


CURRENT = {"SecretId": "secret", "VersionStage": "AWSCURRENT"}
PREVIOUS = {"SecretId": "secret", "VersionStage": "AWSPREVIOUS"}


@dataclass
class Place:
    """The keys over a Secrets Manager that answers as told."""

    stub: Stubber
    keys: SecretsManagerWebhookKeys
    clock: FakeClock
    telemetry: RecordingTelemetry

    def answer(self, text: str, asked: dict[str, str] = CURRENT) -> None:
        self.stub.add_response("get_secret_value", {"SecretString": text}, asked)

    def fail(self, code: str, asked: dict[str, str] = CURRENT) -> None:
        self.stub.add_client_error("get_secret_value", code, expected_params=asked)

    def later(self) -> None:
        self.clock.tick(LIFETIME / timedelta(seconds=1))


@pytest.fixture
def place() -> Iterator[Place]:
    client = BotocoreClients(boto3.Session("-", "-", region_name="ap-southeast-3").client).secrets
    clock, telemetry = FakeClock(), RecordingTelemetry()
    with Stubber(client) as stub:
        yield Place(stub, SecretsManagerWebhookKeys(client, "secret", clock, telemetry), clock, telemetry)
        stub.assert_no_pending_responses()


def test_a_secret_is_asked_for_once_in_a_while_and_a_good_one_stays_in_use(place: Place) -> None:
    keys = place.keys
    place.answer(written(OLD))
    assert keys.read() == keys.read() == (OLD,)
    place.later()
    place.answer("canary")
    assert keys.read() == keys.read() == (OLD,)
    assert place.telemetry.counts[Metric.SECRET_UNUSABLE] == 1
    place.later()
    place.fail("InternalServiceError")
    assert keys.read() == (OLD,)
    place.later()
    place.answer(f"{written(NEW)} {written(OLD)}")
    assert keys.read() == (NEW, OLD)
    assert place.telemetry.counts[Metric.SECRET_UNUSABLE] == 1


def test_a_secret_without_a_value_is_unusable_until_it_has_one(place: Place) -> None:
    for asked in (CURRENT, PREVIOUS):
        place.fail("ResourceNotFoundException", asked)
    with pytest.raises(WebhookSecretUnusable, match="put one key in"):
        place.keys.read()
    place.fail("ThrottlingException")
    with pytest.raises(StoreUnavailable):
        place.keys.read()
    place.answer(written(NEW))
    assert place.keys.read() == (NEW,)


def test_who_starts_with_a_bad_version_takes_the_one_before(place: Place) -> None:
    place.answer("whsec_canary!")
    place.answer(written(OLD), PREVIOUS)
    assert place.keys.read() == (OLD,)
    assert place.telemetry.counts[Metric.SECRET_UNUSABLE] == 1


def test_two_bad_versions_are_unusable_and_the_current_ones_fault_is_told(place: Place) -> None:
    place.answer("whsec_canary!")
    place.fail("ResourceNotFoundException", PREVIOUS)
    with pytest.raises(WebhookSecretUnusable, match="key 1 is not whsec_ and base64"):
        place.keys.read()
