"""What a version of the secret holds: read, checked whole, and changed field by field."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from direct_debit.adapters.credentials import Credentials, MalformedCredentials, parse_credentials, read_fields
from direct_debit.entrypoint.check_credentials import check_credentials
from doku_snap.errors import InvalidSetting
from doku_snap.keys import load_private_key
from tools.new_keys import fingerprint, public_half
from tools.ops.failure import OpsError
from tools.ops.stack_secret import StackVersion

type Key = Literal[
    "issuedTokenKey", "tokenKeys", "noticeKeys", "merchantPrivateKey", "secretKey", "dokuPublicKey", "phonePepper"
]
"""The keys of the secret, by their fields. `noticeKeys` are there with three secrets only."""

KEYS: tuple[Key, ...] = get_args(Key.__value__)
INBOUND_KEYS: tuple[Key, ...] = ("issuedTokenKey", "secretKey", "dokuPublicKey")
"""What verifies DOKU's calls: of these the version before is heard for a while."""

_RINGS = ("tokenKeys", "noticeKeys")
_KEPT_FOR_EVER = (
    "phonePepper is never replaced: accounts are found by hashes that depend on it, and could be linked twice. "
    "Alone it opens nothing"
)


@dataclass(frozen=True, slots=True)
class Content:
    """A usable version: all its fields as they stand there, and what they mean."""

    fields: Mapping[str, object] = field(repr=False)
    credentials: Credentials

    @property
    def text(self) -> str:
        """The JSON to put."""
        return json.dumps(dict(self.fields))

    @property
    def merchant_public_key(self) -> str:
        """The half of the merchant's key that DOKU has to know, as PEM."""
        return public_half(load_private_key(self.credentials.merchant_private_key))

    @property
    def merchant_fingerprint(self) -> str:
        """What names that key."""
        return fingerprint(load_private_key(self.credentials.merchant_private_key).public_key())

    def value(self, key: Key) -> object:
        """Return what a key is: two versions with equal values have the same key. Of several the active one."""
        content = self.credentials
        values: Mapping[Key, object] = {
            "issuedTokenKey": content.issued_token_key,
            "tokenKeys": (content.active_token_key, content.token_keys[content.active_token_key]),
            "noticeKeys": self._active_notice_key,
            "merchantPrivateKey": self.merchant_fingerprint,
            "secretKey": content.secret_key,
            "dokuPublicKey": content.doku_public_key,
            "phonePepper": content.phone_pepper,
        }
        return values[key]

    @property
    def _active_notice_key(self) -> object:
        active = self.fields.get("activeNoticeKey")
        return (active, self.credentials.notice_keys.get(active)) if isinstance(active, str) else None

    def changed(self, **fields: object) -> "Content":
        """Return it with other fields. Raises OpsError for a value that can not be used."""
        return read_content(json.dumps({**self.fields, **fields}))


def read_content(text: str) -> Content:
    """Read and check a version with every rule there is, the key's numbers too.

    Raises OpsError that names each field that is wrong and its remedy, never a value.
    """
    faults = find_faults(text)
    if faults:
        raise OpsError("; ".join(faults))
    return Content(read_fields(text), parse_credentials(text))


def find_faults(text: str) -> list[str]:
    """Return what makes a version unusable, by field, with the remedy; nothing for a good one."""
    try:
        credentials = parse_credentials(text)
        check_credentials(credentials)
    except MalformedCredentials as error:
        return [error.fault]
    try:
        load_private_key(credentials.merchant_private_key)
    except InvalidSetting as error:
        return [f"the secret's field {error.setting} {error.rule}"]
    return []


def read_previous(version: StackVersion | None) -> Content | None:
    """Return the content of the version before; None where there is none that can be used."""
    return None if version is None or find_faults(version.text) else read_content(version.text)


def refuse_pepper(key: Key) -> None:
    """Raise OpsError for the one key that stays."""
    if key == "phonePepper":
        raise OpsError(_KEPT_FOR_EVER)


def carry_over(content: Content, previous: Content | None) -> tuple[Content, list[str]]:
    """Return the content with the data keys, and those of notifications, that only the version before has; their ids.

    Texts may be sealed with them, and nobody can open those once that version is gone. Raises OpsError where one id
    names two keys.
    """
    carried: list[str] = []
    for field_name in _RINGS:
        before = {} if previous is None else _ring(previous, field_name)
        own = _ring(content, field_name)
        torn = sorted(key_id for key_id in before.keys() & own.keys() if before[key_id] != own[key_id])
        if torn:
            raise OpsError(
                f"{field_name}.{torn[0]} is one key in the version in use and another in the one before, and what was "
                "sealed with that one does not open: put the old key back under its id, and the new one under an id of "
                "its own"
            )
        missing = sorted(before.keys() - own.keys())
        if missing:
            lost = {key_id: base64.b64encode(before[key_id]).decode() for key_id in missing}
            known = content.fields.get(field_name)
            content = content.changed(**{field_name: {**(known if isinstance(known, dict) else {}), **lost}})
            carried += missing
    return content, carried


def _ring(content: Content, field_name: str) -> Mapping[str, bytes]:
    return content.credentials.token_keys if field_name == "tokenKeys" else content.credentials.notice_keys
