"""From what a caller sent to a typed command, or to an error that names the field and the remedy."""

import json
from collections.abc import Iterable, Mapping, Sequence

from pydantic import ValidationError

from direct_debit.application.errors import FieldFault, InvalidRequest
from direct_debit.application.settings import Settings
from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.errors import MalformedRequest, MissingField, UnknownField
from direct_debit.entrypoint.events import ApiRequest
from direct_debit.entrypoint.faults import MOST_FAULTS, explain_errors, explain_unknown, show_name
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
    unknown = [explain_unknown(name, route.body_fields) for name in fields if name not in route.body_fields]
    fields = {name: value for name, value in fields.items() if name in route.body_fields}
    if not route.ignores_query:
        unknown += [explain_unknown(name, route.from_query) for name in request.query if name not in route.from_query]
    _refuse_ambiguous(request.ambiguous_query & route.from_query)
    _refuse_ambiguous(name.title() for name in request.ambiguous_headers & route.from_headers.keys())
    fields.update(_pick(request.query, {name: name for name in route.from_query}))
    fields.update(_pick(request.headers, route.from_headers))
    fields.update(_pick(request.path_parameters, route.from_path))
    return _validate(route.request, fields, settings, unknown)


def read_command[C: Command](route: Route[C], event: object, settings: Settings) -> C:
    """Read a plain command: the event itself has the fields.

    Raises InvalidRequest (or one of its kinds in entrypoint.errors).
    """
    if not isinstance(event, Mapping):
        raise MalformedRequest("", f"send a JSON object with the fields of {route.name}")
    if route.repeats is not None and _KEY_FIELD in event:
        raise UnknownField(_KEY_FIELD, _unneeded_key(_KEY_FIELD, route.repeats))
    return _validate(route.request, dict(event), settings)


def read_json(body: bytes) -> object:
    """Parse JSON strictly: UTF-8, no NaN or Infinity, no key twice (readers disagree about which one counts).

    Raises MalformedRequest.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        where = f"byte {error.start + 1}"
        raise MalformedRequest("", f"the body is not UTF-8: {where} is no part of a character; send UTF-8") from None
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise MalformedRequest("", f"the body is not JSON: {_name_fault(error.msg)} at {where}") from None
    except _Unfit as error:
        raise MalformedRequest("", str(error)) from None
    except (ValueError, RecursionError):
        raise MalformedRequest("", "the body is not JSON that can be read: too deep, or a number too long") from None


def _read_json_object(route: Route[Command], body: bytes) -> dict[str, object]:
    if not body.strip():
        if route.body is not BodyRule.REQUIRED:
            return {}
        raise MalformedRequest("", "the body is empty; send one JSON object")
    value = read_json(body)
    if not isinstance(value, dict):
        raise MalformedRequest("", "the body is JSON but no object; send one JSON object")
    return value


def _pick(values: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {field: values[name] for name, field in names.items() if name in values}


def _refuse_unheard_key(route: Route[Command], headers: Mapping[str, str]) -> None:
    """Refuse an Idempotency-Key that would be ignored: its sender relies on it."""
    for name in headers:
        if name.removeprefix("x-").replace("-", "").replace("_", "") != "idempotencykey":
            continue
        if route.repeats is not None:
            raise UnknownField("Idempotency-Key", _unneeded_key("the header Idempotency-Key", route.repeats))
        if name != _KEY_HEADER:
            raise UnknownField(show_name(name), "this header is called Idempotency-Key; rename it")


def _unneeded_key(name: str, repeats: str) -> str:
    return f"{name} is not taken here; remove it. Repeating this request is safe without a key: {repeats}"


def _refuse_ambiguous(names: Iterable[str]) -> None:
    for name in names:
        raise InvalidRequest(name, f"{name} came several times with different values; send it once")


class _Unfit(ValueError):
    """JSON that Python reads and others do not, or not alike."""


def _refuse_constant(name: str) -> object:
    raise _Unfit(f"the body is not JSON: {name} is no value of JSON")


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Unfit(f"the body has the key {show_name(twice)} more than once; send it once")
    return members


def _name_fault(message: str) -> str:
    """Return what Python's reader says of a fault, in words that fit into a sentence; it never quotes the text."""
    words = message.rstrip(": ").removesuffix(" at")
    return words[:1].lower() + words[1:]


def _validate[C: Command](
    model: type[C], fields: Mapping[str, object], settings: Settings, unknown: Sequence[FieldFault] = ()
) -> C:
    try:
        command = model.model_validate(fields, context=settings)
    except ValidationError as error:
        found = explain_errors(model, error.errors(include_url=False, include_context=False))
        raise _refuse([*unknown, *found]) from None
    if unknown:
        raise _refuse(unknown)
    return command


def _refuse(faults: Sequence[FieldFault]) -> InvalidRequest:
    """Return the error that tells all faults; its kind is the gravest one's: missing, then not known, then wrong."""
    told = sorted(faults, key=lambda fault: tuple(_ERRORS).index(fault.kind))[:MOST_FAULTS]
    return _ERRORS[told[0].kind](told[0].field, told[0].detail, told)
