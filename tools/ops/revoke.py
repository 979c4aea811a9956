"""End what was replaced: it is no longer heard, and that is proved by trying it where it can be tried."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from direct_debit.adapters.secrets import HEARD_EVERYWHERE
from tools.ops.ask_doku import share_token, try_key
from tools.ops.end_data_keys import end_data_keys
from tools.ops.failure import OpsError
from tools.ops.in_use import refuse_notice_keys, tell_disagreement
from tools.ops.public_doors import DoorAnswer, Verdict, ask_notification_door
from tools.ops.report import DONE, FAILED, NEEDS_A_PERSON, Report
from tools.ops.secret_content import Content, Key, carry_over, find_faults, read_content, read_previous, refuse_pepper
from tools.ops.stack_secret import StackVersion
from tools.ops.system import System

_MOST_TRIED = 2  # each try is a refused call at the door, and five in an hour raise an alarm
_NOT_TRIED_HERE = (
    "not tried: only DOKU's old private key could sign for the old dokuPublicKey. No function reads the version that "
    "had it any more; see in the log that DOKU's next token request is taken"
)


@dataclass(frozen=True, slots=True)
class _Trial:
    """`is_tried`: the old key was given to who would have taken it, and answered."""

    told: str
    status: int
    is_tried: bool = False


def revoke(key: Key, system: System) -> Report:
    """End the replaced values of a key, and try them. It takes a minute. May be repeated.

    Status 0 says that each of them was tried, and is refused. Data keys that only an ended version has are carried
    over; those that seal records end by a walk through the tables. Raises OpsError where the key has not been replaced.
    """
    refuse_pepper(key)
    refuse_notice_keys(key, system.secret)
    current = system.secret.read_current()
    for name in system.secret.find_disagreements(current):
        raise OpsError(tell_disagreement(name))
    content = read_content(current.text)
    previous = system.secret.read_previous()
    replaced = _find_replaced(key, content, [previous, *system.secret.read_unlabelled()])
    if key in ("tokenKeys", "noticeKeys"):
        report = end_data_keys(key, system, [one.credentials for one in replaced])
        if report is not None:
            return report
    if not replaced:
        raise OpsError(
            f"{key} has not been replaced, or nothing is left of what it was: if the one in use has leaked, "
            f"./ops rotate {key} --now first"
        )
    carried = _end(key, previous, current, content, system) if _has_other(previous, key, content) else []
    print("a minute, until every function has read the secret anew", file=sys.stderr, flush=True)
    system.outside.pause(HEARD_EVERYWHERE.total_seconds())
    trials = list(_try(key, content, replaced[:_MOST_TRIED], system))
    status = max((trial.status for trial in trials), key=[DONE, NEEDS_A_PERSON, FAILED].index)
    since = system.secret.since(current, key)
    lines = [
        f"no version but the one in use since {since:%Y-%m-%d %H:%M:%SZ} has another {key} that is heard",
        *(trial.told for trial in trials),
    ]
    if carried:
        lines.append(f"data keys that only the version before had came along: {', '.join(carried)}")
    if key == "secretKey":
        lines.append("DOKU's calls by the old one are refused from now on: see that DOKU has switched")
    facts = {
        "key": key,
        "revoked": status != FAILED,
        "tried": status != NEEDS_A_PERSON and any(trial.is_tried for trial in trials),
        "trials": [trial.told for trial in trials],
        "dataKeysCarriedOver": carried,
    }
    return Report(facts, lines, status)


def _find_replaced(key: Key, content: Content, versions: Sequence[StackVersion | None]) -> list[Content]:
    """Return the contents in which the key is another one, each value once, the newest first."""
    values = [content.value(key)]
    found = []
    for version in versions:
        if version is None or find_faults(version.text):
            continue
        older = read_content(version.text)
        if older.value(key) not in values:
            values.append(older.value(key))
            found.append(older)
    return found


def _has_other(previous: StackVersion | None, key: Key, content: Content) -> bool:
    """Whether AWSPREVIOUS has another value; else it may be the overlap of another key's rotation."""
    before = read_previous(previous)
    return before is not None and before.value(key) != content.value(key)


def _end(key: Key, previous: StackVersion | None, current: StackVersion, content: Content, system: System) -> list[str]:
    """Let no version but the one in use have a label. Returns the ids of the data keys that were carried over."""
    whole, carried = carry_over(content, read_previous(previous))
    if carried:
        system.secret.put(whole.text, after=current)
    system.secret.end("AWSPREVIOUS", key)
    return carried


def _try(key: Key, content: Content, replaced: Sequence[Content], system: System) -> Iterator[_Trial]:
    if key == "merchantPrivateKey":
        yield from _try_at_doku(content, replaced, system)
    elif key == "dokuPublicKey":
        yield _Trial(_NOT_TRIED_HERE, NEEDS_A_PERSON)
    else:
        yield from _try_at_door(key, content, replaced, system)


def _try_at_door(key: Key, content: Content, replaced: Sequence[Content], system: System) -> Iterator[_Trial]:
    control = ask_notification_door(system, content)
    if control.verdict is Verdict.UNCLEAR:
        yield _Trial(_not_tried(control), NEEDS_A_PERSON)
        return
    if control.verdict is Verdict.REFUSED:
        yield _Trial(
            f"not tried: the door does not hear the keys in use either ({control.told}), so that a refusal proves "
            "nothing: ./ops doctor",
            NEEDS_A_PERSON,
        )
        return
    yield _Trial(
        f"the door hears the keys in use ({control.told}: it misses a field, after it took the signature)", DONE
    )
    for older in replaced:
        field = "issuedTokenKey" if key == "issuedTokenKey" else "secretKey"
        answer = ask_notification_door(system, content, content.changed(**{field: older.fields[field]}))
        if answer.verdict is Verdict.REFUSED:
            yield _Trial(f"tried: a notification by the old {key} is refused ({answer.told})", DONE, is_tried=True)
        elif answer.verdict is Verdict.HEARD:
            yield _Trial(
                f"tried: a notification by the old {key} is still heard ({answer.told}): again in a minute",
                FAILED,
                is_tried=True,
            )
        else:
            yield _Trial(_not_tried(answer), NEEDS_A_PERSON)


def _not_tried(answer: DoorAnswer) -> str:
    return f"not tried: the door {answer.told}: again in a minute"


def _try_at_doku(content: Content, replaced: Sequence[Content], system: System) -> Iterator[_Trial]:
    answers = [
        try_key(system, content.changed(merchantPrivateKey=one.fields["merchantPrivateKey"])) for one in replaced
    ]
    control = share_token(system, content, sealed_by=content)  # last: a token that an old key got ends the shared one
    if not control.taken:
        yield _Trial(f"DOKU does not take the key in use either ({control.told}): ./ops doctor", NEEDS_A_PERSON)
    for answer in answers:
        if answer.taken:
            told = "tried: DOKU still takes the old key: have DOKU remove its public half, then again"
            yield _Trial(told, FAILED, is_tried=True)
        elif answer.taken is None:
            yield _Trial(f"not tried: {answer.told}: again later", NEEDS_A_PERSON)
        elif control.taken:
            yield _Trial("tried: DOKU refuses the old key, and takes the one in use", DONE, is_tried=True)
