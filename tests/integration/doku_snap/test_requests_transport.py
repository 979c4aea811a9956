"""What the transport says about every way in which a call can fail, against a real socket."""

import contextlib
import ipaddress
import os
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from doku_snap.errors import AnswerLost, ConnectionNotMade, InvalidSetting
from doku_snap.transport import MAX_BODY_BYTES, HttpAnswer, HttpRequest, RequestsTransport, Timeout
from tests.integration.doku_snap.faulty_server import Behaviour, FaultyServer, reset, respond, serving

OK = respond("200 OK", b'{"responseCode":"2005400"}')
PATIENT = Timeout(connect=2, read=5)
HASTY = Timeout(connect=2, read=0.3)


@pytest.fixture
def transport() -> Iterator[RequestsTransport]:
    made = RequestsTransport()
    yield made
    made.close()


def request_to(url: str, body: bytes = b'{"a":"\xc3\xa9"}') -> HttpRequest:
    return HttpRequest("POST", url, {"Content-Type": "application/json", "X-EXTERNAL-ID": "1"}, body)


def send(transport: RequestsTransport, server: FaultyServer, timeout: Timeout = PATIENT) -> HttpAnswer:
    return transport.send(request_to(server.url + "/p?q=1"), timeout)


def lost(transport: RequestsTransport, behaviour: Behaviour, timeout: Timeout = PATIENT) -> AnswerLost:
    with serving(behaviour) as server:
        with pytest.raises(AnswerLost) as error:
            send(transport, server, timeout)
        assert len(server.requests) == 1, "a call is never repeated"
    return error.value


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


def test_refused_is_not_made(transport: RequestsTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed_at_once:
        port = closed_at_once.getsockname()[1]
    with pytest.raises(ConnectionNotMade):
        transport.send(request_to(f"http://127.0.0.1:{port}/"), PATIENT)


def test_an_unknown_name_is_not_made(transport: RequestsTransport) -> None:
    with pytest.raises(ConnectionNotMade):
        transport.send(request_to("http://doku.invalid/"), PATIENT)


def test_a_connection_that_takes_too_long_is_not_made(transport: RequestsTransport) -> None:
    # A listener whose queue is full accepts no further handshake.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(address)
            waiting.append(client)
        try:
            with pytest.raises(ConnectionNotMade):
                transport.send(request_to(f"http://127.0.0.1:{address[1]}/"), Timeout(connect=0.3, read=5))
        finally:
            for client in waiting:
                client.close()


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


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + built.public_bytes(Encoding.PEM))
    return path


def test_only_a_trusted_certificate_is_spoken_to(transport: RequestsTransport, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class TlsServer(FaultyServer):
        def _serve(self, connection: socket.socket) -> None:
            with contextlib.suppress(OSError):
                super()._serve(context.wrap_socket(connection, server_side=True))

    server = TlsServer(lambda connection, _: connection.sendall(OK))
    server.start()
    trusting = RequestsTransport(ca_bundle=os.fspath(certificate))
    try:
        with pytest.raises(ConnectionNotMade):
            transport.send(request_to(f"https://127.0.0.1:{server.port}/"), PATIENT)
        assert server.requests == []
        assert trusting.send(request_to(f"https://127.0.0.1:{server.port}/"), PATIENT).status == 200
    finally:
        trusting.close()
        server.stop()


def test_a_url_that_cannot_be_used_is_not_made(transport: RequestsTransport) -> None:
    for url in ("gopher://127.0.0.1/", "http://", "http://[::1"):
        with pytest.raises(ConnectionNotMade):
            transport.send(request_to(url), PATIENT)


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


def test_silence_is_lost_at_the_time_out(transport: RequestsTransport) -> None:
    def behave(_: socket.socket, server: FaultyServer) -> None:
        server.released.wait(5)

    started = time.monotonic()
    error = lost(transport, behave, HASTY)
    assert (error.kind, error.http_status) == ("timeout", None)
    assert time.monotonic() - started < 2


def test_half_a_body_is_lost(transport: RequestsTransport) -> None:
    def behave(connection: socket.socket, _: FaultyServer) -> None:
        connection.sendall(OK[:-5])
        connection.close()

    error = lost(transport, behave)
    assert (error.kind, error.http_status) == ("truncated", 200)


def test_a_body_that_stalls_is_lost(transport: RequestsTransport) -> None:
    def behave(connection: socket.socket, server: FaultyServer) -> None:
        connection.sendall(OK[:-5])
        server.released.wait(5)

    assert lost(transport, behave, HASTY).kind == "timeout"


@pytest.mark.parametrize("length", [b"Content-Length: 100000\r\n\r\n", b"\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
def test_a_trickle_cannot_outlive_the_time_out(transport: RequestsTransport, length: bytes) -> None:
    def behave(connection: socket.socket, server: FaultyServer) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + length)
        while not server.released.wait(0.05):
            connection.sendall(b"1\r\n \r\n" if b"chunked" in length else b" ")

    started = time.monotonic()
    error = lost(transport, behave, HASTY)
    assert (error.kind, error.http_status) == ("timeout", 200)
    assert time.monotonic() - started < 1.5


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


def test_what_is_not_http_is_lost(transport: RequestsTransport) -> None:
    def behave(connection: socket.socket, _: FaultyServer) -> None:
        connection.sendall(b"SSH-2.0-OpenSSH\r\n")
        connection.close()

    assert lost(transport, behave).kind == "unparsable"


def test_a_kept_connection_that_the_server_closed_is_replaced(transport: RequestsTransport) -> None:
    def behave(connection: socket.socket, _: FaultyServer) -> None:
        connection.sendall(OK)
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    with serving(behave) as server:
        assert send(transport, server).status == 200
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
            server.released.wait(0.6)
            connection.sendall(b"LATE}")
        else:
            connection.sendall(OK)

    with serving(behave) as server:
        with pytest.raises(AnswerLost):
            send(transport, server, HASTY)
        assert send(transport, server).body == b'{"responseCode":"2005400"}'


def test_the_deadline_counts_from_the_call_on_a_kept_connection(transport: RequestsTransport) -> None:
    def behave(connection: socket.socket, server: FaultyServer) -> None:
        if len(server.requests) > 1:
            server.released.wait(0.4)
        connection.sendall(OK)

    with serving(behave) as server:
        assert send(transport, server).status == 200
        assert send(transport, server, Timeout(connect=1, read=2)).status == 200


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
