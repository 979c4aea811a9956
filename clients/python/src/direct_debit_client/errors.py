"""Every error of this client, named for what to do. All of them are `DirectDebitError`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from direct_debit_client.models import View


class DirectDebitError(Exception):
    """What all errors have in common.

    `maybe_done`: whether the request may have been carried out. It may always be sent again, with the same reference
    or key, and can not be done twice; `idempotency_key` is the one with which it was sent, if any.
    """

    maybe_done: bool = False
    idempotency_key: str | None = None


class AnswerLost(DirectDebitError):
    """No answer came, at no try: the service was not reached, or its answer was lost (`maybe_done` tells)."""


class UnexpectedAnswer(DirectDebitError):
    """The answer is not one of this API's: a wrong base URL, or something between that answers itself."""


class StillOpen(DirectDebitError):
    """The time for waiting is over, and the state is not final. `last` is what was seen last, None if nothing was."""

    def __init__(self, message: str, last: View | None) -> None:
        super().__init__(message)
        self.last = last


class WebhookRefused(DirectDebitError):
    """A message is not signed with one of the secrets, is too old or too new, or is no event: answer it with 400."""


@dataclass(frozen=True)
class FieldError:
    """One wrong field: its JSON pointer, the rule, what kind of value came (never the value), a right one.

    `place`: path, query or header; None for the body.
    """

    pointer: str
    detail: str
    came: str | None = None
    example: object = None
    place: str | None = None


class ProblemError(DirectDebitError):
    """The API refused (RFC 9457). The class says what to do, `slug` says exactly what happened.

    `slug`: last part of the problem's `type`, as in docs/errors.md; None where API Gateway answered by itself.
    `remedy`: what to do, `detail`: what is wrong; `errors`: all wrong fields, `field` the first one's name.
    `response_code`: DOKU's, `request_id`: quote it when you ask for help, `retry_after`: seconds.
    """

    def __init__(
        self,
        *,
        status: int,
        slug: str | None,
        title: str,
        detail: str,
        remedy: str,
        field: str | None = None,
        errors: Sequence[FieldError] = (),
        response_code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.status = status
        self.slug = slug
        self.title = title
        self.detail = detail
        self.remedy = remedy
        self.field = field
        self.errors = tuple(errors)
        self.response_code = response_code
        self.request_id = request_id
        self.retry_after = retry_after
        super().__init__(self._tell())

    def _tell(self) -> str:
        marks = [str(self.status), self.slug, self.response_code and f"DOKU {self.response_code}"]
        told = f"[{', '.join(mark for mark in marks if mark)}] {self.detail or self.title}"
        others = "".join(f"; {error.pointer}: {error.detail}" for error in self.errors[1:])
        request = f" (request {self.request_id})" if self.request_id else ""
        return f"{told}{others} - {self.remedy}{request}"


class InvalidRequest(ProblemError):
    """The request is wrong: correct it. Nothing was done."""


class NotAllowed(ProblemError):
    """Not signed, wrongly signed, or without the right to call this route. Nothing was done."""


class NotFound(ProblemError):
    """There is no such link, payment or refund."""


class Conflict(ProblemError):
    """The request does not fit what exists: read the record and decide anew."""


class Rejected(ProblemError):
    """DOKU or the bank refused for good: do not repeat."""


class CustomerActionRequired(ProblemError):
    """The customer has to do something, e.g. read the code again (`otp-wrong`)."""


class RelinkRequired(CustomerActionRequired):
    """The customer has to link the account again."""


class NotDone(ProblemError):
    """Surely nothing happened; repeat the same request later (`retry_after`)."""


class CircuitOpen(NotDone):
    """DOKU is not available for a while; nothing happened."""


class Throttled(NotDone):
    """Too many requests; nothing happened."""


class StoreUnavailable(ProblemError):
    """The service's database failed: repeat the same request later, it can not be done twice."""

    maybe_done = True


class InternalError(ProblemError):
    """A fault of the service: read the record to see how far it went; the same request can not be done twice."""

    maybe_done = True
