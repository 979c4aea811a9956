"""Keys made here, from the system's source of chance. They are returned, and shown or stored nowhere."""

import base64
import hashlib
import secrets

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

KEY_BYTES = 32
_RSA_BITS = 2048
_EXPONENT = 65537


def new_key() -> str:
    """Return a symmetric key as the secret has it: 32 bytes in base64."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def new_private_key() -> str:
    """Return an RSA private key of 2048 bits, as PEM (PKCS#8)."""
    return new_key_pair()[0]


def new_key_pair() -> tuple[str, str]:
    """Return an RSA key of 2048 bits as PEM: the private one (PKCS#8), and its public half."""
    key = rsa.generate_private_key(public_exponent=_EXPONENT, key_size=_RSA_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), public_half(key)


def public_half(private_key: rsa.RSAPrivateKey) -> str:
    """Return the public half of a key, as PEM (SubjectPublicKeyInfo)."""
    public = private_key.public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def fingerprint(public_key: rsa.RSAPublicKey) -> str:
    """Return what names a public key: the SHA-256 of its DER form, in hex.

    `openssl pkey -pubin -in FILE -outform DER | sha256sum` prints the same.
    """
    der = public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()
