"""A world in which every key counts: functions that read the secret as they do on AWS, and a DOKU that signs and
verifies.

The other world takes notifications for verified and has one set of keys for ever. Here the functions are a few warm
environments, each with its own copy of the secret; DOKU asks for tokens, keeps them, signs with its keys, and takes
what is registered there.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from direct_debit.adapters.credentials import (
    CredentialSource,
    DataSecret,
    InboundSecret,
    SecretPart,
    SigningSecret,
    parse_data,
)
from direct_debit.adapters.doku_inbound import InboundDokuAdapter
from direct_debit.adapters.dynamodb.client import Store
from direct_debit.adapters.secrets import SecretsManagerCredentials
from direct_debit.adapters.vault import AesGcmVault
from direct_debit.application.errors import DirectDebitError, InvalidSignature
from direct_debit.application.notifications.accept_notification import accept_notification
from direct_debit.application.notifications.inbound_ports import InboundCall, SnapReply
from direct_debit.application.ports.inbox import InboxKind
from direct_debit.entrypoint.check_credentials import read_credentials, read_receiver, read_signing
from direct_debit.entrypoint.doku_connection import DokuConnector
from direct_debit.entrypoint.inbound_keys import read_inbound_keys
from direct_debit.entrypoint.settings import KEY_OVERLAP, read_environment
from doku_snap.errors import ConnectionNotMade
from doku_snap.keys import load_private_key, load_public_key
from doku_snap.settings import ClientSettings
from doku_snap.transport import HttpAnswer, HttpRequest, Timeout
from tests.fakes.processes import BINDINGS, TRANSACTIONS, make_process
from tests.fakes.scanning import Scannable
from tests.fakes.secrets_manager import FakeSecretsManager, SeveralSecrets
from tests.fakes.world import PUBLIC_URL, BankTransport, WeatheredDynamoDb, World, vector_keys
from tools.deploy.public_routes import BINDING_NOTIFICATION, PAYMENT_NOTIFICATION, TOKEN
from tools.doku_simulator.notifications import Delivery, read_token
from tools.ops.outside import Outside
from tools.ops.stack_secret import one_secret, three_secrets
from tools.ops.system import System, read_pages
from tools.secret_fields import FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from direct_debit.application.ports.ports import Ports

SECRET_KEY = "SK-keyed-world"
DOKU_URL = "https://doku.example"

_KEYS = vector_keys()
_KINDS = {PAYMENT_NOTIFICATION: InboxKind.PAYMENT, BINDING_NOTIFICATION: InboxKind.BINDING}
_TOKEN_KEPT = (60.0, 840.0)  # s, drawn: of the 15 min for which DOKU may use a token of ours
_UNAUTHORIZED = 401


@dataclass(slots=True)
class Warm:
    """One warm environment of the functions: its copy of the secret, and what stands on it."""

    secret: CredentialSource[InboundSecret]
    ports: Ports
    door: Ports  # of those who take notifications: they seal with keys that are for that only, where there are some
    inbound: InboundDokuAdapter


@dataclass(slots=True)
class KeyedWorld(World):
    """`refused` counts who refused what: DOKU's calls at our doors, and ours at DOKU, by the response code."""

    environments: int = 6
    overlap: int = KEY_OVERLAP
    layout: Literal["one", "three"] = "one"
    changes: bool = False  # whether the secrets of both layouts are there
    secrets: FakeSecretsManager = field(init=False)
    parts: Mapping[str, FakeSecretsManager] = field(init=False)
    manager: SeveralSecrets = field(init=False)
    refused: Counter[str] = field(default_factory=Counter)
    unreachable: set[str] = field(default_factory=set)  # where nobody listens
    also_takes: str | None = None  # another secret key that DOKU takes on our calls, while it switches
    _fleet: list[Warm] = field(default_factory=list)
    _turn: int = 0
    _token: str | None = None
    _token_until: datetime | None = None
    _habits: Random = field(init=False)

    def __post_init__(self) -> None:
        World.__post_init__(self)
        self._habits = Random(self.seed)  # noqa: S311 - to be repeated
        self.secrets = FakeSecretsManager(self.clock)
        self.parts = {part: FakeSecretsManager(self.clock) for part in FIELDS}
        self.manager = SeveralSecrets({"secret": self.secrets, **self.parts})
        self.register(secret_key=SECRET_KEY, merchant_public_key=_KEYS["merchantPublicKeyPem"])
        self.sign_with(_KEYS["dokuPrivateKeyPkcs8Pem"])

    # --- DOKU's back office ------------------------------------------------------------------------------------------

    @property
    def client_id(self) -> str:
        """DOKU's name for the merchant."""
        return self.simulator.world.config.client_id

    @property
    def doku_public_key(self) -> str:
        """DOKU's own public key, as its back office shows it (PEM)."""
        return _KEYS["dokuPublicKeyPem"]

    def register(self, *, secret_key: str | None = None, merchant_public_key: str | None = None) -> None:
        """Let DOKU use another secret key, or take another public key of the merchant's."""
        if secret_key is not None:
            self.simulator.replace_secret_key(secret_key)
        if merchant_public_key is not None:
            key = load_public_key(merchant_public_key)
            self._configure(merchant_public_key=key, verify_asymmetric=True)

    def sign_with(self, private_key: str) -> None:
        """Let DOKU sign its requests for tokens with another key."""
        self._configure(doku_private_key=load_private_key(private_key), sign_asymmetric=True)
        self._token = None

    def _configure(self, **changes: object) -> None:
        self.simulator.world.config = replace(self.simulator.world.config, **changes)  # type: ignore[arg-type]  # names of its fields

    # --- the functions -----------------------------------------------------------------------------------------------

    def environment(self) -> Warm:
        """Return a warm environment, one after the other."""
        if not self._fleet:
            self._fleet = [self._start() for _ in range(self.environments)]
        self._turn += 1
        return self._fleet[self._turn % len(self._fleet)]

    def process(self) -> Ports:
        """Return the ports of a warm environment."""
        return self.environment().ports

    def _start(self) -> Warm:
        inbound: CredentialSource[InboundSecret]
        signing: CredentialSource[SigningSecret]
        data: CredentialSource[DataSecret]
        notices: CredentialSource[DataSecret]
        if self.layout == "one":
            whole = self._source("secret", read_credentials)
            inbound, signing, data, notices = whole, whole, whole, whole
        else:
            receiver = self._source("inbound", read_receiver)
            inbound, notices = receiver, receiver
            signing = self._source("signing", read_signing)
            data = self._source("data", parse_data)
        connect = DokuConnector(
            ClientSettings(base_url=DOKU_URL), signing, self.clock, _Counting(self), telemetry=self.telemetry
        )
        ports = make_process(
            WeatheredDynamoDb(self.meter or self.store, lambda: self.weather),
            connect,
            clock=self.clock,
            ids=self.ids,
            credentials=data,
            doubt_keys=signing.refresh,
            queues=self.queues,
            events=self.events,
            workflows=self.workflows,
            telemetry=self.telemetry,
            settings=self.settings,
        )
        adapter = InboundDokuAdapter(
            lambda previous: read_inbound_keys(inbound, previous=previous),
            self.clock,
            issuer=PUBLIC_URL,
            window_seconds=300,
            issuing_key=lambda: inbound.settled().issued_token_key,
            doubt_keys=inbound.refresh,
        )
        return Warm(inbound, ports, replace(ports, vault=AesGcmVault(notices, self.ids)), adapter)

    def _source[P: SecretPart](self, secret_id: str, read: Callable[[str], P]) -> SecretsManagerCredentials[P]:
        return SecretsManagerCredentials(
            self.manager.client,
            secret_id,
            self.clock,
            self.telemetry,
            read,
            overlap=timedelta(seconds=self.overlap),
        )

    # --- DOKU's calls ------------------------------------------------------------------------------------------------

    def receive(self, path: str, headers: Mapping[str, str], body: bytes) -> SnapReply:
        """Answer a call at one of DOKU's doors, as the functions behind them do."""
        warm = self.environment()
        call = InboundCall(path, {name.lower(): value for name, value in headers.items()}, body)
        route = path.removeprefix(urlsplit(PUBLIC_URL).path)
        try:
            if route == TOKEN:
                return warm.inbound.grant_token(call)
            command = warm.inbound.read_notification(_KINDS[route], call)
            accept_notification(command, warm.door)
            return warm.inbound.accept(_KINDS[route])
        except InvalidSignature as refusal:
            return warm.inbound.refuse(refusal)

    def deliver(self, delivery: Delivery, *, fresh: bool = True) -> None:  # noqa: ARG002 - DOKU's own time counts
        """Bring one notification as DOKU does: with a token that it asks for, and keeps while that lives."""
        status = self._notify(delivery)
        if status == _UNAUTHORIZED:
            self.refused["a call of DOKU's"] += 1
            self._token = None
        self.simulator.notifications.record_result(delivery, status)

    def _notify(self, delivery: Delivery) -> int:
        notifications = self.simulator.notifications
        now = self.clock.now()
        try:
            if self._token is None or self._token_until is None or now >= self._token_until:
                asked = notifications.build_token_request()
                granted = self.receive(asked.path, asked.headers, asked.body)
                self._token = read_token(granted.body.encode())
                if self._token is None:
                    return granted.status
                self._token_until = now + timedelta(seconds=self._habits.uniform(*_TOKEN_KEPT))
            request = notifications.build_notification(delivery, self._token)
            return self.receive(request.path, request.headers, request.body).status
        except DirectDebitError:
            return 500

    # --- the operator ------------------------------------------------------------------------------------------------

    def system(self) -> System:
        """Return the deployed system as the operator's tools find it; a pause of theirs moves the clock."""
        environment = read_environment(
            {
                "BINDINGS_TABLE": BINDINGS,
                "TRANSACTIONS_TABLE": TRANSACTIONS,
                "NOTIFICATION_QUEUE_URL": "notification",
                "REFUND_RETRY_QUEUE_URL": "refund",
                "STATUS_INQUIRY_QUEUE_URL": "inquiry",
                "STREAM_FAILURE_QUEUE_URL": "failure",
                "EVENT_BUS_NAME": "bus",
                "INBOUND_SECRET_ID": "secret" if self.layout == "one" else "inbound",
                "SIGNING_SECRET_ID": "secret" if self.layout == "one" else "signing",
                "DATA_SECRET_ID": "secret" if self.layout == "one" else "data",
                "DOKU_BASE_URL": DOKU_URL,
                "PUBLIC_BASE_URL": PUBLIC_URL,
                "KEY_OVERLAP_SECONDS": str(self.overlap),
            }
        )
        unused: object = None
        one = one_secret(self.manager.client, "secret")
        three = three_secrets(self.manager.client, {part: part for part in FIELDS})
        read, other = (one, three) if self.layout == "one" else (three, one)
        return System(
            name="keyed",
            environment=environment,
            ports=self._start().ports,
            store=Store(self.store, self.clock, self.ids),
            sqs=unused,  # type: ignore[arg-type]  # no command about the secret looks there
            queues={},
            invoke=lambda _, __: {},
            inquire_status="",
            publish_events="",
            secret=read,
            other_secret=other if self.changes else None,
            outside=Outside(_Everywhere(self), self.clock.sleep),
            pages=partial(read_pages, Scannable(self.store)),
        )


@dataclass(slots=True)
class _Counting:
    """The way of the functions to DOKU. Counts what DOKU does not take because of a key."""

    world: KeyedWorld

    def send(self, request: HttpRequest, timeout: Timeout) -> HttpAnswer:
        """See Transport.send."""
        world = self.world
        answer = self._send(request, timeout)
        if _is_refused(answer) and world.also_takes is not None:
            usual = world.simulator.world.config.secret_key
            world.register(secret_key=world.also_takes)
            answer = self._send(request, timeout)
            world.register(secret_key=usual)
        if _is_refused(answer):
            world.refused["a call of ours"] += 1
        return answer

    def _send(self, request: HttpRequest, timeout: Timeout) -> HttpAnswer:
        world = self.world
        return BankTransport(world.simulator, lambda: world.weather, lambda: world.bend).send(request, timeout)


def _is_refused(answer: HttpAnswer) -> bool:
    code = str(json.loads(answer.body).get("responseCode"))
    return code.startswith("401") and code.endswith("00")


@dataclass(slots=True)
class _Everywhere:
    """The way of the operator's machine to DOKU and to the public address."""

    world: KeyedWorld

    def send(self, request: HttpRequest, timeout: Timeout) -> HttpAnswer:
        """See Transport.send."""
        world = self.world
        if any(request.url.startswith(one) for one in world.unreachable):
            raise ConnectionNotMade("refused")
        if not request.url.startswith(PUBLIC_URL):
            answer = BankTransport(world.simulator, lambda: world.weather, lambda: world.bend).send(request, timeout)
            date = f"{world.simulator.now:%a, %d %b %Y %H:%M:%S GMT}"
            return HttpAnswer(answer.status, {**answer.headers, "date": date}, answer.body)
        reply = world.receive(urlsplit(request.url).path, request.headers, request.body)
        return HttpAnswer(reply.status, reply.headers, reply.body.encode())
