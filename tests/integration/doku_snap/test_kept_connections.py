"""Which connections are used again: those that were in use a moment ago, by both clocks, and no others."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from doku_snap.errors import AnswerLost
from doku_snap.transport import RequestsTransport
from tests.integration.doku_snap.calls import OK, send
from tests.integration.doku_snap.faulty_server import Behaviour, FaultyServer, reset, serving
from tests.patience import PATIENCE_SECONDS


class Clocks:
    """A clock that only goes forward, and the wall's, which may be set. They move when told."""

    def __init__(self) -> None:
        self.monotonic = 1000.0
        self.wall = 1_800_000_000.0

    def pass_by(self, monotonic: float, wall: float) -> None:
        self.monotonic += monotonic
        self.wall += wall


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def transport(clocks: Clocks) -> Iterator[RequestsTransport]:
    made = RequestsTransport(monotonic=lambda: clocks.monotonic, wall=lambda: clocks.wall)
    yield made
    made.close()


def answer(connection: socket.socket, _: FaultyServer) -> None:
    connection.sendall(OK)


@pytest.mark.parametrize("pause", [(0, 0), (4, 4), (4, 0), (0, 4)])
def test_calls_in_quick_succession_share_a_connection(
    transport: RequestsTransport, clocks: Clocks, pause: tuple[float, float]
) -> None:
    with serving(answer) as server:
        for _ in range(3):
            assert send(transport, server).status == 200
            clocks.pass_by(*pause)
        assert (server.connections, len(server.requests)) == (1, 3)


@pytest.mark.parametrize(
    "pause",
    [
        pytest.param((4.1, 4.1), id="both went on"),
        pytest.param((4.1, 0), id="the wall's clock stood still"),
        pytest.param((0, 4.1), id="the other clock stood still"),
        pytest.param((60, -3600), id="the wall's clock was set back"),
        pytest.param((0, -1), id="only the wall's clock moved, and back"),
        pytest.param((-1, 1), id="thawed older than it was"),
    ],
)
def test_after_a_pause_there_is_a_new_connection(
    transport: RequestsTransport, clocks: Clocks, pause: tuple[float, float]
) -> None:
    hung_up = threading.Event()

    def behave(connection: socket.socket, server: FaultyServer) -> None:
        first = len(server.requests) == 1  # asked before the answer: after it, the next request may be there already
        connection.sendall(OK)
        if first and connection.recv(1) == b"":
            hung_up.set()

    with serving(behave) as server:
        assert send(transport, server).status == 200
        clocks.pass_by(*pause)
        assert send(transport, server).status == 200
        assert send(transport, server).status == 200
        assert hung_up.wait(PATIENCE_SECONDS), "the old connection is closed, not forgotten"
        assert (server.connections, len(server.requests)) == (2, 3)


def test_idle_counts_from_the_last_byte_of_the_answer(transport: RequestsTransport, clocks: Clocks) -> None:
    def behave(connection: socket.socket, _: FaultyServer) -> None:
        clocks.pass_by(10, 10)
        connection.sendall(OK)

    with serving(behave) as server:
        for _ in range(3):
            assert send(transport, server).status == 200
        assert server.connections == 1


@pytest.mark.parametrize("wall", [PATIENCE_SECONDS, 0, -3600], ids=["it too", "not the wall's", "the wall's back"])
@pytest.mark.parametrize("sent", [OK[:10], OK[:-5]], ids=["in the head", "in the body"])
def test_a_clock_that_jumps_within_a_call_ends_it_and_its_connection(
    transport: RequestsTransport, clocks: Clocks, sent: bytes, wall: float
) -> None:
    """Thawed after minutes: what is left of the answer is not waited for, and does not answer the next call."""

    def behave(connection: socket.socket, server: FaultyServer) -> None:
        if len(server.requests) == 2:
            clocks.pass_by(PATIENCE_SECONDS, wall)
            connection.sendall(sent)
            given_up.wait(PATIENCE_SECONDS)
            with contextlib.suppress(OSError):
                connection.sendall(OK[len(sent) :])
        else:
            connection.sendall(OK)

    given_up = threading.Event()
    with serving(behave) as server:
        assert send(transport, server).status == 200
        with pytest.raises(AnswerLost) as error:
            send(transport, server)
        given_up.set()
        assert error.value.kind == "timeout"
        assert send(transport, server).status == 200
        assert (server.connections, len(server.requests)) == (2, 3)


@pytest.mark.parametrize("wall", [3600, -3600])
def test_the_walls_clock_ends_no_call(transport: RequestsTransport, clocks: Clocks, wall: float) -> None:
    """It may be set at any time; how long a call has lasted, the other clock says."""

    def behave(connection: socket.socket, _: FaultyServer) -> None:
        connection.sendall(OK[:10])
        clocks.pass_by(0, wall)
        connection.sendall(OK[10:])

    with serving(behave) as server:
        for calls in range(1, 4):
            assert send(transport, server).status == 200
            assert (server.connections, len(server.requests)) == (1, calls)


def once_per_connection(then: Behaviour) -> Behaviour:
    """Answer the first request of each connection; `then` meets the others, which are taken off `requests`."""
    seen: set[socket.socket] = set()

    def behave(connection: socket.socket, server: FaultyServer) -> None:
        if connection in seen:
            server.requests.pop()
            then(connection, server)
        else:
            seen.add(connection)
            connection.sendall(OK)

    return behave


def fall_silent(_: socket.socket, server: FaultyServer) -> None:
    server.released.wait(PATIENCE_SECONDS)


# A gateway between us that forgot the connection resets it only when something is sent; or drops what is sent.
@pytest.mark.parametrize("then", [lambda connection, _: reset(connection), fall_silent], ids=["reset", "silence"])
def test_a_connection_that_died_unseen_does_not_carry_the_next_request(
    transport: RequestsTransport, clocks: Clocks, then: Behaviour
) -> None:
    with serving(once_per_connection(then)) as server:
        for calls in range(1, 4):
            assert send(transport, server).status == 200
            assert len(server.requests) == calls, "each arrives once"
            clocks.pass_by(60, 60)


@pytest.mark.parametrize("pause", [1, 60])
def test_a_connection_that_was_reset_while_idle_is_replaced(
    transport: RequestsTransport, clocks: Clocks, pause: float
) -> None:
    was_reset = threading.Event()

    def behave(connection: socket.socket, server: FaultyServer) -> None:
        connection.sendall(OK)
        if len(server.requests) == 1:
            answered.wait(PATIENCE_SECONDS)
            reset(connection)
            was_reset.set()

    answered = threading.Event()
    with serving(behave) as server:
        assert send(transport, server).status == 200
        answered.set()
        assert was_reset.wait(PATIENCE_SECONDS)
        clocks.pass_by(pause, pause)
        assert send(transport, server).status == 200
        assert (server.connections, len(server.requests)) == (2, 2)


def test_a_connection_that_dies_after_a_short_pause_is_lost_and_not_repeated(
    transport: RequestsTransport, clocks: Clocks
) -> None:
    def behave(connection: socket.socket, server: FaultyServer) -> None:
        if len(server.requests) == 1:
            connection.sendall(OK)
        else:
            reset(connection)

    with serving(behave) as server, contextlib.closing(transport):
        assert send(transport, server).status == 200
        clocks.pass_by(2, 2)
        with pytest.raises(AnswerLost) as error:
            send(transport, server)
        assert error.value.kind == "reset"
        assert (server.connections, len(server.requests)) == (1, 2)


def test_after_a_pause_no_connection_is_used_that_waits_below_others(
    transport: RequestsTransport, clocks: Clocks
) -> None:
    """Of several kept connections the last one is taken first; the ones below it grow old unseen."""
    both = threading.Barrier(2)

    def behave(connection: socket.socket, server: FaultyServer) -> None:
        if len(server.requests) <= 2:
            both.wait(PATIENCE_SECONDS)
        once(connection, server)

    once = once_per_connection(lambda connection, _: reset(connection))
    with serving(behave) as server:
        threads = [threading.Thread(target=send, args=(transport, server)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
        assert server.connections == 2
        clocks.pass_by(60, 60)
        assert send(transport, server).status == 200
        clocks.pass_by(60, 60)
        assert send(transport, server).status == 200
        assert len(server.requests) == 4
