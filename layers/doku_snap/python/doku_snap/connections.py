"""Connections that keep to the time limits of the exchange they serve, and are not used again after a pause.

Every wait on a socket, in either direction, gets what is left of the exchange's time. So no peer can prolong an answer
by sending or reading bit by bit, and no alarm is needed that could hit a connection which serves somebody else by now.
"""

import http.client
import io
import socket
import ssl
from collections.abc import Buffer
from typing import TYPE_CHECKING, Any

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from doku_snap.connecting import open_connection
from doku_snap.exchange import Exchange, current_exchange

if TYPE_CHECKING:
    from requests.adapters import _HostParams, _PoolKwargs

# Longer pauses lie between invocations of a Lambda function, which is frozen meanwhile: nobody saw the peer hang up.
MOST_IDLE_SECONDS = 4.0
_MOST_INTERIM_ANSWERS = 20
_INTERIM = frozenset(range(100, 200)) - {http.client.SWITCHING_PROTOCOLS}


class NotConnected(HTTPError):
    """There is no connection; `reason` names the error. The libraries let it through as it is."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TimedAdapter(HTTPAdapter):
    """The adapter of `requests` over these connections. Use it within `under_way`, and repeat nothing.

    `tls` verifies each of them. By itself the library reads the whole list of authorities for each new connection,
    which takes longer than all else of a payment, and a shop with one payment a minute has a new connection for each.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  the library's own signature
        """See HTTPAdapter.init_poolmanager."""
        super().init_poolmanager(*args, **kwargs, ssl_context=self._tls)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def build_connection_pool_key_attributes(
        self,
        request: PreparedRequest,
        verify: bool | str,
        cert: str | tuple[str, str] | None = None,
    ) -> "tuple[_HostParams, _PoolKwargs]":
        """See HTTPAdapter.build_connection_pool_key_attributes: the authorities are in the context already."""
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"cert_reqs": "CERT_REQUIRED"}

    def cert_verify(self, *_: object) -> None:
        """See HTTPAdapter.cert_verify: the context does it."""


class _TimedReader(io.RawIOBase):
    """Reads a socket while the exchange has time left."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, exchange: Exchange) -> None:
        self._raw = raw
        self._sock = sock
        self._exchange = exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int | None:
        self._sock.settimeout(self._exchange.seconds_to_answer())
        count = self._raw.readinto(buffer)
        self._exchange.hear()
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer that is read while the exchange has time left; interim answers before it are skipped."""

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self._exchange = current_exchange()
        self.fp = io.BufferedReader(_TimedReader(self.fp.detach(), sock, self._exchange))

    def _read_status(self) -> tuple[str, int, str]:
        # The base class skips 100 only, as often as it comes, and has no public place for more.
        for _ in range(_MOST_INTERIM_ANSWERS + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc]  # http.client has no types for it
            if status not in _INTERIM:
                self._exchange.status = status
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException("too many interim answers")


class _Connection(HTTPConnection):
    response_class = _Answer
    _served: Exchange | None = None  # the last exchange; it knows when the peer was last heard
    _head: bytes | None = None
    _body_follows = False

    @property
    def is_connected(self) -> bool:
        """Whether the next request may go out here; urllib3 asks this of kept connections, and replaces them."""
        rested = self._served is not None and self._served.seconds_since_heard() > MOST_IDLE_SECONDS
        return not rested and super().is_connected

    def connect(self) -> None:
        try:
            super().connect()
        except (HTTPError, OSError, ValueError) as error:
            raise NotConnected(type(error).__name__) from None

    def _new_conn(self) -> socket.socket:
        return open_connection(self.host.strip("[]"), self.port, current_exchange().seconds_to_connect)

    def request(self, method: str, url: str, body: Any = None, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  urllib3's
        """Send a request in one piece, head and body: urllib3 sends two, each a system call and a TLS record."""
        self._head, self._body_follows = None, bool(body)
        super().request(method, url, body, *args, **kwargs)

    def send(self, data: object) -> None:
        if not isinstance(data, bytes):
            raise TypeError("only bytes are sent")
        if self._body_follows:
            self._head, self._body_follows = data, False
            return
        data, self._head = (self._head or b"") + data, None
        if self.sock is None:
            self.connect()
        self._served = current_exchange()
        self.sock.settimeout(self._served.seconds_to_answer())
        super().send(data)


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection
