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
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from doku_snap.errors import InvalidMessage

# A JSON string (an unterminated one reaches to the end: the scan stays linear on hostile input) or a run of blanks.
_STRING_OR_BLANKS = re.compile(rb'("(?:[^"\\]|\\(?:.|\Z))*+(?:"|\Z))|[ \t\r\n]++', re.DOTALL)
_TIMESTAMP = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(Z|([+-])([0-9]{2}):([0-9]{2}))")
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
    """Read an `X-TIMESTAMP` (`Z` or a real offset, no fraction of a second) as an aware moment in UTC.

    Raises InvalidMessage for milliseconds, `-00:00`, impossible dates and offsets (contract 2.3).
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise InvalidMessage("X-TIMESTAMP", "must be yyyy-MM-ddTHH:mm:ss with Z or an offset")
    try:
        # The pattern accepts any digits; the calendar decides here, and the edges of it overflow on conversion.
        naive = datetime.strptime(match[1], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=_zone(match))
        return naive.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidMessage("X-TIMESTAMP", "is not a moment of the calendar") from None


def _zone(match: re.Match[str]) -> timezone:
    if match[2] == "Z":
        return UTC
    hours, minutes = int(match[4]), int(match[5])
    if hours > _MAX_OFFSET_HOURS or minutes not in _OFFSET_MINUTES or match[2] == "-00:00":
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
    return f"{method.upper()}:{path}:{b2b_token}:{hashlib.sha256(body).hexdigest()}:{timestamp}"


def sign_symmetric(string_to_sign: str, secret_key: str) -> str:
    """HMAC-SHA512 with the client secret, base64 (88 characters)."""
    mac = hmac.digest(secret_key.encode("utf-8"), string_to_sign.encode("utf-8"), "sha512")
    return base64.b64encode(mac).decode("ascii")


def verify_symmetric(
    signature: str, secret_key: str, *, method: str, path: str, b2b_token: str, body: bytes, timestamp: str
) -> bool:
    """Whether `signature` authenticates this call, over any of the four body forms of contract 4.5.

    Case-sensitive and in constant time per form.
    """
    given = signature.encode("utf-8", "surrogatepass")
    accepted = False
    for form in dict.fromkeys(_body_forms(body)):  # a compact body has one form, not four
        expected = sign_symmetric(symmetric_string_to_sign(method, path, b2b_token, form, timestamp), secret_key)
        accepted |= hmac.compare_digest(given, expected.encode("ascii"))
    return accepted


def _body_forms(body: bytes) -> Iterator[bytes]:
    yield body
    yield minify(body)
    try:
        parsed = json.loads(body)
        yield json.dumps(parsed, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
        yield json.dumps(parsed, separators=(",", ":"), ensure_ascii=True).encode("ascii")
    except (ValueError, RecursionError):
        return  # not JSON, or JSON that cannot be written again: only the literal forms count
