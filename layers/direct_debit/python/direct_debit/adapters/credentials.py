"""The secret's content: DOKU's credentials, our keys. Read from JSON, checked field by field."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from direct_debit.application.errors import NotConfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_BYTES = 32
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)


class MalformedCredentials(NotConfigured):
    """A field of the secret is missing or wrong; the fault names the field and the rule, never its content."""

    def __init__(self, name: str, rule: str) -> None:
        super().__init__(f"the secret's field {name} {rule}")
        self.field = name


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """One version of the secret.

    `doku_client_key` is the X-CLIENT-KEY that DOKU uses towards us. `token_keys` encrypt, by key id; new texts are
    sealed with `active_token_key`, and a key stays here as long as texts sealed with it exist. `phone_pepper` is never
    replaced: fingerprints stored in the tables depend on it. `issued_token_key` signs the tokens that we issue to DOKU.
    """

    client_id: str
    secret_key: str = field(repr=False)
    merchant_private_key: str = field(repr=False)
    doku_public_key: str = field(repr=False)
    doku_client_key: str
    token_keys: Mapping[str, bytes] = field(repr=False)
    active_token_key: str
    phone_pepper: bytes = field(repr=False)
    issued_token_key: bytes = field(repr=False)


class CredentialSource(Protocol):
    """Where the current credentials come from, and those before them."""

    def current(self) -> Credentials:
        """Return the version in use."""
        ...

    def previous(self) -> Credentials | None:
        """Return the version before it, if there is a usable one: good for unsealing, and for nothing else."""
        ...

    def overlapping(self) -> Credentials | None:
        """Return the version before it while a call of DOKU that it verifies is still heard, else None."""
        ...

    def is_confirmed(self) -> bool:
        """Whether what `current` returned was in use a minute ago at most; False where it may have been replaced."""
        ...

    def refresh(self) -> bool:
        """Read anew because something did not fit; False when that was done a moment ago."""
        ...


class FixedCredentials:
    """Implements `CredentialSource` with values that never change."""

    def __init__(
        self, current: Credentials, previous: Credentials | None = None, *, is_overlapping: bool = True
    ) -> None:
        self._current = current
        self._previous = previous
        self._is_overlapping = is_overlapping

    def current(self) -> Credentials:
        """Return the version in use."""
        return self._current

    def previous(self) -> Credentials | None:
        """Return the version before it, if one was given."""
        return self._previous

    def overlapping(self) -> Credentials | None:
        """Return the version before it, unless its time is over."""
        return self._previous if self._is_overlapping else None

    def is_confirmed(self) -> bool:
        """Return True."""
        return True

    def refresh(self) -> bool:
        """Return False: there is nothing newer."""
        return False


def parse_credentials(text: str) -> Credentials:
    """Read the secret's JSON. Raises MalformedCredentials for the first field that is missing or wrong."""
    try:
        fields = json.loads(text)
    except ValueError:
        fields = None  # not kept as a cause: the error would carry the secret's text
    if not isinstance(fields, dict):
        raise MalformedCredentials("(all)", "must be a JSON object")
    client_id = _text(fields, "clientId")
    token_keys = fields.get("tokenKeys")
    if not isinstance(token_keys, dict) or not token_keys:
        raise MalformedCredentials("tokenKeys", "must be an object of key ids and keys, one at least")
    if not all(_KEY_ID.fullmatch(key_id) for key_id in token_keys):
        raise MalformedCredentials("tokenKeys", "must be named by key ids of 1 to 32 letters, digits, - or _")
    active = _text(fields, "activeTokenKey")
    if active not in token_keys:
        raise MalformedCredentials("activeTokenKey", "must be one of the key ids in tokenKeys")
    return Credentials(
        client_id=client_id,
        secret_key=_text(fields, "secretKey"),
        merchant_private_key=_pem(fields, "merchantPrivateKey"),
        doku_public_key=_pem(fields, "dokuPublicKey"),
        doku_client_key=_text(fields, "dokuClientKey") if "dokuClientKey" in fields else client_id,
        token_keys={key_id: _key(value, f"tokenKeys.{key_id}") for key_id, value in token_keys.items()},
        active_token_key=active,
        phone_pepper=_key(fields.get("phonePepper"), "phonePepper"),
        issued_token_key=_key(fields.get("issuedTokenKey"), "issuedTokenKey"),
    )


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise MalformedCredentials(name, "must be a string that is not empty")
    return value


def _pem(fields: Mapping[str, object], name: str) -> str:
    value = _text(fields, name)
    if not value.lstrip().startswith("-----BEGIN "):
        raise MalformedCredentials(name, "must be a PEM text")
    return value


def _key(value: object, name: str) -> bytes:
    try:
        key = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise MalformedCredentials(name, f"must be {KEY_BYTES} bytes in base64")
    return key
