"""A new stack whose secret has no value yet: every door says 503 or DOKU's 500, the log says what to do."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from direct_debit.adapters.aws.botocore_clients import BotocoreClients
from direct_debit.adapters.doku_inbound import InboundDokuAdapter
from direct_debit.adapters.secrets import SecretsManagerCredentials
from direct_debit.adapters.vault import AesGcmVault
from direct_debit.application.errors import NotDone
from direct_debit.entrypoint import container
from direct_debit.entrypoint.check_credentials import read_credentials
from direct_debit.entrypoint.inbound_keys import read_inbound_keys
from tests.fakes.world import PUBLIC_URL
from tests.integration.handlers.house import KEYS, House, encode
from tests.integration.handlers.test_events import read

NAMES = ["bind_account", "make_payment", "return_from_binding"]
GOOD = {
    "clientId": KEYS["clientId"],
    "secretKey": KEYS["secretKey"],
    "merchantPrivateKey": KEYS["merchantPrivateKeyPkcs8Pem"],
    "dokuPublicKey": KEYS["dokuPublicKeyPem"],
    "tokenKeys": {"k1": encode("k" * 32)},
    "activeTokenKey": "k1",
    "phonePepper": encode("p" * 32),
    "issuedTokenKey": encode("i" * 32),
}
VALUES = {
    "no value": (None, "has no value"),
    "a placeholder": ('{"clientId": ""}', "the secret's field clientId"),
    "a key that is none": (json.dumps(GOOD | {"dokuPublicKey": "-----BEGIN PUBLIC KEY-----"}), "field dokuPublicKey"),
}


@pytest.fixture(params=VALUES)
def fault(house: House, request: pytest.FixtureRequest) -> Iterator[str]:
    """The house over a secret that can not be used; what the log has to say."""
    value, wanted = VALUES[request.param]
    with mock_aws():
        client = BotocoreClients(boto3.Session(region_name="ap-southeast-3").client).secrets
        client.create_secret(Name="doku")
        if value is not None:
            client.put_secret_value(SecretId="doku", SecretString=value)
        source = SecretsManagerCredentials(
            client,
            "doku",
            house.world.clock,
            house.services.observability,
            read_credentials,
            overlap=timedelta(hours=24),
        )
        house.ports = replace(house.ports, vault=AesGcmVault(source, house.world.ids))
        inbound = InboundDokuAdapter(
            lambda previous: read_inbound_keys(source, previous=previous),
            house.world.clock,
            issuer=PUBLIC_URL,
            window_seconds=300,
            issuing_key=lambda: source.settled().issued_token_key,
            doubt_keys=source.refresh,
        )
        house.services = replace(house.services, ports=house.ports, inbound=inbound)
        with container.install(house.services):
            yield wanted


def errors(house: House) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in house.log.getvalue().splitlines()]
    return [line for line in lines if line["level"] == "ERROR"]


@pytest.mark.parametrize("name", NAMES)
def test_callers_get_503_and_the_log_one_line_that_says_what_to_do(house: House, fault: str, name: str) -> None:
    answer = house.invoke(name, read(name))
    problem = json.loads(answer["body"])
    assert (answer["statusCode"], problem["type"]) == (503, "/problems/not-configured")
    assert int(answer["headers"]["Retry-After"]) > 0
    assert "secret" not in problem["detail"]
    (line,) = errors(house)
    assert fault in line["reason"]
    assert (house.written, house.sent) == (0, 0)


def test_a_plain_command_fails_by_a_name_that_workflows_repeat(house: House, fault: str) -> None:
    with pytest.raises(NotDone) as error:
        house.invoke("bind_account", read("bind_account_direct"))
    assert type(error.value) is NotDone
    assert "secret" not in str(error.value)
    (line,) = errors(house)
    assert fault in line["reason"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("issue_token", "5007300"),
        ("receive_payment_notification", "5005600"),
        ("receive_binding_notification", "5000700"),
    ],
)
def test_doku_is_told_to_come_again_in_its_own_words(house: House, fault: str, name: str, code: str) -> None:
    answer = house.invoke(name, read(name))
    assert (answer["statusCode"], json.loads(answer["body"])["responseCode"]) == (500, code)
    (line,) = errors(house)
    assert fault in line["reason"]


def test_it_is_counted(house: House, fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    house.invoke("bind_account", read("bind_account"))
    assert '"SecretUnusable"' in capsys.readouterr().out
