"""What the errors tell those who turn them into answers."""

from datetime import timedelta

import pytest

from direct_debit.application.errors import (
    BindingChanged,
    CircuitOpen,
    Conflict,
    CustomerActionRequired,
    DirectDebitError,
    DokuSilent,
    InvalidRequest,
    InvalidSignature,
    NotConfigured,
    NotDone,
    NotFound,
    OutcomeUnknown,
    PaymentChanged,
    RecordUnreadable,
    Rejected,
    StoreUnavailable,
    Undeliverable,
    Unsendable,
)
from tests.unit.application.support import linked


@pytest.mark.parametrize(
    "kind", [NotFound, Conflict, Rejected, CustomerActionRequired, NotDone, DokuSilent, Unsendable]
)
def test_an_error_says_what_to_do_and_dokus_code(kind: type[DirectDebitError]) -> None:
    error = kind("link the account first", code="4017402")
    assert (str(error), error.detail, error.code) == ("link the account first", "link the account first", "4017402")
    assert kind("no word of DOKU's").code is None


def test_a_bad_request_names_its_field() -> None:
    error = InvalidRequest("amount.value", "write the amount with two decimals")
    assert (error.field, str(error), error.code) == ("amount.value", "write the amount with two decimals", None)


@pytest.mark.parametrize("kind", [NotDone, DokuSilent, CircuitOpen])
def test_what_was_not_done_may_be_asked_again_in_five_seconds_unless_it_says_otherwise(kind: type[NotDone]) -> None:
    assert kind("wait").retry_after == timedelta(seconds=5)
    assert kind("wait", retry_after=timedelta(seconds=30)).retry_after == timedelta(seconds=30)


def test_the_stores_code_is_not_dokus() -> None:
    error = StoreUnavailable("throttled", code="ThrottlingException")
    assert (error.store_code, error.code) == ("ThrottlingException", None)
    assert error.retry_after == timedelta(seconds=5)


def test_a_lost_answer_says_whether_doku_was_silent() -> None:
    assert not OutcomeUnknown("it does not tell the outcome").silent
    assert OutcomeUnknown("no answer", silent=True).silent


def test_a_call_that_is_not_authentic_has_the_reply_that_doku_gets() -> None:
    error = InvalidSignature(401, "4017300", "Unauthorized. Invalid Signature")
    assert (error.status, error.code, error.detail) == (401, "4017300", "Unauthorized. Invalid Signature")


def test_a_lost_race_shows_how_the_record_stands_now() -> None:
    merchant = linked()
    payment = merchant.pay().payment
    assert PaymentChanged(payment).current is payment
    assert str(PaymentChanged(payment)) == "the payment was changed by somebody else"
    binding = merchant.binding()
    assert BindingChanged(binding).current is binding
    assert str(BindingChanged(binding)) == "the binding was changed by somebody else"


def test_what_aws_refuses_keeps_awss_code_apart_from_dokus() -> None:
    error = Undeliverable("the event is too large", aws_code="ValidationException")
    assert (str(error), error.detail, error.aws_code, error.code) == (
        "the event is too large",
        "the event is too large",
        "ValidationException",
        None,
    )


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (NotConfigured, "the credentials for DOKU are not in place; this service's operator has to put them there"),
        (RecordUnreadable, "this release can not read the record: a newer one wrote it, or it is damaged"),
    ],
)
def test_the_log_says_what_is_wrong_and_callers_only_that_something_is(
    kind: type[NotConfigured | RecordUnreadable], told: str
) -> None:
    error = kind("the field clientId must be a string that is not empty")
    assert str(error) == error.fault == "the field clientId must be a string that is not empty"
    assert error.detail == told


def test_what_newer_code_wrote_is_asked_for_again_in_a_minute() -> None:
    assert RecordUnreadable("state").retry_after == timedelta(seconds=60)
    assert isinstance(NotConfigured("clientId"), StoreUnavailable)
    assert not isinstance(RecordUnreadable("state"), StoreUnavailable)
