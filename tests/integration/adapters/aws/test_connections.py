"""Connections to AWS: which one the next request goes out on, and whose answer is whose."""

import http.client
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
import urllib3
from urllib3.exceptions import ClosedPoolError

from direct_debit.adapters.aws.connections import ConnectionPool, Connections
from tests.integration.doku_snap.faulty_server import Behaviour, FaultyServer, reset, respond, serving
from tests.patience import PATIENCE_SECONDS

PATIENT = urllib3.Timeout(connect=PATIENCE_SECONDS, read=PATIENCE_SECONDS)


def open_pool(server: FaultyServer, timeout: urllib3.Timeout = PATIENT) -> ConnectionPool:
    return Connections(kept=2, timeout=timeout, tls=None).find_pool(server.url)


def post(pool: ConnectionPool, body: bytes = b"{}", **headers: str) -> bytes:
    return pool.post("/", {"host": "aws.example", **headers}, body).body


def numbered(make: Callable[[bytes], bytes]) -> Behaviour:
    """Answer the first request with 1, the second with 2."""
    numbers: Iterator[int] = count(1)
    return lambda connection, _: connection.sendall(make(b"%d" % next(numbers)))


@pytest.mark.parametrize(
    ("make", "connections"),
    [
        (lambda number: respond("200 OK", number), 1),
        (lambda number: respond("500 Oh", number), 1),
        (lambda number: respond("200 OK", number, "Connection: close"), 3),
        (lambda number: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n" + number + b"\r\n0\r\n\r\n", 1),
        (lambda number: b"HTTP/1.1 100 Continue\r\n\r\n" + respond("200 OK", number), 1),
    ],
)
def test_a_connection_serves_as_long_as_its_peer_lets_it(make: Callable[[bytes], bytes], connections: int) -> None:
    with serving(numbered(make)) as server:
        pool = open_pool(server)
        assert [post(pool) for _ in range(3)] == [b"1", b"2", b"3"]
        assert server.connections == connections


def test_what_follows_an_answer_unasked_answers_nobody() -> None:
    with serving(numbered(lambda number: respond("200 OK", number) + respond("200 OK", b"unasked"))) as server:
        pool = open_pool(server)
        assert [post(pool), post(pool)] == [b"1", b"2"]


def test_an_answer_that_comes_too_late_answers_nobody() -> None:
    """The connection that somebody has stopped waiting on is never used again."""
    second = threading.Event()

    def behave(connection: socket.socket, server: FaultyServer) -> None:
        if len(server.requests) == 1:
            second.wait(PATIENCE_SECONDS)
            connection.sendall(respond("200 OK", b"late"))
        else:
            second.set()
            connection.sendall(respond("200 OK", b"in time"))

    with serving(behave) as server:
        pool = open_pool(server, urllib3.Timeout(connect=PATIENCE_SECONDS, read=0.05))
        with pytest.raises(TimeoutError):
            post(pool)
        pool.timeout = PATIENT
        assert post(pool) == b"in time"
        assert server.connections == 2


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", b"SSH-2.0\r\n\r\n"])
def test_a_broken_answer_is_none_and_ends_its_connection(answer: bytes) -> None:
    def behave(connection: socket.socket, server: FaultyServer) -> None:
        connection.sendall(respond("200 OK", b"whole") if len(server.requests) == 2 else answer)
        if len(server.requests) == 1:
            connection.shutdown(socket.SHUT_WR)

    with serving(behave) as server:
        pool = open_pool(server)
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            post(pool)
        assert post(pool) == b"whole"
        assert server.connections == 2


def test_a_second_attempt_meets_none_of_the_connections_that_ended_with_the_first() -> None:
    """As after a pause in which the other side, or a gateway between, has forgotten them without a word."""
    both, first = threading.Barrier(2), Counter[socket.socket]()

    def behave(connection: socket.socket, _: FaultyServer) -> None:
        first[connection] += 1
        if first[connection] > 1:
            reset(connection)
        else:
            if len(first) <= 2:
                both.wait(PATIENCE_SECONDS)
            connection.sendall(respond("200 OK", b"{}"))

    with serving(behave) as server:
        pool = open_pool(server)
        with ThreadPoolExecutor(2) as threads:
            assert [one.result() for one in [threads.submit(post, pool) for _ in range(2)]] == [b"{}", b"{}"]
        assert server.connections == 2
        with pytest.raises(ConnectionError):
            post(pool)
        assert post(pool) == b"{}"
        assert server.connections == 3


def test_a_request_whose_peer_has_gone_is_told_as_lost() -> None:
    with serving(lambda connection, _: reset(connection)) as server:
        pool = open_pool(server)
        with pytest.raises(ConnectionError):
            post(pool)


@pytest.mark.parametrize("value", ["a\r\nx-amz-target: other", "a\nb", "a\rb"])
def test_a_header_with_a_line_break_goes_nowhere(value: str) -> None:
    with serving(lambda connection, _: connection.sendall(respond("200 OK", b"{}"))) as server:
        pool = open_pool(server)
        with pytest.raises(ValueError, match="line break"):
            post(pool, trace=value)
        assert server.requests == []
        assert post(pool) == b"{}"


def test_the_request_says_what_it_is() -> None:
    with serving(lambda connection, _: connection.sendall(respond("200 OK", b"{}"))) as server:
        post(open_pool(server), b'{"a":1}', **{"x-amz-date": "20260302T090000Z"})
        (request,) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST / HTTP/1.1",
        b"host: aws.example",
        b"x-amz-date: 20260302T090000Z",
        b"Accept-Encoding: identity",
        b"Content-Length: 7",
    ]
    assert body == b'{"a":1}'


def test_a_closed_pool_takes_nothing() -> None:
    with serving(lambda connection, _: connection.sendall(respond("200 OK", b"{}"))) as server:
        pool = open_pool(server)
        pool.close()
        with pytest.raises(ClosedPoolError):
            post(pool)
        assert server.connections == 0
