"""What a function meets on its kept connections when it is thawed.

Between two invocations an environment is frozen, for minutes or hours; the other side of each kept connection goes on,
and ends what is idle. What the function finds on reuse is an end that it has not read yet, or a reset as soon as it
writes.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html (the freeze);
https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html ("purges idle connections over time")
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\n\r\n{}"  # kept alive
_RESET = struct.pack("ii", 1, 0)


class Thaw(Enum):
    """What becomes of a connection after its first answer."""

    ENDED = "ended meanwhile"
    RESET = "reset by the next request"


@dataclass(slots=True)
class IdleEndingServer:
    """An AWS endpoint that answers `{}` to everything, and keeps no connection over a freeze, although it says so."""

    thaw: Thaw
    url: str = ""
    requests: int = 0
    connections: int = 0
    ended: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @contextlib.contextmanager
    def serving(self) -> Iterator[IdleEndingServer]:
        """Listen until the block ends."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            thread = threading.Thread(target=self._serve, args=(listener,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                # Closing alone would not wake who waits in accept.
                with contextlib.suppress(OSError):
                    listener.shutdown(socket.SHUT_RDWR)
        thread.join()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            if not _read_request(connection):
                return
            self.requests += 1
            connection.sendall(_ANSWER)
            if self.thaw is Thaw.RESET and _read_request(connection):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.ended.release()


def _read_request(connection: socket.socket) -> bool:
    """Read one request to its end; False when the other side has ended."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return False
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length:
        part = connection.recv(65536)
        if not part:
            return False
        body += part
    return True
