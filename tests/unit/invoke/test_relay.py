import contextlib
import socket
import sys
import threading
from collections.abc import Iterator

import pytest

from tests.patience import PATIENCE_SECONDS
from tools.invoke.relay import relay

ELSEWHERE = "127.0.0.2"
pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="macOS has one loopback address only")


@contextlib.contextmanager
def upper_case_server() -> Iterator[int]:
    """Answers each connection with what it was told, in capitals, once the other side has said all."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE_SECONDS)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection, connection.makefile("rb") as stream:
                        connection.sendall(stream.read().upper())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            # Closing alone would leave it listening, as long as somebody waits in it.
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def ask(port: int, text: bytes) -> bytes:
    with socket.create_connection((ELSEWHERE, port), PATIENCE_SECONDS) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as stream:
            return stream.read()


def test_what_is_said_at_another_address_is_heard_on_the_loopback_and_answered() -> None:
    with upper_case_server() as port, relay(ELSEWHERE, [port]):
        assert ask(port, b"hello") == b"HELLO"
        assert ask(port, b"x" * 1_000_000) == b"X" * 1_000_000


def test_it_ends_with_its_block() -> None:
    with upper_case_server() as port:
        with relay(ELSEWHERE, [port]):
            pass
        with pytest.raises(ConnectionRefusedError):
            ask(port, b"hello")


def test_nobody_behind_it_is_an_empty_answer() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and it does not listen
        port = taken.getsockname()[1]
        with relay(ELSEWHERE, [port]):
            assert ask(port, b"") == b""


def test_an_address_of_another_machine_can_not_be_listened_on() -> None:
    with pytest.raises(OSError, match="could not bind"), relay("203.0.113.1", [1]):
        pass


def test_where_a_port_is_taken_none_stays_listening() -> None:
    with upper_case_server() as port, socket.create_server((ELSEWHERE, 0)) as taken:
        with pytest.raises(OSError, match="in use"), relay(ELSEWHERE, [port, taken.getsockname()[1]]):
            pytest.fail("it began")
        with pytest.raises(ConnectionRefusedError):
            ask(port, b"hello")
