"""Connections that send a request at once: head and body in one piece, where urllib3 sends two.

Every request here has a body, and a small one: the second piece is a system call, a TLS record and a packet more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    import ssl


class _WholeRequests(HTTPConnection):
    """Holds the head of a request until its body comes."""

    _head: bytes | None = None

    def putrequest(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  the library's own signature
        """See http.client.HTTPConnection.putrequest."""
        self._head = None
        super().putrequest(*args, **kwargs)

    def putheader(self, header: str, *values: str | bytes | int) -> None:
        """See http.client.HTTPConnection.putheader, which takes longer to look for what can not be in a header of ours."""
        value = values[0]
        if not isinstance(value, str) or "\n" in value or "\r" in value:
            super().putheader(header, *values)
        else:
            self._output(f"{header}: {value}".encode("latin-1"))  # type: ignore[attr-defined]  # the stubs leave it out

    def send(self, data: bytes) -> None:  # type: ignore[override]  # what urllib3 sends of a request of ours
        """See http.client.HTTPConnection.send."""
        if self._head is None:
            self._head = data
            return
        whole, self._head = self._head + data, None
        super().send(whole)


class _TlsConnection(_WholeRequests, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _WholeRequests


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class Connections(urllib3.PoolManager):
    """Kept connections, by host. Only for requests with a body."""

    def __init__(self, *, kept: int, timeout: urllib3.Timeout, tls: ssl.SSLContext | None) -> None:
        super().__init__(maxsize=kept, timeout=timeout, ssl_context=tls)
        self.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
