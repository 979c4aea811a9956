"""One deadline covers the whole answer, and one the whole connecting, whatever is slow."""

import contextlib
import itertools
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Never

import pytest

from doku_snap.errors import AnswerLost, ConnectionNotMade
from doku_snap.transport import RequestsTransport, Timeout
from tests.integration.doku_snap.calls import HASTY, OK, PATIENT, lost, request_to, send
from tests.integration.doku_snap.faulty_server import Behaviour, FaultyServer, read_request, respond, serving, trickle
from tests.patience import PATIENCE_SECONDS

LONG = b"x" * 200


class Lockstep:
    """Time that passes with what is heard: a second for each read, after which the server may send its next byte."""

    def __init__(self) -> None:
        self._now = 0.0
        self._heard = threading.Semaphore(0)

    def monotonic(self) -> float:
        return self._now

    def wall(self) -> float:
        self._now += 1
        self._heard.release()
        return 0.0

    def pace(self, server: FaultyServer) -> bool:
        while not server.released.is_set():
            if self._heard.acquire(timeout=0.1):
                return True
        return False


# Far more than the reads before a trickle, far less than those of one; and never waited for in earnest.
SIXTY_READS = Timeout(connect=60, read=60)


def status_line(connection: socket.socket, server: FaultyServer) -> None:
    trickle(connection, server, b"HTTP/1.1 200 " + LONG)
    connection.sendall(b"\r\nContent-Length: 2\r\n\r\n{}")


def header(connection: socket.socket, server: FaultyServer) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n")
    trickle(connection, server, b"X-Slow: " + LONG)
    connection.sendall(b"\r\n\r\n{}")


def interim(line: bytes) -> Behaviour:
    def behave(connection: socket.socket, server: FaultyServer) -> None:
        trickle(connection, server, line + b"X-Slow: " + LONG)
        connection.sendall(b"\r\n\r\n" + OK)

    return behave


def many_interim(connection: socket.socket, server: FaultyServer) -> None:
    trickle(connection, server, b"HTTP/1.1 100 Continue\r\n\r\n" * 10)
    connection.sendall(OK)


def body(head: bytes) -> Behaviour:
    def behave(connection: socket.socket, server: FaultyServer) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        trickle(connection, server, LONG)
        connection.close()

    return behave


def chunks(connection: socket.socket, server: FaultyServer) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    trickle(connection, server, b"1\r\n \r\n" * 40 + b"0\r\n\r\n")


def chunk_size(connection: socket.socket, server: FaultyServer) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    trickle(connection, server, b"1;" + LONG + b"\r\n \r\n0\r\n\r\n")


def trailer(connection: socket.socket, server: FaultyServer) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n \r\n0\r\n")
    trickle(connection, server, b"X-Slow: " + LONG + b"\r\n\r\n")


def redirect(connection: socket.socket, server: FaultyServer) -> None:
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 200\r\n\r\n")
    trickle(connection, server, LONG)


SLOW = [
    pytest.param(status_line, None, id="status line"),
    pytest.param(header, 200, id="header"),
    pytest.param(interim(b"HTTP/1.1 100 Continue\r\n"), None, id="100 Continue"),
    pytest.param(interim(b"HTTP/1.1 103 Early Hints\r\n"), None, id="103 Early Hints"),
    pytest.param(many_interim, None, id="many 100 Continue"),
    pytest.param(body(b"Content-Length: 200\r\n"), 200, id="body"),
    pytest.param(body(b""), 200, id="body without a length"),
    pytest.param(chunks, 200, id="chunks"),
    pytest.param(chunk_size, 200, id="a chunk's size"),
    pytest.param(trailer, 200, id="trailer"),
    pytest.param(redirect, 302, id="a redirect's body"),
]


@pytest.mark.parametrize("kept", [False, True], ids=["new", "kept"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(("behave", "status"), SLOW)
def test_nothing_slow_outlives_the_deadline(
    certificate: Path, behave: Behaviour, status: int | None, tls: bool, kept: bool
) -> None:
    def behave_at_last(connection: socket.socket, server: FaultyServer) -> None:
        if kept and len(server.requests) == 1:
            connection.sendall(OK)
        else:
            behave(connection, server)

    time_of_reads = Lockstep()
    transport = RequestsTransport(os.fspath(certificate), monotonic=time_of_reads.monotonic, wall=time_of_reads.wall)
    with contextlib.closing(transport), serving(behave_at_last, certificate if tls else None) as server:
        server.pace = time_of_reads.pace
        if kept:
            send(transport, server)
        with pytest.raises(AnswerLost) as error:
            send(transport, server, SIXTY_READS)
        assert not server.finished.is_set(), "nobody waits for the end of it"
        assert (error.value.kind, error.value.http_status) == ("timeout", status)
        assert server.connections == 1
        assert len(server.requests) == 1 + kept


def test_the_deadline_is_kept_in_earnest(transport: RequestsTransport) -> None:
    """As above, with the machine's clocks."""
    with serving(header) as server:
        with pytest.raises(AnswerLost) as error:
            send(transport, server, HASTY)
        assert not server.finished.is_set()
        assert error.value.kind == "timeout"


@pytest.mark.parametrize("sent", [b"", OK[:20], OK[:-5]], ids=["at once", "in the head", "in the body"])
def test_silence_is_lost_at_the_deadline(transport: RequestsTransport, sent: bytes) -> None:
    def behave(connection: socket.socket, server: FaultyServer) -> None:
        connection.sendall(sent)
        server.released.wait()

    assert lost(transport, behave, HASTY).kind == "timeout"


def nothing(_: socket.socket, __: FaultyServer) -> None:
    pass


class SlowReader(FaultyServer):
    """Reads piece by piece at its pace for some 10 s, then all of the rest, and answers."""

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with contextlib.suppress(OSError), self._secure(connection) as ready:
            for _ in range(200):
                ready.recv(1024)
                if not self.pace(self):
                    return
            self.finished.set()
            while not ready.recv(1 << 20).endswith(b"END"):
                pass
            ready.sendall(OK)


@pytest.mark.parametrize("tls", [False, True])
def test_a_peer_that_reads_slowly_is_lost(certificate: Path, tls: bool) -> None:
    server = SlowReader(nothing, certificate if tls else None)
    server.start()
    transport = RequestsTransport(ca_bundle=os.fspath(certificate))
    large = b" " * 16 * 1024 * 1024 + b"END"
    try:
        # A long limit for connecting must not be the one that counts for sending.
        with pytest.raises(AnswerLost) as error:
            transport.send(request_to(server.url, large), Timeout(connect=PATIENCE_SECONDS, read=1))
        assert not server.finished.is_set()
        assert (error.value.kind, error.value.http_status) == ("timeout", None)
    finally:
        transport.close()
        server.stop()


class SlowHandshake(FaultyServer):
    """Answers the greeting with a TLS record that never ends."""

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(b"\x16\x03\x03\x40\x00")
            trickle(connection, self, LONG)


def test_a_tls_handshake_that_trickles_is_not_made(transport: RequestsTransport) -> None:
    server = SlowHandshake(nothing)
    server.start()
    try:
        with pytest.raises(ConnectionNotMade):
            transport.send(request_to(f"https://127.0.0.1:{server.port}/"), Timeout(connect=1, read=PATIENCE_SECONDS))
        assert not server.finished.is_set()
    finally:
        server.stop()


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port of this machine where nobody answers: a listener whose queue is full accepts no further handshake."""
    with contextlib.ExitStack() as opened:
        listener = opened.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            client = opened.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_a_connection_that_takes_too_long_is_not_made(transport: RequestsTransport, deaf_port: int) -> None:
    with pytest.raises(ConnectionNotMade):
        transport.send(request_to(f"http://127.0.0.1:{deaf_port}/"), Timeout(connect=0.3, read=PATIENCE_SECONDS))


def resolve_to(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)


DEAF = 1  # a port


@pytest.fixture
def shares(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited for each deaf address: all that it was given, and none of it in earnest."""
    waited: list[float] = []

    class Connecting(socket.socket):
        def connect(self, address: tuple[str, int], /) -> None:  # type: ignore[override]  # the only kind here
            if address[1] == DEAF:
                waited.append(self.gettimeout() or 0.0)
                raise TimeoutError
            super().connect(address)

    monkeypatch.setattr(socket, "socket", Connecting)
    return waited


@pytest.fixture
def waiting(shares: list[float]) -> Iterator[RequestsTransport]:
    """A transport for which no other time passes."""
    with contextlib.closing(RequestsTransport(monotonic=lambda: sum(shares))) as made:
        yield made


def test_many_deaf_addresses_share_the_time_to_connect(
    waiting: RequestsTransport, shares: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, *[DEAF] * 60)
    with pytest.raises(ConnectionNotMade):
        waiting.send(request_to("http://doku.example/"), PATIENT)
    assert shares == pytest.approx([PATIENCE_SECONDS / 60] * 60)


def test_a_deaf_address_leaves_time_for_the_next(
    waiting: RequestsTransport, shares: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(lambda connection, _: connection.sendall(OK)) as server:
        resolve_to(monkeypatch, DEAF, server.port)
        assert waiting.send(request_to("http://doku.example/"), PATIENT).status == 200
    assert shares == [PATIENCE_SECONDS / 2]


def test_a_name_that_is_not_resolved_in_time_is_not_made(
    transport: RequestsTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, gave_up = threading.Event(), threading.Event()

    def resolve(*_: object, **__: object) -> Never:
        sent.wait(PATIENCE_SECONDS)
        gave_up.set()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(ConnectionNotMade):
        transport.send(request_to("http://doku.example/"), Timeout(connect=0.3, read=PATIENCE_SECONDS))
    assert not gave_up.is_set()
    sent.set()
    assert gave_up.wait(PATIENCE_SECONDS)


@pytest.mark.parametrize("lines", [[b"100 Continue"], [b"103 Early Hints"], [b"100 A", b"102 B", b"103 C", b"100 D"]])
def test_interim_answers_are_skipped(transport: RequestsTransport, lines: list[bytes]) -> None:
    before = b"".join(b"HTTP/1.1 " + line + b"\r\nLink: </a.css>; rel=preload\r\n\r\n" for line in lines)
    with serving(lambda connection, _: connection.sendall(before + OK)) as server:
        for _ in range(2):
            answer = send(transport, server)
            assert (answer.status, answer.body) == (200, b'{"responseCode":"2005400"}')
            assert "link" not in answer.headers
        assert (server.connections, len(server.requests)) == (1, 2)


@pytest.mark.parametrize("line", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
def test_a_flood_of_interim_answers_is_lost(transport: RequestsTransport, line: bytes) -> None:
    error = lost(transport, lambda connection, _: connection.sendall(line * 5000 + OK))
    assert (error.kind, error.http_status) == ("unparsable", None)


def test_the_deadline_counts_from_the_call_on_a_kept_connection() -> None:
    clock = itertools.count(step=0.5)  # half a second passes whenever the time is asked for
    transport = RequestsTransport(monotonic=lambda: next(clock), wall=lambda: 0.0)
    with contextlib.closing(transport), serving(lambda connection, _: connection.sendall(OK)) as server:
        while next(clock) < 2 * PATIENCE_SECONDS:
            assert send(transport, server).status == 200
        assert server.connections == 1


class MixedServer(FaultyServer):
    """Echoes the bodies of quick requests; trickles to slow ones, and notes when they hang up."""

    def __init__(self) -> None:
        super().__init__(nothing)
        self.hung_up = threading.Semaphore(0)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while (request := read_request(connection)) is not None:
                if b"POST /slow" not in request:
                    connection.sendall(respond("200 OK", request.partition(b"\r\n\r\n")[2]))
                    continue
                with contextlib.suppress(OSError):  # a hang-up with bytes of ours unread is a reset
                    header(connection, self)
                    connection.recv(1)
                self.hung_up.release()
                return


def test_threads_share_a_transport_and_each_times_out_on_its_own(transport: RequestsTransport) -> None:
    """Neither does the end of a slow call hit another one's connection, nor does a thread or a socket stay behind."""
    server = MixedServer()
    server.start()

    def call_slowly(number: int) -> str:
        # Before and after, the thread takes whichever connection is free.
        call_quickly(number)
        with pytest.raises(AnswerLost) as error:
            transport.send(request_to(server.url + "/slow"), Timeout(connect=PATIENCE_SECONDS, read=0.2 + number / 10))
        call_quickly(number)
        return error.value.kind

    def call_quickly(number: int) -> None:
        for turn in range(50):
            said = f"{number}.{turn}".encode()
            assert transport.send(request_to(server.url + "/quick", said), PATIENT).body == said

    before = set(threading.enumerate())
    try:
        with ThreadPoolExecutor(6) as threads:
            kinds = list(threads.map(call_slowly, range(6)))
        assert kinds == ["timeout"] * 6
        for _ in range(6):
            assert server.hung_up.acquire(timeout=PATIENCE_SECONDS)
        for thread in set(threading.enumerate()) - before - server.threads:
            thread.join(PATIENCE_SECONDS)  # a look-up of a name may be on its way out
            assert not thread.is_alive()
    finally:
        server.stop()
