"""What is wrong with the fields of a request, all at once: where, which rule, what came, and how it is written right.

Never the value itself: a field may hold a code, a name, or a number of the customer's.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from direct_debit.application.errors import FieldFault
from direct_debit.domain.values import explain_character

MOST_FAULTS = 20
_NAME_LENGTH = 64  # of a caller's own field name that an error repeats
_OF_TEXT = ("string_pattern_mismatch", "string_unicode")
_AMOUNT_EXAMPLE: Mapping[str, object] = {"value": "10000.00", "currency": "IDR"}


def explain_errors(model: type[BaseModel], errors: Sequence[ErrorDetails]) -> list[FieldFault]:
    """Return pydantic's errors as faults, in their order."""
    return [_explain(model, error) for error in errors]


def explain_unknown(name: str, known: frozenset[str], parents: Sequence[str] = ()) -> FieldFault:
    """Return the fault of a field that an operation does not know; `known` are those that it does."""
    allowed = f"known are: {', '.join(sorted(known))}" if known else "this operation takes none"
    detail = f"the field is not known; remove it or correct its name ({allowed})"
    path = [*parents, show_name(name)]
    return FieldFault("unknown", ".".join(path), _point(path), detail)


def show_name(name: str) -> str:
    """Return a caller's own field name as it may stand in an answer: short, and without what no answer can carry."""
    return "".join(character if character.isprintable() else "�" for character in name[:_NAME_LENGTH])


def _explain(model: type[BaseModel], error: ErrorDetails) -> FieldFault:
    if error["type"] == "missing_key":
        return FieldFault("missing", "partnerReferenceNo", "/partnerReferenceNo", error["msg"])
    path = [show_name(str(part)) for part in error["loc"] if part != "[key]"]
    field, pointer = ".".join(path), _point(path)
    if error["type"] == "extra_forbidden":
        return explain_unknown(path[-1], _names(_model_at(model, path[:-1])), path[:-1])
    rule = _find_rule(model, path)
    if error["type"] == "missing":
        detail = f"{field} is missing. {rule.text}".strip()
        return FieldFault("missing", field, pointer, detail, example=rule.example)
    hints = [rule.text, _explain_text(error), _recognise(path, error)]
    detail = " ".join(filter(None, hints)) or "The value is not allowed here."
    return FieldFault("invalid", field, pointer, detail, _name_kind(error["input"]), rule.example)


def _point(path: Sequence[str]) -> str:
    """Return a JSON pointer (RFC 6901)."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


def _name_kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return f"a string of {len(value)} characters"
        case Mapping():
            return "an object"
        case _:
            return "an array"


def _explain_text(error: ErrorDetails) -> str | None:
    """Name the character for which a text was refused, where its sender can hardly see it; nothing else of the text."""
    text = error["input"]
    if error["type"] not in _OF_TEXT or not isinstance(text, str):
        return None
    wrong = explain_character(text)
    return None if wrong is None else f"Found: {wrong}."


# --- the commonest mistakes, by name ---------------------------------------------------------------------------------


def _recognise(path: Sequence[str], error: ErrorDetails) -> str | None:
    """Say how to mend a mistake that many make; None for others."""
    value = error["input"]
    if error["type"] == "return_url_host":
        return error["msg"]
    if value is None:
        return "null came: leave the field out, or send a value."
    if path == ["amount"]:
        return 'An amount is an object: {"value": "10000.00", "currency": "IDR"}.'
    return _recognise_text(path[-1], value) if isinstance(value, str) else _recognise_number(value)


def _recognise_number(value: object) -> str | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return "A number came: send it as a string, in quotes." if is_number else None


def _recognise_text(name: str, value: str) -> str | None:
    if value != value.strip():
        return "It begins or ends with a blank: remove that."
    recognise = _BY_FIELD.get(name)
    return None if recognise is None else recognise(value)


def _recognise_phone(value: str) -> str | None:
    if value.startswith(("+62", "0062")):
        return "Send it without + or 00 in front: 62 and the number."
    if value.startswith("0"):
        return "Write 62 in place of the leading 0."
    return "Digits only, without blanks and hyphens." if re.search(r"[^0-9]", value) else None


def _recognise_amount(value: str) -> str | None:
    if re.fullmatch(r"[0-9]+", value):
        return "Two decimals are missing: add .00"
    if re.fullmatch(r"[0-9]+\.[0-9]|[0-9]+\.[0-9]{3,}", value):
        return "Exactly two decimals."
    if "," in value or value.count(".") > 1:
        return "No separators of thousands, and a dot before the decimals."
    if re.fullmatch(r"0+\.00", value):
        return "It has to be greater than zero."
    return "Digits, a dot and two decimals; no currency here." if re.search(r"[A-Za-z]", value) else None


def _recognise_code(value: str) -> str | None:
    return "Digits only, without blanks and hyphens." if re.search(r"[^0-9]", value) else None


_BY_FIELD: Mapping[str, Callable[[str], str | None]] = {
    "phone": _recognise_phone,
    "value": _recognise_amount,
    "otp": _recognise_code,
}


# --- a model's fields ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rule:
    text: str = ""
    example: object | None = None


def _find_rule(model: type[BaseModel], path: Sequence[str]) -> _Rule:
    """Return the rule that was broken: the description of the innermost field on the path that has one."""
    rule = _Rule()
    current: type[BaseModel] | None = model
    for part in path:
        info = None if current is None else _find_field(current, part)
        if info is None:
            break
        rule = next((found for found in (_describe(info), *_describe_inside(info.annotation)) if found.text), rule)
        current = _model_of(info.annotation)
    if path[-1:] == ["amount"]:
        return _Rule(rule.text, _AMOUNT_EXAMPLE)
    return rule


def _describe(info: object) -> _Rule:
    description, examples = getattr(info, "description", None), getattr(info, "examples", None)
    return _Rule(description if isinstance(description, str) else "", examples[0] if examples else None)


def _describe_inside(annotation: object) -> Iterator[_Rule]:
    """Yield the rules that `Annotated` within a union carries."""
    if get_origin(annotation) is Annotated:
        for extra in get_args(annotation)[1:]:
            yield _describe(extra)
    for part in get_args(annotation):
        yield from _describe_inside(part)


def _find_field(model: type[BaseModel], name: str) -> FieldInfo | None:
    return next((info for own, info in model.model_fields.items() if name in (info.alias, own)), None)


def _names(model: type[BaseModel] | None) -> frozenset[str]:
    if model is None:
        return frozenset()
    return frozenset(info.alias or name for name, info in model.model_fields.items())


def _model_of(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return None


def _model_at(model: type[BaseModel], path: Sequence[str]) -> type[BaseModel] | None:
    current: type[BaseModel] | None = model
    for part in path:
        info = None if current is None else _find_field(current, part)
        current = None if info is None else _model_of(info.annotation)
    return current
