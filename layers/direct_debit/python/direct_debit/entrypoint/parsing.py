"""From what a caller sent to a typed command, or to an error that names the field and the remedy.

What finds the words for a fault is loaded by a request that has one.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from pydantic import ValidationError

from direct_debit.application.errors import FieldFault, InvalidRequest, Place
from direct_debit.application.settings import Settings
from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.errors import MalformedRequest, MissingField, UnknownField
from direct_debit.entrypoint.events import ApiRequest
from direct_debit.entrypoint.route import BodyRule, Route

_KEY_HEADER = "idempotency-key"
_KEY_FIELD = "idempotencyKey"
_ERRORS: Mapping[str, type[InvalidRequest]] = {
    "missing": MissingField,
    "unknown": UnknownField,
    "invalid": InvalidRequest,
}


def read_request[C: Command](route: Route[C], request: ApiRequest, settings: Settings) -> C:
    """Read an API request: path, query, headers and body together are the fields of one command.

    Raises InvalidRequest (or one of its kinds in entrypoint.errors).
    """
    fields: dict[str, object] = {}
    if route.method != "GET":
        _refuse_unheard_key(route, request.headers)
        # An operation without a body may still be sent one: what it says must not go unheard.
        fields.update(_read_json_object(route, request.read_body()))
    unknown = [
        _explain_unknown(name, route.body_fields, instead=_find_place(route, name))
        for name in fields
        if name not in route.body_fields
    ]
    fields = {name: value for name, value in fields.items() if name in route.body_fields}
    if not route.ignores_query:
        unknown += [_explain_unknown_query(route, name) for name in request.query if name not in route.from_query]
    _refuse_ambiguous(request.ambiguous_query & route.from_query, "query")
    _refuse_ambiguous((name.title() for name in request.ambiguous_headers & route.from_headers.keys()), "header")
    fields.update(_pick(request.query, {name: name for name in route.from_query}))
    fields.update(_pick(request.headers, route.from_headers))
    fields.update(_pick(request.path_parameters, route.from_path))
    return _validate(route.request, fields, settings, unknown, places=_name_places(route))


def place_faults(route: Route[Command], error: InvalidRequest) -> InvalidRequest:
    """Return what an operation refused of an API request, with where the fields came that it names."""
    from direct_debit.entrypoint.faults import summarise

    places = _name_places(route)
    placed = [fault if fault.place else replace(fault, place=places.get(fault.field)) for fault in error.faults]
    return type(error)(error.field, summarise(placed) if placed else error.detail, placed)


def read_command[C: Command](route: Route[C], event: object, settings: Settings) -> C:
    """Read a plain command: the event itself has the fields.

    Raises InvalidRequest (or one of its kinds in entrypoint.errors).
    """
    if not isinstance(event, Mapping):
        raise MalformedRequest("", f"send a JSON object with the fields of {route.name}")
    if route.repeats is not None and _KEY_FIELD in event:
        raise _refuse_whole("unknown", _KEY_FIELD, _unneeded_key(route.repeats))
    return _validate(route.request, dict(event), settings)


def read_json(body: bytes) -> object:
    """Parse JSON strictly: UTF-8, no NaN or Infinity, no key twice (readers disagree about which one counts).

    Raises MalformedRequest.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise MalformedRequest("", _explain_bytes(body, error)) from None
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise MalformedRequest("", _explain_json(error)) from None
    except _Constant as error:
        raise MalformedRequest("", _explain_constant(text, str(error))) from None
    except _Twice as error:
        raise MalformedRequest("", str(error)) from None
    except RecursionError:
        raise MalformedRequest(
            "", "the body has too many brackets within each other; no field needs more than two"
        ) from None
    except ValueError:
        raise MalformedRequest("", "the body has a number with too many digits; send numbers as strings") from None


def _read_json_object(route: Route[Command], body: bytes) -> dict[str, object]:
    if not body.strip():
        if route.body is not BodyRule.REQUIRED:
            return {}
        raise MalformedRequest("", "the body is empty; send one JSON object")
    value = read_json(body)
    if not isinstance(value, dict):
        raise MalformedRequest("", f"the body is JSON but no object: {_explain_value(value)}")
    return value


def _pick(values: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {field: values[name] for name, field in names.items() if name in values}


def _refuse_unheard_key(route: Route[Command], headers: Mapping[str, str]) -> None:
    """Refuse an Idempotency-Key that would be ignored: its sender relies on it."""
    for name in headers:
        if name.removeprefix("x-").replace("-", "").replace("_", "") != "idempotencykey":
            continue
        if route.repeats is not None:
            raise _refuse_whole("unknown", "Idempotency-Key", _unneeded_key(route.repeats), "header")
        if name != _KEY_HEADER:
            raise _refuse_whole("unknown", _show(name), "this header is called Idempotency-Key; rename it", "header")


def _unneeded_key(repeats: str) -> str:
    return f"it is not taken here; remove it. Repeating this request is safe without a key: {repeats}"


def _refuse_ambiguous(names: Iterable[str], place: Place) -> None:
    for name in names:
        raise _refuse_whole("invalid", name, "it came several times with different values; send it once", place)


def _refuse_whole(
    kind: Literal["missing", "unknown", "invalid"], name: str, detail: str, place: Place | None = None
) -> InvalidRequest:
    """Return the error of a fault that makes it idle to look for others."""
    return _refuse([FieldFault(kind, name, f"/{name}", detail, place=place)])


class _Constant(ValueError):
    """NaN or Infinity: Python reads them, and JSON has none."""


class _Twice(ValueError):
    """A key that comes twice: readers disagree about which one counts."""


def _refuse_constant(name: str) -> object:
    raise _Constant(name)


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Twice(f"the body has the key {_show(twice)} more than once; send it once")
    return members


def _show(name: str) -> str:
    from direct_debit.entrypoint.faults import show_name

    return show_name(name)


def _explain_bytes(body: bytes, error: UnicodeDecodeError) -> str:
    from direct_debit.entrypoint import json_faults

    return json_faults.explain_bytes(body, error)


def _explain_json(error: json.JSONDecodeError) -> str:
    from direct_debit.entrypoint import json_faults

    return json_faults.explain_json(error)


def _explain_constant(text: str, name: str) -> str:
    from direct_debit.entrypoint import json_faults

    return json_faults.explain_constant(text, name)


def _explain_value(value: object) -> str:
    from direct_debit.entrypoint import json_faults

    return json_faults.explain_value(value)


def _name_places(route: Route[Command]) -> Mapping[str, Place]:
    """Return where the fields come from that are not in the body."""
    places: dict[str, Place] = dict.fromkeys(route.from_path.values(), "path")
    places.update(dict.fromkeys(route.from_query, "query"))
    places.update(dict.fromkeys(route.from_headers.values(), "header"))
    return places


def _find_place(route: Route[Command], name: str) -> str | None:
    """Say where a field of this operation belongs, or what to do instead, where it was put into the body."""
    if name in route.from_path.values():
        return f"leave it out of the body; the path has it: {route.path}"
    if name in route.from_query:
        return f"it belongs into the query: ?{name}=..."
    if name in route.command_only:
        return "only plain commands take it, not the API"
    from direct_debit.entrypoint import near_names

    for header, field in route.from_headers.items():
        if near_names.is_same(name, field):
            return f"send it as the header {header.title()}"
    return near_names.find_instead(route.name, name)


def _explain_unknown(name: str, known: frozenset[str], *, instead: str | None) -> FieldFault:
    from direct_debit.entrypoint.faults import explain_unknown

    return explain_unknown(name, known, instead=instead)


def _explain_unknown_query(route: Route[Command], name: str) -> FieldFault:
    if name in route.body_fields:
        instead: str | None = "it belongs into the body, which is JSON"
    else:
        from direct_debit.entrypoint import near_names

        instead = near_names.find_instead(route.name, name)
    return replace(_explain_unknown(name, route.from_query, instead=instead), place="query")


def _validate[C: Command](
    model: type[C],
    fields: Mapping[str, object],
    settings: Settings,
    unknown: Sequence[FieldFault] = (),
    places: Mapping[str, Place] = MappingProxyType({}),
) -> C:
    try:
        command = model.model_validate(fields, context=settings)
    except ValidationError as error:
        from direct_debit.entrypoint.faults import explain_errors, name_misspelt

        found = explain_errors(model, error.errors(include_url=False))
        placed = [replace(fault, place=places.get(fault.field)) for fault in found]
        raise _refuse(name_misspelt([*unknown, *placed])) from None
    if unknown:
        raise _refuse(unknown)
    return command


def _refuse(faults: Sequence[FieldFault]) -> InvalidRequest:
    """Return the error that tells all faults; its kind is the gravest one's: missing, then not known, then wrong."""
    from direct_debit.entrypoint.faults import MOST_FAULTS, summarise

    told = sorted(faults, key=lambda fault: tuple(_ERRORS).index(fault.kind))[:MOST_FAULTS]
    return _ERRORS[told[0].kind](told[0].field, summarise(told), told)
