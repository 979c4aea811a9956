"""Encryption of what must not be readable in the tables: AES-256-GCM, bound to the field and the record that own it.

A sealed text is `2.<key id>.<nonce>.<ciphertext>`, the last two in URL-safe base64 without padding; its associated data
is `2|<kind>.<field>|<owner>`. Earlier texts lack the `2.` and have the owner alone as associated data: they open still,
but say nothing of the field that they were made for, so whoever reads one checks what it finds.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from direct_debit.application.ports.vault import SealedField, UnsealFailed

if TYPE_CHECKING:
    from direct_debit.adapters.credentials import CredentialSource, DataSecret
    from direct_debit.application.ports.time_and_chance import Ids

_NONCE_BYTES = 12
_TAG_BYTES = 16
_VERSION = "2"
_PARTS = 4
_PARTS_BEFORE = 3
_PAGES = frozenset({SealedField.LINK_PAGE, SealedField.UNLINK_PAGE})  # what callers get to see in the clear


class AesGcmVault:
    """Implements `Vault` with the secret's keys: seals with the active one, unseals with any it still knows."""

    def __init__(self, source: CredentialSource[DataSecret], ids: Ids) -> None:
        self._source = source
        self._ids = ids

    def seal(self, plaintext: str, field: SealedField, owner: str) -> str:
        """Encrypt for a field of `owner`; both are authenticated with the text.

        With a key that every function knows already: whoever opens the text may not have heard of a newer one.
        """
        credentials = self._source.settled()
        key_id = credentials.active_token_key
        nonce = self._ids.entropy(_NONCE_BYTES)
        sealed = AESGCM(credentials.token_keys[key_id]).encrypt(nonce, plaintext.encode(), _bind(field, owner))
        return f"{_VERSION}.{key_id}.{_encode(nonce)}.{_encode(sealed)}"

    def unseal(self, sealed: str, field: SealedField, owner: str) -> str:
        """Decrypt. Raises UnsealFailed for another field or owner, an altered text, an unknown key."""
        key_id, nonce, ciphertext, is_bound = _split(sealed)
        bound = _bind(field, owner) if is_bound else owner.encode()
        try:
            text = AESGCM(self._find_key(key_id, field)).decrypt(_decode(nonce), _decode(ciphertext), bound).decode()
        except (InvalidTag, ValueError, binascii.Error):
            raise UnsealFailed("the text is not this owner's, or was altered") from None
        if not is_bound and field in _PAGES and not text.startswith(("https://", "http://")):
            raise UnsealFailed("the text is no page, so it was made for another field")
        return text

    def is_sealed(self, text: str) -> bool:
        """Whether a text begins as a sealed one of today; no URL and no task token does."""
        return _split(text)[3]

    def is_outdated(self, sealed: str) -> bool:
        """Return whether a text lacks its field, or was sealed with another key than the active one."""
        key_id, _, _, is_bound = _split(sealed)
        return not is_bound or key_id != self._source.settled().active_token_key

    def fingerprint(self, text: str) -> str:
        """Return the HMAC-SHA-256 of the text under the secret's pepper, in hex."""
        return hmac.digest(self._source.current().phone_pepper, text.encode(), "sha256").hex()

    def _find_key(self, key_id: str, field: SealedField) -> bytes:
        """Return a key of the current or the previous secret; an unknown one may be newer than what is kept."""
        key = self._known_key(key_id, field)
        if key is None and self._source.refresh():
            key = self._known_key(key_id, field)
        if key is None:
            raise UnsealFailed("the key of this text is not in the secret")
        return key

    def _known_key(self, key_id: str, field: SealedField) -> bytes | None:
        key = _of(self._source.current(), key_id, field)
        if key is None:
            previous = self._source.previous()
            key = None if previous is None else _of(previous, key_id, field)
        return key


def find_key_id(text: str) -> str | None:
    """Return the id of the key that a text was sealed with, as it says itself, in today's form or the one before.

    None for a text of another form: nobody sealed it.
    """
    key_id, nonce, ciphertext, is_bound = _split(text)
    if text.count(".") + 1 != (_PARTS if is_bound else _PARTS_BEFORE):
        return None
    try:
        is_whole = len(_decode(nonce)) == _NONCE_BYTES and len(_decode(ciphertext)) >= _TAG_BYTES
    except (ValueError, binascii.Error):
        return None
    return key_id if key_id and is_whole else None


def _of(secret: DataSecret, key_id: str, field: SealedField) -> bytes | None:
    """Return a key that may have sealed this field: who takes notifications has keys for nothing else."""
    return secret.token_keys.get(key_id) or (secret.notice_keys.get(key_id) if field is SealedField.NOTICE else None)


def _split(sealed: str) -> tuple[str, str, str, bool]:
    """Return key id, nonce and ciphertext of a text, and whether it is bound to its field."""
    parts = sealed.split(".")
    is_bound = parts[0] == _VERSION and len(parts) == _PARTS
    key_id, nonce, ciphertext, *_ = [*(parts[1:] if is_bound else parts), "", "", ""]
    return key_id, nonce, ciphertext, is_bound


def _bind(field: SealedField, owner: str) -> bytes:
    return f"{_VERSION}|{field}|{owner}".encode()


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
