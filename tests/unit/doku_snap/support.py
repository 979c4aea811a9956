"""Shared by the signing layer's tests: the vectors' keys, a transport that records, builders."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from doku_snap.client import Call, DokuClient
from doku_snap.credentials import Credentials
from doku_snap.settings import ClientSettings
from doku_snap.tokens import TokenClient
from doku_snap.transport import HttpAnswer, HttpRequest, Timeout

VECTORS_FOLDER = Path(__file__).parents[2] / "vectors"
NOW = datetime(2024, 11, 19, 7, 15, tzinfo=UTC)
TIMEOUT = Timeout(connect=1, read=2)


@cache
def signature_vectors() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((VECTORS_FOLDER / "signature-vectors.json").read_text("utf-8"))
    return loaded


@cache
def samples() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((VECTORS_FOLDER / "doku-cimb-samples.json").read_text("utf-8"))
    operations: dict[str, Any] = loaded["operations"]
    return operations


def keys() -> dict[str, str]:
    found: dict[str, str] = signature_vectors()["keys"]
    return found


def credentials() -> Credentials:
    return Credentials(keys()["clientId"], keys()["secretKey"], keys()["merchantPrivateKeyPkcs8Pem"])


@dataclass
class RecordingTransport:
    """Keeps what was sent and gives the prepared answer."""

    answer: HttpAnswer
    sent: list[HttpRequest] = field(default_factory=list)

    def send(self, request: HttpRequest, timeout: Timeout) -> HttpAnswer:
        assert timeout == TIMEOUT
        self.sent.append(request)
        return self.answer


def json_answer(status: int, body: object) -> HttpAnswer:
    return HttpAnswer(status, {"content-type": "application/json"}, json.dumps(body).encode())


def client(
    transport: RecordingTransport, settings: ClientSettings | None = None, clock: Callable[[], datetime] = lambda: NOW
) -> DokuClient:
    return DokuClient(credentials(), settings or ClientSettings(), transport, clock)


def token_client(
    transport: RecordingTransport, settings: ClientSettings | None = None, clock: Callable[[], datetime] = lambda: NOW
) -> TokenClient:
    return TokenClient(credentials(), settings or ClientSettings(), transport, clock)


def call(
    *,
    external_id: str = "20241119071500000000000001",
    customer_token: str | None = None,
    device_id: str | None = None,
    ip_address: str | None = None,
) -> Call:
    return Call(
        b2b_token=keys()["b2bAccessToken"],
        external_id=external_id,
        timeout=TIMEOUT,
        customer_token=customer_token,
        device_id=device_id,
        ip_address=ip_address,
    )


def hmac_sha512_by_hand(secret: str, text: str) -> str:
    """RFC 2104 written out, to check the product against something that is not itself."""
    key = secret.encode()
    key = (hashlib.sha512(key).digest() if len(key) > 128 else key).ljust(128, b"\0")
    inner = hashlib.sha512(bytes(b ^ 0x36 for b in key) + text.encode()).digest()
    return base64.b64encode(hashlib.sha512(bytes(b ^ 0x5C for b in key) + inner).digest()).decode()
