"""What is wrong with the fields of a request, all at once: where, which rule, what came, and how it is written right.

Never the value itself: a field may hold a code, a name, or a number of the customer's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from direct_debit.application.errors import FieldFault
from direct_debit.entrypoint.command import RULE_OF_REQUEST

MOST_FAULTS = 20
_NAME_LENGTH = 64  # of a caller's own field name that an error repeats


def explain_errors(model: type[BaseModel], errors: Sequence[ErrorDetails]) -> list[FieldFault]:
    """Return pydantic's errors as faults, in their order."""
    return [_explain(model, error) for error in errors]


def explain_unknown(
    name: str, known: frozenset[str], parents: Sequence[str] = (), *, instead: str | None = None
) -> FieldFault:
    """Return the fault of a field that an operation does not know; `known` are those that it does.

    `instead` says what to do with it, where that is known better than by its name.
    """
    shown = show_name(name)
    path = [*parents, shown]
    if instead is None:
        guess = _guess(name, known)
        instead = "remove it or correct its name" if guess is None else f"did you mean {guess}?"
    allowed = f"known are: {', '.join(sorted(known))}" if known else "this operation takes none"
    return FieldFault("unknown", ".".join(path), _point(path), f"the field is not known: {instead} ({allowed})")


def name_misspelt(faults: Sequence[FieldFault]) -> list[FieldFault]:
    """Return the faults; one of a missing field names what was sent in its place, where one of them looks like it."""
    told = []
    for fault in faults:
        if fault.kind == "missing":
            place, _, wanted = fault.pointer.rpartition("/")
            sent = [other.pointer.rpartition("/") for other in faults if other.kind == "unknown"]
            like = [name for where, _, name in sent if where == place and _guess(name, frozenset({wanted}))]
            if like:
                detail = f"{like[0]} came: rename it to {wanted}. {fault.detail}"
                told.append(replace(fault, detail=detail))
                continue
        told.append(fault)
    return told


def summarise(faults: Sequence[FieldFault]) -> str:
    """Return the first of some faults as a sentence that stands alone, and how many there are besides."""
    first, others = faults[0], len(faults) - 1
    where = {None: "", "path": " in the path", "query": " in the query", "header": " (header)"}[first.place]
    named = "" if first.detail.startswith(f"{first.field} ") and not where else f"{first.field}{where}: "
    return f"{named}{first.detail}" + (f" ({others} more: see errors)" if others else "")


def show_name(name: str) -> str:
    """Return a caller's own field name as it may stand in an answer: short, and without what no answer can carry."""
    return "".join(character if character.isprintable() else "�" for character in name[:_NAME_LENGTH])


def _explain(model: type[BaseModel], error: ErrorDetails) -> FieldFault:
    if error["type"] == RULE_OF_REQUEST:
        name = str(error["ctx"]["field"])
        example = _find_rule(model, [name]).example
        return FieldFault(
            "missing" if error["ctx"]["missing"] else "invalid", name, f"/{name}", error["msg"], example=example
        )
    is_key = "[key]" in error["loc"]
    path = [show_name(str(part)) for part in error["loc"] if part != "[key]"]
    field, pointer = ".".join(path), _point(path)
    if error["type"] == "extra_forbidden":
        return explain_unknown(path[-1], _names(_model_at(model, path[:-1])), path[:-1])
    rule = _find_rule(model, path, is_key=is_key)
    if error["type"] == "missing":
        detail = f"{field} is missing. {rule.text}".strip()
        return FieldFault("missing", field, pointer, detail, example=rule.example)
    from direct_debit.entrypoint.recognise import name_kind, recognise  # noqa: PLC0415 - good requests need it never

    hint = recognise("" if is_key else path[-1], error, required=rule.required, secret=rule.secret)
    detail = " ".join(filter(None, [hint, rule.text])) or "The value is not allowed here."
    return FieldFault("invalid", field, pointer, detail, name_kind(error["input"]), rule.example)


def _guess(name: str, known: frozenset[str]) -> str | None:
    from direct_debit.entrypoint.near_names import guess_name  # noqa: PLC0415 - good requests need it never

    return guess_name(name, known)


def _point(path: Sequence[str]) -> str:
    """Return a JSON pointer (RFC 6901)."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


# --- a model's fields ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rule:
    text: str = ""
    example: object | None = None
    required: bool = True
    secret: bool = False  # nothing of the value may be shown, not even the character that is wrong


def _find_rule(model: type[BaseModel], path: Sequence[str], *, is_key: bool = False) -> _Rule:
    """Return the rule that was broken: that of the innermost field on the path that has a description.

    `is_key`: the path's last part is a key of the caller's own, and it is the key that is wrong.
    """
    rule = _Rule()
    current: type[BaseModel] | None = model
    for position, part in enumerate(path):
        info = None if current is None else _find_field(current, part)
        if info is None:
            break
        rule = _describe(info, rule)
        current = _model_of(info.annotation)
        if get_origin(info.annotation) is dict and position + 1 < len(path):
            key, value = get_args(info.annotation)
            return _describe_inside(key if is_key else value) or rule
    return rule


def _describe(info: FieldInfo, outer: _Rule) -> _Rule:
    own = _read(info)
    inside = own if own.text else _describe_inside(info.annotation) or outer
    return replace(inside, required=info.is_required(), secret=outer.secret or not info.repr)


def _read(extra: object) -> _Rule:
    description, examples = getattr(extra, "description", None), getattr(extra, "examples", None)
    return _Rule(description if isinstance(description, str) else "", examples[0] if examples else None)


def _describe_inside(annotation: object) -> _Rule | None:
    """Return the first rule that `Annotated` within an annotation carries."""
    return next((rule for rule in _rules_inside(annotation) if rule.text), None)


def _rules_inside(annotation: object) -> Iterator[_Rule]:
    if get_origin(annotation) is Annotated:
        for extra in get_args(annotation)[1:]:
            yield _read(extra)
    for part in get_args(annotation):
        yield from _rules_inside(part)


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
