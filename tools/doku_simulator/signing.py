"""Signatures as DOKU makes and checks them (contract section 4), written independently of the product."""

import base64
import binascii
import hashlib
import hmac
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

# A string literal is kept whole, white space between literals goes; possessive: hostile bodies cannot backtrack.
_STRING_OR_BLANK = re.compile(rb'("(?:[^"\\]++|\\.)*+")|[ \t\r\n]++', re.DOTALL)


def minify(body: bytes) -> bytes:
    """Return `body` without blank, tab, CR and LF outside string literals (contract 4.3)."""
    return _STRING_OR_BLANK.sub(rb"\1", body)


def body_hash(body: bytes) -> str:
    """Return the lower-case hex SHA-256 of the minified body."""
    return hashlib.sha256(minify(body)).hexdigest()


def transaction_signature(
    secret: bytes, *, method: str, path: str, token: str, hashed_body: str, timestamp: str
) -> str:
    """Return the base64 HMAC-SHA512 of a transaction request or notification (contract 4.2).

    `path` includes the query string, `token` is bare (no `Bearer `), `hashed_body` comes from `body_hash`.
    """
    text = f"{method.upper()}:{path}:{token}:{hashed_body}:{timestamp}"
    return base64.b64encode(hmac.digest(secret, text.encode(), "sha512")).decode("ascii")


def equal(expected: str, given: str) -> bool:
    """Compare two signatures in constant time, case-sensitively."""
    return hmac.compare_digest(expected.encode(), given.encode())


def token_signature(key: rsa.RSAPrivateKey, *, client_id: str, timestamp: str) -> str:
    """Return the base64 RSA-SHA256 signature of a token request over `clientId|timestamp` (contract 4.1)."""
    signed = key.sign(f"{client_id}|{timestamp}".encode(), padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(signed).decode("ascii")


def token_signature_holds(key: rsa.RSAPublicKey, *, client_id: str, timestamp: str, signature: str) -> bool:
    """Tell whether `signature` is the base64 RSA-SHA256 signature of `clientId|timestamp`."""
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, f"{client_id}|{timestamp}".encode(), padding.PKCS1v15(), hashes.SHA256())
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True


def load_private_key(pem: str) -> rsa.RSAPrivateKey:
    """Read an RSA private key (PKCS#8 or PKCS#1 PEM); ValueError when it is anything else."""
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA private key")  # noqa: TRY004 - the PEM is wrong, not the argument's type
    return key


def load_public_key(pem: str) -> rsa.RSAPublicKey:
    """Read an RSA public key (PEM); ValueError when it is anything else."""
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA public key")  # noqa: TRY004 - the PEM is wrong, not the argument's type
    return key


def private_pem(key: rsa.RSAPrivateKey) -> str:
    """Return the PKCS#8 PEM of a private key."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")


def public_pem(key: rsa.RSAPublicKey) -> str:
    """Return the SubjectPublicKeyInfo PEM of a public key."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode("ascii")
