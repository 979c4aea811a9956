"""Callers' access tokens (`AuthMode` JWT), and what the issuer answers when it is asked for its keys."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from http.client import HTTPConnection
from io import BytesIO
from typing import TYPE_CHECKING, cast
from unittest.mock import patch

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from jwt import PyJWK
from jwt.algorithms import ECAlgorithm

from direct_debit.adapters.access_tokens import Demands, TokenRefused, verify_token
from direct_debit.adapters.issuer_keys import KEPT, IssuerKeys, IssuerUnavailable, UnknownKey
from tests.fakes.clock import FakeClock
from tests.fuzz.target import CANARY, Target, keep_secret, require

if TYPE_CHECKING:
    from collections.abc import Mapping

_ISSUER, _AUDIENCE, _CLIENT, _KEY_ID = "https://login.example", "direct-debit", "shop", "k1"
_SCOPES = "direct-debit/pay direct-debit/read"
_LATER = 4_102_444_800  # the year 2100: inputs are read by the machine's clock
_DEMANDS = Demands(issuer=_ISSUER, audiences=frozenset({_AUDIENCE}), scopes_claim="scope", leeway=60)
_PRIVATE = ec.derive_private_key(14, ec.SECP256R1())
_SHARE = 32  # bytes of each half of an ES256 signature
_FOREIGN = {"crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc"}
_JWK: Mapping[str, object] = {
    **json.loads(ECAlgorithm.to_jwk(_PRIVATE.public_key())),
    "kid": _KEY_ID,
    "use": "sig",
    "alg": "ES256",
}
_HEADER: Mapping[str, object] = {"alg": "ES256", "typ": "at+jwt", "kid": _KEY_ID}
_CLAIMS: Mapping[str, object] = {
    "iss": _ISSUER,
    "aud": _AUDIENCE,
    "client_id": _CLIENT,
    "exp": _LATER,
    "iat": 1_772_442_000,
    "scope": _SCOPES,
}


class _Published:
    """The issuer's one key."""

    _key = PyJWK(dict(_JWK))

    def find(self, key_id: str) -> PyJWK:
        """Return the key."""
        if key_id != _KEY_ID:
            raise UnknownKey
        return self._key


_PUBLISHED = _Published()
_CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def check_access_token(data: bytes) -> None:
    """Try an Authorization header as it came or, where there is a line break, of signed header and claims."""
    header, is_signed, claims = data.partition(b"\n")
    value = f"Bearer {_sign(header, claims)}" if is_signed else data.decode("utf-8", "replace")
    try:
        verified = verify_token(value, _PUBLISHED, _DEMANDS)
    except TokenRefused as refusal:
        keep_secret([str(refusal), repr(refusal)])
        return
    said = _read_token(value)
    require(
        said is not None, "only a token that the issuer signed with ES256, for us, and that names no key of its own"
    )
    require(verified.client in {(said or {}).get(name) for name in ("client_id", "azp", "sub")}, "its own client")
    scope = (said or {}).get("scope")
    told = scope.split(" ") if isinstance(scope, str) else scope if isinstance(scope, list) else []
    require(all(one in told for one in verified.scopes), "no scope but those that it says")


def _sign(header: bytes, claims: bytes) -> str:
    signed = _encode(header) + b"." + _encode(claims)
    r, s = decode_dss_signature(_PRIVATE.sign(signed, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
    return (signed + b"." + _encode(r.to_bytes(_SHARE) + s.to_bytes(_SHARE))).decode()


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _read_token(value: str) -> Mapping[str, object] | None:
    """Judge a token by RFC 7515 and 9068 written out, without the product's library; return its claims, or None.

    Its signature is taken from who made it: signatures of ES256 are the same each time here.
    """
    header, claims, signature = (_decode(part) for part in value.split()[1].split("."))
    named, said = json.loads(header), json.loads(claims)
    if _sign(header, claims).rpartition(".")[2].encode() != _encode(signature):
        return None
    audience = said.get("aud", said.get("client_id"))
    stands = (
        named.get("alg") == "ES256"
        and named.get("kid") == _KEY_ID
        and not _FOREIGN & set(named)
        and said.get("iss") == _ISSUER
        and _AUDIENCE in (audience if isinstance(audience, list) else [audience])
        and "cnf" not in said
    )
    return cast("Mapping[str, object]", said) if stands else None


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class _Line:
    """A connection on which an answer has come, and which takes whatever is sent."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def makefile(self, *_: object) -> BytesIO:
        """Return the answer."""
        return BytesIO(self._answer)

    def sendall(self, _: bytes) -> None:
        """Take what is sent."""

    def close(self) -> None:
        """Nothing to close."""


def check_issuer(data: bytes) -> None:
    """Try what comes when the issuer is asked for its keys: status line, headers and body, whole.

    An issuer that answers nonsense, or nothing, has the keys that it published last.
    """
    clock = FakeClock()
    keys = IssuerKeys("http://login.example/keys", clock)
    _ask(keys, _GOOD)
    require(keys.find(_KEY_ID).key_id == _KEY_ID, "what the issuer publishes is had")
    clock.tick(KEPT.total_seconds())
    try:
        _ask(keys, data)
        verify_token(_TOKEN, keys, _DEMANDS)
    except TokenRefused as refusal:
        keep_secret([str(refusal)])
    try:
        found = keys.find(_KEY_ID)
    except UnknownKey:
        return
    require(found.key_id == _KEY_ID, "a key is had by its own id")


def _ask(keys: IssuerKeys, answer: bytes) -> None:
    def connect(connection: HTTPConnection) -> None:
        connection.sock = _Line(answer)  # as much of a socket as is used

    # An opener reads all authorities of the machine, each time, though nothing is encrypted here.
    with (
        patch.object(HTTPConnection, "connect", connect),
        patch.object(http.client, "_create_https_context", lambda _: _CONTEXT),
    ):
        try:
            keys.find(_KEY_ID)
        except (UnknownKey, IssuerUnavailable) as error:
            keep_secret([repr(error)])


def _dump(members: Mapping[str, object]) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode()


def _answer(*keys: Mapping[str, object], first: str = "200 OK", header: str = "") -> bytes:
    head = f"HTTP/1.1 {first}\r\nContent-Type: application/json\r\n{header}\r\n"
    return head.encode() + _dump({"keys": list(keys)})


_GOOD = _answer(_JWK)
_TOKEN = f"Bearer {_sign(_dump(_HEADER), _dump(_CLAIMS))}"
_RSA = {
    "kty": "RSA",
    "kid": "k2",
    "n": "u1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gunVTLw7onLRnrq0_IzW7yWR7Qk",
    "e": "AQAB",
}

ACCESS_TOKENS = (
    Target(
        "access-token",
        "a token counts only if the issuer signed it for us, by RFC 7515 written out; else TokenRefused, without it",
        check_access_token,
        [
            _TOKEN.encode(),
            b"\n".join([_dump(_HEADER), _dump(_CLAIMS)]),
            b"\n".join(
                [_dump({**_HEADER, "typ": "JWT"}), _dump({**_CLAIMS, "aud": [_AUDIENCE, 1], "scope": ["a", 2]})]
            ),
            b"\n".join([_dump({**_HEADER, "jwk": _JWK}), _dump({**_CLAIMS, "nbf": 1, "cnf": {"x": CANARY}})]),
            b"\n".join([_dump({**_HEADER, "alg": "none"}), _dump({**_CLAIMS, "client_id": CANARY, "exp": 1e300})]),
            f"Bearer {CANARY}.{CANARY}.{CANARY}".encode(),
        ],
    ),
    Target(
        "issuer-keys",
        "an answer is a set of keys, or the keys before it stay; no key that can not be read harms another",
        check_issuer,
        [
            _GOOD,
            _answer(_RSA, {**_JWK, "kid": "k3", "x": "AA"}, {"kty": ["EC"]}, {"kty": "oct", "k": CANARY}, _JWK),
            _answer(first="503 Service Unavailable"),
            _answer(first="302 Found", header="Location: http://other.example/\r\n"),
            _answer(_JWK, header="Transfer-Encoding: chunked\r\n").replace(b"{", b"fff\r\n{", 1),
            _answer(_JWK, header="Content-Length: 100000\r\n"),
            b"",
        ],
    ),
)
