"""A simulator in its own process, and a merchant that speaks to it over loopback."""

import base64
import hashlib
import hmac
import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.patience import PATIENCE_SECONDS
from tests.unit.doku_simulator.merchant import CLIENT_ID, SECRET, Clock, Signer, rsa_key
from tools.doku_simulator.records import SimulatedResponse
from tools.doku_simulator.signing import private_pem, public_pem

ISSUED_TOKEN = "token-issued-by-the-merchant"


@dataclass
class HttpMerchant(Signer):
    """Sends its requests to a running simulator; raises what the client library raises when no answer comes."""

    url: str = field(kw_only=True)
    # Waits for what has to happen between sending a request and giving up on its answer.
    gives_up_after: Callable[[], None] | None = None

    def handle(self, method: str, target: str, headers: dict[str, str], body: bytes) -> SimulatedResponse:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, target, body or None, headers)
            if self.gives_up_after is not None:
                self.gives_up_after()
                connection.sock.settimeout(0.2)
            response = connection.getresponse()
            content = response.read()
            found = {name.lower(): value for name, value in response.getheaders()}
            return SimulatedResponse(response.status, found, content)
        finally:
            connection.close()

    def control(self, path: str, document: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        """GET (or, with a document, POST) a control path and return its JSON answer."""
        body = b"" if document is None else json.dumps(document).encode()
        answer = self.handle("GET" if document is None else "POST", f"/_control/{path}", {}, body)
        return {**json.loads(answer.body), "_status": answer.status}

    def link_account(self, customer: str = "CUST-1", phone: str = "62857957868761") -> str:
        bound = json.loads(self.bind(customer, phone).body)
        code = bound["additionalInfo"]["authCode"]
        assert self.control(f"bindings/{code}/complete", {})["linked"]
        return self.exchange(code)


def answered(response: SimulatedResponse) -> str:
    """The response code in the body; over HTTP the core's own `code` is not known."""
    return str(json.loads(response.body)["responseCode"])


def configuration(**changes: object) -> dict[str, object]:
    return {
        "clientId": CLIENT_ID,
        "secretKey": SECRET,
        "merchantPublicKey": public_pem(rsa_key("merchant").public_key()),
        "dokuPrivateKey": private_pem(rsa_key("doku")),
        "notificationDelay": 0.05,
    } | changes


@contextmanager
def running_simulator(folder: Path, **changes: object) -> Iterator[HttpMerchant]:
    """Start a simulator on a free port; it is gone when the block ends."""
    config, port_file = folder / "config.json", folder / "port"
    config.write_text(json.dumps(configuration(**changes)))
    command = [sys.executable, "-m", "tools.doku_simulator", "--config", str(config), "--port-file", str(port_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield HttpMerchant(Clock(datetime.now(UTC)), url=f"http://127.0.0.1:{port_file.read_text().strip()}")
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_SECONDS)


@dataclass
class Received:
    """One notification as the merchant got it."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    authentic: bool


class Receiver:
    """The merchant's side of notifications: verifies RSA and HMAC by itself, answers as told."""

    def __init__(self) -> None:
        self.received: Queue[Received] = Queue()
        self.answers: list[int] = []
        self.tokens_asked = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, document = receiver.answer(self.path, headers, body)
                content = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def endpoints(self) -> dict[str, Any]:
        return {
            "tokenUrl": f"{self.url}/doku/authorization/v1/access-token/b2b",
            "notifyUrl": f"{self.url}/doku/v1.0/debit/notify",
            "bindingNotifyUrl": f"{self.url}/doku/v1.0/registration-account-binding/notify",
        }

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, object]]:
        if path.endswith("/b2b"):
            self.tokens_asked += 1
            if not _signed_by_doku(headers):
                return 401, {"responseCode": "4017300"}
            return 200, {"responseCode": "2007300", "accessToken": ISSUED_TOKEN, "expiresIn": 900}
        digest = hashlib.sha256(body).hexdigest()
        text = f"POST:{path}:{ISSUED_TOKEN}:{digest}:{headers['x-timestamp']}"
        expected = base64.b64encode(hmac.digest(SECRET.encode(), text.encode(), "sha512")).decode()
        authentic = headers.get("x-signature") == expected and headers["authorization"] == f"Bearer {ISSUED_TOKEN}"
        self.received.put(Received(path, json.loads(body), headers, authentic))
        if not authentic:
            return 401, {"responseCode": "4015600"}
        return (self.answers.pop(0) if self.answers else 200), {"responseCode": "2005600"}

    def next(self) -> Received:
        return self.received.get(timeout=PATIENCE_SECONDS)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _signed_by_doku(headers: dict[str, str]) -> bool:
    text = f"{headers['x-client-key']}|{headers['x-timestamp']}".encode()
    try:
        rsa_key("doku").public_key().verify(
            base64.b64decode(headers["x-signature"]), text, padding.PKCS1v15(), hashes.SHA256()
        )
    except InvalidSignature:
        return False
    return True
