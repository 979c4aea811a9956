"""Kept connections that are handed a whole request, and return a whole answer.

urllib3 makes, keeps, verifies and replaces them; its way of writing a request header by header in two pieces, and of
reading an answer in parts, takes longer than the exchange itself (decision 0064).
"""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

import urllib3
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from urllib3.connection import HTTPConnection


class Headers(Protocol):
    """The headers of an answer."""

    def get(self, name: str, failobj: str, /) -> str:
        """Return a header's value, whatever case its name has; `failobj` where there is none."""
        ...


class HttpAnswer(NamedTuple):
    """An answer, complete."""

    status: int
    headers: Headers
    body: bytes


class Connections:
    """The pools of one process, by host; threads may share them."""

    def __init__(self, *, kept: int, timeout: urllib3.Timeout, tls: ssl.SSLContext | None) -> None:
        self._manager = urllib3.PoolManager(maxsize=kept, timeout=timeout, ssl_context=tls)
        self._manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def find_pool(self, url: str) -> ConnectionPool:
        """Return the connections to the host of a URL."""
        return self._manager.connection_from_url(url)  # type: ignore[return-value]  # one of the classes below


class _Pool(HTTPConnectionPool):
    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Send a POST in one piece and return the complete answer, whatever its status.

        `headers` have the `host`; each wait for the peer lasts as long as the pool's timeouts say. Raises urllib3's
        errors where there is no connection, and OSError (TimeoutError and ssl.SSLError among them), HTTPException or
        ValueError (a line break in a header) for what goes wrong then.
        """
        request = _write_request(path, headers, body)
        connection = cast("HTTPConnection", self._get_conn())
        stays = False
        try:
            if connection.is_closed:
                connection.connect()
                connection.sock.settimeout(self.timeout.read_timeout)
            connection.sock.sendall(request)
            answer = http.client.HTTPResponse(connection.sock, method="POST")
            try:
                answer.begin()
                content = answer.read()
            finally:
                answer.close()
            stays = not answer.will_close
        finally:
            if not stays:
                connection.close()
            self._put_conn(connection)
        return HttpAnswer(answer.status, answer.headers, content)


class _TlsPool(_Pool, HTTPSConnectionPool):
    pass


type ConnectionPool = _Pool


def _write_request(path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"POST {path} HTTP/1.1", *[f"{name}: {value}" for name, value in headers.items()]]
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
        raise ValueError("a header with a line break")
    return f"{head}\r\nAccept-Encoding: identity\r\nContent-Length: {len(body)}\r\n\r\n".encode("latin-1") + body
