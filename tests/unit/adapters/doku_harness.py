"""The real adapter and signing layer over a transport whose answers are written down."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from direct_debit.adapters.doku import WORKER_READ_SECONDS, DokuAdapter, DokuConnection
from direct_debit.application.deadline import Deadline
from direct_debit.application.ports.doku import DokuCall
from direct_debit.application.return_pages import ReturnPages
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.money import Amount
from direct_debit.domain.payment import Payment
from direct_debit.domain.refund import Refund
from doku_snap.client import DokuClient
from doku_snap.credentials import Credentials
from doku_snap.settings import ClientSettings
from doku_snap.tokens import TokenClient
from doku_snap.transport import HttpAnswer, HttpRequest, Timeout
from tests.fakes.clock import FakeClock
from tests.fakes.telemetry import RecordingTelemetry

NOW = datetime(2026, 8, 1, 7, 15, tzinfo=UTC)
KEYS = json.loads(Path("tests/vectors/signature-vectors.json").read_text(encoding="utf-8"))["keys"]


@dataclass
class ScriptedTransport:
    """Answers with what `respond` returns or raises; remembers what was sent."""

    respond: Callable[[HttpRequest], HttpAnswer]
    sent: list[tuple[HttpRequest, Timeout]] = field(default_factory=list)

    def send(self, request: HttpRequest, timeout: Timeout) -> HttpAnswer:
        """Remember and answer."""
        self.sent.append((request, timeout))
        return self.respond(request)


def answer(status: int, body: object) -> Callable[[HttpRequest], HttpAnswer]:
    """A transport's script: this JSON, always."""
    return lambda _: HttpAnswer(status, {}, json.dumps(body).encode())


def lose(error: Exception) -> Callable[[HttpRequest], HttpAnswer]:
    """A transport's script: this error, always."""

    def fail(_: HttpRequest) -> HttpAnswer:
        raise error

    return fail


def make(
    respond: Callable[[HttpRequest], HttpAnswer],
    *,
    read_seconds: float = WORKER_READ_SECONDS,
    clock: FakeClock | None = None,
    doubt_keys: Callable[[], object] = lambda: None,
    telemetry: RecordingTelemetry | None = None,
) -> tuple[DokuAdapter, ScriptedTransport]:
    """The adapter under test and its transport."""
    transport = ScriptedTransport(respond)
    clock = FakeClock(NOW)
    credentials = Credentials(KEYS["clientId"], KEYS["secretKey"], KEYS["merchantPrivateKeyPkcs8Pem"])
    settings = ClientSettings()
    connection = DokuConnection(
        DokuClient(credentials, settings, transport, clock.now),
        TokenClient(credentials, settings, transport, clock.now),
    )
    adapter = DokuAdapter(
        lambda: connection,
        clock,
        telemetry or RecordingTelemetry(),
        read_seconds=read_seconds,
        doubt_keys=doubt_keys,
    )
    return adapter, transport


def deadline(seconds: float = 28.0) -> Deadline:
    """So much time is left."""
    return Deadline(NOW + timedelta(seconds=seconds))


def doku_call(seconds: float = 28.0) -> DokuCall:
    """What a call carries."""
    return DokuCall(
        b2b_token="b2b-token",
        external_id="20260801071500123456789012",
        deadline=deadline(seconds),
        customer_token="customer-token",
        device_id="device1",
        ip_address="203.0.113.7",
    )


PAGES = ReturnPages("https://shop.example/paid", "https://shop.example/failed")


def payment(*, with_refund: bool = False) -> Payment:
    """A payment as recorded."""
    evidence = Evidence(EvidenceSource.CALLER, NOW)
    refund = Refund(
        number="RFD000000001", reason="Customer complain", request_hash="h", requested_at=NOW, evidence=evidence
    )
    return Payment(
        ref="INV000000001",
        binding_id="b" * 32,
        customer_id="CUST-1",
        amount=Amount.parse("10000.00"),
        remarks="Order 4711",
        request_hash="hash",
        created_at=NOW,
        updated_at=NOW,
        external_id="20260801071400123456789012",
        attempt="a1",
        sent_at=NOW,
        evidence=evidence,
        refund=refund if with_refund else None,
    )
