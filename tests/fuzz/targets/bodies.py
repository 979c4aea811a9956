"""Bodies as bytes: minify, the forms under which a signature counts, content encodings, timestamps."""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime
from decimal import Decimal

from doku_snap.answers import parse_object
from doku_snap.content_encoding import BrokenEncoding, decode_content
from doku_snap.errors import InvalidMessage
from doku_snap.signing import (
    find_body_form,
    format_timestamp,
    minify,
    parse_received_timestamp,
    parse_timestamp,
    sign_symmetric,
    symmetric_string_to_sign,
)
from tests.fuzz.target import Target, require
from tests.fuzz.targets.samples import read_bodies

_BLANKS = b" \t\r\n"
_PATH, _TOKEN, _AT = "/doku/v1.0/debit/notify", "token", "2026-03-02T09:00:00Z"
_KEY, _OTHER_KEY = "SK-1", "SK-2"
_SAMPLES = [*read_bodies("inboundPaymentNotification", "request"), *read_bodies("payment", "request")]
_LAYOUTS = [json.dumps(json.loads(body), indent=1, ensure_ascii=True).encode() for body in _SAMPLES[:4]]
_MOST_DECODED = 4096


def check_minify(data: bytes) -> None:
    """Try `minify`."""
    small = minify(data)
    require(small == minify_by_hand(data), "minify drops blanks outside of strings, and nothing else")
    require(minify(small) == small, "minify is idempotent")
    value = _read_strictly(data)
    if value is not None:
        require(_read_strictly(small) == value, "minify keeps the meaning")


def minify_by_hand(data: bytes) -> bytes:
    """Drop blanks outside of strings, byte by byte: another way than the product's, to compare with."""
    kept = bytearray()
    inside = escaped = False
    for byte in data:
        if not inside and byte in _BLANKS:
            continue
        kept.append(byte)
        if not inside:
            inside = byte == ord('"')
        elif escaped:
            escaped = False
        elif byte == ord("\\"):
            escaped = True
        elif byte == ord('"'):
            inside = False
    return bytes(kept)


def check_signature(data: bytes) -> None:
    """Try what counts as signed: `data` is what the sender signed, a zero byte, and what arrived."""
    signed, _, arrived = data.partition(b"\0")
    signature = _sign(signed)
    require(_find(signature, signed), "what was signed is accepted as it is")
    require(not _find(_sign(signed, _OTHER_KEY), signed), "another secret's signature is refused")
    require(not _find(signature[:-3] + "A==", signed) or signature.endswith("A=="), "a changed signature is refused")
    if arrived != signed and _find(signature, arrived):
        same = minify_by_hand(arrived) == signed or _has_same_value(arrived, signed)
        require(same, "only the layout may differ between what was signed and what arrived")
    value = _read_strictly(signed)
    if value is not None and json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() == signed:
        laid_out = json.dumps(value, indent=2, ensure_ascii=False).encode()
        require(_find(signature, laid_out), "a compact body that arrives in another layout is accepted")


def _sign(body: bytes, key: str = _KEY) -> str:
    return sign_symmetric(symmetric_string_to_sign("POST", _PATH, _TOKEN, body, _AT), key)


def _find(signature: str, body: bytes) -> bool:
    form = find_body_form(signature, [_KEY], method="POST", paths=[_PATH], b2b_token=_TOKEN, body=body, timestamp=_AT)
    return form is not None


def _has_same_value(one: bytes, other: bytes) -> bool:
    """Whether two texts are JSON of the same value, to the last digit. (The standard library also detects UTF-16.)"""
    try:
        first, second = (json.loads(text, parse_float=_read_number, parse_int=_read_number) for text in (one, other))
    except (ValueError, ArithmeticError, RecursionError):
        return False
    return json.dumps(first) == json.dumps(second)  # written, as NaN equals nothing


def _read_number(text: str) -> str:
    return f"number {Decimal(text).normalize()}"


def _read_strictly(data: bytes) -> object:
    """Return the JSON of UTF-8 bytes that can be written again; None for anything else (and for `null`)."""
    try:
        value = json.loads(data.decode(), parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value


def _refuse(_: str) -> object:
    raise ValueError("no JSON")


def check_object(data: bytes) -> None:
    """Try the reader of every JSON object that DOKU sends."""
    read = parse_object(data)
    require(read is None or isinstance(read, dict), "a JSON object or nothing")
    value = _read_strictly(data)
    if isinstance(value, dict):
        require(read is not None, "each JSON object is read")
        require(read is not None and list(read) == list(value), "with all of its members")


def check_encoding(data: bytes) -> None:
    """Try decoding: `data` is the name of the encoding, a line break, and the body."""
    name, _, body = data.partition(b"\n")
    try:
        decoded = decode_content(body, name.decode("latin-1"), _MOST_DECODED)
    except BrokenEncoding as error:
        require(error.kind in ("truncated", "too_large", "unparsable"), "a kind that is declared")
        return
    require(decoded is body or len(decoded) <= _MOST_DECODED, "a body does not grow over its limit")


def check_timestamp(data: bytes) -> None:
    """Try both readers of X-TIMESTAMP."""
    text = data.decode("utf-8", "replace")
    received = _read_moment(text)
    try:
        sent = parse_timestamp(text)
    except InvalidMessage:
        sent = None
    require(sent is None or sent == received, "what may be sent may be received, and means the same")
    if received is None:
        return
    require(received.tzinfo is UTC, "a moment in UTC")
    written = format_timestamp(received)
    require(parse_timestamp(written) == received.replace(microsecond=0), "it can be written and read again")
    require(text.isascii(), "digits are ASCII")
    require(datetime.fromisoformat(text.upper()).astimezone(UTC) == received, "the standard library reads the same")


def _read_moment(text: str) -> datetime | None:
    try:
        return parse_received_timestamp(text)
    except InvalidMessage:
        return None


BODIES = (
    Target("minify", "drops blanks outside of strings and nothing else, for any bytes", check_minify, _LAYOUTS),
    Target(
        "signature",
        "accepts what was signed, in any layout, and nothing else",
        check_signature,
        [
            *(body + b"\0" + layout for body, layout in zip(_SAMPLES, _LAYOUTS, strict=False)),
            b'{"a":"/<"}\0{"a": "\\/\\u003c"}',
            b'{"amount":1234567890123456.8}\0{"amount": 1234567890123456.78}',
            b"\0",
        ],
    ),
    Target("object", "reads each JSON object, whole, and nothing else", check_object, [*_SAMPLES, *_LAYOUTS]),
    Target(
        "encoding",
        "a small body becomes no large one; a broken one is named",
        check_encoding,
        [
            b"gzip\n" + zlib.compress(_SAMPLES[0], wbits=31),
            b"deflate\n" + zlib.compress(_SAMPLES[0]),
            b"deflate\n" + zlib.compress(_SAMPLES[0], wbits=-15),
            b"gzip\n" + zlib.compress(b"\0" * 100_000, wbits=31),
            b"utf-8\n{}",
        ],
    ),
    Target(
        "timestamp",
        "reads the moments of the contract, as the standard library does; refuses the rest by InvalidMessage",
        check_timestamp,
        [
            b"2026-03-02T09:00:00Z",
            b"2026-03-02T16:00:00.123456789+07:00",
            b"0001-01-01T00:00:00+1400",
            b"9999-12-31T23:59:59.9-14:00",
        ],
    ),
)
