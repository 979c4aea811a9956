"""Inputs made from inputs: changed as bytes, or, where there is JSON in them, as what the JSON says.

Bytes alone rarely pass a parser; values alone never show what a parser does with bytes that are no JSON. So both.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random

_VALUES: Sequence[object] = (
    *(None, True, False, 0, -1, 1, 7, 10**20, 10000, 10000.5, 1e300, -0.0, float("nan"), float("inf")),
    *("", " ", "0", "00", "03", "06", "07", "-1", "1E+4", "10000", "10000.00", "1e-2", "9" * 16 + ".99", "IDR", "USD"),
    *("\ud800", "\u0000", "é", "İ", "ß", "٣", "\u2028", "</script>", "a|b", "%7C", "A" * 65, "A" * 3000),
    *("0001-01-01T00:00:00+07:00", "9999-12-31T23:59:59-14:00", "2024-02-30T00:00:00Z", "2026-03-02", "20260302"),
    *("2026-03-02T09:00:00", "2026-03-02T09:00:00.123456789Z", "2026-W10-1", "24:00", "2026-03-02T24:00:00+00:00"),
    *("2000700", "2005400", "2025400", "4045415", "4095400", "5005400", "5045800", 4045418, "SUCCESS", "failed"),
    *([], {}, [[]], [{}], [None], {"": ""}, {"value": "10000.00", "currency": "IDR"}, ["a", 1, None]),
    [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]],
)
_TOKENS: Sequence[bytes] = (
    *(
        b"\x00",
        b"\xff",
        b"\xc3",
        b"\xef\xbb\xbf",
        b"\n",
        b"\r\n",
        b" ",
        b"\t",
        b"\x0b",
        b"\x85",
        b'"',
        b"\\",
        b"\\u0000",
    ),
    *(b"{", b"}", b"[", b"]", b",", b":", b"/", b"|", b".", b"=", b"-", b"+", b"_", b"%", b"null", b"true", b"NaN"),
    *(b"Infinity", b"1e999", b"1e-999999999999", b"-0", b"\\ud800", b"\\/", b"0" * 20, b"[" * 3000, b"9" * 4400, b"{}"),
    *(b"\xed\xa0\x80", b'{"":' * 1500, b"Z", b"+07:00", b"-00:00", b"2026-03-02", b"\xe2\x80\xa8", b'"":"",'),
    *(b"0001-01-01T00:00:00+07:00", b"9999-12-31T23:59:59-14:00", b"2026-03-02T09:00:00", b"T", b"\n\n"),
)
_BLANKS = (None, None, 1, "\t", "\r\n ")
_SEPARATORS = ((",", ":"), (", ", ": "), (" ,", "\t:\n"))
_AT_ONCE = (1, 1, 1, 2, 4)
_DEEPEST = 24
_INTO, _AS_BYTES = 0.9, 0.5  # how often a change goes on into what is there, or changes a text's bytes


def mutate(data: bytes, chance: Random, limit: int) -> bytes:
    """Return another input of at most `limit` bytes."""
    begin = data.find(b"{")
    if begin >= 0 and chance.random() < 0.6:
        value = _parse(data[begin:])
        if isinstance(value, dict):
            for _ in range(chance.choice(_AT_ONCE)):
                value = _change(value, chance, 0)
            return (data[:begin] + write_json(value, chance))[:limit]
    changed = bytearray(data)
    for _ in range(chance.choice(_AT_ONCE)):
        _change_bytes(changed, chance)
    return bytes(changed[:limit])


def write_json(value: object, chance: Random) -> bytes:
    """Return a value as JSON in any layout that a sender may use."""
    text = json.dumps(
        value,
        ensure_ascii=chance.random() < 0.5,
        indent=chance.choice(_BLANKS),
        separators=chance.choice(_SEPARATORS),
    )
    return (text if chance.random() < 0.8 else text.replace("/", r"\/")).encode("utf-8", "surrogatepass")


def _parse(data: bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _change(value: object, chance: Random, depth: int) -> object:
    """Return the value with one place in it changed."""
    if depth < _DEEPEST and value and chance.random() < _INTO:
        if isinstance(value, dict):
            return _change_member(value, chance, depth)
        if isinstance(value, list):
            return _change_element(value, chance, depth)
    if isinstance(value, str) and chance.random() < _AS_BYTES:
        changed = bytearray(value.encode("utf-8", "surrogatepass"))
        _change_bytes(changed, chance)
        return changed.decode("utf-8", "replace")
    return chance.choice(_VALUES)


def _change_member(members: dict[str, object], chance: Random, depth: int) -> dict[str, object]:
    name = chance.choice(list(members))
    match chance.randrange(8):
        case 0:
            return {key: member for key, member in members.items() if key != name}
        case 1:
            return {**members, chance.choice(list(members)) + chance.choice(["", " ", "s"]): members[name]}
        case _:
            return {**members, name: _change(members[name], chance, depth + 1)}


def _change_element(elements: list[object], chance: Random, depth: int) -> list[object]:
    place = chance.randrange(len(elements))
    match chance.randrange(4):
        case 0:
            return elements[:place] + elements[place + 1 :]
        case 1:
            return [*elements, elements[place]]
        case _:
            return [*elements[:place], _change(elements[place], chance, depth + 1), *elements[place + 1 :]]


def _change_bytes(data: bytearray, chance: Random) -> None:
    place = chance.randrange(len(data) + 1)
    end = min(len(data), place + (1 << chance.randrange(7)))
    match chance.randrange(7):
        case 0:
            del data[place:end]
        case 1:
            data[place:place] = chance.choice(_TOKENS)
        case 2:
            data[place:end] = chance.choice(_TOKENS)
        case 3:
            data[place:place] = data[place:end]
        case 4:
            data[place : place + 1] = bytes([chance.randrange(256)])
        case 5:
            data[place : place + 1] = bytes([chance.randrange(32, 127)])
        case _:
            other = chance.randrange(len(data) + 1)
            data[place:end] = data[other : other + end - place]
