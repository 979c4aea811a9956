"""The minute after a key was replaced: some functions have read the new version of the secret, others have not.

What one of them makes for another to check or to open, a token for DOKU or a sealed text, is taken by each of them at
each moment of that minute: also by one that has just read the secret anew, and does not again for a minute.
"""

import json
from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from direct_debit.adapters.credentials import parse_credentials
from direct_debit.adapters.doku_inbound import InboundDokuAdapter
from direct_debit.adapters.secrets import SecretsManagerCredentials
from direct_debit.adapters.vault import AesGcmVault
from direct_debit.application.errors import InvalidSignature
from direct_debit.application.notifications.accept_notification import AcceptNotification
from direct_debit.application.notifications.inbound_ports import InboundCall
from direct_debit.application.ports.inbox import InboxKind
from direct_debit.application.ports.vault import SealedField, Vault
from direct_debit.entrypoint.inbound_keys import read_inbound_keys
from tests.fakes.clock import FakeClock
from tests.fakes.ids import SeededIds
from tests.fakes.secrets_manager import FakeSecretsManager
from tests.fakes.telemetry import RecordingTelemetry
from tests.integration.handlers.house import KEYS
from tools.make_events import NOTIFY_PATH, TOKEN_PATH, Signer, vector_signer

SIGNER = vector_signer()
REF = "ORDER0000001"
BODY = json.dumps(
    {
        "originalPartnerReferenceNo": REF,
        "latestTransactionStatus": "00",
        "amount": {"value": "10000.00", "currency": "IDR"},
    }
).encode()
FIELDS = {
    "clientId": KEYS["clientId"],
    "secretKey": KEYS["secretKey"],
    "merchantPrivateKey": KEYS["merchantPrivateKeyPkcs8Pem"],
    "dokuPublicKey": KEYS["dokuPublicKeyPem"],
    "phonePepper": b64encode(b"p" * 32).decode(),
}
MOMENTS = (0.0, 1.0, 30.0, 49.0, 51.0, 59.0, 60.0, 61.0, 110.0)
"""Seconds between two steps: within a minute of each other, at its edge, and after it."""


@dataclass(frozen=True, slots=True)
class Function:
    door: InboundDokuAdapter
    vault: Vault


class Fleet:
    """Functions of one secret, each with a copy of its own."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.secret = FakeSecretsManager(self.clock)
        self.versions = 0
        self.put()
        self.clock.tick(86_400.0)

    def put(self) -> None:
        """Replace the key of issued tokens and the data key in use."""
        self.versions += 1
        keys = {f"k{number}": b64encode(b"%d" % number * 32).decode() for number in range(1, self.versions + 1)}
        fields = {
            **FIELDS,
            "tokenKeys": keys,
            "activeTokenKey": f"k{self.versions}",
            "issuedTokenKey": b64encode(b"%d" % (10 - self.versions) * 32).decode(),
        }
        self.secret.put_secret_value(SecretString=json.dumps(fields))

    def start(self) -> Function:
        source = SecretsManagerCredentials(
            self.secret.client,
            "secret",
            self.clock,
            RecordingTelemetry(),
            parse_credentials,
            overlap=timedelta(hours=24),
        )
        door = InboundDokuAdapter(
            lambda previous: read_inbound_keys(source, previous=previous),
            self.clock,
            issuer=SIGNER.public_url,
            window_seconds=300,
            issuing_key=lambda: source.settled().issued_token_key,
            doubt_keys=source.refresh,
        )
        return Function(door, AesGcmVault(source, SeededIds()))

    @property
    def doku(self) -> Signer:
        return replace(SIGNER, at=self.clock.now())

    def grant(self, function: Function) -> str:
        body = b'{"grantType":"client_credentials"}'
        headers = {name.lower(): value for name, value in self.doku.token_headers().items()}
        reply = function.door.grant_token(InboundCall(f"/v1{TOKEN_PATH}", headers, body))
        token: str = json.loads(reply.body)["accessToken"]
        return token

    def notify(self, function: Function, token: str) -> AcceptNotification:
        headers = self.doku.notification_headers(NOTIFY_PATH, BODY, "1", token)
        call = InboundCall(f"/v1{NOTIFY_PATH}", {name.lower(): value for name, value in headers.items()}, BODY)
        return function.door.read_notification(InboxKind.PAYMENT, call)

    def doubt(self, function: Function) -> None:
        """Bring a call that fits no key, so that the function reads the secret anew."""
        with pytest.raises(InvalidSignature):
            self.notify(function, "a.stranger's.token")


@pytest.mark.parametrize("to_made", MOMENTS)
@pytest.mark.parametrize("to_replaced", MOMENTS)
def test_what_one_function_makes_is_taken_by_one_that_has_just_read_the_secret(
    to_replaced: float, to_made: float
) -> None:
    for to_taken in MOMENTS:
        fleet = Fleet()
        taker = fleet.start()
        fleet.notify(taker, fleet.grant(taker))
        fleet.doubt(taker)
        fleet.clock.tick(to_replaced)
        fleet.put()
        fleet.clock.tick(to_made)
        maker = fleet.start()  # knows the newest version
        token, text = fleet.grant(maker), maker.vault.seal("token", SealedField.ACCESS_TOKEN, "binding")
        fleet.clock.tick(to_taken)
        assert fleet.notify(taker, token).subject == REF
        assert taker.vault.unseal(text, SealedField.ACCESS_TOKEN, "binding") == "token"


@pytest.mark.parametrize("to_made", range(1, 60, 3))
def test_what_was_looked_up_of_the_version_before_is_forgotten_with_the_version(to_made: int) -> None:
    """The maker has looked up the version before a while after the one in use: both are other versions then."""
    fleet = Fleet()
    fleet.put()
    fleet.clock.tick(3_600.0)
    taker, maker = fleet.start(), fleet.start()
    fleet.doubt(maker)
    fleet.clock.tick(51.0)
    fleet.grant(maker)  # reads the version in use
    fleet.clock.tick(5.0)
    fleet.doubt(maker)  # reads the one before it, and no more: it has read both within the minute
    fleet.put()
    fleet.clock.tick(to_made)
    assert fleet.notify(taker, fleet.grant(maker)).subject == REF


def test_a_token_is_signed_with_the_new_key_once_every_function_knows_it() -> None:
    fleet = Fleet()
    fleet.put()
    before, maker = fleet.start(), fleet.start()
    early = fleet.grant(maker)
    fleet.clock.tick(60.0)
    late = fleet.grant(maker)
    assert early.split(".")[0] != late.split(".")[0]  # the header names the key
    assert not fleet.notify(before, early).fresh  # of a replaced key: it is asked about
    assert fleet.notify(before, late).fresh
    assert maker.vault.is_outdated(Fleet().start().vault.seal("token", SealedField.ACCESS_TOKEN, "binding"))
