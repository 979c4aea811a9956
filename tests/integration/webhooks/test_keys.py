"""The webhooks' own secret: as people paste it, one key or two, and never shown."""

import base64
from datetime import timedelta

import boto3
import pytest
from botocore.stub import Stubber

from direct_debit.adapters.aws import AwsClients
from direct_debit.adapters.webhook_keys import LIFETIME, SecretsManagerWebhookKeys, parse_webhook_keys
from direct_debit.application.errors import StoreUnavailable
from direct_debit.application.ports.webhooks import WebhookSecretUnusable
from tests.fakes.clock import FakeClock


def written(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


NEW, OLD = b"\xfbn" * 16, b"\xffo" * 16


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (written(NEW), (NEW,)),
        (written(NEW) + "\n", (NEW,)),
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


def test_a_secret_is_asked_for_once_in_five_minutes_and_a_good_one_stays_in_use() -> None:
    clock = FakeClock()
    client = AwsClients(boto3.Session("-", "-", region_name="ap-southeast-3").client).secrets
    keys = SecretsManagerWebhookKeys(client, "secret", clock)
    with Stubber(client) as stub:

        def answer(text: str) -> None:
            stub.add_response("get_secret_value", {"SecretString": text}, {"SecretId": "secret"})

        stub.add_client_error("get_secret_value", "ResourceNotFoundException")
        with pytest.raises(WebhookSecretUnusable):
            keys.read()
        stub.add_client_error("get_secret_value", "ThrottlingException")
        with pytest.raises(StoreUnavailable):
            keys.read()
        answer(written(OLD))
        assert keys.read() == keys.read() == (OLD,)
        clock.tick(LIFETIME / timedelta(seconds=1))
        answer("canary")
        assert keys.read() == (OLD,)
        clock.tick(LIFETIME / timedelta(seconds=1))
        stub.add_client_error("get_secret_value", "InternalServiceError")
        assert keys.read() == (OLD,)
        clock.tick(LIFETIME / timedelta(seconds=1))
        answer(f"{written(NEW)} {written(OLD)}")
        assert keys.read() == (NEW, OLD)
        stub.assert_no_pending_responses()
