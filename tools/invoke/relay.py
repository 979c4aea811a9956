"""Carries TCP connections from an address that containers reach to this machine's loopback, while a block lasts."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence

from tools.local_cloud.processes import LOOPBACK

_CHUNK = 65_536


@contextlib.contextmanager
def relay(host: str, ports: Sequence[int]) -> Iterator[None]:
    """Listen on each port of `host` and carry what comes to the same port of 127.0.0.1, and back.

    Raises OSError when this machine has no such address, or a port of it is taken.
    """
    loop = asyncio.new_event_loop()
    servers: list[asyncio.Server] = []
    try:
        # One by one: those before a port that is taken are closed below.
        servers.extend(loop.run_until_complete(asyncio.start_server(_carrier(port), host, port)) for port in ports)
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
    finally:
        for server in servers:
            server.close()
        loop.run_until_complete(_cancel_all())
        loop.close()


def _carrier(port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError):
            there, back = await asyncio.open_connection(LOOPBACK, port)
            with contextlib.closing(back):
                await asyncio.gather(_carry(reader, back), _carry(there, writer))

    return carry


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
