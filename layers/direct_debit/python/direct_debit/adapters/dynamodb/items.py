"""Values as DynamoDB's low-level API has them. Numbers are integers; money travels as text, never as float.

Instants are UTC text of a fixed width with microseconds ("2026-01-31T23:59:59.000000Z"), so that they sort as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, TypeGuard, cast

from direct_debit.application.errors import RecordUnreadable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

type AttributeValue = AttributeValueTypeDef
"""One value with its type, for example `{"S": "IDR"}`."""

type Item = Mapping[str, AttributeValue]
"""An item, or a part of one. Never changed once made."""


class MalformedItem(RecordUnreadable):
    """An item lacks an attribute, or holds one of another type or with a value that this code does not know.

    The fault names the attribute, never its value.
    """


_WITHOUT_OFFSET = len("2026-01-01T00:00:00.000000")


# --- to DynamoDB -----------------------------------------------------------------------------------------------------


def text(value: str) -> AttributeValue:
    """Return a string attribute; of an enumeration, its value."""
    return {"S": str(value)}


def number(value: int) -> AttributeValue:
    """Return an integer attribute."""
    return {"N": str(value)}


def flag(value: bool) -> AttributeValue:
    """Return a boolean attribute."""
    return {"BOOL": value}


def instant(value: datetime) -> AttributeValue:
    """Return an aware time as a string attribute that sorts by time."""
    return {"S": write_instant(value)}


def text_set(values: Iterable[str]) -> AttributeValue:
    """Return a set of strings; DynamoDB has no empty sets, so there must be one at least."""
    members = sorted(values)
    if not members:
        raise ValueError("a set attribute can not be empty")
    return {"SS": members}


def text_map(values: Mapping[str, str]) -> AttributeValue:
    """Return a map of strings."""
    return {"M": {name: {"S": value} for name, value in values.items()}}


@lru_cache(maxsize=256)
def write_instant(value: datetime) -> str:
    """Return the sortable text of an aware time. A record is written several times with nearly all of its times."""
    if value.tzinfo is not UTC:
        if value.tzinfo is None:
            raise ValueError("a time without a zone can not be stored")
        value = value.astimezone(UTC)
    return value.isoformat(timespec="microseconds")[:_WITHOUT_OFFSET] + "Z"


def parse_instant(value: str) -> datetime:
    """Return the time of a text, in UTC. Raises ValueError for what is no time, or none of a known zone."""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time before the first year, or after the last") from None


# --- from DynamoDB ---------------------------------------------------------------------------------------------------

_MOST_LEVELS = 32  # of nested attributes, as DynamoDB has them


def is_item(value: object) -> TypeGuard[Item]:
    """Whether what a store answered is an item: attributes by name, each of a kind that fits its content."""
    return isinstance(value, dict) and _are_attributes(value.values(), _MOST_LEVELS)


def _are_attributes(values: Iterable[object], levels: int) -> bool:
    for value in values:
        if not isinstance(value, dict) or not levels:
            return False
        if len(value) == 1 and isinstance(value.get("S"), str):
            continue  # what most are
        if not _is_attribute(value, levels):
            return False
    return True


def _is_attribute(value: Mapping[object, object], levels: int) -> bool:
    for kind, content in value.items():
        match kind:
            case "S" | "N":
                fits = isinstance(content, str)
            case "BOOL":
                fits = isinstance(content, bool)
            case "SS":
                fits = isinstance(content, list) and all(isinstance(one, str) for one in content)
            case "L":
                fits = isinstance(content, list) and _are_attributes(content, levels - 1)
            case "M":
                fits = isinstance(content, dict) and _are_attributes(content.values(), levels - 1)
            case _:
                fits = True  # nothing here reads one
        if not fits:
            return False
    return True


def read_text(item: Item, name: str) -> str:
    """Return a string that must be there."""
    try:
        return item[name]["S"]
    except KeyError:
        raise MalformedItem(f"{name} is missing or no string") from None


def read_text_or_none(item: Item, name: str) -> str | None:
    """Return a string, or None when the attribute is absent."""
    return read_text(item, name) if name in item else None


def read_choice[C: StrEnum](item: Item, name: str, choices: type[C]) -> C:
    """Return a member of an enumeration that must be there."""
    value = read_text(item, name)
    try:
        return choices(value)
    except ValueError:
        raise MalformedItem(f"{name} is none that this code knows") from None


def read_number(item: Item, name: str, default: int | None = None) -> int:
    """Return an integer; `default` stands in for an attribute that older code did not write."""
    if default is not None and name not in item:
        return default
    try:
        return int(item[name]["N"])
    except (KeyError, ValueError):
        raise MalformedItem(f"{name} is missing or no integer") from None


def read_flag(item: Item, name: str) -> bool:
    """Return a boolean; absent is False."""
    if name not in item:
        return False
    try:
        return item[name]["BOOL"]
    except KeyError:
        raise MalformedItem(f"{name} is no boolean") from None


def read_instant(item: Item, name: str) -> datetime:
    """Return a time that must be there, in UTC."""
    try:
        return parse_instant(item[name]["S"])
    except (KeyError, ValueError):
        raise MalformedItem(f"{name} is missing or no time") from None


def read_instant_or_none(item: Item, name: str) -> datetime | None:
    """Return a time, or None when the attribute is absent."""
    return read_instant(item, name) if name in item else None


def read_text_set(item: Item, name: str) -> frozenset[str]:
    """Return a set of strings; absent is empty."""
    if name not in item:
        return frozenset()
    try:
        return frozenset(item[name]["SS"])
    except KeyError:
        raise MalformedItem(f"{name} is no set of strings") from None


def read_text_map(item: Item, name: str) -> dict[str, str]:
    """Return a map of strings; absent is empty."""
    if name not in item:
        return {}
    try:
        members = cast("Mapping[str, Mapping[str, str]]", item[name]["M"])
        return {key: value["S"] for key, value in members.items()}
    except KeyError:
        raise MalformedItem(f"{name} is no map of strings") from None
