"""Is the secret whole, and does it fit DOKU and the deployed doors: what can be checked from here, and the remedies."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tools.deploy.public_routes import BINDING_NOTIFICATION, PAYMENT_NOTIFICATION, TOKEN
from tools.ops.ask_doku import share_token
from tools.ops.failure import OpsError
from tools.ops.in_use import mend
from tools.ops.public_doors import Verdict, ask_notification_door, ask_token_door
from tools.ops.report import DONE, NEEDS_A_PERSON, Report, tell_time
from tools.ops.secret_content import INBOUND_KEYS, KEYS, Content, carry_over, find_faults, read_content
from tools.ops.stack_secret import StackSecret, StackVersion
from tools.ops.system import System
from tools.secret_fields import SHARED

_CLOCKS_DIFFER = timedelta(seconds=60)
_PENDING_FOR = timedelta(days=1)
_OWN_KEYS = {"inbound": "issuedTokenKey", "signing": "merchantPrivateKey", "data": "tokenKeys"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. `remedy` is what to do where something is wrong, None where nothing is."""

    check: str
    told: str
    remedy: str | None = None


def doctor(system: System) -> Report:
    """Check the secret, DOKU and the doors. Status 3 when something is wrong."""
    findings = list(_examine(system))
    wrong = [one for one in findings if one.remedy is not None]
    lines = []
    for one in findings:
        lines.append(f"{'ok   ' if one.remedy is None else 'WRONG'}  {one.check}: {one.told}")
        if one.remedy is not None:
            lines.append(f"       {one.remedy}")
    facts = {
        "findings": [
            {"check": one.check, "ok": one.remedy is None, "told": one.told, "remedy": one.remedy} for one in findings
        ],
        "wrong": len(wrong),
    }
    return Report(facts, lines, NEEDS_A_PERSON if wrong else DONE)


def _examine(system: System) -> Iterator[Finding]:
    current = system.secret.read()
    if current is None:
        yield Finding("secret", "has no value", "./ops onboard")
        return
    disagreements = system.secret.find_disagreements(current)
    for name in disagreements:
        one, other = SHARED[name]
        yield Finding(name, f"is another one in the {one} secret than in the {other} secret", mend(name))
    faults = system.secret.find_faults(current) or find_faults(current.text)
    if faults:
        for fault in faults:
            mended = "put a version in which this is mended; until then the one before it is in use"
            yield Finding("secret", fault, "./ops onboard" if fault.endswith("has no value") else mended)
        return
    content = read_content(current.text)
    yield Finding("secret", "has every field, each of the right form; the private key's numbers fit each other")
    for fault in content.credentials.faults:
        yield Finding("secret", fault, "put a version without that key id, or with its right key")
    yield Finding("dokuPublicKey", "is not the public half of merchantPrivateKey")
    for holder, strangers in system.secret.find_strangers(current).items():
        told = f"holds {', '.join(strangers)} too, which its readers do not need"
        yield Finding(f"{holder} secret", told, f"./ops rotate {_OWN_KEYS[holder]} leaves its own fields only")
    if system.other_secret is not None:
        yield _compare_layouts(content, system.other_secret)
    yield from _examine_versions(current, content, system)
    yield from _examine_doku(current, content, system)
    yield from _examine_doors(content, system)


def _compare_layouts(content: Content, other: StackSecret) -> Finding:
    """Compare with the secret of the other layout, which is there while the stack changes."""
    copy = "./ops copy-secret before SecretLayout changes"
    version = other.read()
    if version is None or other.find_empty(version) or find_faults(version.text):
        return Finding("other layout", "its secret lacks keys that are in use", copy)
    there = read_content(version.text).credentials
    # Three secrets have keys for notifications, which one need not have.
    if replace(there, notice_keys={}) != replace(content.credentials, notice_keys={}):
        return Finding("other layout", "its secret lacks keys that are in use", copy)
    if content.credentials.notice_keys.items() <= there.notice_keys.items():
        return Finding("other layout", "its secret has the same keys")
    return Finding("other layout", f"its secret has the same keys but for notifications: {copy} back")


def _examine_versions(current: StackVersion, content: Content, system: System) -> Iterator[Finding]:
    now = current.read_at or system.ports.clock.now()
    previous = system.secret.read_previous()
    if previous is not None:
        yield _examine_previous(previous, current, content, system, now)
    pending = system.secret.read_pending()
    if pending is not None:
        old = now - pending.created_at > _PENDING_FOR
        told = f"a new pair is kept aside since {tell_time(pending.created_at, now)}"
        yield Finding(
            "rotation", told, "register it and end the rotation: ./ops rotate merchantPrivateKey" if old else None
        )


def _examine_previous(
    previous: StackVersion, current: StackVersion, content: Content, system: System, now: datetime
) -> Finding:
    if find_faults(previous.text):
        return Finding("version before", "can not be used, and counts as none")
    before = read_content(previous.text)
    try:
        _, missing = carry_over(content, before)
    except OpsError as error:
        return Finding("version before", "has another key under the same id", str(error))
    if missing:
        return Finding(
            "version before",
            f"only it has the data keys {', '.join(missing)}, and texts may be sealed with them",
            "./ops rotate tokenKeys carries them over, before another change of the secret loses them",
        )
    differs = [key for key in KEYS if before.value(key) != content.value(key)]
    if not set(differs) & set(INBOUND_KEYS):
        return Finding("version before", f"differs in {', '.join(differs) or 'no key'}; it proves nothing else")
    until = current.created_at + timedelta(seconds=system.environment.key_overlap)
    heard = f"is heard until {tell_time(until, now)}" if now < until else "is not heard any more"
    return Finding("version before", f"differs in {', '.join(differs)}; {heard}")


def _examine_doku(current: StackVersion, content: Content, system: System) -> Iterator[Finding]:
    asked_at = system.ports.clock.now()
    answer = share_token(system, content, sealed_by=content)
    if answer.taken:
        yield Finding("token request", f"{answer.told}; it takes the key {content.merchant_fingerprint[:16]}...")
    elif answer.taken is None:
        remedy = f"does this machine reach {system.environment.doku_base_url}? Else DOKU is away: ./ops review"
        yield Finding("token request", answer.told, remedy)
    else:
        told = f"{answer.told}: it does not know clientId, the public half of merchantPrivateKey, or our time"
        remedy = "compare clientId and the public key in DOKU's back office with what ./ops onboard prints"
        yield Finding("token request", told, remedy)
    yield _compare_clocks(current, answer.date)
    yield _compare_own_clock(current, asked_at)


def _compare_own_clock(current: StackVersion, own: datetime) -> Finding:
    """Compare this machine's time with AWS's: what these commands sign has it."""
    if current.read_at is None:
        return Finding("this machine's clock", "not checked: AWS told no time")
    apart = abs(own - current.read_at)
    told = f"it is {round(apart.total_seconds())} s from AWS's"
    remedy = "set it right: what is tried from here is refused otherwise" if apart > _CLOCKS_DIFFER else None
    return Finding("this machine's clock", told, remedy)


def _compare_clocks(current: StackVersion, doku: datetime | None) -> Finding:
    """Compare AWS's time, which the functions have, with DOKU's."""
    aws = current.read_at
    if aws is None or doku is None:
        return Finding("clock", f"not checked: {'AWS' if aws is None else 'DOKU'} told no time")
    apart = abs(doku - aws)
    told = f"DOKU's and AWS's are {round(apart.total_seconds())} s apart"
    if apart <= _CLOCKS_DIFFER:
        return Finding("clock", told)
    return Finding(
        "clock", told, "tell DOKU: the functions' clock is AWS's; until then TimestampWindowSeconds may bridge it"
    )


def _examine_doors(content: Content, system: System) -> Iterator[Finding]:
    base = system.environment.settings.public_base_url
    token = ask_token_door(system, TOKEN)
    yield Finding(
        "token URL",
        f"{token.told} from outside",
        None if token.verdict is not Verdict.UNCLEAR else _door_remedy(base),
    )
    for name, path in (("payment notification", PAYMENT_NOTIFICATION), ("binding notification", BINDING_NOTIFICATION)):
        answer = ask_notification_door(system, content, path=path)
        if answer.verdict is Verdict.HEARD:
            yield Finding(f"{name} URL", "answers from outside, and hears the keys of the secret")
        elif answer.verdict is Verdict.REFUSED:
            told = f"{answer.told}: it does not hear the keys of the secret"
            remedy = "was it changed within the last minute? Else a call's path differs from PublicBaseUrl: make deploy"
            yield Finding(f"{name} URL", told, remedy)
        else:
            yield Finding(f"{name} URL", answer.told, _door_remedy(base))
    yield Finding("back office", "what is registered can not be seen from here; ./ops onboard prints what has to be")


def _door_remedy(base: str) -> str:
    return f"DOKU can not reach {base} either: DNS, certificate, PublicBaseUrl, or the function's log (./ops review)"
