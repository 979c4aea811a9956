"""An issuer of access tokens for the local stack, where a merchant has his identity provider.

As much of OAuth 2.0 and OpenID Connect as a backend uses: a token endpoint for client credentials (RFC 6749, 4.4), the
keys (RFC 7517), and the document that says where both are. Its tokens are those of RFC 9068.
"""

import base64
import contextlib
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote_plus

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.processes import LOOPBACK

CLIENT = "shop"
AUDIENCE = "direct-debit"
SCOPES = tuple(f"direct-debit/{group}" for group in ("read", "pay", "refund", "unlink"))
_LIFETIME_SECONDS = 300
_LONGEST_BODY = 8 * 1024

type SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def new_client_secret() -> str:
    """Make a client's secret."""
    return secrets.token_urlsafe(32)


def new_signing_key(algorithm: str = "RS256") -> SigningKey:
    """Make a key of an algorithm, RS256 or ES256."""
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(slots=True)
class Issuer:
    """The issuer: what it published, and tokens by it. `fetches`: how often its keys were asked for."""

    url: str = ""
    secret: str = field(default_factory=new_client_secret, repr=False)
    fetches: int = 0
    _keys: dict[str, SigningKey] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Begin with a key."""
        self.rotate()

    @property
    def jwks_url(self) -> str:
        """Where its keys are."""
        return f"{self.url}/jwks"

    @property
    def token_url(self) -> str:
        """Where tokens are had."""
        return f"{self.url}/token"

    def rotate(self, key: SigningKey | None = None, *, withdraw: bool = False) -> str:
        """Sign with a new key from now on, and return its id; the ones before stay published unless withdrawn."""
        key_id = secrets.token_hex(8)
        if withdraw:
            self._keys.clear()
        self._keys[key_id] = key or new_signing_key()
        return key_id

    def token(
        self,
        *scopes: str,
        claims: Mapping[str, object] | None = None,
        key: SigningKey | None = None,
    ) -> str:
        """Return a token with these scopes. A claim of None is left out; `key`: another than its own."""
        now = int(time.time())
        usual = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": CLIENT,
            "client_id": CLIENT,
            "iat": now,
            "exp": now + _LIFETIME_SECONDS,
            "jti": secrets.token_hex(8),
            "scope": " ".join(scopes),
        }
        key_id = list(self._keys)[-1]
        signing = key or self._keys[key_id]
        algorithm = "ES256" if isinstance(signing, ec.EllipticCurvePrivateKey) else "RS256"
        told = {name: value for name, value in {**usual, **(claims or {})}.items() if value is not None}
        return jwt.encode(told, signing, algorithm, {"typ": "at+jwt", "kid": key_id})

    def describe(self) -> Mapping[str, object]:
        """Return the document by which clients find everything (OpenID Connect Discovery, RFC 8414)."""
        return {
            "issuer": self.url,
            "token_endpoint": self.token_url,
            "jwks_uri": self.jwks_url,
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "scopes_supported": list(SCOPES),
        }

    def private_keys(self) -> Sequence[SigningKey]:
        """Return its keys, for tests that sign what no issuer would."""
        return list(self._keys.values())

    def publish(self) -> Mapping[str, Sequence[Mapping[str, object]]]:
        """Return the keys' public halves."""
        self.fetches += 1
        return {"keys": [{**_public(key), "kid": key_id, "use": "sig"} for key_id, key in self._keys.items()]}

    def grant(self, form: Mapping[str, str], authorization: str) -> tuple[HTTPStatus, Mapping[str, object]]:
        """Answer a request for a token."""
        client, secret = _basic(authorization) or (form.get("client_id", ""), form.get("client_secret", ""))
        if client != CLIENT or not secrets.compare_digest(secret.encode(), self.secret.encode()):
            return HTTPStatus.UNAUTHORIZED, {"error": "invalid_client"}
        if form.get("grant_type") != "client_credentials":
            return HTTPStatus.BAD_REQUEST, {"error": "unsupported_grant_type"}
        scopes = form.get("scope", "").split() or SCOPES
        if not set(scopes) <= set(SCOPES):
            return HTTPStatus.BAD_REQUEST, {"error": "invalid_scope"}
        told: dict[str, object] = {"token_type": "Bearer", "expires_in": _LIFETIME_SECONDS, "scope": " ".join(scopes)}
        return HTTPStatus.OK, {"access_token": self.token(*scopes), **told}


@contextlib.contextmanager
def local_issuer(port: int = 0, secret: str | None = None) -> Iterator[Issuer]:
    """Serve an issuer on this port of the loopback (0: any) until the block ends.

    Raises LocalCloudError when the port is taken.
    """
    issuer = Issuer(secret=secret or new_client_secret())

    class Handler(_Handler):
        of = issuer

    try:
        server = ThreadingHTTPServer((LOOPBACK, port), Handler)
    except OSError as error:
        raise LocalCloudError(f"the issuer of tokens can not listen on port {port}: {error.strerror}") from error
    issuer.url = f"http://{LOOPBACK}:{server.server_port}"
    thread = threading.Thread(target=lambda: server.serve_forever(0.05), name="issuer", daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    of: Issuer

    def do_GET(self) -> None:
        """Show the keys, or where they are."""
        match self.path:
            case "/jwks":
                self._send(HTTPStatus.OK, self.of.publish())
            case "/.well-known/openid-configuration" | "/.well-known/oauth-authorization-server":
                self._send(HTTPStatus.OK, self.of.describe())
            case _:
                self._send(HTTPStatus.NOT_FOUND, {"error": "not_found"})

    def do_POST(self) -> None:
        """Give a token."""
        length = self.headers.get("Content-Length", "0")
        if self.path != "/token" or not length.isdigit() or int(length) > _LONGEST_BODY:
            self._send(HTTPStatus.NOT_FOUND, {"error": "not_found"})
            return
        form = {name: values[-1] for name, values in parse_qs(self.rfile.read(int(length)).decode("latin-1")).items()}
        self._send(*self.of.grant(form, self.headers.get("Authorization", "")))

    def _send(self, status: HTTPStatus, document: Mapping[str, object]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the base class's name
        """Keep quiet."""


def _public(key: SigningKey) -> Mapping[str, object]:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "alg": "ES256"}
    return {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "alg": "RS256"}


def _basic(authorization: str) -> tuple[str, str] | None:
    """Read client and secret from a header; None where there is no such header (RFC 6749, 2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(client), unquote_plus(secret)
