"""Really dropping a connection: ASGI has no word for it, so the protocol keeps its transports by peer address."""

import asyncio
from typing import Protocol, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

_open: dict[tuple[str, int], asyncio.Transport] = {}


class _Transport(Protocol):
    def get_extra_info(self, name: str) -> object: ...


class DroppableProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol, whose connections can be cut by the client's address."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # h11 speaks over any transport; here it is a socket's
        """Remember the transport."""
        peer = _peer(transport)
        if peer is not None:
            _open[peer] = transport
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the transport."""
        peer = _peer(self.transport)
        if peer is not None:
            _open.pop(peer, None)
        super().connection_lost(exc)


def cut(client: tuple[str, int], *, flush: bool) -> None:
    """Close the client's connection: after sending what is buffered (`flush`, the client sees EOF), or by a reset."""
    transport = _open.get(client)
    if transport is None:
        return
    if flush:
        transport.close()
    else:
        transport.abort()


def _peer(transport: _Transport) -> tuple[str, int] | None:
    address = transport.get_extra_info("peername")
    if isinstance(address, tuple) and len(address) >= 2:  # noqa: PLR2004 - host and port
        return cast("tuple[str, int]", (address[0], address[1]))
    return None
