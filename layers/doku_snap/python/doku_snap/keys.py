"""RSA keys from PEM text, parsed once per process (parsing costs more than signing)."""

import binascii
import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from doku_snap.errors import InvalidSetting

MIN_KEY_BITS = 2048
_CACHED_KEYS = 16
_KIND = re.compile(r"-----BEGIN ([A-Z ]{1,40})-----", re.ASCII)
_FOR_PUBLIC: Mapping[str, str] = {
    "CERTIFICATE": "a certificate; take its key: openssl x509 -pubkey -noout -in FILE",
    "PRIVATE KEY": "a private key; take its public half: openssl pkey -pubout -in FILE",
    "RSA PRIVATE KEY": "a private key; take its public half: openssl pkey -pubout -in FILE",
}
_FOR_PRIVATE: Mapping[str, str] = {
    "ENCRYPTED PRIVATE KEY": "encrypted; decrypt it: openssl pkey -in FILE -out FILE",
    "EC PRIVATE KEY": "an elliptic curve key; DOKU takes RSA keys only",
    "PUBLIC KEY": "a public key; it takes the private half",
    "RSA PUBLIC KEY": "a public key; it takes the private half",
    "CERTIFICATE": "a certificate; it takes the private key",
    "OPENSSH PRIVATE KEY": "OpenSSH's own form; write it as PEM: ssh-keygen -p -m PKCS8 -f FILE",
}


def load_private_key(pem: str, setting: str = "merchantPrivateKey") -> RSAPrivateKey:
    """Read an unencrypted RSA private key, PKCS#8 or PKCS#1, of at least 2048 bits.

    Raises InvalidSetting naming `setting`; the key's text is never part of the error.
    """
    return _require_private(_parse_private, pem, setting)


def check_private_key(pem: str, setting: str = "merchantPrivateKey") -> None:
    """Raise what `load_private_key` raises, but for a key whose numbers do not fit each other: that takes 80 ms."""
    _require_private(_glance_at_private, pem, setting)


def load_public_key(pem: str, setting: str = "dokuPublicKey") -> RSAPublicKey:
    """Read an RSA public key in PEM form of at least 2048 bits. Raises InvalidSetting naming `setting`."""
    try:
        key = _parse_public(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error):
        raise InvalidSetting(setting, f"is not an RSA public key in PEM form{_advise(pem, _FOR_PUBLIC)}") from None
    _require_size(key, setting)
    return key


def is_pair(private_pem: str, public_pem: str) -> bool:
    """Whether the public key is the other half of the private one. Raises InvalidSetting."""
    private = _require_private(_glance_at_private, private_pem, "merchantPrivateKey")
    return private.public_key().public_numbers() == load_public_key(public_pem).public_numbers()


def _require_private(parse: Callable[[str], RSAPrivateKey], pem: str, setting: str) -> RSAPrivateKey:
    # The parser's own error is dropped: it may quote the text it stumbled over.
    try:
        key = parse(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error):
        rule = f"is not an unencrypted RSA private key in PEM form{_advise(pem, _FOR_PRIVATE)}"
        raise InvalidSetting(setting, rule) from None
    _require_size(key, setting)
    return key


@lru_cache(maxsize=_CACHED_KEYS)
def _parse_private(pem: str) -> RSAPrivateKey:
    return _glance_at_private(pem, skip_validation=False)


def _glance_at_private(pem: str, *, skip_validation: bool = True) -> RSAPrivateKey:
    key = load_pem_private_key(_pem_bytes(pem), password=None, unsafe_skip_rsa_key_validation=skip_validation)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("not RSA")
    return key


@lru_cache(maxsize=_CACHED_KEYS)
def _parse_public(pem: str) -> RSAPublicKey:
    key = load_pem_public_key(_pem_bytes(pem))
    if not isinstance(key, RSAPublicKey):
        raise TypeError("not RSA")
    return key


def _pem_bytes(pem: str) -> bytes:
    # A PEM pasted into a JSON secret often carries the two characters "\n" (or four, "\r\n") instead of line breaks.
    return pem.strip().replace("\\r", "").replace("\\n", "\n").encode("utf-8")


def _advise(pem: str, advice: Mapping[str, str]) -> str:
    """Return what to do about a PEM text of another kind, by its first line; "" for any other text."""
    kind = _KIND.match(pem.strip())
    return "" if kind is None or kind[1] not in advice else f": it is {advice[kind[1]]}"


def _require_size(key: RSAPrivateKey | RSAPublicKey, setting: str) -> None:
    if key.key_size < MIN_KEY_BITS:
        raise InvalidSetting(setting, f"must have at least {MIN_KEY_BITS} bits")
