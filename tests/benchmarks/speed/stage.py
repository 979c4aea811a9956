"""AWS and DOKU as one process of their own, so that their work is not counted for the functions.

python -m tests.benchmarks.speed.stage FOLDER CPU

AWS speaks HTTP on the loopback, DOKU HTTPS with an authority of its own (FOLDER/authority.pem). What is the merchant's
has a path there: the issuer's keys at AWS's address, the receiver of webhooks at DOKU's. It prints one line of
JSON, `{"aws": url, "doku": url, "authority": file}`, and serves until its standard input ends. `POST /control/...` at
AWS's address directs it: `prepare` a scene, read the `recording` since then. A request with the header X-Replay gets
the answer of the recorded call with that number again, whatever is stored by now.
"""

import json
import os
import ssl
import sys
import threading
import time
import traceback
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from moto import mock_aws

from tests.benchmarks.speed.aws import Aws, Document
from tests.benchmarks.speed.merchant import JWKS_PATH, WEBHOOK_PATH, issuer
from tests.benchmarks.speed.moto_tables import MotoTables
from tests.benchmarks.speed.recording import Call, kept_headers, write_calls
from tests.benchmarks.speed.scenes import prepare
from tests.benchmarks.speed.tls import make_identity
from tests.fakes.world import World

REPLAY = "X-Replay"


class _Play:
    """A world, and AWS over its tables or over moto's, which begin with the same items."""

    def __init__(self, world: World, moto_region: str = "") -> None:
        def ask_memory(method: str, request: Document) -> Mapping[str, object]:
            call: Callable[..., Mapping[str, object]] = getattr(world.store, method)
            return call(**request)

        self.world = world
        self.aws = Aws(MotoTables(world.store, moto_region).ask if moto_region else ask_memory)


@dataclass(slots=True)
class Stage:
    """The world that is played, and what was asked of it. One request at a time."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    calls: list[Call] = field(default_factory=list)
    _kept: dict[str, _Play] = field(default_factory=dict)
    _play: _Play = field(default_factory=lambda: _Play(World()))

    def direct(self, action: str, document: Mapping[str, object]) -> object:
        """Do what the benchmark asks for.

        prepare: play a new world with `stored` payments; the answer are the `function`'s events in it. With a name to
        `keep`, it is played again when `play` names it. With a region of `moto`, its tables are moto's from now on.
        recording: the calls since the last preparation.
        """
        if action == "recording":
            return write_calls(self.calls)
        if action == "play":
            self._play = self._kept[str(document["name"])]
            return None
        if action != "prepare":
            raise KeyError(action)
        function, count, stored = (str(document[name]) for name in ("function", "count", "stored"))
        scene = prepare(function, int(count), int(stored))
        self._play = _Play(scene.world, str(document["moto"]))
        if document["keep"]:
            self._kept[str(document["keep"])] = self._play
            self._share_tokens()
        self.calls = []
        return list(scene.events)

    def _share_tokens(self) -> None:
        """Let each kept world's DOKU take the merchant's token of every other: a function remembers one for all."""
        worlds = [play.world for play in self._kept.values()]
        tokens = [token for world in worlds for token in world.simulator.world.b2b_tokens]
        for world in worlds:
            for token in tokens:
                world.simulator.install_b2b_token(token)

    def ask_aws(self, target: str, body: bytes) -> Call:
        """Answer a request to AWS, and record it."""
        answer = self._play.aws.answer(target, body)
        call = Call("aws", target, {}, body.decode(), answer.status, {}, answer.body.decode(), time.monotonic())
        self.calls.append(call)
        return call

    def tell_merchant(self, headers: Mapping[str, str], body: bytes) -> Call:
        """Take a webhook, and record it."""
        call = Call("merchant", WEBHOOK_PATH, kept_headers(headers), body.decode(), 200, {}, "{}", time.monotonic())
        self.calls.append(call)
        return call

    def ask_doku(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Call:
        """Answer a request to DOKU, and record it."""
        answer = self._play.world.simulator.handle(method, path, headers, body)
        call = Call(
            *("doku", path, kept_headers(headers), body.decode(), answer.status),
            *(answer.headers, answer.body.decode(), time.monotonic()),
        )
        self.calls.append(call)
        return call


class _Handler(BaseHTTPRequestHandler):
    """What both servers share: connections that stay open, and answers in one piece."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    stage: Stage

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _replayed(self) -> Call | None:
        number = self.headers.get(REPLAY)
        return None if number is None else self.stage.calls[int(number)]

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class _AwsHandler(_Handler):
    def do_GET(self) -> None:
        known = self.path == JWKS_PATH
        body = json.dumps(issuer().publish()).encode() if known else b""
        self._answer(200 if known else 404, {"Content-Type": "application/json"}, body)

    def do_POST(self) -> None:
        body = self._body()
        if self.path.startswith("/control/"):
            self._direct(self.path.removeprefix("/control/"), json.loads(body))
            return
        with self.stage.lock:
            call = self._replayed() or self.stage.ask_aws(self.headers["X-Amz-Target"], body)
        content = call.answer.encode()
        headers = {
            "Content-Type": self.headers["Content-Type"],
            "x-amzn-RequestId": "4KBNVRGD25RG1KEO9UT4V3FQDJVV4KQNSO5AEMVJF66Q9ASUAAJG",
        }
        if call.target.startswith("DynamoDB"):
            headers["x-amz-crc32"] = str(zlib.crc32(content))
        self._answer(call.status, headers, content)

    def _direct(self, action: str, document: Mapping[str, object]) -> None:
        status = 200
        with self.stage.lock:
            try:
                answer: object = self.stage.direct(action, document)
            except Exception:  # noqa: BLE001 - whoever directs hears of it
                status, answer = 500, traceback.format_exc()
        self._answer(status, {"Content-Type": "application/json"}, json.dumps(answer).encode())


class _DokuHandler(_Handler):
    def do_POST(self) -> None:
        body = self._body()
        headers = dict(self.headers.items())
        with self.stage.lock:
            if self.path == WEBHOOK_PATH:
                call = self._replayed() or self.stage.tell_merchant(headers, body)
            else:
                call = self._replayed() or self.stage.ask_doku("POST", self.path, headers, body)
        self._answer(call.status, call.answer_headers, call.answer.encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - not its address
        """Say only what broke: a client that does not trust us, or goes, is not worth a page of text."""
        sys.stderr.write(f"stage: {sys.exc_info()[1]!r}\n")


def serve(folder: Path, cpu: int) -> None:
    """Serve until the standard input ends, on one processor."""
    os.sched_setaffinity(0, {cpu})
    identity = make_identity(folder)
    stage = Stage()
    aws = _Server(("127.0.0.1", 0), type("AwsHandler", (_AwsHandler,), {"stage": stage}))
    doku = _Server(("127.0.0.1", 0), type("DokuHandler", (_DokuHandler,), {"stage": stage}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.certificate, identity.key)
    doku.socket = context.wrap_socket(doku.socket, server_side=True, do_handshake_on_connect=False)
    for server in (aws, doku):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    mock_aws().start()  # for MotoTables; nothing else here calls AWS
    places = {
        "aws": f"http://127.0.0.1:{aws.server_address[1]}",
        "doku": f"https://127.0.0.1:{doku.server_address[1]}",
        "authority": str(identity.authority),
    }
    sys.stdout.write(json.dumps(places) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
