"""HTTP to DOKU: one request, one answer, and a clear word on what is known when there is none."""

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, IncompleteRead, ReadTimeoutError

from doku_snap.errors import AnswerLost, ConnectionNotMade, InvalidSetting

MAX_BODY_BYTES = 1024 * 1024
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it goes out; `body` are the signed bytes. Headers and body stay out of the repr."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer as it came in, complete; header names are lower case. Headers and body stay out of the repr."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Timeout:
    """Seconds to connect (with TLS), and from then for the whole answer. Raises InvalidSetting unless positive."""

    connect: float
    read: float

    def __post_init__(self) -> None:
        if self.connect <= 0 or self.read <= 0:
            raise InvalidSetting("timeout", "must be positive")


class Transport(Protocol):
    """Sends one request."""

    def send(self, request: HttpRequest, timeout: Timeout) -> HttpAnswer:
        """Send once and return the complete answer, whatever its status.

        Raises ConnectionNotMade when surely nothing was sent, AnswerLost when that is not sure.
        """
        ...


class RequestsTransport:
    """The transport over a kept-alive `requests` session.

    Verifies TLS, follows no redirect, repeats nothing, takes no proxy, netrc or cookie from its surroundings, reads at
    most 1 MiB, and gives up when the answer is not complete within `timeout.read` of the connection being there.
    """

    def __init__(self, ca_bundle: str | None = None) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        if ca_bundle is not None and not Path(ca_bundle).is_file():
            raise InvalidSetting("ca_bundle", "is not a file")
        self._session.verify = ca_bundle or True
        adapter = _Adapter(max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def send(self, request: HttpRequest, timeout: Timeout) -> HttpAnswer:
        """See Transport.send."""
        headers = {"Accept-Encoding": "identity", **request.headers}
        try:
            prepared = requests.Request(request.method, request.url, headers=headers, data=request.body).prepare()
        except (requests.RequestException, UnicodeError):
            raise ConnectionNotMade("the request cannot be written") from None
        response: requests.Response | None = None
        started = time.monotonic()
        try:
            response = self._session.send(
                prepared, stream=True, allow_redirects=False, timeout=(timeout.connect, timeout.read)
            )
            deadline = max(started, _connected_at(response.raw)) + timeout.read
            body = _read_body(response.raw, response.status_code, deadline)
            return HttpAnswer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, body)
        except _NotConnected as error:
            raise ConnectionNotMade(error.reason) from None
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema):
            raise ConnectionNotMade("the URL cannot be used") from None
        except (requests.RequestException, HTTPError, http.client.HTTPException, OSError) as error:
            # The library's errors quote the URL and sometimes the answer; the kind says enough.
            status = None if response is None else response.status_code
            raise AnswerLost(_kind(error), status) from None
        finally:
            if response is not None:
                response.close()

    def close(self) -> None:
        """Close the kept connections."""
        self._session.close()


def _read_body(raw: BaseHTTPResponse, status: int, deadline: float) -> bytes:
    """Read all of the body; the socket is shut when time is up, so that no trickle of bytes can hold us."""
    pieces: list[bytes] = []
    size = 0
    alarm = threading.Timer(max(0.0, deadline - time.monotonic()), _shut, (raw,))
    alarm.daemon = True
    alarm.start()
    try:
        while piece := raw.read1(_PIECE, decode_content=False):
            size += len(piece)
            if size > MAX_BODY_BYTES:
                raise AnswerLost("too_large", status)
            if time.monotonic() >= deadline:
                raise AnswerLost("timeout", status)
            pieces.append(piece)
    except (HTTPError, OSError):
        if time.monotonic() >= deadline:
            raise AnswerLost("timeout", status) from None
        raise
    finally:
        alarm.cancel()
    if time.monotonic() >= deadline:
        # A body without a length ends where the alarm cut it: that is not its end.
        raise AnswerLost("timeout", status)
    return b"".join(pieces)


def _shut(raw: BaseHTTPResponse) -> None:
    with contextlib.suppress(ValueError, RuntimeError, OSError):  # read to the end, or closed, in the meantime
        raw.shutdown()


def _kind(error: Exception) -> str:
    """Name what went wrong after the connection was there, from the error and the errors it was made of."""
    causes = list(_causes(error))
    for kind, types in _KINDS:
        if any(isinstance(cause, types) for cause in causes):
            return kind
    return "reset"


# Order matters: RemoteDisconnected is a reset although it is a kind of BadStatusLine too.
_KINDS: tuple[tuple[str, tuple[type[BaseException], ...]], ...] = (
    ("timeout", (TimeoutError, ReadTimeoutError, requests.Timeout)),
    ("truncated", (IncompleteRead, http.client.IncompleteRead)),
    ("reset", (ConnectionError,)),
    ("unparsable", (http.client.HTTPException,)),
)


def _causes(error: BaseException) -> Iterator[BaseException]:
    pending: list[BaseException] = [error]
    seen: set[int] = set()
    while pending:
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        links = (current.__cause__, current.__context__, *current.args)
        pending.extend(link for link in links if isinstance(link, BaseException))


class _NotConnected(HTTPError):
    """Raised only while connecting; the libraries let it through as it is, so it proves that nothing was sent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _HTTPConnection(HTTPConnection):
    connected_at = 0.0

    def connect(self) -> None:
        try:
            super().connect()
        except (HTTPError, OSError, ValueError) as error:
            raise _NotConnected(type(error).__name__) from None
        self.connected_at = time.monotonic()


class _HTTPSConnection(HTTPSConnection):
    connected_at = 0.0

    def connect(self) -> None:
        try:
            super().connect()
        except (HTTPError, OSError, ValueError) as error:
            raise _NotConnected(type(error).__name__) from None
        self.connected_at = time.monotonic()


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  the library's own signature
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


def _connected_at(raw: BaseHTTPResponse) -> float:
    connection = raw.connection
    return connection.connected_at if isinstance(connection, _HTTPConnection | _HTTPSConnection) else 0.0
