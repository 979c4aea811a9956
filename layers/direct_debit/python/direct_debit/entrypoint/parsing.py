"""From what a caller sent to a typed command, or to an error that names the field and the remedy."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from direct_debit.application.errors import InvalidRequest
from direct_debit.application.settings import Settings
from direct_debit.domain.values import explain_character
from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.errors import MalformedRequest, MissingField, UnknownField
from direct_debit.entrypoint.events import ApiRequest
from direct_debit.entrypoint.route import BodyRule, Route

_NAME_LENGTH = 64  # of a caller's own field name that an error repeats
_OF_TEXT = ("string_pattern_mismatch", "string_unicode")
_KEY_HEADER = "idempotency-key"
_KEY_FIELD = "idempotencyKey"


def read_request[C: Command](route: Route[C], request: ApiRequest, settings: Settings) -> C:
    """Read an API request: path, query, headers and body together are the fields of one command.

    Raises InvalidRequest (or one of its kinds in entrypoint.errors).
    """
    fields: dict[str, object] = {}
    if route.method != "GET":
        _refuse_unheard_key(route, request.headers)
        # An operation without a body may still be sent one: what it says must not go unheard.
        fields.update(_read_json_object(route, request.read_body()))
    _refuse_unknown(fields, route.body_fields)
    if not route.ignores_query:
        _refuse_unknown(request.query, route.from_query)
    _refuse_ambiguous(request.ambiguous_query & route.from_query)
    _refuse_ambiguous(name.title() for name in request.ambiguous_headers & route.from_headers.keys())
    fields.update(_pick(request.query, {name: name for name in route.from_query}))
    fields.update(_pick(request.headers, route.from_headers))
    fields.update(_pick(request.path_parameters, route.from_path))
    return _validate(route.request, fields, settings)


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
        return json.loads(body.decode(), parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise MalformedRequest("", "the body is not JSON in UTF-8, or repeats a key; send one JSON object") from None


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
            raise UnknownField(_show(name), "this header is called Idempotency-Key; rename it")


def _unneeded_key(name: str, repeats: str) -> str:
    return f"{name} is not taken here; remove it. Repeating this request is safe without a key: {repeats}"


def _refuse_ambiguous(names: Iterable[str]) -> None:
    for name in names:
        raise InvalidRequest(name, f"{name} came several times with different values; send it once")


def _refuse_unknown(names: Iterable[str], known: frozenset[str]) -> None:
    for name in names:
        if name not in known:
            raise _unknown(name, known)


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key is repeated")
    return members


def _validate[C: Command](model: type[C], fields: Mapping[str, object], settings: Settings) -> C:
    try:
        return model.model_validate(fields, context=settings)
    except ValidationError as error:
        # The first error is enough to act on; missing and unknown fields stand before broken rules.
        errors = sorted(error.errors(include_url=False, include_context=False), key=_weight)
        raise _explain(model, errors[0]) from None


def _weight(error: ErrorDetails) -> int:
    return {"missing": 0, "missing_key": 0, "extra_forbidden": 1}.get(error["type"], 2)


def _explain(model: type[Command], error: ErrorDetails) -> InvalidRequest:
    if error["type"] == "missing_key":
        return MissingField("partnerReferenceNo", error["msg"])
    path = [_show(str(part)) for part in error["loc"] if part != "[key]"]
    field = ".".join(path)
    if error["type"] == "extra_forbidden":
        return _unknown(field, _names(_model_at(model, path[:-1])))
    rule = _rule(model, path)
    if error["type"] == "missing":
        return MissingField(field, f"{field} is missing. {rule}".strip())
    wrong = _explain_text(error)
    return InvalidRequest(field, " ".join(filter(None, (rule or "The value is not allowed here.", wrong))))


def _explain_text(error: ErrorDetails) -> str | None:
    """Name the character for which a text was refused, where its sender can hardly see it; nothing else of the text."""
    text = error["input"]
    if error["type"] not in _OF_TEXT or not isinstance(text, str):
        return None
    wrong = explain_character(text)
    return None if wrong is None else f"Found: {wrong}."


def _unknown(name: str, known: frozenset[str]) -> UnknownField:
    allowed = f"known are: {', '.join(sorted(known))}" if known else "this operation takes none"
    return UnknownField(_show(name), f"the field is not known; remove it or correct its name ({allowed})")


def _show(name: str) -> str:
    """Return a caller's own field name as it may stand in an answer: short, and without what no answer can carry."""
    return "".join(character if character.isprintable() else "\ufffd" for character in name[:_NAME_LENGTH])


def _names(model: type[BaseModel] | None) -> frozenset[str]:
    if model is None:
        return frozenset()
    return frozenset(info.alias or name for name, info in model.model_fields.items())


def _rule(model: type[BaseModel], path: Sequence[str]) -> str:
    """Return the description of the innermost field on the path that has one: the rule that was broken."""
    rule = ""
    current: type[BaseModel] | None = model
    for part in path:
        info = None
        if current is not None:
            info = next((info for name, info in current.model_fields.items() if part in (info.alias, name)), None)
        if info is None:
            break
        rule = info.description or _description_inside(info.annotation) or rule
        current = _model_of(info.annotation)
    return rule


def _description_inside(annotation: object) -> str:
    """Return the description that an `Annotated` within a union carries."""
    if get_origin(annotation) is Annotated:
        for extra in get_args(annotation)[1:]:
            description = getattr(extra, "description", None)
            if isinstance(description, str):
                return description
    return next((found for part in get_args(annotation) if (found := _description_inside(part))), "")


def _model_of(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return None


def _model_at(model: type[BaseModel], path: Sequence[str]) -> type[BaseModel] | None:
    current: type[BaseModel] | None = model
    for part in path:
        if current is None:
            return None
        info = next((info for name, info in current.model_fields.items() if part in (info.alias, name)), None)
        current = None if info is None else _model_of(info.annotation)
    return current
