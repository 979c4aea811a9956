"""What the transport says about every way in which a call can fail, against a real socket."""

import contextlib
import os
import socket
import threading
from pathlib import Path

import pytest

from doku_snap.errors import AnswerLost, ConnectionNotMade, InvalidMessage, InvalidSetting
from doku_snap.transport import MAX_BODY_BYTES, HttpRequest, RequestsTransport
from tests.integration.doku_snap.calls import HASTY, OK, PATIENT, lost, request_to, send
from tests.integration.doku_snap.faulty_server import FaultyServer, reset, respond, serving
from tests.patience import PATIENCE_SECONDS


def test_the_bytes_arrive_as_they_are_and_the_answer_comes_back(transport: RequestsTransport) -> None:
    with serving(lambda connection, _: connection.sendall(OK)) as server:
        answer = send(transport, server)
        [request] = server.requests
    assert (answer.status, answer.body) == (200, b'{"responseCode":"2005400"}')
    assert answer.headers["content-type"] == "application/json"
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /p?q=1 HTTP/1.1\r\n")
    assert b"X-EXTERNAL-ID: 1" in head
    assert body == b'{"a":"\xc3\xa9"}'


@pytest.mark.parametrize(
    "status", ["200 OK", "201 Created", "400 Bad Request", "403 Forbidden", "409 Conflict", "504 T"]
)
def test_every_status_is_an_answer(transport: RequestsTransport, status: str) -> None:
    with serving(lambda connection, _: connection.sendall(respond(status, b"{}"))) as server:
        assert send(transport, server).status == int(status[:3])


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff\xfe"])
def test_what_the_body_means_is_not_the_transports_business(transport: RequestsTransport, body: bytes) -> None:
    with serving(lambda connection, _: connection.sendall(respond("502 Bad Gateway", body))) as server:
        assert send(transport, server).body == body


def test_connections_are_kept(transport: RequestsTransport) -> None:
    with serving(lambda connection, _: connection.sendall(OK)) as server:
        for _ in range(3):
            send(transport, server)
        assert (server.connections, len(server.requests)) == (1, 3)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_not_followed(transport: RequestsTransport, status: str) -> None:
    with serving(lambda connection, _: connection.sendall(OK)) as elsewhere:
        moved = respond(status, b"", f"Location: {elsewhere.url}/stolen")
        with serving(lambda connection, _: connection.sendall(moved)) as server:
            assert send(transport, server).status == int(status[:3])
        assert elsewhere.requests == []


@pytest.mark.parametrize("length", ["Content-Length: 10485760", "Connection: close"])
def test_a_redirects_body_has_the_same_limit(transport: RequestsTransport, length: str) -> None:
    def behave(connection: socket.socket, _: FaultyServer) -> None:
        connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n{length}\r\n\r\n".encode() + b" " * 10485760)
        connection.close()

    error = lost(transport, behave)
    assert (error.kind, error.http_status) == ("too_large", 302)


def test_a_redirects_body_is_handed_on(transport: RequestsTransport) -> None:
    moved = respond("302 Found", b"{}", "Location: /elsewhere")
    with serving(lambda connection, _: connection.sendall(moved)) as server:
        assert send(transport, server).body == b"{}"


def test_refused_is_not_made(transport: RequestsTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed_at_once:
        port = closed_at_once.getsockname()[1]
    with pytest.raises(ConnectionNotMade):
        transport.send(request_to(f"http://127.0.0.1:{port}/"), PATIENT)


def test_an_unknown_name_is_not_made(transport: RequestsTransport) -> None:
    with pytest.raises(ConnectionNotMade):
        transport.send(request_to("http://doku.invalid/"), PATIENT)


def test_a_failed_tls_handshake_is_not_made(transport: RequestsTransport) -> None:
    def not_tls(connection: socket.socket, _: FaultyServer) -> None:
        connection.sendall(OK)

    class PlainServer(FaultyServer):
        def _serve(self, connection: socket.socket) -> None:
            with connection:
                connection.recv(1024)
                connection.sendall(b"HTTP/1.1 400 This is not TLS\r\n\r\n")

    server = PlainServer(not_tls)
    server.start()
    try:
        with pytest.raises(ConnectionNotMade):
            transport.send(request_to(f"https://127.0.0.1:{server.port}/"), PATIENT)
    finally:
        server.stop()


def test_a_reset_during_the_tls_handshake_is_not_made(transport: RequestsTransport) -> None:
    class ResettingServer(FaultyServer):
        def _serve(self, connection: socket.socket) -> None:
            connection.recv(1024)
            reset(connection)

    server = ResettingServer(lambda *_: None)
    server.start()
    try:
        with pytest.raises(ConnectionNotMade):
            transport.send(request_to(f"https://127.0.0.1:{server.port}/"), PATIENT)
    finally:
        server.stop()


def test_only_a_trusted_certificate_is_spoken_to(transport: RequestsTransport, certificate: Path) -> None:
    with serving(lambda connection, _: connection.sendall(OK), certificate) as server:
        with pytest.raises(ConnectionNotMade):
            send(transport, server)
        assert server.requests == []
        with contextlib.closing(RequestsTransport(ca_bundle=os.fspath(certificate))) as trusting:
            assert send(trusting, server).status == 200


@pytest.mark.parametrize(
    "url", ["", "doku", "gopher://127.0.0.1/", "http://", "http://[::1", "http://*/", f"http://{'a' * 64}.example/"]
)
def test_a_url_that_cannot_be_used_is_our_own_mistake(transport: RequestsTransport, url: str) -> None:
    with pytest.raises(InvalidMessage) as error:
        transport.send(request_to(url), PATIENT)
    assert error.value.field == "url"
    assert "aaaa" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("X-A", "a\r\nX-B: b", "X-A"),
        ("X-A", "a\n", "X-A"),
        ("X-A", " a", "X-A"),
        ("X-A", "4\u20ac", "X-A"),
        ("X-A", "a\x00", "X-A"),
        ("X A", "a", "headers"),
        ("", "a", "headers"),
        ("X-A:", "a", "headers"),
    ],
)
def test_a_header_that_cannot_be_written_is_our_own_mistake(
    transport: RequestsTransport, name: str, value: str, field: str
) -> None:
    with serving(lambda connection, _: connection.sendall(OK)) as server:
        with pytest.raises(InvalidMessage) as error:
            transport.send(HttpRequest("POST", server.url, {name: value}, b"{}"), PATIENT)
        assert (error.value.field, server.connections) == (field, 0)


def test_a_method_that_cannot_be_written_is_our_own_mistake(transport: RequestsTransport) -> None:
    with serving(lambda connection, _: connection.sendall(OK)) as server:
        with pytest.raises(InvalidMessage, match="method"):
            transport.send(HttpRequest("PO ST", server.url, {}, b"{}"), PATIENT)
        assert server.connections == 0


def test_the_list_of_authorities_is_read_once(certificate: Path) -> None:
    """To read it takes longer than all else of a call; a shop with a payment a minute has a connection for each."""

    def answer_and_end(connection: socket.socket, _: FaultyServer) -> None:
        connection.sendall(OK)
        connection.close()

    with (
        serving(answer_and_end, certificate) as server,
        contextlib.closing(RequestsTransport(ca_bundle=os.fspath(certificate))) as transport,
    ):
        certificate.unlink()
        for _ in range(2):
            assert send(transport, server).status == 200
        assert server.connections == 2


def test_a_list_of_authorities_that_can_not_be_read_is_a_wrong_setting(tmp_path: Path) -> None:
    bundle = tmp_path / "authorities.pem"
    bundle.write_text("none")
    with pytest.raises(InvalidSetting) as error:
        RequestsTransport(ca_bundle=os.fspath(bundle))
    assert error.value.setting == "ca_bundle"


@pytest.mark.parametrize("body", [b"{}", b""])
def test_a_request_goes_out_in_one_piece(transport: RequestsTransport, body: bytes) -> None:
    """Head and body are one segment and one TLS record."""
    pieces: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                pieces.append(connection.recv(65536))
                connection.sendall(OK)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        assert transport.send(request_to(url, body), PATIENT).status == 200
        thread.join()
    head, end, sent = pieces[0].partition(b"\r\n\r\n")
    assert (head[:4], end, sent) == (b"POST", b"\r\n\r\n", body)


def test_a_reset_after_the_request_is_lost(transport: RequestsTransport) -> None:
    assert lost(transport, lambda connection, _: reset(connection)).kind == "reset"


def test_a_close_without_an_answer_is_lost(transport: RequestsTransport) -> None:
    assert lost(transport, lambda connection, _: connection.close()).kind == "reset"


def test_a_reset_within_the_body_is_lost(transport: RequestsTransport) -> None:
    def behave(connection: socket.socket, _: FaultyServer) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        reset(connection)

    # Whether the first byte is read before the reset arrives is a race of the kernel's; both are lost.
    assert lost(transport, behave).kind in {"reset", "truncated"}


def test_half_a_body_is_lost(transport: RequestsTransport) -> None:
    def behave(connection: socket.socket, _: FaultyServer) -> None:
        connection.sendall(OK[:-5])
        connection.close()

    error = lost(transport, behave)
    assert (error.kind, error.http_status) == ("truncated", 200)


@pytest.mark.parametrize("head", [b"Content-Length: 10485760\r\n\r\n", b"Connection: close\r\n\r\n"])
def test_ten_megabytes_are_too_much(transport: RequestsTransport, head: bytes) -> None:
    def behave(connection: socket.socket, _: FaultyServer) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b" " * 10 * 1024 * 1024)
        connection.close()

    error = lost(transport, behave)
    assert (error.kind, error.http_status) == ("too_large", 200)


def test_exactly_the_limit_is_read(transport: RequestsTransport) -> None:
    body = b"x" * MAX_BODY_BYTES
    with serving(lambda connection, _: connection.sendall(respond("200 OK", body))) as server:
        assert send(transport, server).body == body


def test_a_chunked_body_is_read(transport: RequestsTransport) -> None:
    chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n3\r\n:1}\r\n0\r\n\r\n'
    with serving(lambda connection, _: connection.sendall(chunked)) as server:
        assert send(transport, server).body == b'{"a":1}'
        assert send(transport, server).body == b'{"a":1}'
        assert server.connections == 1


@pytest.mark.parametrize("cut", [b'4\r\n{"a"\r\n', b'4\r\n{"', b"4"])
def test_a_cut_chunked_body_is_lost(transport: RequestsTransport, cut: bytes) -> None:
    def behave(connection: socket.socket, _: FaultyServer) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + cut)
        connection.close()

    error = lost(transport, behave)
    assert (error.kind, error.http_status) == ("truncated", 200)


def test_a_chunk_that_is_no_chunk_is_lost(transport: RequestsTransport) -> None:
    def behave(connection: socket.socket, _: FaultyServer) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n")

    assert lost(transport, behave).http_status == 200


def test_two_lengths_are_lost(transport: RequestsTransport) -> None:
    two = respond("200 OK", b"{}", "Content-Length: 3")
    assert lost(transport, lambda connection, _: connection.sendall(two)).kind == "unparsable"


def test_what_is_not_http_is_lost(transport: RequestsTransport) -> None:
    def behave(connection: socket.socket, _: FaultyServer) -> None:
        connection.sendall(b"SSH-2.0-OpenSSH\r\n")
        connection.close()

    assert lost(transport, behave).kind == "unparsable"


def test_a_kept_connection_that_the_server_closed_is_replaced(transport: RequestsTransport) -> None:
    closed = threading.Event()

    def behave(connection: socket.socket, _: FaultyServer) -> None:
        connection.sendall(OK)
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
        closed.set()

    with serving(behave) as server:
        assert send(transport, server).status == 200
        assert closed.wait(PATIENCE_SECONDS)  # a request that overtakes the closing is lost, and has another test
        assert send(transport, server).status == 200
        assert (server.connections, len(server.requests)) == (2, 2)


def test_a_kept_connection_that_dies_with_the_next_request_is_lost_and_not_repeated(
    transport: RequestsTransport,
) -> None:
    def behave(connection: socket.socket, server: FaultyServer) -> None:
        if len(server.requests) == 1:
            connection.sendall(OK)
        else:
            reset(connection)

    with serving(behave) as server:
        assert send(transport, server).status == 200
        with pytest.raises(AnswerLost) as error:
            send(transport, server)
        assert error.value.kind == "reset"
        assert (server.connections, len(server.requests)) == (1, 2)


def test_after_a_lost_answer_the_next_call_starts_clean(transport: RequestsTransport) -> None:
    def behave(connection: socket.socket, server: FaultyServer) -> None:
        if len(server.requests) == 1:
            connection.sendall(OK[:-5])
            connection.recv(1)  # until nobody waits any more
            connection.sendall(b"LATE}")
        else:
            connection.sendall(OK)

    with serving(behave) as server:
        with pytest.raises(AnswerLost):
            send(transport, server, HASTY)
        assert send(transport, server).body == b'{"responseCode":"2005400"}'


def test_surroundings_change_nothing(
    transport: RequestsTransport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", os.fspath(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    cookie = respond("200 OK", b"{}", "Set-Cookie: s=1; Path=/")
    with serving(lambda connection, _: connection.sendall(cookie)) as server:
        send(transport, server)
        send(transport, server)
        heads = [request.lower() for request in server.requests]
    assert not any(b"authorization" in head or b"cookie" in head for head in heads)


def test_a_ca_bundle_that_is_not_there_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="ca_bundle"):
        RequestsTransport(ca_bundle=os.fspath(tmp_path / "none.pem"))


def test_errors_carry_nothing_of_the_message(transport: RequestsTransport) -> None:
    error = lost(transport, lambda connection, _: connection.close())
    assert "127.0.0.1" not in str(error)
    assert str(error) == "answer of DOKU lost (reset)"
