"""The moves of a record that are not told yet, as one attribute: a list of short texts.

A text has the members of a move in their order, separated by `|`; one inside a member is escaped, since a code is
DOKU's text and may hold any printable character. Short, because each write of the record carries them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.items import MalformedItem, parse_instant, write_instant
from direct_debit.domain.move import Move

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from direct_debit.adapters.dynamodb.items import AttributeValue, Item

UNTOLD = "untold"
TELL_BY = "tellBy"
_SEPARATOR = "|"
_ESCAPES = (("%", "%25"), (_SEPARATOR, "%7C"))
_MOVED, _REFUND_MOVED = "m", "r"
_MEMBERS = 9


def write_moves(moves: Iterable[Move]) -> AttributeValue:
    """Return the attribute of some moves, the oldest first."""
    return {"L": [{"S": _write(move)} for move in moves]}


def read_moves(item: Item, states: Container[str], refund_states: Container[str] = frozenset()) -> tuple[Move, ...]:
    """Return the untold moves of a record; none where the attribute is absent.

    Raises MalformedItem, also for a move to a state that this code does not know: it would not know what to tell.
    """
    if UNTOLD not in item:
        return ()
    try:
        moves = tuple(_read(member["S"]) for member in item[UNTOLD]["L"])
    except (KeyError, ValueError):
        raise MalformedItem(f"{UNTOLD} is no list of moves") from None
    for move in moves:
        if move.state not in states or not (move.refund_state is None or move.refund_state in refund_states):
            raise MalformedItem(f"{UNTOLD} has a state that this code does not know")
    return moves


def _write(move: Move) -> str:
    flags = (_MOVED if move.moved else "") + (_REFUND_MOVED if move.refund_moved else "")
    members = (
        str(move.version),
        write_instant(move.at),
        move.state,
        flags,
        move.refund_state or "",
        move.source,
        move.code or "",
        move.reason or "",
        move.response_code or "",
    )
    return _SEPARATOR.join(map(_escape, members))


def _read(text: str) -> Move:
    members = [_unescape(member) for member in text.split(_SEPARATOR)]
    if len(members) != _MEMBERS:
        raise ValueError(f"a move has {_MEMBERS} members")
    version, at, state, flags, refund_state, source, code, reason, response_code = members
    return Move(
        version=int(version),
        at=parse_instant(at),
        state=state,
        moved=_MOVED in flags,
        refund_state=refund_state or None,
        refund_moved=_REFUND_MOVED in flags,
        source=source,
        code=code or None,
        reason=reason or None,
        response_code=response_code or None,
    )


def _escape(member: str) -> str:
    if _SEPARATOR not in member and "%" not in member:
        return member
    for plain, escaped in _ESCAPES:
        member = member.replace(plain, escaped)
    return member


def _unescape(member: str) -> str:
    for plain, escaped in reversed(_ESCAPES):
        member = member.replace(escaped, plain)
    return member
