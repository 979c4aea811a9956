"""What DOKU's answers are evidence of: only of what they name, and of DOKU only what DOKU did."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from direct_debit.adapters.doku import DokuAdapter
from direct_debit.application.errors import (
    DirectDebitError,
    DokuSilent,
    NotDone,
    OutcomeUnknown,
    Unsendable,
)
from direct_debit.application.ports.telemetry import Metric
from doku_snap.errors import AnswerLost, ConnectionNotMade, InvalidMessage
from tests.fakes.telemetry import RecordingTelemetry
from tests.unit.adapters.doku_harness import PAGES, answer, doku_call, lose, make, payment
from tests.unit.adapters.test_doku import CALLS

_OTHER = "A1"
_PAID_ELSEWHERE = {"responseCode": "2005500", "latestTransactionStatus": "00", "originalPartnerReferenceNo": _OTHER}


@pytest.mark.parametrize(
    "body",
    [
        _PAID_ELSEWHERE,
        {**_PAID_ELSEWHERE, "originalPartnerReferenceNo": "INV000000001", "originalExternalId": "1"},
        {"responseCode": "2005500", "latestTransactionStatus": "00", "transAmount": {"value": "0.00"}},
        {"responseCode": "2005500", "latestTransactionStatus": "00", "transAmount": {"value": "Rp 5.000"}},
        {"responseCode": "2005500", "latestTransactionStatus": "06", "serviceCode": "58"},
        {"responseCode": "4041101", "responseMessage": "Transaction Not Found"},
        {"responseCode": "2005800", "latestTransactionStatus": "00"},
    ],
)
def test_a_status_of_something_else_is_no_answer(body: dict[str, object]) -> None:
    telemetry = RecordingTelemetry()
    doku, _ = make(answer(200, body), telemetry=telemetry)
    with pytest.raises(NotDone) as caught:
        doku.inquire_status(payment(), doku_call())
    assert not isinstance(caught.value, DokuSilent)  # DOKU did answer
    assert telemetry.counts[Metric.ANSWER_CONTRADICTS] == 1
    [(text, noted)] = telemetry.notes
    assert "not about what was asked" in text
    assert noted["ref"] == "INV000000001"
    assert noted["code"] == body["responseCode"]


@pytest.mark.parametrize(
    "body",
    [
        {"responseCode": "2005500"},
        {"responseCode": "2007300"},
        {"responseCode": "2000400"},
        {"responseCode": "2005800", "partnerRefundNo": "R2"},
        {"responseCode": "2005800", "originalPartnerReferenceNo": _OTHER},
        {"responseCode": "2005800", "refundAmount": {"value": "1.00", "currency": "IDR"}},
        {"responseCode": "4045813", "partnerRefundNo": "R2"},
    ],
)
def test_a_refund_of_something_else_leaves_the_outcome_unknown(body: dict[str, object]) -> None:
    telemetry = RecordingTelemetry()
    doku, _ = make(answer(200, body), telemetry=telemetry)
    with pytest.raises(OutcomeUnknown) as caught:
        doku.refund_payment(payment(with_refund=True), "Customer complain", doku_call())
    assert not caught.value.silent
    assert telemetry.counts[Metric.ANSWER_CONTRADICTS] == 1


def test_a_refusal_or_a_code_sent_for_another_payment_is_not_ours() -> None:
    for body in (
        {"responseCode": "4035414", "partnerReferenceNo": _OTHER},
        {"responseCode": "4035413", "partnerReferenceNo": _OTHER},
        {"responseCode": "4030913"},
    ):
        doku, _ = make(answer(403, body))
        with pytest.raises(OutcomeUnknown):
            doku.make_payment(payment(), PAGES, doku_call())
    doku, _ = make(answer(200, {"responseCode": "2000400", "originalPartnerReferenceNo": _OTHER}))
    with pytest.raises(OutcomeUnknown):
        doku.verify_payment_otp(payment(), "123456", doku_call())


def test_of_a_payment_that_was_sent_twice_doku_may_know_either_request() -> None:
    body = {"responseCode": "2005500", "latestTransactionStatus": "00", "originalExternalId": "1"}
    doku, _ = make(answer(200, body))
    assert doku.inquire_status(replace(payment(), reposted=True), doku_call()).status == "00"


def test_a_row_of_our_refund_with_another_amount_says_nothing_and_is_counted() -> None:
    telemetry = RecordingTelemetry()
    row = {"partnerRefundNo": "RFD000000001", "refundStatus": "00", "refundAmount": {"value": "1.00"}}
    body = {"responseCode": "2005500", "latestTransactionStatus": "00", "refundHistory": [row]}
    doku, _ = make(answer(200, body), telemetry=telemetry)
    found = doku.inquire_status(payment(with_refund=True), doku_call())
    assert (found.status, [one.status for one in found.refunds]) == ("00", ["03"])
    assert telemetry.counts[Metric.ANSWER_CONTRADICTS] == 1


def test_the_merchants_token_is_not_taken_for_a_customers() -> None:
    doku, _ = make(answer(200, {"responseCode": "2007300", "accessToken": "merchant-token"}))
    with pytest.raises(NotDone):
        CALLS["exchange_auth_code"][0](doku)


# --- only what DOKU did speaks of DOKU -------------------------------------------------------------------------------


def _is_silence(name: str, doku: DokuAdapter) -> bool:
    try:
        CALLS[name][0](doku)
    except DokuSilent:
        return True
    except OutcomeUnknown as error:
        return error.silent
    except DirectDebitError:
        return False
    pytest.fail("no error")


_SILENCE: dict[str, Callable[[], Exception]] = {
    "no connection": lambda: ConnectionNotMade("refused"),
    "time-out": lambda: AnswerLost("timeout"),
    "reset": lambda: AnswerLost("reset"),
    "garbage": lambda: AnswerLost("unparsable", 502),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("silence", _SILENCE)
def test_silence_speaks_of_doku(name: str, silence: str) -> None:
    doku, _ = make(lose(_SILENCE[silence]()))
    assert _is_silence(name, doku)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(("status", "body"), [(503, {}), (500, {"responseMessage": "x"})])
def test_5xx_speaks_of_doku(name: str, status: int, body: dict[str, object]) -> None:
    doku, _ = make(answer(status, body))
    assert _is_silence(name, doku)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, {}),
        (200, {}),
        (200, {"responseCode": "2000000", "partnerReferenceNo": _OTHER}),
        (503, {"responseCode": "5039900", "originalPartnerReferenceNo": _OTHER}),  # of another service: not to us
    ],
)
def test_an_answer_that_is_not_usable_is_not_silence(name: str, status: int, body: dict[str, object]) -> None:
    doku, _ = make(answer(status, body))
    assert not _is_silence(name, doku)


@pytest.mark.parametrize(
    "call",
    [
        lambda doku: doku.make_payment(payment(), PAGES, doku_call(9.0)),
        lambda doku: doku.inquire_status(payment(), doku_call(9.0)),
    ],
)
def test_our_own_hurry_is_not_silence(call: Callable[[DokuAdapter], object]) -> None:
    """With nine seconds left the answer may take four: running out of them says nothing of DOKU."""
    doku, _ = make(lose(AnswerLost("timeout")))
    with pytest.raises((NotDone, OutcomeUnknown)) as caught:
        call(doku)
    error = caught.value
    assert not isinstance(error, DokuSilent)
    assert not (isinstance(error, OutcomeUnknown) and error.silent)


# --- what our own model refuses --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CALLS)
def test_what_our_own_model_refuses_is_a_defect_that_is_counted(name: str) -> None:
    telemetry = RecordingTelemetry()
    doku, transport = make(lose(InvalidMessage("additionalInfo.remarks", "string too long")), telemetry=telemetry)
    with pytest.raises(Unsendable):
        CALLS[name][0](doku)
    assert telemetry.counts[Metric.UNSENDABLE_MESSAGE] == 1
    assert telemetry.notes[0][1]["reason"] == "additionalInfo.remarks string too long"
    assert len(transport.sent) == 1
