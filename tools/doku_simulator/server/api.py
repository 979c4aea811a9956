"""DOKU's API over ASGI: hands requests to the core, and lets answers travel as the core says."""

import asyncio
from typing import cast

from starlette.types import Receive, Scope, Send

from tools.doku_simulator.records import SimulatedResponse
from tools.doku_simulator.server.connections import cut
from tools.doku_simulator.server.service import Service

_LARGEST_BODY = 1_048_576


class DokuApi:
    """An ASGI application that answers any path from the simulator."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        body = await _read(receive)
        if body is None:
            return
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        query: bytes = scope["query_string"]
        target = raw_path.partition(b"?")[0] + (b"?" + query if query else b"")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        response = self._service.simulator.handle(scope["method"], target.decode("latin-1"), headers, body)
        if response.notify_first:
            await self._service.deliver_due()
        self._service.wake()
        if response.delay_seconds:
            await asyncio.sleep(response.delay_seconds)
        if response.dropped:
            await _drop(scope, receive, response)
        else:
            await _answer(scope, receive, send, response)


async def _answer(scope: Scope, receive: Receive, send: Send, response: SimulatedResponse) -> None:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers.items()]
    headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if response.cut_after is None:
        await send({"type": "http.response.body", "body": response.body})
        return
    await send({"type": "http.response.body", "body": response.body[: response.cut_after], "more_body": True})
    cut(_client(scope), flush=True)
    await _gone(receive)


async def _drop(scope: Scope, receive: Receive, response: SimulatedResponse) -> None:
    if not response.hang:
        cut(_client(scope), flush=False)
    await _gone(receive)


async def _gone(receive: Receive) -> None:
    """Wait until the connection is closed, so that nothing is sent after all."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read(receive: Receive) -> bytes | None:
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            return None
        part: bytes = event.get("body", b"")
        size += len(part)
        if size <= _LARGEST_BODY:
            parts.append(part)
        more = event.get("more_body", False)
    return b"".join(parts)


def _client(scope: Scope) -> tuple[str, int]:
    return cast("tuple[str, int]", tuple(scope["client"]))
