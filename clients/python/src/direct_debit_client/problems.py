"""From the API's problem documents (RFC 9457) to errors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from direct_debit_client import errors
from direct_debit_client.calls import Reply
from direct_debit_client.retries import THROTTLED

_UNAUTHORISED, _FORBIDDEN = 401, 403
_SERVER = 500
_REQUEST_IDS = ("x-request-id", "x-amzn-requestid")
_CLASSES: Mapping[str, type[errors.ProblemError]] = {
    kind.__name__: kind
    for kind in (
        errors.CircuitOpen,
        errors.Conflict,
        errors.CustomerActionRequired,
        errors.InternalError,
        errors.InvalidRequest,
        errors.NotDone,
        errors.NotFound,
        errors.Rejected,
        errors.RelinkRequired,
        errors.StoreUnavailable,
    )
}
_REPEAT_LATER = "Repeat the same request later; it can not be done twice."


class ProblemKind(BaseModel):
    """What docs/errors.md says of a problem: its class of error, and what to do. `name` is that of workflows, too."""

    name: str
    remedy: str


class _Fault(BaseModel):
    pointer: str
    detail: str
    came: str | None = None
    example: Any = None
    place: str | None = Field(default=None, alias="in")


class _Problem(BaseModel):
    """The document, as far as it is there: gateways answer with less."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    type: str = ""
    title: str = ""
    detail: str = ""
    message: str = ""  # API Gateway's own
    field: str | None = None
    errors: tuple[_Fault, ...] = ()
    response_code: str | None = Field(default=None, alias="responseCode")
    request_id: str | None = Field(default=None, alias="requestId")


@cache
def known_problems() -> Mapping[str, ProblemKind]:
    """Return every problem that the service had when this client was made, by its slug (`make clients` writes them)."""
    table = files("direct_debit_client").joinpath("problems.json").read_bytes()
    return TypeAdapter(dict[str, ProblemKind]).validate_json(table)


def find_slug(type_: str) -> str | None:
    """Return the stable part of a problem's `type`: its last segment, whatever stands before it."""
    last = urlsplit(type_).path.rstrip("/").rpartition("/")[2]
    return last if last and last != "blank" else None


def read_retry_after(reply: Reply) -> float | None:
    """Return the seconds of `Retry-After`, None where it is not there or a date."""
    text = reply.headers.get("retry-after", "")
    return float(text) if text.isdecimal() else None


def find_slug_of(reply: Reply) -> str | None:
    """Return the slug of a problem, None where the answer is none."""
    return find_slug(_read_document(reply).type)


def read_problem(reply: Reply) -> errors.ProblemError:
    """Return the error that an answer of 300 or more tells."""
    problem = _read_document(reply)
    slug = find_slug(problem.type)
    kind = known_problems().get(slug or "")
    found = _by_status(reply.status) if kind is None else _CLASSES[kind.name]
    return found(
        status=reply.status,
        slug=slug,
        title=problem.title or f"HTTP {reply.status}",
        detail=problem.detail or problem.message,
        remedy=_remedy_by_status(reply.status) if kind is None else kind.remedy,
        field=problem.field,
        errors=[errors.FieldError(**one.model_dump()) for one in problem.errors],
        response_code=problem.response_code,
        request_id=problem.request_id or next((reply.headers[n] for n in _REQUEST_IDS if n in reply.headers), None),
        retry_after=read_retry_after(reply),
    )


def _read_document(reply: Reply) -> _Problem:
    try:
        return _Problem.model_validate_json(reply.content)
    except ValidationError:
        return _Problem()  # a gateway's page, or nothing


def _by_status(status: int) -> type[errors.ProblemError]:
    """Return the class of a problem that this client does not know: one of a gateway's, or one added later."""
    if status in (_UNAUTHORISED, _FORBIDDEN):
        return errors.NotAllowed
    if status == THROTTLED:
        return errors.Throttled
    if status >= _SERVER:
        return errors.InternalError
    return errors.ProblemError


def _remedy_by_status(status: int) -> str:
    if status in (_UNAUTHORISED, _FORBIDDEN):
        return (
            "Check the base URL and its path, the keys or the token, the region, this machine's clock, and the right "
            "to call the route (execute-api:Invoke)."
        )
    if status == THROTTLED or status >= _SERVER:
        return _REPEAT_LATER
    return "Read the record to see its state, and correct the request."
