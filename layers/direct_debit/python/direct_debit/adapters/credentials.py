"""The secret's content: DOKU's credentials, our keys. Read from JSON, checked field by field.

It has three parts, since three things are done with it: calls of DOKU's are verified, our calls are signed, records are
sealed. The parts stand in one secret, or each in one of its own, so that a function reads what it needs.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from direct_debit.application.errors import NotConfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

KEY_BYTES = 32
_KEY_RULE = f"must be {KEY_BYTES} bytes in base64: openssl rand -base64 {KEY_BYTES}"
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)


class MalformedCredentials(NotConfigured):
    """Fields of the secret are missing or wrong; the fault names each field and its rule, never its content."""

    def __init__(self, *faults: tuple[str, str]) -> None:
        super().__init__("; ".join(f"the secret's field {name} {rule}" for name, rule in faults))
        self.fields = [name for name, _ in faults]


@dataclass(frozen=True, kw_only=True)
class SecretPart:
    """What one version says of one part. `faults` names what was wrong and could be left out."""

    faults: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class InboundSecret(SecretPart):
    """What verifies DOKU's calls.

    `doku_client_key` is the X-CLIENT-KEY that DOKU uses towards us. `secret_key` is DOKU's for both directions, so the
    signing part has it too. `issued_token_key` signs the tokens that we issue to DOKU.
    """

    client_id: str
    secret_key: str = field(repr=False)
    doku_public_key: str = field(repr=False)
    doku_client_key: str
    issued_token_key: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class SigningSecret(SecretPart):
    """What signs our calls to DOKU: whoever has it can move customers' money."""

    client_id: str
    secret_key: str = field(repr=False)
    merchant_private_key: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class DataSecret(SecretPart):
    """What seals the records.

    `token_keys` encrypt, by key id; new texts are sealed with `active_token_key`, and a key stays here as long as texts
    sealed with it exist. `phone_pepper` is never replaced: fingerprints stored in the tables depend on it.
    `notice_keys` open notifications, where those who take them have keys of their own; nothing else opens with them.
    """

    token_keys: Mapping[str, bytes] = field(repr=False)
    active_token_key: str
    phone_pepper: bytes = field(repr=False)
    notice_keys: Mapping[str, bytes] = field(repr=False, default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ReceiverSecret(InboundSecret, DataSecret):
    """What takes DOKU's notifications: it verifies them, and seals what they say with keys that are for that only."""


@dataclass(frozen=True, kw_only=True)
class Credentials(InboundSecret, SigningSecret, DataSecret):
    """One version of a secret that has all three parts."""


class CredentialSource[P](Protocol):
    """Where the current credentials come from, and those before them: all of them, or one part."""

    def current(self) -> P:
        """Return the version in use."""
        ...

    def previous(self) -> P | None:
        """Return the version before it, if there is a usable one: good for unsealing, and for nothing else."""
        ...

    def overlapping(self) -> P | None:
        """Return the version before it while a call of DOKU that it verifies is still heard, else None."""
        ...

    def settled(self) -> P:
        """Return what every function knows by now: the version before one that was put less than a minute ago.

        What is made with it for others of ours to check or to open is taken by whoever has not heard of the new one.
        """
        ...

    def is_confirmed(self) -> bool:
        """Whether what `current` returned was in use a minute ago at most; False where it may have been replaced."""
        ...

    def refresh(self) -> bool:
        """Read anew because something did not fit; False when that was done a moment ago."""
        ...


class FixedCredentials[P]:
    """Implements `CredentialSource` with values that never change."""

    def __init__(self, current: P, previous: P | None = None, *, is_overlapping: bool = True) -> None:
        self._current = current
        self._previous = previous
        self._is_overlapping = is_overlapping

    def current(self) -> P:
        """Return the version in use."""
        return self._current

    def previous(self) -> P | None:
        """Return the version before it, if one was given."""
        return self._previous

    def overlapping(self) -> P | None:
        """Return the version before it, unless its time is over."""
        return self._previous if self._is_overlapping else None

    def settled(self) -> P:
        """Return the version in use."""
        return self._current

    def is_confirmed(self) -> bool:
        """Return True."""
        return True

    def refresh(self) -> bool:
        """Return False: there is nothing newer."""
        return False


def parse_credentials(text: str) -> Credentials:
    """Read the JSON of a secret with all three parts, also as people paste it: with line breaks inside of texts, or a
    byte order mark.

    A key of `token_keys` that is no key and not the active one is left out and named in `faults`: the others stay good.
    Raises MalformedCredentials for all that is missing or wrong otherwise.
    """
    reader = _Reader(read_fields(text))
    inbound, signing, data = _read_inbound(reader), _read_signing(reader), _read_data(reader)
    reader.finish()
    return Credentials(
        client_id=inbound.client_id,
        secret_key=inbound.secret_key,
        merchant_private_key=signing.merchant_private_key,
        doku_public_key=inbound.doku_public_key,
        doku_client_key=inbound.doku_client_key,
        token_keys=data.token_keys,
        active_token_key=data.active_token_key,
        phone_pepper=data.phone_pepper,
        notice_keys=data.notice_keys,
        issued_token_key=inbound.issued_token_key,
        faults=data.faults,
    )


def parse_inbound(text: str) -> InboundSecret:
    """Read what verifies DOKU's calls, and ignore other fields. Raises MalformedCredentials."""
    return _parse(text, _read_inbound)


def parse_receiver(text: str) -> ReceiverSecret:
    """Read what verifies DOKU's calls and seals what they say. Raises MalformedCredentials.

    A whole secret without notice keys is one of before there were any: its data keys seal then.
    """
    reader = _Reader(read_fields(text))
    is_old = "tokenKeys" in reader and "noticeKeys" not in reader
    inbound, data = _read_inbound(reader), _read_data(reader) if is_old else _read_notice_keys(reader)
    reader.finish()
    return ReceiverSecret(
        client_id=inbound.client_id,
        secret_key=inbound.secret_key,
        doku_public_key=inbound.doku_public_key,
        doku_client_key=inbound.doku_client_key,
        issued_token_key=inbound.issued_token_key,
        token_keys=data.token_keys,
        active_token_key=data.active_token_key,
        phone_pepper=data.phone_pepper,
        faults=data.faults,
    )


def parse_signing(text: str) -> SigningSecret:
    """Read what signs our calls, and ignore other fields. Raises MalformedCredentials."""
    return _parse(text, _read_signing)


def parse_data(text: str) -> DataSecret:
    """Read what seals the records, and ignore other fields; see `parse_credentials` for `faults`.

    Raises MalformedCredentials.
    """
    return _parse(text, _read_data)


def _parse[P](text: str, read: Callable[[_Reader], P]) -> P:
    reader = _Reader(read_fields(text))
    part = read(reader)
    reader.finish()
    return part


def read_fields(text: str) -> Mapping[str, object]:
    """Return the fields of the secret's JSON as they stand there. Raises MalformedCredentials for no JSON object."""
    fields: object = None
    where = ""
    try:
        # Not strict: a PEM is pasted with its line breaks.
        fields = json.loads(text.removeprefix("\ufeff"), strict=False)
    except json.JSONDecodeError as error:
        where = f" (it ends being JSON at line {error.lineno}, column {error.colno})" if text else ""
    except (ValueError, RecursionError):
        where = " (it is nested too deeply, or holds a number that is too long)"
    if not isinstance(fields, dict):  # outside of the handler: the error would carry the secret's text
        raise MalformedCredentials(("(all)", f"must be a JSON object in SecretString{where}"))
    return fields


class _Reader:
    """Reads fields and gathers what is wrong with them, so that one look shows all mistakes."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields
        self.faults: list[tuple[str, str]] = []
        self.left_out: list[tuple[str, str]] = []

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def refuse(self, name: str, rule: str) -> None:
        """Note that a field is wrong. What two parts have is told once."""
        if (name, rule) not in self.faults:
            self.faults.append((name, rule))

    def finish(self) -> None:
        """Raise MalformedCredentials for what was wrong."""
        if self.faults:
            raise MalformedCredentials(*self.faults)

    def text(self, name: str) -> str:
        """Return a text without blanks around it; "" for a wrong one."""
        value = self._fields.get(name)
        if not isinstance(value, str) or not value.strip():
            self.refuse(name, "must be a string that is not empty")
            return ""
        if value != value.strip():
            self.refuse(name, "begins or ends with a blank or a line break: remove it")
        return value

    def pem(self, name: str) -> str:
        """Return a PEM text with real line breaks, whatever breaks were pasted."""
        value = self._fields.get(name)
        if not isinstance(value, str) or not value.strip():
            self.refuse(name, "must be a string that is not empty")
            return ""
        unfolded = value.replace("\\r", "").replace("\\n", "\n").replace("\r\n", "\n").strip() + "\n"
        if not unfolded.startswith("-----BEGIN "):
            self.refuse(name, "must be a PEM text: it begins with -----BEGIN and has its last line too")
        return unfolded

    def key(self, name: str) -> bytes:
        """Return 32 bytes; none for a wrong one."""
        key = _decode_key(self._fields.get(name))
        if key is None:
            self.refuse(name, _KEY_RULE)
        return key or b""

    def keys(self, name: str, active_name: str) -> Mapping[str, bytes]:
        """Return the good keys of an object by their ids. A bad one is left out, where the active one is good."""
        keys, wrong = self._ring(name)
        active = self._fields.get(active_name)
        if isinstance(active, str) and active in keys:
            self.left_out += wrong
        else:
            self.faults += wrong
        return keys

    def all_keys(self, name: str) -> Mapping[str, bytes]:
        """Return the good keys of an object of which none is active; a bad one is left out."""
        keys, wrong = self._ring(name)
        self.left_out += wrong
        return keys

    def _ring(self, name: str) -> tuple[Mapping[str, bytes], list[tuple[str, str]]]:
        given = self._fields.get(name)
        if not isinstance(given, dict) or not given:
            self.refuse(name, "must be an object of key ids and keys, one at least")
            return {}, []
        if not all(_KEY_ID.fullmatch(key_id) for key_id in given):
            self.refuse(name, "must be named by key ids of 1 to 32 letters, digits, - or _")
            return {}, []
        keys = {key_id: _decode_key(value) for key_id, value in given.items()}
        wrong = [(f"{name}.{key_id}", _KEY_RULE) for key_id, key in keys.items() if key is None]
        return {key_id: key for key_id, key in keys.items() if key is not None}, wrong

    @property
    def told_left_out(self) -> tuple[str, ...]:
        """What was left out, in words."""
        return tuple(f"the secret's field {name} {rule}" for name, rule in self.left_out)


def _read_inbound(reader: _Reader) -> InboundSecret:
    client_id = reader.text("clientId")
    return InboundSecret(
        client_id=client_id,
        secret_key=reader.text("secretKey"),
        doku_public_key=reader.pem("dokuPublicKey"),
        doku_client_key=reader.text("dokuClientKey") if "dokuClientKey" in reader else client_id,
        issued_token_key=reader.key("issuedTokenKey"),
    )


def _read_signing(reader: _Reader) -> SigningSecret:
    return SigningSecret(
        client_id=reader.text("clientId"),
        secret_key=reader.text("secretKey"),
        merchant_private_key=reader.pem("merchantPrivateKey"),
    )


def _read_data(reader: _Reader) -> DataSecret:
    token_keys, active = _read_ring(reader, "tokenKeys", "activeTokenKey")
    return DataSecret(
        token_keys=token_keys,
        active_token_key=active,
        phone_pepper=reader.key("phonePepper"),
        notice_keys=reader.all_keys("noticeKeys") if "noticeKeys" in reader else {},
        faults=reader.told_left_out,
    )


def _read_notice_keys(reader: _Reader) -> DataSecret:
    notice_keys, active = _read_ring(reader, "noticeKeys", "activeNoticeKey")
    return DataSecret(
        token_keys=notice_keys,
        active_token_key=active,
        phone_pepper=reader.key("noticePepper"),
        faults=reader.told_left_out,
    )


def _read_ring(reader: _Reader, keys_name: str, active_name: str) -> tuple[Mapping[str, bytes], str]:
    keys = reader.keys(keys_name, active_name)
    active = reader.text(active_name)
    if active and keys and active not in keys:
        reader.refuse(active_name, f"must be one of the key ids in {keys_name} whose key is good")
    return keys, active


def _decode_key(value: object) -> bytes | None:
    try:
        key = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None
