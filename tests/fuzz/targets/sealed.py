"""Sealed texts, as somebody with write access to the tables may change or move them."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from direct_debit.adapters.credentials import FixedCredentials
from direct_debit.adapters.vault import AesGcmVault
from direct_debit.application.ports.vault import SealedField, UnsealFailed
from tests.fakes.credentials import CREDENTIALS
from tests.fakes.ids import SeededIds
from tests.fuzz.target import CANARY, Target, keep_secret, require

_OWNER, _OTHER = "b1", "b2"
_VAULT = AesGcmVault(FixedCredentials(CREDENTIALS), SeededIds())
_TEXT = f"https://bank.example/{CANARY}"
_SEALED = {
    _VAULT.seal(f"{_TEXT}/{field}/{owner}", field, owner): (field, owner)
    for field in SealedField
    for owner in (_OWNER, _OTHER)
}
_OLD_TEXT = f"{_TEXT}/old"


def _seal_as_before() -> str:
    """Return a text as the version before sealed it: bound to its owner alone."""
    bare = _VAULT.seal(_OLD_TEXT, SealedField.ACCESS_TOKEN, _OWNER).removeprefix("2.")
    key_id, nonce, _ = bare.split(".")
    raw = _decode(nonce)
    sealed = AESGCM(CREDENTIALS.token_keys[key_id]).encrypt(raw, _OLD_TEXT.encode(), _OWNER.encode())
    return f"{key_id}.{nonce}.{_encode(sealed)}"


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def check_sealed(data: bytes) -> None:
    """Try a text at every place that it may stand at."""
    text = data.decode("utf-8", "replace")
    _VAULT.is_outdated(text)
    for field in SealedField:
        for owner in (_OWNER, _OTHER):
            try:
                opened = _VAULT.unseal(text, field, owner)
            except UnsealFailed as error:
                keep_secret([str(error), repr(error)])
                require(error.__cause__ is None, "no cause is told")
                continue
            is_here = opened == f"{_TEXT}/{field}/{owner}"
            is_old = opened == _OLD_TEXT and owner == _OWNER
            require(is_here or is_old, "a text opens at its own place, whole, and nowhere else")


SEALED = (
    Target(
        "sealed",
        "a sealed text opens at its own field and owner, whole, or UnsealFailed says nothing of it",
        check_sealed,
        [*(text.encode() for text in _SEALED), _seal_as_before().encode(), b"2.k1..", b"2.k9.AAAA.AAAA"],
    ),
)
