"""HTTP to the merchant's address: one request, and of its answer nothing but the status.

The address is the operator's, what answers there is anybody's. So no redirect is followed, no more is read than the
answer's head, all of it within one time limit, and nothing is connected to that is not in the public internet (unless
this is a developer's machine): the name may lead to what only this function can reach.
"""

import http.client
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from direct_debit.application.ports.webhooks import WebhookAnswer

_AGENT = "direct-debit-webhooks/1"
_HTTPS = 443
_HTTP = 80
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# All that IANA gives out of IPv6 to anybody in the internet. Outside of it are older ways to write what is private, and
# Python calls them global: fec0::/10, and ::/96 and ::ffff:0:0:0/96 with an IPv4 address inside.
_GIVEN_OUT = ipaddress.IPv6Network("2000::/3")

type _Address = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
type LookUp = Callable[[str, int], Sequence[tuple[socket.AddressFamily, _Address]]]
"""Returns the addresses of a name and port."""


def look_up(host: str, port: int) -> Sequence[tuple[socket.AddressFamily, _Address]]:
    """Return the addresses of a name. Raises OSError, UnicodeError."""
    return [(row[0], row[4]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class HttpWebhookReceiver:
    """Implements `WebhookReceiver`. Verifies TLS; takes no proxy from its surroundings; keeps no connection.

    `private_networks`: whether it may be on this machine or in a private network, where plain http is right too.
    """

    def __init__(
        self,
        url: str,
        seconds: float,
        *,
        private_networks: bool = False,
        trust: ssl.SSLContext | None = None,
        find: LookUp = look_up,
    ) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme.lower() == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (_HTTPS if self._secure else _HTTP)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._seconds = seconds
        self._private_networks = private_networks
        self._trust = trust or ssl.create_default_context()
        self._find = find

    def post(self, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        """Send once, and wait for the answer's status, from the look-up of the name on within the time limit."""
        begin = time.monotonic()
        attempt = _Attempt()
        ended: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        # Neither the system's resolver nor a receiver that sends a byte now and then has a time limit of ours: when the
        # time is up, the connection is cut, and the thread ends by it.
        work = partial(self._run, attempt, {"User-Agent": _AGENT, **headers}, body)
        threading.Thread(target=lambda: ended.put(_name_failure(work)), name="webhook", daemon=True).start()
        try:
            failure = ended.get(timeout=self._seconds)
        except queue.Empty:
            attempt.cut()
            failure = "timeout"
        status = attempt.status
        return WebhookAnswer(status, failure or _judge(status), round((time.monotonic() - begin) * 1000))

    def _run(self, attempt: "_Attempt", headers: Mapping[str, str], body: bytes) -> None:
        with self._connect(attempt) as connected, self._secured(connected, attempt) as secured:
            connection = http.client.HTTPConnection(self._host, self._port)
            connection.default_port = _HTTPS if self._secure else _HTTP  # which the Host header leaves out
            connection.sock = secured
            connection.request("POST", self._target, body, dict(headers))
            with connection.getresponse() as response:
                attempt.status = response.status

    def _connect(self, attempt: "_Attempt") -> socket.socket:
        """Connect to the first address that answers, of those that may be connected to."""
        found = self._find(self._host, self._port)
        allowed = [(family, to) for family, to in found if self._private_networks or is_public(str(to[0]))]
        if not allowed:
            raise _Fault("private" if found else "name")
        for family, address in allowed:
            opened = socket.socket(family, socket.SOCK_STREAM)
            try:
                attempt.hold(opened)
                opened.settimeout(self._seconds / len(allowed))
                opened.connect(address)
                opened.settimeout(self._seconds)
            except OSError:
                opened.close()
            except _Fault:
                opened.close()
                raise
            else:
                return opened
        raise _Fault("connect")

    def _secured(self, connected: socket.socket, attempt: "_Attempt") -> socket.socket:
        if not self._secure:
            return connected
        # Its greetings are exchanged apart from making it, so that it is known, and closed, when they fail.
        secured = self._trust.wrap_socket(connected, server_hostname=self._host, do_handshake_on_connect=False)
        try:
            attempt.hold(secured)
            secured.do_handshake()
        except (OSError, _Fault):
            secured.close()
            raise
        return secured


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, and leads to no other one."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv4Address):
        return found.is_global and not found.is_multicast
    inner = found.ipv4_mapped or found.sixtofour
    if found in _NAT64:
        inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    if inner is not None:
        return is_public(str(inner))
    return found in _GIVEN_OUT and found.is_global


class _Fault(Exception):
    """A failure by its name."""


@dataclass(slots=True)
class _Attempt:
    """A request under way, which another thread may cut off."""

    status: int | None = None
    _socket: socket.socket | None = None
    _is_cut: bool = False

    def hold(self, opened: socket.socket) -> None:
        """Note what is to be cut; after the cut nothing new begins."""
        self._socket = opened
        if self._is_cut:
            raise _Fault("timeout")

    def cut(self) -> None:
        self._is_cut = True
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it is gone already


def _judge(status: int | None) -> str | None:
    if status is None:
        return "closed"
    hundreds = status // 100
    return {2: None, 3: "redirect"}.get(hundreds, "status")


def _name_failure(work: Callable[[], None]) -> str | None:
    """Do the work, and name how it failed; None when it did not."""
    try:
        work()
    except _Fault as error:
        return str(error)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return next(name for kinds, name in _NAMES if isinstance(error, kinds))
    return None


# Order matters: each is a kind of OSError or ValueError too.
_NAMES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    ((socket.gaierror, UnicodeError), "name"),
    (TimeoutError, "timeout"),
    (ssl.SSLCertVerificationError, "certificate"),
    (ssl.SSLError, "tls"),
    (ConnectionError, "closed"),
    (http.client.HTTPException, "unparsable"),
    (OSError, "closed"),
    (ValueError, "unparsable"),
)
