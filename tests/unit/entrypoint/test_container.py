"""The composition root: builds without asking anybody, follows a rotated secret, verifies with both of its versions."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from direct_debit.adapters.aws.botocore_clients import BotocoreClients
from direct_debit.adapters.clock import SystemClock
from direct_debit.adapters.credentials import Credentials, CredentialSource, FixedCredentials, MalformedCredentials
from direct_debit.adapters.doku import DokuAdapter
from direct_debit.adapters.secrets import SecretsManagerCredentials
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import InvalidSignature, Rejected
from direct_debit.application.notifications.inbound_ports import InboundCall
from direct_debit.application.ports.doku import Doku
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.ports.vault import SealedField
from direct_debit.entrypoint import container
from direct_debit.entrypoint.check_credentials import check_credentials, read_credentials, read_inbound, read_signing
from direct_debit.entrypoint.client_settings import make_client_settings
from direct_debit.entrypoint.container import build
from direct_debit.entrypoint.doku_connection import DokuConnector
from direct_debit.entrypoint.inbound_keys import read_inbound_keys
from direct_debit.entrypoint.settings import ConfigurationError, read_environment
from doku_snap.client import Call
from doku_snap.keys import load_private_key
from doku_snap.messages.base import Amount
from doku_snap.messages.status import StatusRequest
from doku_snap.transport import HttpAnswer, HttpRequest, RequestsTransport, Timeout
from tests.fakes.clock import FakeClock
from tests.fakes.environment import COMPLETE
from tests.fakes.secrets_manager import FakeSecretsManager, SeveralSecrets
from tests.fakes.telemetry import RecordingTelemetry

KEYS = json.loads((Path(__file__).parents[2] / "vectors" / "signature-vectors.json").read_text("utf-8"))["keys"]


def secret(secret_key: str = "secret", private_key: str = KEYS["merchantPrivateKeyPkcs8Pem"]) -> Credentials:
    """One version of the secret."""
    return Credentials(
        client_id="BRN-0201",
        secret_key=secret_key,
        merchant_private_key=private_key,
        doku_public_key=KEYS["dokuPublicKeyPem"],
        doku_client_key="DOKU-1",
        token_keys={"k1": b"k" * 32},
        active_token_key="k1",
        phone_pepper=b"p" * 32,
        issued_token_key=secret_key.encode().ljust(32, b"."),
    )


WHOLE = {
    "clientId": "BRN-0201",
    "secretKey": "secret",
    "merchantPrivateKey": KEYS["merchantPrivateKeyPkcs8Pem"],
    "dokuPublicKey": KEYS["dokuPublicKeyPem"],
    "tokenKeys": {"k1": "a" * 43 + "="},
    "activeTokenKey": "k1",
    "phonePepper": "a" * 43 + "=",
    "issuedTokenKey": "a" * 43 + "=",
}


def connector(source: CredentialSource[Credentials], telemetry: RecordingTelemetry | None = None) -> DokuConnector:
    """The clients' maker over this source."""
    settings = make_client_settings(read_environment(COMPLETE))
    return DokuConnector(settings, source, FakeClock(), telemetry=telemetry or RecordingTelemetry())


class Rotating:
    """A source whose current version can be replaced."""

    def __init__(self, content: Credentials) -> None:
        self.content = content

    def current(self) -> Credentials:
        return self.content

    def previous(self) -> Credentials | None:
        return None

    def overlapping(self) -> Credentials | None:
        return None

    def settled(self) -> Credentials:
        return self.content

    def is_confirmed(self) -> bool:
        return True

    def refresh(self) -> bool:
        return False


class Answering:
    """A transport with one answer to everything."""

    def __init__(self, answer: HttpAnswer) -> None:
        self._answer = answer

    def send(self, request: HttpRequest, timeout: Timeout) -> HttpAnswer:  # noqa: ARG002 - the port's signature
        return self._answer


@pytest.mark.usefixtures("socket_disabled")
def test_building_asks_nobody() -> None:
    session = boto3.Session(region_name="ap-southeast-3", aws_access_key_id="x", aws_secret_access_key="x")
    services = build(read_environment(COMPLETE), BotocoreClients(session.client))
    assert services.ports.settings.public_base_url == "https://pay.example/v1"
    other = build(read_environment(COMPLETE), BotocoreClients(session.client))
    assert other.ports.token_memory is not services.ports.token_memory


def test_the_clients_are_made_anew_only_for_a_new_secret() -> None:
    source = Rotating(secret())
    connect = connector(source)
    first = connect()
    assert connect() is first
    source.content = secret("rotated")
    assert connect() is not first


def test_a_secret_that_doku_does_not_take_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rotation heals with the first refusal, not after the five minutes that a secret is kept."""
    refreshed: list[SecretsManagerCredentials[Credentials]] = []

    def refresh(source: SecretsManagerCredentials[Credentials]) -> bool:
        refreshed.append(source)
        return True

    monkeypatch.setattr(SecretsManagerCredentials, "current", lambda _: secret())
    monkeypatch.setattr(SecretsManagerCredentials, "refresh", refresh)
    refusal = HttpAnswer(401, {}, b'{"responseCode": "4017300", "responseMessage": "Unauthorized. Invalid Signature"}')
    monkeypatch.setattr(RequestsTransport, "send", lambda *_: refusal)
    session = boto3.Session(region_name="ap-southeast-3", aws_access_key_id="x", aws_secret_access_key="x")
    ports = build(read_environment(COMPLETE), BotocoreClients(session.client)).ports
    with pytest.raises(Rejected):
        ports.doku.request_b2b_token(Deadline(ports.clock.now() + timedelta(seconds=28)))
    assert len(refreshed) == 1


def _use_all(environment: Mapping[str, str], secrets: SeveralSecrets) -> list[str]:
    """Use what needs credentials, each twice; return which secrets were read, in order."""
    aws = BotocoreClients(lambda *_, **__: secrets)
    services = build(read_environment(environment), aws)
    for _ in range(2):
        services.ports.vault.fingerprint("x")
        services.ports.doku.key_id()
        with pytest.raises(InvalidSignature):
            services.inbound.grant_token(InboundCall("/", {}, b""))
    return secrets.read


def test_who_takes_notifications_reads_what_verifies_and_what_seals_at_once() -> None:
    of_door = {"INBOUND_SECRET_ID": "inbound", "SIGNING_SECRET_ID": "signing", "DATA_SECRET_ID": "inbound"}
    secrets = _fill("inbound", "signing")
    assert _use_all({**COMPLETE, **of_door}, secrets) == ["inbound", "signing"]


def _fill(*names: str) -> SeveralSecrets:
    yesterday = FakeClock(SystemClock().now() - timedelta(days=1))
    found = {name: FakeSecretsManager(yesterday) for name in names}
    for one in found.values():
        one.put_secret_value(SecretString=json.dumps(WHOLE))
    return SeveralSecrets(found)


def test_parts_in_one_secret_share_one_reading() -> None:
    """One request in 50 s, whatever a function uses."""
    assert _use_all(COMPLETE, _fill("secret")) == ["secret"]


def test_each_part_is_read_from_its_own_secret_by_what_uses_it() -> None:
    three = {"INBOUND_SECRET_ID": "inbound", "SIGNING_SECRET_ID": "signing", "DATA_SECRET_ID": "data"}
    assert _use_all({**COMPLETE, **three}, _fill(*three.values())) == ["data", "signing", "inbound"]
    secrets = _fill(*three.values())
    services = build(read_environment({**COMPLETE, **three}), BotocoreClients(lambda *_, **__: secrets))
    services.ports.vault.seal("text", SealedField.ACCESS_TOKEN, "owner")
    assert secrets.read == ["data"]
    services.ports.doku.key_id()
    assert secrets.read == ["data", "signing"]


def test_an_unusable_secret_is_named_without_its_content() -> None:
    connect = connector(FixedCredentials(secret(private_key="canary")))
    with pytest.raises(MalformedCredentials, match="merchantPrivateKey") as caught:
        connect()
    assert "canary" not in str(caught.value)
    assert caught.value.__suppress_context__


def broken_key() -> str:
    """A private key that looks like one, and whose numbers do not fit each other."""
    key = load_private_key(KEYS["merchantPrivateKeyPkcs8Pem"]).private_numbers()
    numbers = RSAPrivateNumbers(key.p, key.q, key.d + 2, key.dmp1, key.dmq1, key.iqmp, key.public_numbers)
    made = numbers.private_key(unsafe_skip_rsa_key_validation=True)
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_a_new_version_whose_key_is_none_leaves_the_clients_as_they_are() -> None:
    source, telemetry = Rotating(secret()), RecordingTelemetry()
    connect = connector(source, telemetry)
    first = connect()
    source.content = secret(private_key=broken_key())
    check_credentials(source.content)  # it takes the key itself to find out
    assert connect() is first
    assert connect() is first
    assert telemetry.counts[Metric.SECRET_UNUSABLE] == 1
    assert any("merchantPrivateKey" in str(note) for note in telemetry.notes)
    source.content = secret("rotated")
    assert connect() is not first


def test_a_first_version_whose_key_is_none_is_found_when_the_key_is_to_sign() -> None:
    telemetry = RecordingTelemetry()
    connection = connector(FixedCredentials(secret(private_key=broken_key())), telemetry)()
    assert telemetry.counts[Metric.SECRET_UNUSABLE] == 0
    with pytest.raises(MalformedCredentials, match="merchantPrivateKey"):
        connection.check_key()
    assert telemetry.counts[Metric.SECRET_UNUSABLE] == 1


@pytest.mark.parametrize(
    "sign",
    [
        lambda doku, _: doku.key_id(),
        lambda doku, deadline: doku.request_b2b_token(deadline),
        lambda doku, deadline: doku.exchange_auth_code("a", deadline),
        lambda doku, deadline: doku.refresh_customer_token("r", deadline),
    ],
)
def test_nothing_is_signed_with_a_key_that_is_none(sign: Callable[[Doku, Deadline], object]) -> None:
    clock = FakeClock()
    connect = connector(FixedCredentials(secret(private_key=broken_key())))
    doku = DokuAdapter(connect, clock, RecordingTelemetry(), read_seconds=20.0, doubt_keys=lambda: None)
    with pytest.raises(MalformedCredentials):
        sign(doku, Deadline(clock.now() + timedelta(seconds=28)))


def test_a_part_is_checked_by_itself() -> None:
    """A function that only verifies takes no harm from a signing key that is none, and the other way round."""
    for broken, read, good in (
        ({"merchantPrivateKey": "-----BEGIN canary"}, read_signing, read_inbound),
        ({"dokuPublicKey": "-----BEGIN canary"}, read_inbound, read_signing),
    ):
        text = json.dumps(WHOLE | broken)
        good(text)
        for refuses in (read, read_credentials):
            with pytest.raises(MalformedCredentials, match=next(iter(broken))) as caught:
                refuses(text)
            assert "canary" not in str(caught.value)
    both = json.dumps(WHOLE | {"clientId": "with a blank", "secretKey": "a", "dokuClientKey": "with a blank"})
    with pytest.raises(MalformedCredentials) as caught:
        read_inbound(both)
    assert caught.value.fields == ["clientId", "dokuClientKey"]
    own = WHOLE | {"dokuPublicKey": KEYS["merchantPublicKeyPem"]}
    with pytest.raises(MalformedCredentials, match="public half of merchantPrivateKey"):
        read_credentials(json.dumps(own))


@pytest.mark.parametrize(
    ("field", "value", "remedy"),
    [
        ("client_id", "with a blank", "clientId must be 1 to 36"),
        ("doku_client_key", "canary\n", "dokuClientKey must be 1 to 36.*line breaks"),
        ("secret_key", " blank ", "secretKey must not"),
        ("merchant_private_key", "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n", "is not an"),
        ("merchant_private_key", KEYS["dokuPublicKeyPem"], "takes the private half"),
        ("merchant_private_key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\ncanary", "decrypt it: openssl pkey"),
        ("merchant_private_key", "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary", "ssh-keygen"),
        ("doku_public_key", KEYS["merchantPrivateKeyPkcs8Pem"], "openssl pkey -pubout"),
        ("doku_public_key", "-----BEGIN CERTIFICATE-----\ncanary", "openssl x509 -pubkey"),
        ("doku_public_key", KEYS["merchantPublicKeyPem"], "public half of merchantPrivateKey"),
    ],
)
def test_what_the_signing_layer_would_not_take_is_found_while_reading(field: str, value: str, remedy: str) -> None:
    content = secret()
    check_credentials(content)
    fields = {one.name: getattr(content, one.name) for one in dataclasses.fields(content)}
    with pytest.raises(MalformedCredentials, match=remedy) as caught:
        check_credentials(Credentials(**{**fields, field: value}))
    assert "canary" not in str(caught.value)


def test_all_that_the_signing_layer_would_not_take_is_named_at_once() -> None:
    content = dataclasses.replace(secret(" blank "), client_id="with a blank", doku_public_key="canary")
    with pytest.raises(MalformedCredentials) as caught:
        check_credentials(content)
    assert caught.value.fields == ["clientId", "secretKey", "dokuPublicKey"]


def test_an_untied_field_that_is_never_compared_is_named_by_its_variable() -> None:
    environment = read_environment({**COMPLETE, "DOKU_UNTIED_FIELDS": "serviceCode,canary"})
    with pytest.raises(ConfigurationError, match=r"^DOKU_UNTIED_FIELDS must be some of additionalInfo") as caught:
        make_client_settings(environment)
    assert "canary" not in str(caught.value)


def test_a_field_that_is_untied_is_not_compared() -> None:
    """What the variable says reaches the client: the service of another operation is believed then, and only then."""
    answer = HttpAnswer(200, {}, b'{"responseCode": "2005400", "latestTransactionStatus": "00"}')
    for untied, contradicts in (("", True), ("responseCode", False)):
        settings = make_client_settings(read_environment({**COMPLETE, "DOKU_UNTIED_FIELDS": untied}))
        connect = DokuConnector(
            settings, FixedCredentials(secret()), FakeClock(), Answering(answer), telemetry=RecordingTelemetry()
        )
        call = Call(b2b_token="t", external_id="1", timeout=Timeout(5, 20))
        request = StatusRequest(original_partner_reference_no="R", amount=Amount(value="1.00"))
        status = connect().client.inquire_status(request, call)
        assert bool(status.contradictions) == contradicts


def test_inbound_calls_are_verified_with_both_versions() -> None:
    keys = read_inbound_keys(FixedCredentials(secret("new"), secret("old")), previous=True)
    assert keys.secret_keys == ["new", "old"]
    assert [key[:3] for key in keys.issued_token_keys] == [b"new", b"old"]
    assert (keys.client_id, keys.client_key) == ("BRN-0201", "DOKU-1")
    assert read_inbound_keys(FixedCredentials(secret("new")), previous=True).secret_keys == ["new"]
    assert read_inbound_keys(FixedCredentials(secret("new"), secret("old")), previous=False).secret_keys == ["new"]


def test_installed_services_come_first_and_go_away() -> None:
    session = boto3.Session(region_name="ap-southeast-3", aws_access_key_id="x", aws_secret_access_key="x")
    one, two = (build(read_environment(COMPLETE), BotocoreClients(session.client)) for _ in range(2))
    with container.install(one):
        with container.install(two):
            assert container.current() is two
        assert container.current() is one
