"""A proxy between a client and the API that loses answers, or throttles, when it is told to.

Told by Python (`proxy.next`), or by `POST /_next {"what": "lose", "count": 1, "path": "/otp"}` for clients in other
languages: so often, for writes whose path ends so.
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

from tests.patience import PATIENCE_SECONDS

What = Literal["lose", "throttle"]
_CONTROL = "/_next"


@dataclass
class LosingProxy:
    """`url`: the API, by this proxy. Signatures stay right, since the host that was signed is passed on."""

    url: str = ""
    _plan: list[tuple[What, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, what: What, *, path: str, count: int = 1) -> None:
        """`lose`: the next answers to writes whose path ends so, once the request has gone through; `throttle`: 429."""
        with self._lock:
            self._plan += [(what, path)] * count

    def take(self, method: str, path: str) -> What | None:
        """What happens to this request, once."""
        with self._lock:
            for entry in self._plan:
                if method != "GET" and path.endswith(entry[1]):
                    self._plan.remove(entry)
                    return entry[0]
        return None

    @property
    def is_idle(self) -> bool:
        """Whether all that was told has happened."""
        return not self._plan


@contextlib.contextmanager
def losing_proxy(api_url: str) -> Iterator[LosingProxy]:
    """Serve on a free port of the loopback until the block ends."""
    proxy = LosingProxy()
    api = urlsplit(api_url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.path == _CONTROL:
                told = json.loads(body)
                proxy.next(told["what"], path=told["path"], count=told.get("count", 1))
                self._answer(HTTPStatus.NO_CONTENT, {}, b"")
                return
            what = proxy.take(self.command, urlsplit(self.path).path)
            if what == "throttle":
                self._answer(HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "1"}, b'{"message": "Too Many Requests"}')
                return
            upstream = HTTPConnection(api.hostname or "", api.port, timeout=PATIENCE_SECONDS)
            try:
                headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
                upstream.request(self.command, self.path, body or None, headers)
                answer = upstream.getresponse()
                content = answer.read()
            finally:
                upstream.close()
            if what == "lose":
                self.close_connection = True  # nothing is written: the client sees a closed connection
                return
            self._answer(answer.status, dict(answer.getheaders()), content)

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - the library's names

        def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                    self.send_header(name, value)
            if status != HTTPStatus.NO_CONTENT:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{server.server_port}{api.path}"
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        serving.join()
