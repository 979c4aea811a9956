"""HTTP to DOKU: one request, one answer, and a clear word on what is known when there is none."""

import http.client
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import certifi
import requests
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError, IncompleteRead, LocationParseError, ReadTimeoutError

from doku_snap.connections import NotConnected, TimedAdapter
from doku_snap.content_encoding import BrokenEncoding, decode_content
from doku_snap.errors import AnswerLost, ConnectionNotMade, InvalidMessage, InvalidSetting
from doku_snap.exchange import Clocks, Exchange, under_way

MAX_BODY_BYTES = 1024 * 1024
_PIECE = 64 * 1024
_URLS = 32
_METHOD = re.compile(r"[A-Z]{1,16}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"([!-~]([\t -~]*[!-~])?)?")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it goes out; `body` are the signed bytes. Headers and body stay out of the repr."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer as it came in, complete; header names are lower case. Headers and body stay out of the repr.

    `body` is decoded, if it came with a `Content-Encoding` although none was asked for.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Timeout:
    """Seconds to connect (look-up of the name and TLS included), and from then for sending and the whole answer.

    Raises InvalidSetting unless positive.
    """

    connect: float
    read: float

    def __post_init__(self) -> None:
        if self.connect <= 0 or self.read <= 0:
            raise InvalidSetting("timeout", "must be positive")


class Transport(Protocol):
    """Sends one request."""

    def send(self, request: HttpRequest, timeout: Timeout) -> HttpAnswer:
        """Send once and return the complete answer, whatever its status.

        Raises InvalidMessage when the request cannot be written (`method`, `url`, `headers`, or a header's name) and
        ConnectionNotMade: surely nothing was sent; AnswerLost when that is not sure.
        """
        ...


class RequestsTransport:
    """The transport over kept-alive connections of `requests`; several threads may use it at the same time.

    Verifies TLS, follows no redirect, repeats nothing, takes no proxy, netrc or cookie from its surroundings, and reads
    at most 1 MiB, as sent and as decoded. It gives up when there is no connection after `timeout.connect`, or when the
    answer is not complete within `timeout.read` of the connection being there, however the time was spent. A connection
    that was idle for more than a few seconds by either clock (both in seconds) is not used again.
    """

    def __init__(
        self,
        ca_bundle: str | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        if ca_bundle is not None and not Path(ca_bundle).is_file():
            raise InvalidSetting("ca_bundle", "is not a file")
        self._clocks = Clocks(monotonic, wall)
        # Not a session: that one would read the whole body of a redirect, however large, only to know where it leads.
        self._adapter = TimedAdapter(_read_authorities(ca_bundle or certifi.where()))

    def send(self, request: HttpRequest, timeout: Timeout) -> HttpAnswer:
        """See Transport.send."""
        prepared = _prepare(request)
        exchange = Exchange(self._clocks, timeout.connect, timeout.read)
        with under_way(exchange):
            try:
                return self._exchange(prepared, timeout)
            except BrokenEncoding as error:
                raise AnswerLost(error.kind, exchange.status) from None
            except (requests.RequestException, HTTPError, http.client.HTTPException, OSError, ValueError) as error:
                # The library's errors quote the URL and sometimes the answer; the kind says enough.
                if not exchange.sending:
                    reason = error.reason if isinstance(error, NotConnected) else type(error).__name__
                    raise ConnectionNotMade(reason) from None
                raise AnswerLost(_kind(error), exchange.status) from None

    def close(self) -> None:
        """Close the kept connections."""
        self._adapter.close()

    def _exchange(self, prepared: requests.PreparedRequest, timeout: Timeout) -> HttpAnswer:
        response = self._adapter.send(prepared, stream=True, timeout=(timeout.connect, timeout.read))
        try:
            headers = {name.lower(): value for name, value in response.headers.items()}
            body = _read_body(response.raw, response.status_code)
        finally:
            response.close()
        return HttpAnswer(
            response.status_code, headers, decode_content(body, headers.get("content-encoding", ""), MAX_BODY_BYTES)
        )


def _read_authorities(bundle: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=bundle)
    except ssl.SSLError:
        raise InvalidSetting("ca_bundle", "is no list of certificates") from None


def _prepare(request: HttpRequest) -> requests.PreparedRequest:
    """The request as `requests` takes it; what could not be written is refused before there is a connection."""
    if not _METHOD.fullmatch(request.method):
        raise InvalidMessage("method", "must be a word in capitals")
    for name, value in request.headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise InvalidMessage("headers", "a name is not one of HTTP")
        if not _HEADER_VALUE.fullmatch(value):
            raise InvalidMessage(name, "must be printable ASCII without a blank at either end")
    prepared = requests.PreparedRequest()
    prepared.prepare_method(request.method)
    prepared.url = _write_url(request.url)
    prepared.prepare_headers({"Accept-Encoding": "identity", **request.headers})
    prepared.body = request.body or None
    prepared.prepare_content_length(prepared.body)
    return prepared


@lru_cache(maxsize=_URLS)
def _write_url(url: str) -> str:
    """Return a URL as it is written in a request; there is one per operation. Raises InvalidMessage."""
    unusable = InvalidMessage("url", "must be an http(s) URL with a host")
    prepared = requests.PreparedRequest()
    try:
        prepared.prepare_url(url, None)
        parts = urlsplit(prepared.url or "")
        host = (parts.hostname or "").encode("idna")
    except (requests.RequestException, LocationParseError, ValueError):  # their texts quote the URL
        raise unusable from None
    if parts.scheme not in {"http", "https"} or not host or prepared.url is None:
        raise unusable
    return prepared.url


def _read_body(raw: BaseHTTPResponse, status: int) -> bytes:
    """Read all of the body as it was sent. Raises AnswerLost when it is too large."""
    pieces: list[bytes] = []
    size = 0
    while piece := raw.read1(_PIECE, decode_content=False):
        size += len(piece)
        if size > MAX_BODY_BYTES:
            raise AnswerLost("too_large", status)
        pieces.append(piece)
    return b"".join(pieces)


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
    ("unparsable", (http.client.HTTPException, ValueError)),
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
