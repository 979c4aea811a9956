"""Signatures of the DOKU SNAP contract (section 4).

Outbound rule: serialise once, sign these bytes, send these bytes. Inbound rule: sign what arrived, in any of the forms
DOKU's server may have hashed.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from doku_snap.errors import InvalidMessage

# A JSON string (an unterminated one reaches to the end: the scan stays linear on hostile input) or a run of blanks.
_STRING_OR_BLANKS = re.compile(rb'("(?:[^"\\]|\\(?:.|\Z))*+(?:"|\Z))|[ \t\r\n]++', re.DOTALL)
_SENT_TIMESTAMP = re.compile(r"[0-9-]{10}T[0-9:]{8}(?:Z|(?!-00:00)[+-][0-9]{2}:[0-9]{2})")
_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2}))"
)
# What Gson escapes beside what JSON demands.
_HTML_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&='\u2028\u2029"}
_MAX_OFFSET_HOURS = 14
_OFFSET_MINUTES = frozenset({0, 15, 30, 45})


def minify(raw: bytes) -> bytes:
    """Drop blank, tab, CR and LF outside string literals and change nothing else (contract 4.3)."""
    return _STRING_OR_BLANKS.sub(lambda found: found.group(1) or b"", raw)


def serialize(body: object) -> bytes:
    """Write JSON in the one form that is the same under every minify rule: compact, raw UTF-8 (contract 4.4)."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8")


def format_timestamp(moment: datetime) -> str:
    """Write an aware moment as `X-TIMESTAMP`: UTC, `Z`, whole seconds (contract 2.3). Raises ValueError if naive."""
    if moment.tzinfo is None:
        raise ValueError("a timestamp needs a time zone")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def parse_timestamp(text: str) -> datetime:
    """Read an `X-TIMESTAMP` in the form that may be sent: `Z` or a real offset, no fraction of a second.

    Returns an aware moment in UTC. Raises InvalidMessage for milliseconds, `-00:00`, impossible dates and offsets
    (contract 2.3).
    """
    if _SENT_TIMESTAMP.fullmatch(text) is None:
        raise InvalidMessage("X-TIMESTAMP", "must be yyyy-MM-ddTHH:mm:ss with Z or an offset")
    return parse_received_timestamp(text)


def parse_received_timestamp(text: str) -> datetime:
    """Read an `X-TIMESTAMP` as DOKU may send it: also with a fraction of a second, `z`, `+hhmm` and `-00:00`.

    Returns an aware moment in UTC. Raises InvalidMessage for any other form, impossible dates and offsets (contract
    12.1). What is signed is the text, never this moment.
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise InvalidMessage("X-TIMESTAMP", "must be yyyy-MM-ddTHH:mm:ss with Z or an offset")
    try:
        # The pattern accepts any digits; the calendar decides here, and the edges of it overflow on conversion.
        seconds = datetime.fromisoformat(match[1]).replace(tzinfo=_zone(match))
        return seconds.replace(microsecond=int((match[2] or "")[:6].ljust(6, "0"))).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidMessage("X-TIMESTAMP", "is not a moment of the calendar") from None


def _zone(match: re.Match[str]) -> timezone:
    if match[3] is None:
        return UTC
    hours, minutes = int(match[4]), int(match[5])
    if hours > _MAX_OFFSET_HOURS or minutes not in _OFFSET_MINUTES:
        raise ValueError("no such offset")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if match[3] == "-" else offset)


def asymmetric_string_to_sign(client_id: str, timestamp: str) -> str:
    """`clientId|timestamp`: what a token request signs, in both directions (contract 4.1)."""
    return f"{client_id}|{timestamp}"


def sign_asymmetric(string_to_sign: str, private_key: RSAPrivateKey) -> str:
    """SHA256withRSA (PKCS#1 v1.5) as one line of base64."""
    return base64.b64encode(private_key.sign(string_to_sign.encode("utf-8"), PKCS1v15(), hashes.SHA256())).decode(
        "ascii"
    )


def verify_asymmetric(string_to_sign: str, signature: str, public_key: RSAPublicKey) -> bool:
    """Whether `signature` (base64) is the key owner's over the string; False for anything undecodable."""
    try:
        decoded = base64.b64decode(signature.encode("ascii"), validate=True)
        public_key.verify(decoded, string_to_sign.encode("utf-8"), PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, UnicodeEncodeError, binascii.Error):
        return False
    return True


def symmetric_string_to_sign(method: str, path: str, b2b_token: str, body: bytes, timestamp: str) -> str:
    """`METHOD:PATH:B2B_TOKEN:bodyHash:timestamp` over exactly these body bytes (contract 4.2).

    `path` is the path with its query as requested; `b2b_token` is bare. Minify first where the body is not compact.
    """
    return _string_to_sign(method, path, b2b_token, _hash(body), timestamp)


def _string_to_sign(method: str, path: str, b2b_token: str, body_hash: str, timestamp: str) -> str:
    return f"{method.upper()}:{path}:{b2b_token}:{body_hash}:{timestamp}"


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def sign_symmetric(string_to_sign: str, secret_key: str) -> str:
    """HMAC-SHA512 with the client secret, base64 (88 characters)."""
    mac = hmac.digest(secret_key.encode("utf-8"), string_to_sign.encode("utf-8"), "sha512")
    return base64.b64encode(mac).decode("ascii")


class BodyForm(StrEnum):
    """Forms of one content, any of which a sender may have hashed (contract 4.5, 12.3)."""

    RAW = "raw"  # the bytes as they came
    MINIFIED = "minified"
    RESERIALISED = "reserialised"  # parsed and written again, compact, in UTF-8
    ASCII_ESCAPED = "ascii_escaped"  # ... with \uXXXX for what is not ASCII
    HTML_ESCAPED = "html_escaped"  # ... with \u00xx for < > & = ' (Gson)
    SLASH_ESCAPED = "slash_escaped"  # ... with \/
    SLASH_AND_ASCII_ESCAPED = "slash_and_ascii_escaped"  # ... with both (PHP's json_encode)


def find_body_form(
    signature: str,
    secret_keys: Sequence[str],
    *,
    method: str,
    paths: Sequence[str],
    b2b_token: str,
    body: bytes,
    timestamp: str,
) -> BodyForm | None:
    """Return the form of the body over which `signature` authenticates this call; None if there is none.

    Any of `secret_keys` and of `paths` may have been used (contract 12.2). Case-sensitive. Of a signature that fits
    nothing the time says nothing: everything is compared, in constant time. One over the bytes as they came, which is
    what nearly all are, is found at once.
    """
    given = signature.encode("utf-8", "surrogatepass")

    def fits(content: bytes) -> bool:
        body_hash = _hash(content)
        to_sign = [_string_to_sign(method, path, b2b_token, body_hash, timestamp) for path in paths]
        macs = [sign_symmetric(one, secret_key).encode("ascii") for one in to_sign for secret_key in secret_keys]
        return True in [hmac.compare_digest(given, mac) for mac in macs]

    if fits(body):
        return BodyForm.RAW
    found: BodyForm | None = None
    for form, content in _other_forms(body):
        found = form if fits(content) else found
    return found


def verify_symmetric(
    signature: str, secret_key: str, *, method: str, path: str, b2b_token: str, body: bytes, timestamp: str
) -> bool:
    """Whether `signature` authenticates this call, over any form of the body (contract 4.5). See `find_body_form`."""
    form = find_body_form(
        signature, [secret_key], method=method, paths=[path], b2b_token=b2b_token, body=body, timestamp=timestamp
    )
    return form is not None


def _other_forms(body: bytes) -> list[tuple[BodyForm, bytes]]:
    """The forms of a body beside its own, each content once: a compact body with nothing to escape has none."""
    forms: dict[bytes, BodyForm] = {body: BodyForm.RAW}
    for form, content in _write_other_forms(body):
        forms.setdefault(content, form)
    del forms[body]
    return [(form, content) for content, form in forms.items()]


def _write_other_forms(body: bytes) -> Iterator[tuple[BodyForm, bytes]]:
    yield BodyForm.MINIFIED, minify(body)
    try:
        parsed = json.loads(body, parse_float=_parse_exactly)
        text = json.dumps(parsed, separators=(",", ":"), ensure_ascii=False)
        ascii_text = json.dumps(parsed, separators=(",", ":"), ensure_ascii=True)
        yield BodyForm.RESERIALISED, text.encode("utf-8")
        yield BodyForm.ASCII_ESCAPED, ascii_text.encode("ascii")
        # None of the characters that are replaced occurs outside of string literals, or escaped within.
        yield BodyForm.HTML_ESCAPED, text.translate(_HTML_ESCAPES).encode("utf-8")
        yield BodyForm.SLASH_ESCAPED, text.replace("/", r"\/").encode("utf-8")
        yield BodyForm.SLASH_AND_ASCII_ESCAPED, ascii_text.replace("/", r"\/").encode("ascii")
    except (ValueError, ArithmeticError, RecursionError):
        return  # not JSON, or JSON that cannot be written again: only the literal forms count


def _parse_exactly(text: str) -> float:
    """A number as a sender's double; one signature must not be good for two amounts.

    Raises ValueError for one that a double changes, and ArithmeticError for an exponent without an end.
    """
    number = float(text)
    if Decimal(repr(number)) != Decimal(text):
        raise ValueError("more digits than a double holds")
    return number
