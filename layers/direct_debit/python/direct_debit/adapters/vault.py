"""Encryption of what must not be readable in the tables: AES-256-GCM, bound to the record that owns the text.

A sealed text is `<key id>.<nonce>.<ciphertext>`, the last two in URL-safe base64 without padding.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from direct_debit.application.errors import StoreUnavailable

if TYPE_CHECKING:
    from direct_debit.adapters.credentials import CredentialSource
    from direct_debit.application.ports.time_and_chance import Ids

_NONCE_BYTES = 12


class UnsealFailed(StoreUnavailable):
    """A sealed text is not this owner's, was altered, or its key is gone. Says nothing about the content.

    Whatever needed the text was not done; it may be repeated once the secret holds the key again.
    """


class AesGcmVault:
    """Implements `Vault` with the secret's keys: seals with the active one, unseals with any it still knows."""

    def __init__(self, source: CredentialSource, ids: Ids) -> None:
        self._source = source
        self._ids = ids

    def seal(self, plaintext: str, owner: str) -> str:
        """Encrypt for `owner`, whose id is authenticated with the text."""
        credentials = self._source.current()
        key_id = credentials.active_token_key
        nonce = self._ids.entropy(_NONCE_BYTES)
        sealed = AESGCM(credentials.token_keys[key_id]).encrypt(nonce, plaintext.encode(), owner.encode())
        return f"{key_id}.{_encode(nonce)}.{_encode(sealed)}"

    def unseal(self, sealed: str, owner: str) -> str:
        """Decrypt. Raises UnsealFailed for another owner, an altered text, an unknown key."""
        key_id, _, rest = sealed.partition(".")
        nonce, _, ciphertext = rest.partition(".")
        try:
            opened = AESGCM(self._find_key(key_id)).decrypt(_decode(nonce), _decode(ciphertext), owner.encode())
        except (InvalidTag, ValueError, binascii.Error):
            raise UnsealFailed("the text is not this owner's, or was altered") from None
        return opened.decode()

    def fingerprint(self, text: str) -> str:
        """Return the HMAC-SHA-256 of the text under the secret's pepper, in hex."""
        return hmac.digest(self._source.current().phone_pepper, text.encode(), "sha256").hex()

    def _find_key(self, key_id: str) -> bytes:
        """Return a key of the current or the previous secret; an unknown one may be newer than what is kept."""
        key = self._known_key(key_id)
        if key is None and self._source.refresh():
            key = self._known_key(key_id)
        if key is None:
            raise UnsealFailed("the key of this text is not in the secret")
        return key

    def _known_key(self, key_id: str) -> bytes | None:
        key = self._source.current().token_keys.get(key_id)
        if key is None:
            previous = self._source.previous()
            key = None if previous is None else previous.token_keys.get(key_id)
        return key


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
