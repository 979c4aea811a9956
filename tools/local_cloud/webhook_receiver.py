"""The merchant's receiver of webhooks, on this machine: verifies by the convention's public library and remembers.

As small as an integrator's own could be. `GET /` shows what came, newest last; the key is in the answer of `GET /key`,
since everything here is thrown away.
"""

import base64
import contextlib
import json
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from tools.local_cloud.processes import LOOPBACK

PATH = "/webhooks"
_LONGEST_BODY = 256 * 1024
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Received:
    """A webhook whose signature was right."""

    id: str
    body: Any  # JSON

    @property
    def name(self) -> str:
        """Which event it is."""
        return str(self.body["type"])

    @property
    def data(self) -> Any:  # noqa: ANN401 - JSON
        """The event's members."""
        return self.body["data"]


@dataclass(slots=True)
class WebhookReceiver:
    """What runs: where it is, its key (`whsec_…`), and what it took, repetitions included."""

    url: str
    key: str = field(repr=False)
    received: list[Received] = field(default_factory=list)
    refused: int = 0
    forged: int = 0
    held: int = 0
    _status: int = HTTPStatus.NO_CONTENT
    _free: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._free.set()

    def answer_with(self, status: int) -> None:
        """Answer like this from now on; what is not answered with 2xx is not taken."""
        self._status = status

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """Answer nobody while the block lasts; `held` counts who waits or has waited."""
        self._free.clear()
        try:
            yield
        finally:
            self._free.set()

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Verify and remember a webhook; return the status to answer with."""
        if not self._free.is_set():
            self.held += 1
            self._free.wait()
        try:
            content = Webhook(self.key).verify(body, headers)
        except WebhookVerificationError:
            self.forged += 1
            return HTTPStatus.UNAUTHORIZED
        if self._status >= HTTPStatus.MULTIPLE_CHOICES:
            self.refused += 1
            return self._status
        self.received.append(Received({name.lower(): value for name, value in headers.items()}["webhook-id"], content))
        return self._status

    def of(self, subject: str) -> list[Received]:
        """What came about a payment or a link, each event once."""
        by_id = {one.id: one for one in self.received if subject in one.data.values()}
        return list(by_id.values())


def new_key() -> str:
    """Return a new key as the convention writes one."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


@contextlib.contextmanager
def webhook_receiver(port: int = 0, key: str | None = None) -> Iterator[WebhookReceiver]:
    """Run a receiver on this machine until the block ends; on any port and with a new key unless given."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            if self.path != PATH or length > _LONGEST_BODY:
                self._answer(HTTPStatus.NOT_FOUND)
                return
            self._answer(receiver.take(dict(self.headers.items()), self.rfile.read(length)))

        def do_GET(self) -> None:
            shown: object = {"key": receiver.key} if self.path == "/key" else [one.body for one in receiver.received]
            self._answer(HTTPStatus.OK, json.dumps(shown, indent=1).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing: this is `make run`'s terminal."""

        def _answer(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            if body:
                self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer((LOOPBACK, port), Handler)
    server.daemon_threads = True
    receiver = WebhookReceiver(f"http://{LOOPBACK}:{server.server_port}{PATH}", key or new_key())
    threading.Thread(target=server.serve_forever, name="webhook receiver", daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
