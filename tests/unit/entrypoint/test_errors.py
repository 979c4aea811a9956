"""The one mapping from errors to problems and to error names, row by row."""

import inspect
from datetime import timedelta

import pytest

from direct_debit.adapters.credentials import MalformedCredentials
from direct_debit.application import errors as application_errors
from direct_debit.application.errors import (
    B2BTokenRefused,
    CircuitOpen,
    Conflict,
    CustomerActionRequired,
    CustomerTokenRefused,
    DirectDebitError,
    DokuSilent,
    FreshTokenRefused,
    InvalidRequest,
    InvalidSignature,
    NotConfigured,
    NotDone,
    NotFound,
    OutcomeUnknown,
    RecordUnreadable,
    Rejected,
    RelinkRequired,
    StoreUnavailable,
    Undeliverable,
    Unsendable,
)
from direct_debit.application.ports.bindings import AccountClaimLost
from direct_debit.entrypoint.errors import (
    ERROR_NAMES,
    PROBLEMS,
    BodyTooLarge,
    MalformedRequest,
    MissingField,
    UnknownField,
    describe,
    name_error,
)
from tools.operations import ROUTES

# error -> HTTP status, problem type, name for Step Functions
ROWS: list[tuple[Exception, int, str, str]] = [
    (MalformedRequest("", "x"), 400, "malformed-request", "InvalidRequest"),
    (MissingField("a", "x"), 400, "missing-field", "InvalidRequest"),
    (BodyTooLarge("", "x"), 413, "body-too-large", "InvalidRequest"),
    (UnknownField("a", "x"), 422, "unknown-field", "InvalidRequest"),
    (InvalidRequest("a", "x"), 422, "invalid-field", "InvalidRequest"),
    (NotFound("x"), 404, "not-found", "NotFound"),
    (Conflict("x"), 409, "conflict", "Conflict"),
    (AccountClaimLost("x"), 409, "conflict", "Conflict"),
    (Rejected("x", code="4035414"), 422, "rejected", "Rejected"),
    (Rejected("x"), 422, "rejected", "Rejected"),
    (Rejected("x", code="4030412"), 422, "otp-expired", "Rejected"),
    (Rejected("x", code="4030411"), 422, "otp-blocked", "Rejected"),
    (Rejected("x", code="20054000"), 422, "rejected", "Rejected"),
    (CustomerActionRequired("x", code="4031118"), 422, "customer-action-required", "CustomerActionRequired"),
    (CustomerActionRequired("x", code="4040415"), 422, "otp-wrong", "CustomerActionRequired"),
    (CustomerActionRequired("x", code="4040406"), 422, "otp-not-awaited", "CustomerActionRequired"),
    (RelinkRequired("x", code="4017400"), 422, "relink-required", "RelinkRequired"),
    (FreshTokenRefused("x", code="4011102"), 422, "relink-required", "RelinkRequired"),
    (NotDone("x"), 503, "not-done", "NotDone"),
    (CircuitOpen("x"), 503, "circuit-open", "CircuitOpen"),
    (StoreUnavailable("x"), 503, "store-unavailable", "StoreUnavailable"),
    (RecordUnreadable("canary"), 503, "record-unreadable", "StoreUnavailable"),
    # Never meant for callers; if they come this far, it is a fault of ours.
    (DokuSilent("x"), 503, "not-done", "NotDone"),
    (Unsendable("x"), 500, "internal-error", "InternalError"),
    (OutcomeUnknown("x"), 500, "internal-error", "InternalError"),
    (B2BTokenRefused("x"), 500, "internal-error", "InternalError"),
    (CustomerTokenRefused("x"), 500, "internal-error", "InternalError"),
    (Undeliverable("canary", aws_code="InvalidOutput"), 500, "internal-error", "InternalError"),
    (InvalidSignature(401, "4015600", "x"), 500, "internal-error", "InternalError"),
    (NotConfigured("canary"), 503, "not-configured", "NotDone"),
    (MalformedCredentials(("clientId", "must be canary")), 503, "not-configured", "NotDone"),
    (RuntimeError("canary"), 500, "internal-error", "InternalError"),
]


@pytest.mark.parametrize(("error", "status", "slug", "name"), ROWS, ids=lambda value: getattr(value, "slug", None))
def test_row(error: Exception, status: int, slug: str, name: str) -> None:
    problem = describe(error)
    assert (problem.kind.status, problem.kind.slug) == (status, slug)
    assert type(name_error(error)).__name__ == name
    body = problem.body("request-1", "https://pay.example/v1/problems")
    assert body["type"] == f"https://pay.example/v1/problems/{slug}"
    assert body["status"] == status
    assert body["requestId"] == "request-1"
    assert "canary" not in str(body) + str(name_error(error))


def test_every_error_of_the_application_has_a_row() -> None:
    known = {type(error) for error, *_ in ROWS}
    defined = {
        value
        for value in vars(application_errors).values()
        if inspect.isclass(value) and issubclass(value, DirectDebitError)
    }
    assert defined - known == {DirectDebitError}


def test_every_problem_is_made_by_some_error() -> None:
    assert {slug for _, _, slug, _ in ROWS} == set(PROBLEMS)


def test_routes_name_problems_that_exist() -> None:
    named = {slug for route in ROUTES for slug in route.problems}
    assert named <= set(PROBLEMS)


def test_members() -> None:
    problem = describe(Rejected("the bank refused", code="4035414"))
    assert problem.body("r", "/problems") == {
        "type": "/problems/rejected",
        "title": "DOKU refused",
        "status": 422,
        "detail": "the bank refused",
        "responseCode": "4035414",
        "requestId": "r",
    }
    assert describe(InvalidRequest("amount.value", "wrong")).body("r", "/problems")["field"] == "amount.value"


@pytest.mark.parametrize(("wait", "seconds"), [(0.0, 1), (0.2, 1), (5.0, 5), (61.2, 62)])
def test_retry_after_is_whole_seconds_never_too_early(wait: float, seconds: int) -> None:
    assert describe(NotDone("x", retry_after=timedelta(seconds=wait))).retry_after == seconds


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NotDone("DOKU gave no usable answer"), "DOKU gave no usable answer; repeat the same request in 5 s, "),
        (NotDone("our key is being replaced; repeat the request"), "our key is being replaced; repeat the same "),
        (CircuitOpen("nothing was sent", retry_after=timedelta(seconds=29.5)), "the same request in 30 s, it can not "),
        (StoreUnavailable("the store did not answer"), "repeat the same request in 5 s, it can not be done twice"),
        (RecordUnreadable("x"), "or it is damaged; repeat the same request in 60 s, it can not be done twice"),
        (NotConfigured("x"), "this service's operator has to put them there"),
        (RuntimeError("x"), "The log has it under `requestId`. Read the resource to see how far it went."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_fault_of_ours_or_dokus_says_when_and_how_to_come_again(error: Exception, told: str) -> None:
    detail = str(describe(error).body("r", "")["detail"])
    assert told in detail
    assert detail.count("repeat") <= 1


def test_error_names_are_a_promise() -> None:
    # Workflows catch these names: add, never rename.
    assert {kind.__name__ for kind in ERROR_NAMES} == {
        "InvalidRequest",
        "NotFound",
        "Conflict",
        "RelinkRequired",
        "CustomerActionRequired",
        "Rejected",
        "CircuitOpen",
        "StoreUnavailable",
        "NotDone",
        "InternalError",
    }


def test_a_named_error_keeps_what_the_caller_needs() -> None:
    named = name_error(UnknownField("colour", "remove it"))
    assert isinstance(named, InvalidRequest)
    assert (named.field, named.detail) == ("colour", "remove it")
