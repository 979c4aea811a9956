"""The merchant's credentials at DOKU, one set per environment (contract section 1)."""

import hashlib
import re
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from doku_snap.errors import InvalidSetting
from doku_snap.keys import check_private_key, load_private_key

_CLIENT_ID = re.compile(
    r"[!-{}~]{1,36}"
)  # printable ASCII without blank and without the bar that separates it when signed


def check_client_id(client_id: str, setting: str = "clientId") -> None:
    """Raise InvalidSetting, naming `setting`, for an id that DOKU can not have given out."""
    if not _CLIENT_ID.fullmatch(client_id):
        raise InvalidSetting(setting, "must be 1 to 36 printable characters without blanks or line breaks")


def check_secret_key(secret_key: str) -> None:
    """Raise InvalidSetting, naming `secretKey`, for one that DOKU can not have given out."""
    if not secret_key or secret_key != secret_key.strip():
        raise InvalidSetting("secretKey", "must not be empty nor begin or end with a blank")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Client id, HMAC secret and RSA private key (PEM). Only the client id shows in a repr.

    Raises InvalidSetting naming `clientId`, `secretKey` or `merchantPrivateKey`; whether the key's numbers fit each
    other is left to its first use, since most processes never sign with it.
    """

    client_id: str
    secret_key: str = field(repr=False)
    private_key: str = field(repr=False)

    def __post_init__(self) -> None:
        check_client_id(self.client_id)
        check_secret_key(self.secret_key)
        check_private_key(self.private_key)

    @property
    def signing_key(self) -> RSAPrivateKey:
        """The parsed private key (cached per process). Raises InvalidSetting."""
        return load_private_key(self.private_key)

    @property
    def key_id(self) -> str:
        """A name for the client id and private key together: 12 hex digits, of public things only.

        Raises InvalidSetting.
        """
        key = self.signing_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(self.client_id.encode() + b"|" + key).hexdigest()[:12]
