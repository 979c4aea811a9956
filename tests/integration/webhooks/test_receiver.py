"""A merchant's receiver, as bad as the internet has them: each ends in time, by its name, and takes nothing along."""

import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from direct_debit.adapters.webhook_receiver import HttpWebhookReceiver, is_public
from direct_debit.application.ports.webhooks import WebhookAnswer
from tests.integration.doku_snap.faulty_server import FaultyServer, reset, respond, serving, trickle
from tests.patience import PATIENCE_SECONDS

BODY = b'{"type":"payment.paid"}'
HEADERS = {"Content-Type": "application/json", "webhook-id": "e1"}
# Only those tests that have nothing to wait for but the limit itself wait for it.
SOON = 0.2

type Behaviour = Callable[[socket.socket, FaultyServer], None]


def post(server: FaultyServer, seconds: float = PATIENCE_SECONDS, path: str = "/hooks?shop=1") -> WebhookAnswer:
    return HttpWebhookReceiver(server.url + path, seconds, private_networks=True).post(HEADERS, BODY)


def answering(data: bytes) -> Behaviour:
    def behave(connection: socket.socket, server: FaultyServer) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_RDWR)

    return behave


def test_a_webhook_arrives_as_it_was_signed() -> None:
    with serving(answering(respond("204 No Content", b""))) as server:
        answer = post(server)
    assert (answer.status, answer.failure) == (204, None)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /hooks?shop=1 HTTP/1.1"
    assert {f"Host: 127.0.0.1:{server.port}", "webhook-id: e1", "Content-Type: application/json"} <= set(lines)
    assert body == BODY


@pytest.mark.parametrize(
    ("line", "failure"),
    [
        ("200 OK", None),
        ("202 Accepted", None),
        ("299 Whatever", None),
        ("301 Moved Permanently", "redirect"),
        ("307 Temporary Redirect", "redirect"),
        ("400 Bad Request", "status"),
        ("401 Unauthorized", "status"),
        ("410 Gone", "status"),
        ("500 Internal Server Error", "status"),
        ("503 Service Unavailable", "status"),
    ],
)
def test_the_status_alone_decides_whatever_the_body_says(line: str, failure: str | None) -> None:
    with serving(answering(respond(line, b"\x00 not what it says \xff", "Location: http://127.0.0.1:9/"))) as server:
        answer = post(server)
    assert (answer.status, answer.failure) == (int(line[:3]), failure)
    assert len(server.requests) == server.connections == 1  # no redirect is followed, and nothing is repeated


def test_no_more_than_the_answers_head_is_read() -> None:
    """A body without an end holds nobody up."""

    def behave(connection: socket.socket, server: FaultyServer) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        server.released.wait()

    with serving(behave) as server:
        assert post(server).status == 200


@pytest.mark.parametrize(
    ("behave", "failure"),
    [
        (lambda connection, _: connection.shutdown(socket.SHUT_RDWR), "closed"),
        (lambda connection, _: reset(connection), "closed"),
        (answering(b"SSH-2.0-OpenSSH_9.6\r\n"), "unparsable"),
        (answering(b"HTTP/1.1 two hundred OK\r\n\r\n"), "unparsable"),
        (answering(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"), "unparsable"),
    ],
    ids=["closes", "resets", "no HTTP", "no status", "endless header"],
)
def test_who_takes_it_and_says_nothing_readable_is_tried_again(behave: Behaviour, failure: str) -> None:
    with serving(behave) as server:
        answer = post(server)
    assert answer.failure == failure
    assert len(server.requests) == 1


def test_who_says_nothing_is_left_after_the_time_limit() -> None:
    def say_nothing(_: socket.socket, server: FaultyServer) -> None:
        server.released.wait()

    with serving(say_nothing) as server:
        answer = post(server, SOON)
    assert (answer.status, answer.failure) == (None, "timeout")
    assert answer.milliseconds >= SOON * 1000


def test_who_answers_byte_by_byte_is_left_after_the_time_limit() -> None:
    """Each byte comes in time, and all of them together would take for ever."""
    with serving(lambda c, server: trickle(c, server, b"HTTP/1.1 200 OK\r\nX: " + b"y" * 10_000)) as server:
        assert post(server, SOON).failure == "timeout"
        # The connection was cut, so the receiver notices and the thread ends.
        for thread in threading.enumerate():
            if thread.name == "webhook":
                thread.join(PATIENCE_SECONDS)
                assert not thread.is_alive()


def test_endless_continues_are_left_after_the_time_limit() -> None:
    def behave(connection: socket.socket, server: FaultyServer) -> None:
        while server.pace(server):
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    with serving(behave) as server:
        assert post(server, SOON).failure == "timeout"


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    receiver = HttpWebhookReceiver(f"http://127.0.0.1:{port}/", PATIENCE_SECONDS, private_networks=True)
    assert receiver.post(HEADERS, BODY).failure == "connect"


def test_a_name_that_nobody_knows() -> None:
    def unknown(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
        raise socket.gaierror(socket.EAI_NONAME, f"{host}:{port} not known")

    receiver = HttpWebhookReceiver("https://nobody.example/", PATIENCE_SECONDS, find=unknown)
    assert receiver.post(HEADERS, BODY).failure == "name"


def test_a_resolver_that_hangs_is_left_after_the_time_limit() -> None:
    released = threading.Event()

    def hang(*_: object) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
        released.wait()
        return []

    receiver = HttpWebhookReceiver("https://slow.example/", SOON, find=hang)
    assert receiver.post(HEADERS, BODY).failure == "timeout"
    released.set()


def test_after_the_time_limit_no_further_address_is_tried() -> None:
    """A name with two addresses: while the first is looked up the time ends, and the request goes to neither."""
    asked, released = threading.Event(), threading.Event()
    with serving(answering(respond("200 OK", b""))) as server:

        def lead(_: str, __: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
            asked.set()
            released.wait()
            return [(socket.AF_INET, ("127.0.0.1", server.port))] * 2

        receiver = HttpWebhookReceiver("http://both.example/", SOON, private_networks=True, find=lead)
        assert receiver.post(HEADERS, BODY).failure == "timeout"
        assert asked.is_set()
        released.set()
        for thread in threading.enumerate():
            if thread.name == "webhook":
                thread.join(PATIENCE_SECONDS)
                assert not thread.is_alive()
        assert server.connections == 0


# --- what is connected to --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.1.2.3", "0.1.2.3", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
        *("169.254.169.254", "169.254.100.1", "100.64.0.1", "192.0.0.8", "198.18.0.1", "224.0.0.1", "240.0.0.1"),
        *("255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1", "2002:7f00:1::1", "2001:db8::1"),
        *("::7f00:1", "::ffff:0:7f00:1", "fec0::1", "64:ff9b:1::a00:1", "4000::1", "2001::1"),
    ],
)
def test_what_only_this_function_can_reach_is_not_connected_to(address: str) -> None:
    assert not is_public(address)

    def lead(_: str, port: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
        return [(socket.AF_INET6 if ":" in address else socket.AF_INET, (address, port))]

    receiver = HttpWebhookReceiver("https://looks.example/", PATIENCE_SECONDS, find=lead)
    answer = receiver.post(HEADERS, BODY)
    assert (answer.status, answer.failure) == (None, "private")


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "52.95.110.1", "2606:4700::1111", "64:ff9b::808:808"])
def test_the_public_internet_is(address: str) -> None:
    assert is_public(address)


@given(
    st.ip_addresses(network="10.0.0.0/8") | st.ip_addresses(network="fc00::/7") | st.ip_addresses(network="127.0.0.0/8")
)
def test_no_private_address_is_public(address: object) -> None:
    assert not is_public(str(address))


def test_of_a_names_addresses_only_the_public_ones_are_tried() -> None:
    """The name leads to a private address too, and it is the one that would answer."""
    with serving(answering(respond("200 OK", b""))) as server:

        def lead(_: str, __: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
            return [(socket.AF_INET, ("127.0.0.1", server.port))]

        receiver = HttpWebhookReceiver("http://both.example/", PATIENCE_SECONDS, find=lead)
        assert receiver.post(HEADERS, BODY).failure == "private"
        assert server.connections == 0


# --- TLS -------------------------------------------------------------------------------------------------------------


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    with serving(answering(respond("200 OK", b"")), certificate) as server:
        assert post(server).failure == "certificate"
        assert server.requests == []


def test_a_trusted_certificate_for_the_address_is_taken(certificate: Path) -> None:
    trust = ssl.create_default_context(cafile=certificate)
    with serving(answering(respond("200 OK", b"")), certificate) as server:
        right = HttpWebhookReceiver(server.url, PATIENCE_SECONDS, private_networks=True, trust=trust)
        assert right.post(HEADERS, BODY).failure is None

        def lead(_: str, __: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
            return [(socket.AF_INET, ("127.0.0.1", server.port))]

        wrong = HttpWebhookReceiver(
            "https://another.example/", PATIENCE_SECONDS, private_networks=True, trust=trust, find=lead
        )
        assert wrong.post(HEADERS, BODY).failure == "certificate"


def test_a_receiver_that_speaks_no_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"220 mail.example ESMTP ready\r\n")
                connection.recv(65536)

        threading.Thread(target=talk, daemon=True).start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        receiver = HttpWebhookReceiver(url, PATIENCE_SECONDS, private_networks=True)
        assert receiver.post(HEADERS, BODY).failure == "tls"
