"""Answers that come compressed although they were asked for as they are."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from doku_snap.content_encoding import BrokenEncoding, decode_content
from doku_snap.transport import MAX_BODY_BYTES, RequestsTransport
from tests.integration.doku_snap.calls import lost, send
from tests.integration.doku_snap.faulty_server import respond, serving

PLAIN = b'{"responseCode":"2005400","responseMessage":"' + b"Successful " * 20 + b'"}'


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def deflated(data: bytes) -> bytes:
    return zlib.compress(data)


def deflated_bare(data: bytes) -> bytes:
    return zlib.compress(data, wbits=-zlib.MAX_WBITS)


ENCODED = [
    ("gzip", gzipped(PLAIN)),
    ("GZIP", gzipped(PLAIN)),
    ("x-gzip", gzipped(PLAIN)),
    ("gzip", gzipped(PLAIN) + bytes(10)),
    ("deflate", deflated(PLAIN)),
    ("deflate", deflated_bare(PLAIN)),
]


@pytest.mark.parametrize(("encoding", "sent"), ENCODED, ids=range(len(ENCODED)))
def test_what_was_compressed_is_read(transport: RequestsTransport, encoding: str, sent: bytes) -> None:
    answer = respond("200 OK", sent, f"Content-Encoding: {encoding}")
    with serving(lambda connection, _: connection.sendall(answer)) as server:
        assert send(transport, server).body == PLAIN
        assert send(transport, server).body == PLAIN
        assert server.connections == 1


@pytest.mark.parametrize("encoding", ["identity", "", "utf-8", "br", "gzip, br"])
def test_what_is_no_encoding_of_ours_is_left_as_it_is(transport: RequestsTransport, encoding: str) -> None:
    answer = respond("200 OK", PLAIN, f"Content-Encoding: {encoding}")
    with serving(lambda connection, _: connection.sendall(answer)) as server:
        assert send(transport, server).body == PLAIN


def test_an_empty_body_has_nothing_to_decode(transport: RequestsTransport) -> None:
    answer = respond("504 Gateway Timeout", b"", "Content-Encoding: gzip")
    with serving(lambda connection, _: connection.sendall(answer)) as server:
        assert send(transport, server).body == b""


BROKEN = [
    ("gzip", gzipped(PLAIN)[:-9], "truncated"),
    ("gzip", gzipped(PLAIN)[:5], "truncated"),
    ("deflate", deflated(PLAIN)[:-1], "truncated"),
    ("deflate", deflated_bare(PLAIN)[:-1], "truncated"),
    ("gzip", PLAIN, "unparsable"),
    ("deflate", b"\xff" * 10, "unparsable"),
    ("gzip", gzipped(PLAIN)[:-8] + bytes(8), "unparsable"),  # another checksum
    ("gzip", gzipped(PLAIN) + b"more", "unparsable"),
    ("gzip", gzipped(PLAIN) + gzipped(PLAIN), "unparsable"),  # two answers
    ("gzip", gzipped(bytes(MAX_BODY_BYTES + 1)), "too_large"),
    ("deflate", deflated(bytes(MAX_BODY_BYTES + 1)), "too_large"),
    ("deflate", deflated_bare(bytes(MAX_BODY_BYTES + 1)), "too_large"),
]


@pytest.mark.parametrize(("encoding", "sent", "kind"), BROKEN, ids=range(len(BROKEN)))
def test_a_broken_stream_is_lost(transport: RequestsTransport, encoding: str, sent: bytes, kind: str) -> None:
    answer = respond("200 OK", sent, f"Content-Encoding: {encoding}")
    error = lost(transport, lambda connection, _: connection.sendall(answer))
    assert (error.kind, error.http_status) == (kind, 200)


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzipped), ("deflate", deflated), ("deflate", deflated_bare)]
)
def test_exactly_the_limit_is_decoded(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    assert decode_content(compress(bytes(1000)), encoding, 1000) == bytes(1000)
    with pytest.raises(BrokenEncoding) as error:
        decode_content(compress(bytes(1001)), encoding, 1000)
    assert error.value.kind == "too_large"


def test_a_bomb_does_not_fill_the_memory() -> None:
    bomb = gzip.compress(bytes(256 * 1024 * 1024), compresslevel=1)
    tracemalloc.start()
    try:
        with pytest.raises(BrokenEncoding):
            decode_content(bomb, "gzip", MAX_BODY_BYTES)
        assert tracemalloc.get_traced_memory()[1] < 16 * MAX_BODY_BYTES
    finally:
        tracemalloc.stop()
