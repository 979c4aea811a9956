"""From an HTTP answer to a typed, classified answer. The body's response code decides, whatever the HTTP status."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Never

from pydantic import ValidationError

from doku_snap.errors import AnswerLost
from doku_snap.messages.base import AnswerMessage
from doku_snap.response_codes import Classification, classify, doubt
from doku_snap.ties import Question, doubt_rows, find_contradictions

if TYPE_CHECKING:
    from doku_snap.transport import HttpAnswer  # whoever only reads what came in loads no library to send with

_PLAUSIBLE_CODE = re.compile(r"[0-9]{1,16}")
_LONGEST_CODE = 16
_MAX_MESSAGE = 150
_REDIRECTS = range(300, 400)


@dataclass(frozen=True, slots=True)
class Answer[T]:
    """What DOKU answered.

    `code` is the wire's code, digits only, None if absent. `message` is DOKU's text, cut at 150 characters, for people
    only: never branch on it. `body` is None where the answer lacks what its type needs (a token answer without one).
    `contradictions` are the wire paths at which it names something else than was asked: then it is no evidence, its
    classification is that of an unknown answer and there is no body. (A row of `refundHistory` loses its status only.)
    """

    http_status: int
    code: str | None
    message: str = field(repr=False)
    classification: Classification
    body: T | None
    received_at: datetime
    contradictions: tuple[str, ...] = ()


def read_answer[M: AnswerMessage](
    http: "HttpAnswer",
    question: Question,
    body_type: type[M],
    received_at: datetime,
    untied: frozenset[str] = frozenset(),
) -> Answer[M]:
    """Read and classify an answer to `question`; `untied` are wire paths that are not compared with it (ties.py).

    Raises AnswerLost for a redirect and for anything but a JSON object.
    """
    if http.status in _REDIRECTS:
        raise AnswerLost("redirect", http.status)
    fields = parse_object(http.body)
    if fields is None:
        raise AnswerLost("unparsable", http.status)
    code = _read_code(fields.get("responseCode"))
    contradictions = find_contradictions(question, code, fields, untied)
    readable, doubtful_rows = doubt_rows(question, fields, untied)
    classify_as = doubt if contradictions else classify
    return Answer(
        http_status=http.status,
        code=code,
        message=_read_message(fields.get("responseMessage")),
        classification=classify_as(code, http.status, question.operation),
        body=None if contradictions else _read_body(readable, body_type),
        received_at=received_at,
        contradictions=contradictions + doubtful_rows,
    )


def _read_body[M: AnswerMessage](fields: Mapping[str, object], body_type: type[M]) -> M | None:
    try:
        return body_type.model_validate(fields)
    except ValidationError:
        return None


def parse_object(raw: bytes) -> dict[str, object] | None:
    """The JSON object in `raw`, fractions as Decimal; None if it is anything else.

    A byte order mark is skipped. A byte that is no UTF-8 becomes U+FFFD: it spoils the text that it stands in, which
    then equals nothing and fits no pattern, and not the others.
    """
    try:
        text = raw.decode("utf-8-sig", errors="replace")
        parsed = json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _refuse_constant(_: str) -> Never:
    raise ValueError("NaN and Infinity are not JSON")


def _read_code(value: object) -> str | None:
    if isinstance(value, Decimal) and value.adjusted() < _LONGEST_CODE and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    code = value.strip() if isinstance(value, str) else ""
    return code if _PLAUSIBLE_CODE.fullmatch(code) else None


def _read_message(value: object) -> str:
    text = value[:_MAX_MESSAGE] if isinstance(value, str) else ""
    return text.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate could be neither printed nor stored
