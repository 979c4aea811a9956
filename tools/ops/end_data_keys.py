"""Take replaced keys that seal records out of the secret, once a walk has found nothing that is sealed with them."""

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from direct_debit.adapters.credentials import Credentials, DataSecret, FixedCredentials, read_fields
from direct_debit.adapters.dynamodb.items import Item, MalformedItem
from direct_debit.adapters.dynamodb.sealed_item import list_sealed, list_strangers
from direct_debit.adapters.secrets import HEARD_EVERYWHERE
from direct_debit.adapters.vault import AesGcmVault, find_key_id
from direct_debit.application.ports.vault import SealedField, UnsealFailed
from tools.ops.data_keys import (
    LONGEST_RUN,
    DataKeys,
    Ring,
    Sealer,
    is_still_in_use,
    let_it_be_heard,
    read_data_keys,
)
from tools.ops.failure import OpsError
from tools.ops.in_use import InUse, require_settled
from tools.ops.report import DONE, FAILED, NEEDS_A_PERSON, Report
from tools.ops.reseal import name_record
from tools.ops.system import System

_LISTED = 50
_EACH = 40  # pages between two lines of progress
_PROBE = "probe"


@dataclass(slots=True)
class _Found:
    """`sealed`: texts that an old key opens, or that can not be judged. `lost`: those that name one and do not open."""

    sealed: int = 0
    lost: int = 0
    records: list[str] = field(default_factory=list)

    def note(self, item: Item, attribute: str) -> None:
        """Name a text's place, as long as there is room."""
        if len(self.records) < _LISTED:
            self.records.append(f"{name_record(item)} {attribute}")


def end_data_keys(ring: Ring, system: System, replaced: Sequence[Credentials]) -> Report | None:
    """Leave nothing but the active key of a ring in the secret, if nothing in the tables is sealed with another one.

    Else nothing is changed. A text that names an old key and opens by none is lost already; it is told. `replaced` are
    older contents, for a trial where the secret has no old key any more. None where no key was ever replaced.
    Raises OpsError, StoreUnavailable.
    """
    keys = read_data_keys(system)
    active = keys.active(ring)
    old = {key_id: key for key_id, key in keys.ring(ring).items() if key_id != active}
    if active is None or not old:
        known = {key_id: key for one in replaced for key_id, key in _ring_of(one, ring).items() if key_id != active}
        return _try(ring, known, _Found(), (), system) if known else None
    _refuse_strangers(ring, keys, system)
    if system.secret.ends_overlap(ring):
        secret = InUse(keys.version, keys.content, keys.previous, (), ())
        require_settled(secret, system, "revoke", "or revoke that key first")
    let_it_be_heard(keys, system, at_least=LONGEST_RUN)
    found = _walk(old.keys(), keys, system)
    if found.sealed:
        return _report_sealed(ring, old, found)
    if not is_still_in_use(keys, system):
        raise OpsError("somebody changed the secret during the walk: again")
    left = {key_id: value for key_id, value in _fields_of(keys, ring).items() if key_id == active}
    system.secret.put(keys.content.changed(**{ring: left}).text, after=keys.version)
    system.secret.end("AWSPREVIOUS", ring)
    print("a minute, until every function has read the secret anew", file=sys.stderr, flush=True)
    system.outside.pause(HEARD_EVERYWHERE.total_seconds())
    return _try(ring, old, found, sorted(old), system)


def _refuse_strangers(ring: Ring, keys: DataKeys, system: System) -> None:
    """Raise OpsError where those who take notifications may go on to seal with a key of the ring."""
    if ring in system.secret.find_strangers(keys.version).get("inbound", ()):
        raise OpsError(f"the inbound secret has {ring} too: ./ops rotate issuedTokenKey leaves its own fields only")


def _fields_of(keys: DataKeys, ring: Ring) -> Mapping[str, object]:
    known = keys.content.fields.get(ring)
    return known if isinstance(known, dict) else {}


def _ring_of(content: Credentials, ring: Ring) -> Mapping[str, bytes]:
    return content.token_keys if ring == "tokenKeys" else content.notice_keys


def _walk(old: Collection[str], keys: DataKeys, system: System) -> _Found:
    """Look for texts of the old keys, to the end of the first page that has some."""
    sealer = Sealer(keys, system.ports.ids)
    found = _Found()
    tables = system.environment
    for name, table in (("bindings", tables.bindings_table), ("transactions", tables.transactions_table)):
        read = 0
        for number, page in enumerate(system.pages(table), 1):
            for item in page:
                _judge(item, old, sealer, found)
            read += len(page)
            if found.sealed:
                return found
            if number % _EACH == 0:
                print(f"{name}: {read} items read", file=sys.stderr, flush=True)
    return found


def _judge(item: Item, old: Collection[str], sealer: Sealer, found: _Found) -> None:
    for attribute, key_id in list_strangers(item):
        if key_id in old:
            found.sealed += 1
            found.note(item, attribute)
    try:
        texts = [one for one in list_sealed(item) if find_key_id(one.text) in old]
    except MalformedItem:
        found.sealed += 1  # nobody knows
        found.note(item, "-")
        return
    for one in texts:
        found.note(item, one.attribute)
        try:
            sealer.open(one)
            found.sealed += 1
        except UnsealFailed:
            found.lost += 1


def _report_sealed(ring: Ring, old: Mapping[str, bytes], found: _Found) -> Report:
    names = ", ".join(sorted(old))
    lines = [
        f"nothing was changed: {found.sealed} texts or more are sealed with {names}: ./ops reseal, then again",
        *found.records,
    ]
    facts = {
        "key": ring,
        "revoked": False,
        "tried": False,
        "trials": [],
        "removed": [],
        "sealedWithIt": found.sealed,
        "doNotOpen": found.lost,
        "records": found.records,
    }
    return Report(facts, lines, NEEDS_A_PERSON)


def _try(ring: Ring, old: Mapping[str, bytes], found: _Found, removed: Sequence[str], system: System) -> Report:
    """Try to open texts of the old keys with all that functions read from now on."""
    keys = read_data_keys(system)
    names = ", ".join(sorted(old))
    opened = [key_id for key_id, key in old.items() if _is_opened(key_id, key, keys, system)]
    elsewhere = _find_elsewhere(ring, old, system)
    status = FAILED if opened else NEEDS_A_PERSON if found.lost or elsewhere else DONE
    told = (
        f"tried: a text of {', '.join(opened)} still opens: again"
        if opened
        else f"tried: with what functions read now, no text opens that is sealed with {names}"
    )
    lines = [f"only {keys.active(ring)} is left of {ring}", told]
    if found.lost:
        lines += [f"{found.lost} texts name an old key and opened by no key, before it went:", *found.records]
    if elsewhere:
        lines.append(f"the secret of the other layout has {', '.join(elsewhere)} still: ./ops copy-secret")
    facts = {
        "key": ring,
        "revoked": not opened,
        "tried": True,
        "trials": [told],
        "removed": list(removed),
        "sealedWithIt": 0,
        "doNotOpen": found.lost,
        "records": found.records,
    }
    return Report(facts, lines, status)


def _find_elsewhere(ring: Ring, old: Collection[str], system: System) -> list[str]:
    """Return the old keys that the secret of the other layout has, while the stack changes from one to the other."""
    version = None if system.other_secret is None else system.other_secret.read()
    known = {} if version is None else read_fields(version.text).get(ring)
    return sorted(known.keys() & set(old)) if isinstance(known, dict) else []


def _is_opened(key_id: str, key: bytes, keys: DataKeys, system: System) -> bool:
    credentials = keys.whole.credentials
    before = DataSecret(token_keys={key_id: key}, active_token_key=key_id, phone_pepper=credentials.phone_pepper)
    probe = AesGcmVault(FixedCredentials(before), system.ports.ids).seal(_PROBE, SealedField.NOTICE, _PROBE)
    try:
        AesGcmVault(FixedCredentials(credentials), system.ports.ids).unseal(probe, SealedField.NOTICE, _PROBE)
    except UnsealFailed:
        return False
    return True
