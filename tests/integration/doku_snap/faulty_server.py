"""A loopback HTTP server that misbehaves as told, on raw sockets so that every byte and every cut is ours."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.patience import PATIENCE_SECONDS

type Behaviour = Callable[[socket.socket, "FaultyServer"], None]


class FaultyServer:
    """Serves connections one after another; `behaviour` is called after each complete request.

    `requests` holds every request that arrived, `connections` counts accepted connections, `released` is set when the
    test is over, for behaviours that wait. `pace` waits until the next byte of a trickle may go out (False: no more),
    `finished` says that all of one went out. With a certificate it speaks TLS.
    """

    def __init__(self, behaviour: Behaviour, certificate: Path | None = None) -> None:
        self._behaviour = behaviour
        self._scheme = "http"
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._scheme = "https"
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self.released = threading.Event()
        self.finished = threading.Event()
        self.pace: Callable[[FaultyServer], bool] = lambda server: not server.released.wait(0.05)
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def threads(self) -> set[threading.Thread]:
        return set(self._threads)

    def start(self) -> None:
        self._spawn(self._accept)

    def stop(self) -> None:
        self.released.set()
        # Closing alone does not wake a blocked accept.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        # A kept connection would be read from until its time-out.
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _spawn(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            self._spawn(lambda connection=connection: self._serve(connection))  # type: ignore[misc]  # the default binds the loop variable

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE_SECONDS)
        with contextlib.suppress(OSError), self._secure(connection) as ready:
            while (request := read_request(ready)) is not None:
                self.requests.append(request)
                self._behaviour(ready, self)

    def _secure(self, connection: socket.socket) -> socket.socket:
        if self._tls is None:
            return connection
        secured = self._tls.wrap_socket(connection, server_side=True)
        self._open.append(secured)
        return secured


def read_request(connection: socket.socket) -> bytes | None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def trickle(connection: socket.socket, server: FaultyServer, data: bytes) -> None:
    """Send byte by byte at the server's pace."""
    for position in range(len(data)):
        if not server.pace(server):
            return
        connection.sendall(data[position : position + 1])
    server.finished.set()


def reset(connection: socket.socket) -> None:
    """Close with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def respond(status: str, body: bytes, *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


@contextlib.contextmanager
def serving(behaviour: Behaviour, certificate: Path | None = None) -> Iterator[FaultyServer]:
    server = FaultyServer(behaviour, certificate)
    server.start()
    try:
        yield server
    finally:
        server.stop()
