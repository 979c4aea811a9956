"""The secret of a stack, as the commands see it: one text with all fields, wherever its parts stand.

With the layout `one` it is one secret. With `three` each part has one of its own; a change is put into those whose
fields it changes. What opens is put before what seals, and what verifies DOKU's calls before what signs ours.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from direct_debit.adapters.credentials import MalformedCredentials, read_fields
from tools.ops.failure import OpsError
from tools.ops.secret_parts import find_part_faults
from tools.ops.secret_versions import SecretVersions, Stage, Version
from tools.secret_fields import FIELDS, KNOWN, SHARED, Part

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_ALL: tuple[Part, ...] = ("data", "inbound", "signing")
_RING = "noticeKeys"  # what two secrets have keys of: none is lost
_PENDING = "merchantPrivateKey"  # the one key that is kept aside


@dataclass(frozen=True, slots=True)
class Holder:
    """One secret, and the parts that stand in it."""

    name: str
    versions: SecretVersions
    parts: Sequence[Part]

    @property
    def fields(self) -> frozenset[str]:
        """What is read of it."""
        return frozenset[str]().union(*(FIELDS[part] for part in self.parts))


@dataclass(frozen=True, slots=True)
class StackVersion:
    """A version: the fields of all parts in one text. `created_at` and `read_at` are of what verifies DOKU's calls.

    `held` has the versions of the secrets that it was read from, by their names; one without a value has none.
    """

    created_at: datetime
    text: str = field(repr=False)
    held: Mapping[str, Version]
    read_at: datetime | None = None


class StackSecret:
    """One secret or three. Every method raises botocore's errors where AWS refuses or does not answer."""

    def __init__(self, holders: Sequence[Holder]) -> None:
        self._holders = holders

    @property
    def is_split(self) -> bool:
        """Whether each part has a secret of its own."""
        return len(self._holders) > 1

    # --- reading -----------------------------------------------------------------------------------------------------

    def read(self) -> StackVersion | None:
        """Return what is in use; None where no secret has a value. Fields of those that have none are missing in it.

        A field that two secrets should agree on is the one that our calls are signed with.
        """
        held = self._read_stage("AWSCURRENT")
        return _merge(held, last="signing") if held else None

    def read_current(self) -> StackVersion:
        """Return what is in use. Raises OpsError where a secret has no value yet."""
        version = self.read()
        missing = self.find_empty(version)
        if version is None or missing:
            raise OpsError(f"{_the(missing)} no value yet: ./ops onboard fills it")
        return version

    def read_previous(self) -> StackVersion | None:
        """Return what was in use before: of each secret the version before, or the one in use where none before it can
        be used. None where none has one.
        """
        before = self._read_stage("AWSPREVIOUS")
        if self.is_split:
            usable = {holder.name for holder in self._holders if not _find_faults(holder, before.get(holder.name))}
            before = {name: version for name, version in before.items() if name in usable}
        return _merge(self._read_stage("AWSCURRENT") | before, last="inbound") if before else None

    def read_pending(self) -> Version | None:
        """Return what is kept aside."""
        return self._holder_of(_PENDING)[0].versions.read("AWSPENDING")

    def read_unlabelled(self) -> list[StackVersion]:
        """Return what no label names any more, the newest first: each older version among what is in use else."""
        current = self._read_stage("AWSCURRENT")
        found = [
            (version.created_at, _merge(current | {holder.name: version}, last=holder.name))
            for holder in self._holders
            for version in holder.versions.read_unlabelled()
        ]
        return [version for _, version in sorted(found, key=lambda one: one[0], reverse=True)]

    def _read_stage(self, stage: Stage) -> dict[str, Version]:
        found = ((holder.name, holder.versions.read(stage)) for holder in self._holders)
        return {name: version for name, version in found if version is not None}

    # --- what is wrong -----------------------------------------------------------------------------------------------

    def find_empty(self, version: StackVersion | None) -> list[str]:
        """Return the names of the secrets without a value."""
        return [holder.name for holder in self._holders if version is None or holder.name not in version.held]

    def find_faults(self, version: StackVersion) -> list[str]:
        """Return what makes a secret unusable to the functions that read it, by its name; nothing with `one`, where
        the whole says it.
        """
        if not self.is_split:
            return []
        found = [f"the {name} secret has no value" for name in self.find_empty(version)]
        for holder in self._holders:
            faults = _find_faults(holder, version.held.get(holder.name))
            found += [f"in the {holder.name} secret: {fault}" for fault in faults]
        return found

    def find_disagreements(self, version: StackVersion) -> list[str]:
        """Return the fields that two secrets have, and not the same."""
        held = {name: _read(one) for name, one in version.held.items()}
        return sorted(
            name
            for name, (one, other) in SHARED.items()
            if one in held and other in held and held[one].get(name) != held[other].get(name)
        )

    def find_strangers(self, version: StackVersion) -> Mapping[str, list[str]]:
        """Return the fields that stand in a secret whose readers do not need them, by its name."""
        found = {
            holder.name: sorted((KNOWN - holder.fields) & set(_read(version.held[holder.name])))
            for holder in self._holders
            if holder.name in version.held
        }
        return {name: fields for name, fields in found.items() if fields}

    # --- changing ----------------------------------------------------------------------------------------------------

    def put(self, text: str, *, after: StackVersion | None) -> StackVersion:
        """Put a text into use: into each secret whose fields it changes, without those of other parts.

        `after` is what is in use as it was read. Raises OpsError where somebody else has changed one since.
        """
        fields = read_fields(text)
        put: dict[str, Version] = {}
        for holder in self._holders:
            before = None if after is None else after.held.get(holder.name)
            own = {name: value for name, value in fields.items() if name in holder.fields}
            noted = {name: value for name, value in self._noted(fields, before).items() if name not in KNOWN}
            if before is None or own != {name: one for name, one in _read(before).items() if name in holder.fields}:
                put[holder.name] = holder.versions.put(json.dumps({**noted, **own}), after=before)
        return _merge(({} if after is None else dict(after.held)) | put, last="signing")

    def _noted(self, fields: Mapping[str, object], before: Version | None) -> Mapping[str, object]:
        """What else somebody keeps in a secret stays there."""
        return ({} if before is None else _read(before)) if self.is_split else fields

    def put_pending(self, text: str) -> None:
        """Keep a text aside, in the place of the one before."""
        self._holder_of(_PENDING)[0].versions.put_pending(text)

    def end(self, stage: Literal["AWSPREVIOUS", "AWSPENDING"], key: str) -> bool:
        """Take the label from the versions of the secrets that have this field; False where none had it."""
        ended = [holder.versions.end(stage) for holder in self._holder_of(key)]
        return any(ended)

    def ends_overlap(self, key: str) -> bool:
        """Whether a change of this field ends the overlap of those that verify DOKU's calls."""
        return any("inbound" in holder.parts for holder in self._holder_of(key))

    def since(self, version: StackVersion, key: str) -> datetime:
        """Return from when on a field stands as it does: the newest of the secrets that have it counts."""
        return max(version.held[holder.name].created_at for holder in self._holder_of(key))

    def _holder_of(self, key: str) -> list[Holder]:
        return [holder for holder in self._holders if key in holder.fields]


def one_secret(client: "SecretsManagerClient", secret_id: str) -> StackSecret:
    """Return the secret of the layout `one`."""
    return StackSecret([Holder("whole", SecretVersions(client, secret_id), _ALL)])


def three_secrets(client: "SecretsManagerClient", ids: Mapping[Part, str]) -> StackSecret:
    """Return those of the layout `three`."""
    return StackSecret([Holder(part, SecretVersions(client, ids[part]), (part,)) for part in _ALL])


def _find_faults(holder: Holder, version: Version | None) -> list[str]:
    found = [] if version is None else [find_part_faults(part, version.text) for part in holder.parts]
    return [fault for fault in found if fault is not None]


def _merge(held: Mapping[str, Version], *, last: str) -> StackVersion:
    """Return the fields of all; of those that two have, the one of the secret `last` counts, and all notice keys."""
    leading = held.get("whole") or held.get("inbound") or next(iter(held.values()))
    text = leading.text if "whole" in held else json.dumps(dict(_own_fields(held, last)))
    return StackVersion(leading.created_at, text, held, leading.read_at)


def _own_fields(held: Mapping[str, Version], last: str) -> Iterator[tuple[str, object]]:
    rings: dict[str, object] = {}
    for part in sorted(_ALL, key=lambda one: one == last):
        if part in held:
            own = {name: value for name, value in _read(held[part]).items() if name in FIELDS[part]}
            yield from own.items()
            ring = own.get(_RING)
            rings |= ring if isinstance(ring, dict) else {}
    if rings:
        yield _RING, rings


def _read(version: Version) -> Mapping[str, object]:
    """Return the fields of a text; none of one that is no JSON object, which `find_faults` tells."""
    try:
        return read_fields(version.text)
    except MalformedCredentials:
        return {}


def _the(names: Sequence[str]) -> str:
    if names == ["whole"] or not names:
        return "the secret has"
    return f"{' and '.join(f'the {name} secret' for name in names)} {'has' if len(names) == 1 else 'have'}"
