"""Whether a schema still fits who used the one before: who writes values of it, or who reads them.

What is written may become freer; what is read may become narrower, and may get more members. A schema with choices has
nothing beside them. Patterns can not be compared: in what is written, another pattern counts as a break; in what is
read, none does.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tools.openapi.json_values import Json, as_list, as_object

EXTENSIBLE = "x-extensible-enum"  # readers were told that values may come
_MOST = ("maxLength", "maximum", "maxItems", "maxProperties")
_LEAST = ("minLength", "minimum", "minItems", "minProperties")
_CHOICES = ("oneOf", "anyOf")


class Use(StrEnum):
    """What callers do with a value."""

    WRITTEN = "written"
    READ = "read"


class Rule(StrEnum):
    """A way to break a caller."""

    ROUTE_REMOVED = "route removed"
    METHOD_REMOVED = "method removed"
    OPERATION_RENAMED = "operation renamed"
    SECURITY_CHANGED = "security changed"
    STATUS_REMOVED = "status removed"
    SUCCESS_ADDED = "status of success added"
    MEDIA_TYPE_REMOVED = "media type removed"
    HEADER_REMOVED = "header removed"
    PARAMETER_REMOVED = "parameter removed"
    PARAMETER_REQUIRED = "parameter required"
    BODY_REMOVED = "body removed"
    BODY_REQUIRED = "body required"
    FIELD_REMOVED = "field removed"
    FIELD_REQUIRED = "field required"
    FIELD_MAY_BE_MISSING = "field may be missing"
    TYPE_CHANGED = "type changed"
    VALUE_REMOVED = "value removed"
    VALUE_ADDED = "value added"
    PATTERN_CHANGED = "pattern changed"
    LIMIT_NARROWED = "limit narrowed"
    FORMAT_CHANGED = "format changed"
    CLOSED = "no more members allowed"
    CHOICE_CHANGED = "choice changed"


@dataclass(frozen=True, slots=True)
class Break:
    """A caller that this breaks meets it here."""

    rule: Rule
    place: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.place}: {self.rule}"


@dataclass(frozen=True, slots=True)
class SchemaPair:
    """Two documents' schemas, to compare. `resolve_*` follows a reference within each document."""

    resolve_before: Callable[[Json], Json]
    resolve_now: Callable[[Json], Json]

    def compare(self, before: Json, now: Json, place: str, use: Use) -> Iterator[Break]:
        """Yield what breaks a caller that knows `before`."""
        before, now = self.resolve_before(before), self.resolve_now(now)
        if _choices(before) or _choices(now):
            yield from self._compare_choices(before, now, place, use)
            return
        yield from _compare_types(before, now, place, use)
        yield from _compare_values(before, now, place, use)
        if use is Use.WRITTEN:
            yield from _compare_limits(before, now, place)
        yield from self._compare_members(before, now, place, use)
        if "items" in before and "items" in now:
            yield from self.compare(as_object(before["items"]), as_object(now["items"]), f"{place}[]", use)

    def _compare_members(self, before: Json, now: Json, place: str, use: Use) -> Iterator[Break]:
        had, has = as_object(before.get("properties", {})), as_object(now.get("properties", {}))
        needed, needs = set(_names(before)), set(_names(now))
        closed = now.get("additionalProperties") is False
        if use is Use.WRITTEN:
            yield from (Break(Rule.FIELD_REQUIRED, f"{place}.{name}") for name in sorted(needs - needed))
            if closed and before.get("additionalProperties") is not False and before.get("type") == "object":
                yield Break(Rule.CLOSED, place)
        else:
            kept = sorted((needed - needs) & has.keys())
            yield from (Break(Rule.FIELD_MAY_BE_MISSING, f"{place}.{name}") for name in kept)
        for name, schema in had.items():
            if name in has:
                yield from self.compare(as_object(schema), as_object(has[name]), f"{place}.{name}", use)
            elif use is Use.READ or closed:
                yield Break(Rule.FIELD_REMOVED, f"{place}.{name}")
        for name in ("additionalProperties", "propertyNames"):
            old, new = before.get(name), now.get(name)
            if isinstance(old, dict) and isinstance(new, dict):
                yield from self.compare(old, new, f"{place}.*", use)

    def _compare_choices(self, before: Json, now: Json, place: str, use: Use) -> Iterator[Break]:
        known, new = (_choices(before) or [before]), (_choices(now) or [now])

        def fits(one: Json, other: Json) -> bool:
            return not list(self.compare(one, other, place, use))

        if use is Use.WRITTEN:
            broken = any(not any(fits(one, other) for other in new) for one in known)
        else:
            broken = any(not any(fits(one, other) for one in known) for other in new)
        if broken:
            yield Break(Rule.CHOICE_CHANGED, place)


def _compare_types(before: Json, now: Json, place: str, use: Use) -> Iterator[Break]:
    had, has = _types(before), _types(now)
    if had == has:
        return
    narrow, wide = (had, has) if use is Use.WRITTEN else (has, had)
    if wide and not (narrow and narrow <= wide):  # no type at all is any type
        yield Break(Rule.TYPE_CHANGED, place)


def _compare_values(before: Json, now: Json, place: str, use: Use) -> Iterator[Break]:
    had, has = _values(before), _values(now)
    if use is Use.WRITTEN and has is not None and (had is None or not _within(had, has)):
        yield Break(Rule.VALUE_REMOVED, place)
    if use is Use.READ and had is not None and EXTENSIBLE not in before and (has is None or not _within(has, had)):
        yield Break(Rule.VALUE_ADDED, place)


def _compare_limits(before: Json, now: Json, place: str) -> Iterator[Break]:
    if "pattern" in now and now["pattern"] != before.get("pattern"):
        yield Break(Rule.PATTERN_CHANGED, place)
    if "format" in now and now["format"] != before.get("format"):
        yield Break(Rule.FORMAT_CHANGED, place)
    narrowed = any(name in now and (name not in before or _number(now, name) < _number(before, name)) for name in _MOST)
    narrowed |= any(name in now and _number(now, name) > _number(before, name) for name in _LEAST)
    if narrowed:
        yield Break(Rule.LIMIT_NARROWED, place)


def _choices(schema: Json) -> list[Json]:
    return [as_object(option) for name in _CHOICES for option in as_list(schema.get(name, []))]


def _names(schema: Json) -> Iterator[str]:
    return (str(name) for name in as_list(schema.get("required", [])))


def _types(schema: Mapping[str, object]) -> frozenset[str]:
    found = schema.get("type", [])
    return frozenset(map(str, found)) if isinstance(found, list) else frozenset({str(found)})


def _values(schema: Json) -> Sequence[object] | None:
    if "const" in schema:
        return [schema["const"]]
    return as_list(schema["enum"]) if "enum" in schema else None


def _within(some: Sequence[object], others: Sequence[object]) -> bool:
    return all(one in others for one in some)


def _number(schema: Json, name: str) -> float:
    return float(str(schema.get(name, 0)))
