"""Replace one key of the secret, so that nothing is refused while DOKU and the functions learn of it.

A key that is made here is put at once. One that DOKU gives is read from a file or standard input. The merchant's own
key pair takes two calls: the first keeps a new pair aside and tells its public half, the second has DOKU prove that it
takes the new key, and only then puts it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from direct_debit.adapters.credentials import MalformedCredentials, read_fields
from tools.new_keys import new_key, new_private_key
from tools.ops.ask_doku import share_token
from tools.ops.failure import OpsError
from tools.ops.in_use import InUse, read_in_use, refuse_notice_keys, require_settled
from tools.ops.registration import list_registration
from tools.ops.report import DONE, NEEDS_A_PERSON, Report, tell_time, write_time
from tools.ops.secret_content import INBOUND_KEYS, Content, Key, refuse_pepper
from tools.ops.secret_value import read_value
from tools.ops.secret_versions import Version
from tools.ops.system import System

_PENDING_FIELD = "merchantPrivateKey"
_FROM_DOKU: Mapping[Key, str] = {
    "secretKey": "take it from DOKU's back office",
    "dokuPublicKey": "take it from DOKU's back office",
}
_THEN: Mapping[Key, Sequence[str]] = {
    "issuedTokenKey": ["DOKU need not be told: it gets tokens by the new key from now on"],
    "tokenKeys": [
        "from a minute on new texts are sealed with it; the older keys stay in the secret, and open what they sealed",
        "to end them: ./ops reseal, then ./ops revoke tokenKeys",
    ],
    "noticeKeys": [
        "from a minute on what comes in is sealed with it; the older keys stay, for what waits",
        "to end them: ./ops reseal, then ./ops revoke noticeKeys",
    ],
    "merchantPrivateKey": ["DOKU takes it, and all functions have a token that was got with it"],
    "secretKey": [
        "DOKU has to use it from now on, in both directions; a call of ours that it does not take may be repeated",
        "rotate no other key before it does: its calls by the old one would be refused",
    ],
    "dokuPublicKey": [
        "DOKU has to sign with the other half from now on",
        "rotate no other key before it does: its calls by the old one would be refused",
    ],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """`source`: the file that has the value, or `-`. `now`: although an earlier rotation has not settled.

    `anew`: make another pair instead of the one that is kept aside.
    """

    source: str | None = None
    now: bool = False
    anew: bool = False


def rotate(key: Key, system: System, how: How) -> Report:
    """Replace a key. Data keys that only the version before has are carried over. Raises OpsError."""
    refuse_pepper(key)
    if how.anew and key != "merchantPrivateKey":
        raise OpsError("--anew is for merchantPrivateKey, of which a new pair is kept aside")
    refuse_notice_keys(key, system.secret)
    secret = read_in_use(system, may_differ=key)
    if not how.now and system.secret.ends_overlap(key):
        require_settled(secret, system, "rotate")
    if key == "merchantPrivateKey":
        return _rotate_pair(secret, system, how)
    if key in _FROM_DOKU and how.source is None:
        raise OpsError(
            f"{key} is DOKU's to give: {_FROM_DOKU[key]} and name the file by --from FILE (- is standard input)"
        )
    if key not in _FROM_DOKU and how.source is not None:
        raise OpsError(f"{key} is made here: leave --from out")
    return _put(key, _MAKERS[key](secret.content, how, system), secret, system)


def _put(key: Key, changed: Content, secret: InUse, system: System) -> Report:
    if changed.value(key) == secret.content.value(key) and key not in secret.disagreements:
        raise OpsError(f"this {key} is in use already: nothing was changed")
    put = system.secret.put(changed.text, after=secret.version)
    overlap_until = put.created_at + timedelta(seconds=system.environment.key_overlap)
    now = put.read_at or system.ports.clock.now()
    facts = {
        "key": key,
        "rotated": True,
        "createdAt": write_time(system.secret.since(put, key)),
        "overlapUntil": write_time(overlap_until),
        "dataKeysCarriedOver": list(secret.carried),
    }
    lines = [f"{key} is replaced; every function has it within a minute", *_THEN[key]]
    if key in INBOUND_KEYS:
        lines.append(
            f"what the one before proves is heard until {tell_time(overlap_until, now)}, and DOKU is asked before it "
            f"counts; ./ops revoke {key} ends that now"
        )
    if secret.carried:
        lines.append(f"data keys that only the version before had came along: {', '.join(secret.carried)}")
    return Report(facts, lines, DONE)


# --- the keys that are made or given ---------------------------------------------------------------------------------


def _new_issued_token_key(content: Content, _how: How, _system: System) -> Content:
    return content.changed(issuedTokenKey=new_key())


def _new_data_key(content: Content, _how: How, system: System) -> Content:
    return _with_another(content, "tokenKeys", "activeTokenKey", "k", system)


def _new_notice_key(content: Content, _how: How, system: System) -> Content:
    return _with_another(content, "noticeKeys", "activeNoticeKey", "n", system)


def _with_another(content: Content, keys_name: str, active_name: str, letter: str, system: System) -> Content:
    """Return the content with one more key, which is the active one."""
    known = content.fields[keys_name]
    keys = dict(known) if isinstance(known, dict) else {}
    key_id = _free_id(keys, letter, system.ports.clock.now())
    return content.changed(**{keys_name: {**keys, key_id: new_key()}, active_name: key_id})


def _free_id(taken: Mapping[str, object], letter: str, today: datetime) -> str:
    name = f"{letter}{today:%Y%m%d}"
    number = 1
    while (key_id := name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    return key_id


def _given(key: Key) -> Callable[[Content, How, System], Content]:
    def change(content: Content, how: How, _system: System) -> Content:
        return content.changed(**{key: read_value(how.source or "", key)})

    return change


_MAKERS: Mapping[Key, Callable[[Content, How, System], Content]] = {
    "issuedTokenKey": _new_issued_token_key,
    "tokenKeys": _new_data_key,
    "noticeKeys": _new_notice_key,
    "secretKey": _given("secretKey"),
    "dokuPublicKey": _given("dokuPublicKey"),
}


# --- the merchant's pair ---------------------------------------------------------------------------------------------


def _rotate_pair(secret: InUse, system: System, how: How) -> Report:
    pending = system.secret.read_pending()
    if pending is None or how.anew or how.source is not None:
        private_key = new_private_key() if how.source is None else read_value(how.source, "merchantPrivateKey")
        return _keep_aside(secret.content.changed(merchantPrivateKey=private_key), secret, system)
    changed = secret.content.changed(merchantPrivateKey=_read_pending(pending))
    answer = share_token(system, changed, sealed_by=secret.content)
    if answer.taken is None:
        raise OpsError(f"{answer.told}: whether it takes the new key is not known, and the one in use stays; try again")
    if not answer.taken:
        registration = list_registration(system, changed)
        lines = [f"not yet: {answer.told}. The key in use stays", *registration.lines, f"then again: {_AGAIN}"]
        return Report({"key": "merchantPrivateKey", "rotated": False, **registration.facts}, lines, NEEDS_A_PERSON)
    report = _put("merchantPrivateKey", changed, secret, system)
    system.secret.end("AWSPENDING", key="merchantPrivateKey")
    return report


_AGAIN = "./ops rotate merchantPrivateKey"


def _read_pending(pending: Version) -> str:
    try:
        private_key = read_fields(pending.text).get(_PENDING_FIELD)
    except MalformedCredentials:
        private_key = None
    if not isinstance(private_key, str):
        raise OpsError(f"the version AWSPENDING holds no pair that was kept aside: {_AGAIN} --anew makes one")
    return private_key


def _keep_aside(changed: Content, secret: InUse, system: System) -> Report:
    if changed.value("merchantPrivateKey") == secret.content.value("merchantPrivateKey"):
        raise OpsError("this merchantPrivateKey is in use already: nothing was changed")
    system.secret.put_pending(json.dumps({_PENDING_FIELD: changed.credentials.merchant_private_key}))
    # The shared token carries all calls for a quarter of an hour: so long no key has to be taken.
    token = share_token(system, secret.content, sealed_by=secret.content)
    registration = list_registration(system, changed)
    lines = [
        "a new pair is kept aside; the key in use stays until DOKU takes the new one",
        *registration.lines,
        "within ten minutes of registering it (until then the shared token needs no key): " + _AGAIN
        if token.taken
        else f"as soon as it is registered ({token.told} with the key in use): " + _AGAIN,
    ]
    facts = {"key": "merchantPrivateKey", "rotated": False, **registration.facts}
    return Report(facts, lines, NEEDS_A_PERSON)
