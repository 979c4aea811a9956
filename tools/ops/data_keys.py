"""The keys of the secret that seal records: which open a text, and which one it should be sealed with."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from direct_debit.adapters.credentials import DataSecret, FixedCredentials
from direct_debit.adapters.dynamodb.sealed_item import SealedText
from direct_debit.adapters.secrets import HEARD_EVERYWHERE
from direct_debit.adapters.vault import AesGcmVault
from direct_debit.application.ports.time_and_chance import Ids
from direct_debit.application.ports.vault import ONCE_CLEAR, SealedField, open_text
from tools.ops.failure import OpsError
from tools.ops.in_use import tell_disagreement
from tools.ops.report import tell_span
from tools.ops.secret_content import Content, carry_over, read_content, read_previous
from tools.ops.stack_secret import StackVersion
from tools.ops.system import System

type Ring = Literal["tokenKeys", "noticeKeys"]

ACTIVE: Mapping[Ring, str] = {"tokenKeys": "activeTokenKey", "noticeKeys": "activeNoticeKey"}
"""The rings of keys, each with the field that names the active one."""

LONGEST_RUN = timedelta(seconds=60)
"""No function runs longer (template.yaml): by then it has written what it had read or sealed, or never does."""


@dataclass(frozen=True, slots=True)
class DataKeys:
    """What is in use, as it stands (`content`), and with the keys that only the version before has (`whole`)."""

    version: StackVersion
    content: Content
    previous: Content | None
    whole: Content
    is_split: bool

    def ring(self, ring: Ring) -> Mapping[str, bytes]:
        """Return all keys of a ring by their ids, those of the version before too."""
        credentials = self.whole.credentials
        return credentials.token_keys if ring == "tokenKeys" else credentials.notice_keys

    def active(self, ring: Ring) -> str | None:
        """Return the id of the key that seals; None for notices, where they have no keys of their own."""
        if ring == "tokenKeys":
            return self.content.credentials.active_token_key
        named = self.content.fields.get(ACTIVE[ring])
        has_own = self.is_split and named in self.content.credentials.notice_keys
        return named if has_own and isinstance(named, str) else None


def read_data_keys(system: System) -> DataKeys:
    """Read what is in use, and what was before it.

    Raises OpsError; also where two secrets disagree, or one id names two keys.
    """
    version = system.secret.read_current()
    for name in system.secret.find_disagreements(version):
        raise OpsError(tell_disagreement(name))
    content = read_content(version.text)
    previous = read_previous(system.secret.read_previous())
    whole, _ = carry_over(content, previous)
    return DataKeys(version, content, previous, whole, system.secret.is_split)


def is_still_in_use(keys: DataKeys, system: System) -> bool:
    """Return whether nobody has changed a secret since it was read."""
    current = system.secret.read_current()
    now = {name: version.id for name, version in current.held.items()}
    return now == {name: version.id for name, version in keys.version.held.items()}


def let_it_be_heard(keys: DataKeys, system: System, *, at_least: timedelta = timedelta()) -> None:
    """Wait until nothing is sealed any more with a key before those in use (decision 0058), nor written that was."""
    now = keys.version.read_at or system.ports.clock.now()
    since = max(system.secret.since(keys.version, ring) for ring in ACTIVE)
    pause = max(since + HEARD_EVERYWHERE + LONGEST_RUN - now, at_least)
    if pause > timedelta():
        seconds = round(pause.total_seconds())
        print(f"{tell_span(seconds)}, until nothing is written with a key before", file=sys.stderr, flush=True)
        system.outside.pause(pause.total_seconds())


class Sealer:
    """Opens with every key of the version in use and of the one before; seals as the functions do."""

    def __init__(self, keys: DataKeys, ids: Ids) -> None:
        self._data = AesGcmVault(FixedCredentials(keys.whole.credentials), ids)
        self._notices = self._data
        active = keys.active("noticeKeys")
        if active is not None:
            credentials = keys.whole.credentials
            ring = DataSecret(
                token_keys=credentials.notice_keys,
                active_token_key=active,
                phone_pepper=credentials.phone_pepper,
            )
            self._notices = AesGcmVault(FixedCredentials(ring), ids)

    def is_new(self, one: SealedText) -> bool:
        """Return whether a text is sealed as it would be today."""
        return not self._of(one).is_outdated(one.text)

    def open(self, one: SealedText) -> str:
        """Return what a text says; one that was never sealed is itself, where that once was so. Raises UnsealFailed."""
        opens = open_text if one.field in ONCE_CLEAR else AesGcmVault.unseal
        return opens(self._data, one.text, one.field, one.owner)

    def seal(self, plaintext: str, one: SealedText) -> str:
        """Return the text anew, for the same place."""
        return self._of(one).seal(plaintext, one.field, one.owner)

    def _of(self, one: SealedText) -> AesGcmVault:
        return self._notices if one.field is SealedField.NOTICE else self._data
