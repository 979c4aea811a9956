"""DOKU's doors: tokens that we issued, and the headers of its calls."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from doku_snap.errors import InboundRefused
from doku_snap.inbound import (
    issue_token,
    refuse,
    verify_bearer,
    verify_notification,
    verify_token_request,
)
from doku_snap.keys import load_private_key, load_public_key
from doku_snap.signing import (
    asymmetric_string_to_sign,
    format_timestamp,
    sign_asymmetric,
    sign_symmetric,
    symmetric_string_to_sign,
)
from tests.fuzz.target import CANARY, Target, keep_secret, require
from tests.fuzz.targets.samples import KEYS, read_bodies

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_ISSUER, _AUDIENCE = "https://merchant.example/v1", KEYS["clientId"]
_KEYS = {"k1": b"k" * 32, "k0": b"o" * 32}
_PUBLIC = [load_public_key(KEYS["dokuPublicKeyPem"])]
_WINDOW = 300
_CODE = re.compile(r"(4\d\d)(73|56|07)\d\d")
_GRANT = b'{"grantType":"client_credentials"}'
_PATH = "/v1/doku/v1.0/debit/notify"
_NAMES_A_KEY = {"crit", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "b64", "zip"}


def _issue(key_id: str = "k1", minutes: int = 0) -> str:
    return issue_token(
        key_id=key_id,
        key=_KEYS[key_id],
        issuer=_ISSUER,
        audience=_AUDIENCE,
        client_id=_AUDIENCE,
        now=NOW + timedelta(minutes=minutes),
    ).token


_TOKEN = _issue()


def check_bearer(data: bytes) -> None:
    """Try a token as it came or, where there is a line break, of a header and claims that a thief of a key may sign."""
    header, is_signed, claims = data.partition(b"\n")
    token = _sign_token(header, claims) if is_signed else data.decode("utf-8", "replace")
    accepted = verify_bearer(token, _KEYS, NOW, issuer=_ISSUER, audience=_AUDIENCE)
    if accepted is not None:
        require(_is_ours(token), "only a living token of ours, signed with HS256 by the key that it names")
    if is_signed and not data.startswith(b"{"):
        require(accepted is None, "a header that is no object is none")


def _sign_token(header: bytes, claims: bytes) -> str:
    signed = _encode(header) + b"." + _encode(claims)
    return (signed + b"." + _encode(hmac.digest(_KEYS["k1"], signed, "sha256"))).decode()


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _is_ours(token: str) -> bool:
    """Judge a token by RFC 7515 written out, without the product's library."""
    parts = token.split(".")
    if len(parts) != 3:
        return False
    header, claims, signature = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in parts)
    named, said = json.loads(header), json.loads(claims)
    key = _KEYS.get(named.get("kid"))
    if key is None or named.get("alg") != "HS256" or _NAMES_A_KEY & named.keys():
        return False
    mac = hmac.new(key, ".".join(parts[:2]).encode(), hashlib.sha256).digest()
    moment = NOW.timestamp()
    return (
        hmac.compare_digest(mac, signature)
        and said["iss"] == _ISSUER
        and said["aud"] == _AUDIENCE
        and said["iat"] <= moment + 60
        and moment < said["exp"]
    )


def check_token_request(data: bytes) -> None:
    """Try a token request: header lines, an empty line, the body."""
    headers, body = _read_call(data)
    try:
        verified = verify_token_request(
            headers,
            body,
            expected_client_key=_AUDIENCE,
            doku_public_keys=_PUBLIC,
            now=NOW,
            window_seconds=_WINDOW,
        )
    except InboundRefused as refusal:
        _check_refusal(refusal)
        return
    require(headers["x-signature"].strip() == _SIGNED, "only the signature that DOKU's key made")
    require(headers["x-timestamp"].strip() == _AT, "over the very timestamp")
    require(verified.client_key == _AUDIENCE, "of the agreed client")


def check_call(data: bytes) -> None:
    """Try a notification: header lines, an empty line, the body."""
    headers, body = _read_call(data)
    try:
        verified = verify_notification(
            headers,
            body,
            _PATH,
            secret_keys=[KEYS["secretKey"]],
            token_keys=_KEYS,
            issuer=_ISSUER,
            audience=_AUDIENCE,
            partner_id=_AUDIENCE,
            now=NOW,
            window_seconds=_WINDOW,
        )
    except InboundRefused as refusal:
        _check_refusal(refusal)
        return
    require(headers["x-signature"].strip() == _sign_call(_BODY), "only with a signature that was made")
    require(json.loads(verified.body) == json.loads(_BODY), "only over the body that was signed")
    require(headers["authorization"].split()[-1] == _TOKEN, "only with the token that was signed")
    require(headers["x-timestamp"].strip() == _AT, "only over the very timestamp")
    keep_secret([repr(verified)])


def _read_call(data: bytes) -> tuple[Mapping[str, str], bytes]:
    head, _, body = data.partition(b"\n\n")
    lines = [line.partition(":") for line in head.decode("latin-1").split("\n")]
    return {name.lower(): value for name, _, value in lines}, body


def _check_refusal(refusal: InboundRefused) -> None:
    reply = refuse(refusal, NOW)
    require(_CODE.fullmatch(refusal.response_code) is not None, "a code of the contract")
    require(str(refusal.http_status) == refusal.response_code[:3], "of the status that is sent")
    keep_secret([str(refusal), repr(refusal), reply.body.decode()])


def _sign_call(body: bytes) -> str:
    return sign_symmetric(symmetric_string_to_sign("POST", _PATH, _TOKEN, body, _AT), KEYS["secretKey"])


def _write_call(headers: Mapping[str, str], body: bytes) -> bytes:
    return "\n".join(f"{name}: {value}" for name, value in headers.items()).encode() + b"\n\n" + body


_AT = format_timestamp(NOW)
_SIGNED = sign_asymmetric(asymmetric_string_to_sign(_AUDIENCE, _AT), load_private_key(KEYS["dokuPrivateKeyPkcs8Pem"]))
_BODY = read_bodies("inboundPaymentNotification", "request")[0].replace(b'"00"', f'"00","note":"{CANARY}"'.encode())
_CALL = {
    "Authorization": f"Bearer {_TOKEN}",
    "X-TIMESTAMP": _AT,
    "X-SIGNATURE": _sign_call(_BODY),
    "X-PARTNER-ID": _AUDIENCE,
    "X-EXTERNAL-ID": "169157654793277588402",
    "Authorization-Customer": f"Bearer {CANARY}",
}
_HEADER = b'{"alg":"HS256","typ":"JWT","kid":"k1"}'
_CLAIMS = json.dumps(
    {"iss": _ISSUER, "aud": _AUDIENCE, "iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 900}
).encode()

INBOUND = (
    Target(
        "bearer",
        "a token counts only if it is ours by RFC 7515 written out; nothing but None is said of another",
        check_bearer,
        [_TOKEN.encode(), _issue("k0").encode(), _issue(minutes=-60).encode(), _HEADER + b"\n" + _CLAIMS],
    ),
    Target(
        "token-request",
        "only what DOKU's key signed is let in; refused with a code of the contract, without a value",
        check_token_request,
        [
            _write_call({"X-CLIENT-KEY": _AUDIENCE, "X-TIMESTAMP": _AT, "X-SIGNATURE": _SIGNED}, _GRANT),
            _write_call({"X-CLIENT-KEY": _AUDIENCE, "X-TIMESTAMP": _AT, "X-SIGNATURE": CANARY}, _GRANT),
        ],
    ),
    Target(
        "call",
        "only what was signed, with our token, is let in; refused with a code of the contract, without a value",
        check_call,
        [_write_call(_CALL, _BODY), _write_call({**_CALL, "X-SIGNATURE": CANARY}, _BODY)],
    ),
)
