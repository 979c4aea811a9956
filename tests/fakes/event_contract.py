"""Whether an event is what docs/events/ promises; asked of every event that any test publishes.

The schemas' few keywords are compiled here, since a general validator would take longer than what is tested;
tests/unit/application/outbox/test_event_contract.py compares the two.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from direct_debit.application.ports.messages import OutboxEvent

SCHEMAS = Path(__file__).parents[2] / "docs" / "events"

_TYPES: Mapping[str, type] = {"string": str, "integer": int, "null": type(None)}
_KNOWN = {"description", "type", "enum", "const", "pattern"}


@cache
def read_schema(name: str) -> dict[str, Any]:
    """The committed schema of an event, of its newest version."""
    (*_, newest) = sorted(SCHEMAS.glob(f"{name}.v*.json"), key=lambda file: int(file.stem.rsplit(".v", 1)[1]))
    schema: dict[str, Any] = json.loads(newest.read_text("utf-8"))
    return schema


@cache
def is_known(name: str) -> bool:
    """Whether the catalogue has an event of this name."""
    return any(SCHEMAS.glob(f"{name}.v*.json"))


def find_fault(name: str, detail: Mapping[str, object]) -> str | None:
    """Return what of a detail is not promised, a member too many included; None when all is right."""
    if not is_known(name):
        return f"{name} is in no catalogue"
    properties = read_schema(name)["properties"]
    if set(detail) != set(properties):
        return f"{name} has other members than promised: {sorted(set(detail) ^ set(properties))}"
    return next((f"{name}.{member}" for member, value in detail.items() if not _fits(properties[member], value)), None)


def check_event(event: OutboxEvent) -> None:
    """Fail when an event is not what is promised."""
    fault = find_fault(event.name, event.to_json())
    assert fault is None, fault


def _fits(promised: Mapping[str, Any], value: object) -> bool:
    assert set(promised) <= _KNOWN
    if "const" in promised:
        return _same(promised["const"], value)
    if "enum" in promised:
        return any(_same(one, value) for one in promised["enum"])
    kinds = promised["type"] if isinstance(promised["type"], list) else [promised["type"]]
    if not any(isinstance(value, _TYPES[kind]) and not isinstance(value, bool) for kind in kinds):
        return False
    return "pattern" not in promised or not isinstance(value, str) or re.search(promised["pattern"], value) is not None


def _same(promised: object, value: object) -> bool:
    return promised == value and isinstance(promised, bool) == isinstance(value, bool)
