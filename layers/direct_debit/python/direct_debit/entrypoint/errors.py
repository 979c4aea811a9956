"""The one mapping from errors to what each door shows: HTTP problems (RFC 9457) and Step Functions error names."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from direct_debit.application.errors import (
    CircuitOpen,
    Conflict,
    CustomerActionRequired,
    DirectDebitError,
    FieldFault,
    FreshTokenRefused,
    InvalidRequest,
    LostRace,
    NotConfigured,
    NotDone,
    NotFound,
    RecordUnreadable,
    Rejected,
    RelinkRequired,
    StoreUnavailable,
)
from direct_debit.application.ports.bindings import AccountClaimLost
from direct_debit.entrypoint.settings import ConfigurationError


class MalformedRequest(InvalidRequest):
    """The body is not a JSON object."""


class MissingField(InvalidRequest):
    """A mandatory field is absent."""


class UnknownField(InvalidRequest):
    """The request has a field that the operation does not know."""


class BodyTooLarge(InvalidRequest):
    """The body is larger than any request needs."""


# Errors whose texts name a setting or an attribute and what is wanted, never a value: operators read them in the log.
ERRORS_FOR_OPERATORS = (ConfigurationError, NotConfigured, RecordUnreadable)


class InternalError(Exception):
    """Something failed that no caller can mend. Its text never holds the cause's text, which may hold anything."""


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One problem type: its HTTP status, its title, when it happens and what the caller should do."""

    slug: str
    status: int
    title: str
    when: str
    remedy: str

    def uri(self, base: str) -> str:
        """Return the `type` of RFC 9457: the address of its page. What is stable is the slug."""
        return f"{base}/{self.slug}"


_KINDS = (
    ProblemKind(
        "malformed-request",
        400,
        "The body is not a JSON object",
        "The body is empty, is no JSON, is no object, repeats a key, or is not UTF-8.",
        "Send one JSON object in UTF-8. Nothing was written and nothing was sent.",
    ),
    ProblemKind(
        "missing-field",
        400,
        "A mandatory field is missing",
        "`field` is absent. A payment needs `partnerReferenceNo` or the header `Idempotency-Key`.",
        "Add the field. Nothing was written and nothing was sent.",
    ),
    ProblemKind(
        "body-too-large",
        413,
        "The body is too large",
        "The body has more than 64 KiB.",
        "Send less; `metadata` is the only part that can grow.",
    ),
    ProblemKind(
        "invalid-field",
        422,
        "A field breaks a rule",
        "`field` has a wrong format, length or value; `detail` says what is allowed.",
        "Correct the field. Nothing was written and nothing was sent.",
    ),
    ProblemKind(
        "unknown-field",
        422,
        "A field is not known",
        "`field` is not part of this operation; misspelt fields are not ignored, nor is an `Idempotency-Key` where "
        "none is taken.",
        "Correct the name or remove the field; `detail` says which.",
    ),
    ProblemKind(
        "not-found",
        404,
        "There is no such resource",
        "The binding, payment or refund does not exist.",
        "Check the identifier in the path.",
    ),
    ProblemKind(
        "conflict",
        409,
        "The request does not fit what exists",
        "The same reference or `Idempotency-Key` came with another body, the key with another reference, the resource "
        "is in another state, the account is taken, or another request was faster.",
        "Read the resource and decide anew. The same request again gives the same answer.",
    ),
    ProblemKind(
        "rejected",
        422,
        "DOKU refused",
        "DOKU or the bank refused for good; `responseCode` is DOKU's.",
        "Do not repeat the same request.",
    ),
    ProblemKind(
        "customer-action-required",
        422,
        "The customer has to act",
        "The account is dormant or inactive, or the customer must change something at the bank.",
        "Tell the customer; begin anew afterwards.",
    ),
    ProblemKind(
        "otp-wrong",
        422,
        "The OTP is wrong",
        "The bank did not accept the code (DOKU 404xx15). The payment or unlinking still waits.",
        "Ask the customer to read the code again and send it to the same address.",
    ),
    ProblemKind(
        "otp-expired",
        422,
        "The OTP is too old",
        "The code's lifetime passed (DOKU 403xx12).",
        "Begin anew: a payment with a new reference.",
    ),
    ProblemKind(
        "otp-blocked",
        422,
        "Too many wrong OTPs",
        "The bank takes no further code for this request (DOKU 403xx11).",
        "Begin anew later: a payment with a new reference.",
    ),
    ProblemKind(
        "otp-not-awaited",
        422,
        "No OTP is awaited",
        "The bank does not wait for a code (DOKU 404xx06).",
        "Read the resource: its state says what is next.",
    ),
    ProblemKind(
        "relink-required",
        422,
        "The account must be linked again",
        "DOKU does not take the customer's token any more: the customer unlinked, or the link expired.",
        "Send the customer through `POST /bindings` again.",
    ),
    ProblemKind(
        "not-done",
        503,
        "Not done",
        "DOKU could not be reached, asked to come again, or did not take our credentials. Surely nothing happened.",
        "Repeat the same request after `Retry-After` seconds.",
    ),
    ProblemKind(
        "circuit-open",
        503,
        "DOKU is not available",
        "DOKU failed several times in a row; new payments are not sent for a while.",
        "Repeat the same request after `Retry-After` seconds.",
    ),
    ProblemKind(
        "not-configured",
        503,
        "Not set up",
        "The credentials for DOKU have not been put into this service's secret yet, or can not be read there.",
        "Tell the operator. Nothing was done, and the same request may be repeated.",
    ),
    ProblemKind(
        "store-unavailable",
        503,
        "The store is not available",
        "The database throttled or failed.",
        "Repeat the same request, with the same key, after `Retry-After` seconds: it can not be done twice.",
    ),
    ProblemKind(
        "record-unreadable",
        503,
        "The record can not be read",
        "A newer release of this service wrote the record, which is not running now; or the record is damaged.",
        "Repeat the same request, with the same key, later: it can not be done twice. If it lasts, tell the operator.",
    ),
    ProblemKind(
        "internal-error",
        500,
        "Internal error",
        "A fault of this service. The log has it under `requestId`.",
        "Read the resource to see how far it went. The same request with the same key can not be done twice.",
    ),
)
PROBLEMS: Mapping[str, ProblemKind] = {kind.slug: kind for kind in _KINDS}

# The first line that fits counts, so the special stands before the general.
_BY_ERROR: tuple[tuple[type[Exception], str], ...] = (
    (MalformedRequest, "malformed-request"),
    (MissingField, "missing-field"),
    (UnknownField, "unknown-field"),
    (BodyTooLarge, "body-too-large"),
    (InvalidRequest, "invalid-field"),
    (NotFound, "not-found"),
    (Conflict, "conflict"),
    (AccountClaimLost, "conflict"),
    (LostRace, "conflict"),
    (FreshTokenRefused, "relink-required"),
    (RelinkRequired, "relink-required"),
    (CustomerActionRequired, "customer-action-required"),
    (Rejected, "rejected"),
    (CircuitOpen, "circuit-open"),
    (NotConfigured, "not-configured"),
    (StoreUnavailable, "store-unavailable"),
    (NotDone, "not-done"),
    (RecordUnreadable, "record-unreadable"),
)

# DOKU's codes that have a problem type of their own: (HTTP, case) of services 04, 09 and 54 (contract 3.6).
_BY_CODE: Mapping[tuple[str, str], str] = {
    ("404", "15"): "otp-wrong",
    ("403", "12"): "otp-expired",
    ("403", "11"): "otp-blocked",
    ("404", "06"): "otp-not-awaited",
}

# What Step Functions may name in `Catch` and `Retry`. The names are a promise: they never change.
ERROR_NAMES: tuple[type[Exception], ...] = (
    InvalidRequest,
    NotFound,
    Conflict,
    RelinkRequired,
    CustomerActionRequired,
    Rejected,
    CircuitOpen,
    StoreUnavailable,
    NotDone,
    InternalError,
)

_CODE_LENGTH = 7
_REPEAT = "; repeat the request"
_FOR_OPERATORS = frozenset({"not-configured"})  # repeating alone does not mend it


@dataclass(frozen=True, slots=True)
class Problem:
    """One occurrence of a problem, ready for `application/problem+json`."""

    kind: ProblemKind
    detail: str
    field: str | None = None
    response_code: str | None = None
    retry_after: int | None = None  # seconds
    faults: Sequence[FieldFault] = ()

    def body(self, request_id: str, base: str) -> dict[str, object]:
        """Return the members of the problem document; `base` is where the pages of the problems are."""
        members: dict[str, object] = {
            "type": self.kind.uri(base),
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": _say_when(self),
            "field": self.field,
            "errors": [_show_fault(fault) for fault in self.faults] or None,
            "responseCode": self.response_code,
            "requestId": request_id,
        }
        return {name: value for name, value in members.items() if value is not None}


def _say_when(problem: Problem) -> str:
    """Return the detail; where repeating the request is the remedy, with when and how."""
    if problem.retry_after is None or problem.kind.slug in _FOR_OPERATORS:
        return problem.detail
    what = problem.detail.removesuffix(_REPEAT)
    return f"{what}; repeat the same request in {problem.retry_after} s, it can not be done twice"


def _show_fault(fault: FieldFault) -> Mapping[str, object]:
    members = {
        "in": fault.place,
        "pointer": fault.pointer,
        "detail": fault.detail,
        "came": fault.came,
        "example": fault.example,
    }
    return {name: value for name, value in members.items() if value is not None}


def describe(error: Exception) -> Problem:
    """Return the problem that `error` is; anything unforeseen is an internal error without its text."""
    kind = _kind(error)
    if kind.slug == "internal-error":
        return Problem(kind, f"{kind.when} {kind.remedy}")
    code = error.code if isinstance(error, DirectDebitError) else None
    wait = error.retry_after if isinstance(error, NotDone | RecordUnreadable) else None
    return Problem(
        kind=kind,
        detail=error.detail if isinstance(error, DirectDebitError) else kind.when,
        field=(error.field or None) if isinstance(error, InvalidRequest) else None,
        faults=error.faults if isinstance(error, InvalidRequest) else (),
        response_code=code,
        retry_after=None if wait is None else max(1, math.ceil(wait.total_seconds())),
    )


def name_error(error: Exception) -> Exception:
    """Return the error to raise to a direct caller: its class name is one of ERROR_NAMES, its text holds no secret."""
    if isinstance(error, RecordUnreadable):
        error = StoreUnavailable(error.detail)  # like there, it may have been begun, and may be repeated
    if type(error) in ERROR_NAMES:
        return error
    problem = describe(error)
    if isinstance(error, InvalidRequest):
        return InvalidRequest(error.field, error.detail, error.faults)
    if problem.kind.slug == "conflict":
        return Conflict(problem.detail)
    for general in (RelinkRequired, CustomerActionRequired, Rejected):
        if isinstance(error, general):
            return general(problem.detail, code=problem.response_code)
    if isinstance(error, NotDone):
        return NotDone(error.detail, code=error.code, retry_after=error.retry_after)
    return InternalError(problem.detail)


def _kind(error: Exception) -> ProblemKind:
    if isinstance(error, CustomerActionRequired | Rejected) and not isinstance(error, RelinkRequired):
        code = error.code or ""
        slug = _BY_CODE.get((code[:3], code[5:])) if len(code) == _CODE_LENGTH else None
        if slug is not None:
            return PROBLEMS[slug]
    for kind, slug in _BY_ERROR:
        if isinstance(error, kind):
            return PROBLEMS[slug]
    return PROBLEMS["internal-error"]
