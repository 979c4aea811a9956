"""The DOKU adapter over the real signing layer: what it sends, how long it waits, what it makes of answers."""

import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from direct_debit.adapters.doku import WORKER_READ_SECONDS, DokuAdapter
from direct_debit.application.errors import (
    B2BTokenRefused,
    CustomerActionRequired,
    CustomerTokenRefused,
    DirectDebitError,
    DokuSilent,
    NotDone,
    OutcomeUnknown,
    Rejected,
    RelinkRequired,
)
from direct_debit.application.ports.doku import Reply
from direct_debit.application.ports.doku_links import LinkRequest
from direct_debit.application.ports.doku_reads import RefundRecord
from doku_snap.errors import AnswerLost, ConnectionNotMade
from doku_snap.transport import HttpAnswer, HttpRequest
from tests.unit.adapters.doku_harness import PAGES, answer, deadline, doku_call, lose, make, payment

LINK = LinkRequest(
    phone="62857957868761",
    customer_id="CUST-1",
    success_url="https://api.example/return/1/success",
    failed_url="https://api.example/return/1/failed",
    email="customer@shop.example",
)

# Every call of the port, and whether it is a write.
CALLS: dict[str, tuple[Callable[[DokuAdapter], object], bool]] = {
    "request_b2b_token": (lambda doku: doku.request_b2b_token(deadline()), False),
    "exchange_auth_code": (lambda doku: doku.exchange_auth_code("1" * 40, deadline()), False),
    "refresh_customer_token": (lambda doku: doku.refresh_customer_token("refresh", deadline()), False),
    "inquire_balance": (lambda doku: doku.inquire_balance(doku_call()), False),
    "inquire_status": (lambda doku: doku.inquire_status(payment(), doku_call()), False),
    "bind_account": (lambda doku: doku.bind_account(LINK, doku_call()), True),
    "make_payment": (lambda doku: doku.make_payment(payment(), PAGES, doku_call()), True),
    "verify_payment_otp": (lambda doku: doku.verify_payment_otp(payment(), "123456", doku_call()), True),
    "refund_payment": (
        lambda doku: doku.refund_payment(payment(with_refund=True), "Customer complain", doku_call()),
        True,
    ),
    "unbind_account": (lambda doku: doku.unbind_account("customer-token", doku_call()), True),
    "verify_unbinding_otp": (lambda doku: doku.verify_unbinding_otp("customer-token", "123456", doku_call()), True),
}
READS = [name for name, (_, writes) in CALLS.items() if not writes]
WRITES = [name for name, (_, writes) in CALLS.items() if writes]


@pytest.mark.parametrize("name", CALLS)
def test_no_connection_means_not_done(name: str) -> None:
    doku, transport = make(lose(ConnectionNotMade("refused")))
    with pytest.raises(NotDone):
        CALLS[name][0](doku)
    assert len(transport.sent) == 1  # nothing is repeated here


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("kind", ["timeout", "reset", "truncated", "too_large", "redirect", "unparsable"])
def test_a_lost_answer_to_a_write_is_unknown(name: str, kind: str) -> None:
    doku, transport = make(lose(AnswerLost(kind)))
    with pytest.raises(OutcomeUnknown):
        CALLS[name][0](doku)
    assert len(transport.sent) == 1


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("status", "speaks"), [(400, False), (403, False), (413, False), (429, False), (200, True), (502, True)]
)
def test_a_page_that_refuses_a_request_says_nothing_of_doku(name: str, status: int, speaks: bool) -> None:
    """A firewall that minds one customer's text must not stop everybody: it is not the circuit's business."""
    doku, _ = make(lambda _: HttpAnswer(status, {}, b"<html>no</html>"))
    with pytest.raises(DirectDebitError) as caught:
        CALLS[name][0](doku)
    assert (isinstance(caught.value, DokuSilent) or getattr(caught.value, "silent", False)) is speaks
    assert isinstance(caught.value, OutcomeUnknown if CALLS[name][1] else NotDone)


@pytest.mark.parametrize("name", READS)
def test_a_lost_answer_to_a_read_is_not_done(name: str) -> None:
    doku, _ = make(lose(AnswerLost("timeout")))
    with pytest.raises(NotDone):
        CALLS[name][0](doku)


@pytest.mark.parametrize("name", WRITES)
def test_an_error_of_doku_on_a_write_is_unknown_with_its_code(name: str) -> None:
    def respond(request: HttpRequest) -> HttpAnswer:
        return answer(504, {"responseCode": _timeout_code(request.url)})(request)

    doku, _ = make(respond)
    with pytest.raises(OutcomeUnknown) as caught:
        CALLS[name][0](doku)
    assert (caught.value.code or "").startswith("504")


_SERVICES = {
    "binding": "07", "otp": "04", "payment": "54", "refund": "58", "unbinding": "09", "balance-inquiry": "11",
    "debit/status": "55", "access-token/b2b": "73", "access-token/b2b2c": "74",
}  # fmt: skip


def _service_code(url: str) -> str:
    return next(code for word, code in sorted(_SERVICES.items(), key=lambda it: -len(it[0])) if word in url)


def _timeout_code(url: str) -> str:
    return f"504{_service_code(url)}00"


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("make_payment", "54"),
        ("verify_payment_otp", "04"),
        ("refund_payment", "58"),
        ("bind_account", "07"),
        ("inquire_balance", "11"),
        ("inquire_status", "55"),
    ],
)
def test_refused_tokens_are_told_apart(name: str, service: str) -> None:
    for case, error in (
        ("01", B2BTokenRefused),
        ("03", B2BTokenRefused),
        ("02", CustomerTokenRefused),
        ("04", CustomerTokenRefused),
    ):
        doku, _ = make(answer(401, {"responseCode": f"401{service}{case}", "responseMessage": "x"}))
        with pytest.raises(error) as caught:
            CALLS[name][0](doku)
        assert caught.value.code == f"401{service}{case}"


@pytest.mark.parametrize("name", CALLS)
def test_the_secret_is_doubted_when_doku_does_not_take_our_signature(name: str) -> None:
    doubts: list[str] = []

    def refuse(request: HttpRequest) -> HttpAnswer:
        return answer(401, {"responseCode": f"401{_service_code(request.url)}00", "responseMessage": "x"})(request)

    doku, transport = make(refuse, doubt_keys=lambda: doubts.append("doubted"))
    # A token exchange may mean the customer's code by it too (contract 5: "on 74: CUST").
    expected = {"exchange_auth_code": RelinkRequired, "refresh_customer_token": RelinkRequired}
    with pytest.raises({"request_b2b_token": Rejected, **expected}.get(name, NotDone)):
        CALLS[name][0](doku)
    assert doubts == ["doubted"]
    assert len(transport.sent) == 1


@pytest.mark.parametrize("code", ["4015401", "4005401", "4035413", "5005400"])
def test_no_other_answer_casts_doubt_on_the_secret(code: str) -> None:
    doubts: list[str] = []
    doku, _ = make(answer(int(code[:3]), {"responseCode": code}), doubt_keys=lambda: doubts.append("doubted"))
    with contextlib.suppress(DirectDebitError):
        doku.make_payment(payment(), PAGES, doku_call())
    assert doubts == []


def test_a_token_that_is_gone_is_renewed_before_the_link_counts_as_gone() -> None:
    for code in ("4010902", "4010904", "4040911"):
        doku, _ = make(answer(int(code[:3]), {"responseCode": code}))
        with pytest.raises(CustomerTokenRefused):
            doku.unbind_account("customer-token", doku_call())


# --- what is sent ----------------------------------------------------------------------------------------------------


def test_a_payment_is_sent_as_recorded() -> None:
    doku, transport = make(answer(403, {"responseCode": "4035413", "responseMessage": "OTP Sent To Cardholder"}))
    result = doku.make_payment(payment(), PAGES, doku_call())
    assert (result.reply, result.code) == (Reply.OTP_REQUIRED, "4035413")
    request = transport.sent[0][0]
    assert json.loads(request.body) == {
        "partnerReferenceNo": "INV000000001",
        "amount": {"value": "10000.00", "currency": "IDR"},
        "additionalInfo": {
            "channel": "DIRECT_DEBIT_CIMB_SNAP",
            "remarks": "Order 4711",
            "successPaymentUrl": "https://shop.example/paid",
            "failedPaymentUrl": "https://shop.example/failed",
        },
    }
    assert request.headers["X-EXTERNAL-ID"] == "20260801071500123456789012"
    assert request.headers["Authorization-Customer"] == "Bearer customer-token"
    assert request.headers["X-DEVICE-ID"] == "device1"
    assert request.headers["X-IP-ADDRESS"] == "203.0.113.7"


def test_a_refund_is_sent_as_recorded() -> None:
    body = {
        "responseCode": "2005800",
        "refundNo": "9lCqroDiy27A",
        "refundTime": "2026-08-01T17:21:41+07:00",
        "partnerRefundNo": "RFD000000001",
    }
    doku, transport = make(answer(200, body))
    result = doku.refund_payment(payment(with_refund=True), "Customer complain", doku_call())
    assert result.reply is Reply.DONE
    assert result.reference == "9lCqroDiy27A"
    assert result.time == datetime(2026, 8, 1, 10, 21, 41, tzinfo=UTC)
    assert json.loads(transport.sent[0][0].body) == {
        "originalPartnerReferenceNo": "INV000000001",
        "originalExternalId": "20260801071400123456789012",
        "partnerRefundNo": "RFD000000001",
        "refundAmount": {"value": "10000.00", "currency": "IDR"},
        "reason": "Customer complain",
        "additionalInfo": {"channel": "DIRECT_DEBIT_CIMB_SNAP"},
    }


def test_the_otp_goes_with_our_own_reference() -> None:
    doku, transport = make(answer(404, {"responseCode": "4040415"}))
    assert doku.verify_payment_otp(payment(), "000000", doku_call()).reply is Reply.OTP_WRONG
    body = json.loads(transport.sent[0][0].body)
    assert body["originalPartnerReferenceNo"] == "INV000000001"
    assert body["action"] == "otpPayment"
    assert body["additionalInfo"]["bankCardToken"] == "customer-token"


def test_an_unbinding_is_confirmed_by_the_token_that_goes() -> None:
    doku, transport = make(answer(200, {"responseCode": "2000400"}))
    assert doku.verify_unbinding_otp("old-token", "123456", doku_call()).reply is Reply.DONE
    body = json.loads(transport.sent[0][0].body)
    assert "originalPartnerReferenceNo" not in body
    assert body["action"] == "otpUnbind"
    assert body["additionalInfo"]["bankCardToken"] == "old-token"


# --- answers ---------------------------------------------------------------------------------------------------------


def test_a_link_gives_page_and_auth_code() -> None:
    page = "https://sandbox.doku.com/direct-debit/ui/binding/core/2238"
    doku, _ = make(
        answer(200, {"responseCode": "2000700", "redirectUrl": page, "additionalInfo": {"authCode": "2238"}})
    )
    started = doku.bind_account(LINK, doku_call())
    assert (started.code, started.redirect_url, started.auth_code) == ("2000700", page, "2238")
    assert "2238" not in repr(started)


@pytest.mark.parametrize(
    "page", ["javascript:alert(1)", "ftp://doku.example/x", "https://", "x" * 3000, "https://a b/", 7]
)
def test_a_page_that_no_browser_should_open_is_dropped(page: object) -> None:
    doku, _ = make(answer(200, {"responseCode": "2000700", "redirectUrl": page}))
    assert doku.bind_account(LINK, doku_call()).redirect_url is None


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("4030715", Rejected),
        ("4000702", Rejected),
        ("4030718", CustomerActionRequired),
        ("4040711", CustomerActionRequired),
        ("4030706", NotDone),
        ("4010700", NotDone),
        ("4290700", NotDone),
        ("2020700", OutcomeUnknown),
        ("4030713", OutcomeUnknown),
        ("4090700", OutcomeUnknown),
        ("5000700", OutcomeUnknown),
    ],
)
def test_a_refused_link(code: str, error: type[DirectDebitError]) -> None:
    doku, _ = make(answer(int(code[:3]), {"responseCode": code}))
    with pytest.raises(error) as caught:
        doku.bind_account(LINK, doku_call())
    assert caught.value.code == code


def test_a_repeated_first_answer_under_409_counts_by_its_body() -> None:
    doku, _ = make(answer(409, {"responseCode": "4035413"}))
    assert doku.make_payment(payment(), PAGES, doku_call()).reply is Reply.OTP_REQUIRED


def test_status_with_refunds() -> None:
    body = {
        "responseCode": "2005500",
        "latestTransactionStatus": "00",
        "originalResponseCode": "2005400",
        "originalReferenceNo": "D1",
        "transAmount": {"value": "10000.00", "currency": "IDR"},
        "refundHistory": [
            {"partnerRefundNo": "RFD000000001", "refundStatus": "00", "refundNo": "R9"},
            {"partnerReferenceNo": "INV000000001", "refundStatus": "03"},
            {"partnerReferenceNo": "OTHER", "refundStatus": "77"},
        ],
    }
    doku, transport = make(answer(200, body))
    result = doku.inquire_status(payment(with_refund=True), doku_call())
    assert (result.status, result.code, result.original_code, result.reference) == ("00", "2005500", "2005400", "D1")
    assert result.refunds == (
        RefundRecord("RFD000000001", "00", "R9"),
        RefundRecord("RFD000000001", "03", None),  # without a number of its own: there is one refund per payment
        RefundRecord("OTHER", "03", None),  # a status that nobody knows is not final
    )
    sent = json.loads(transport.sent[0][0].body)
    # Our reference alone: a further one that differs at DOKU would make "not found" of a payment that is there.
    assert sent == {
        "originalPartnerReferenceNo": "INV000000001",
        "serviceCode": "54",
        "amount": {"value": "10000.00", "currency": "IDR"},
        "additionalInfo": {"channel": "DIRECT_DEBIT_CIMB_SNAP"},
    }


@pytest.mark.parametrize(
    "body", [{"responseCode": "4045501"}, {"responseCode": "2005500", "latestTransactionStatus": "07"}]
)
def test_both_ways_to_say_not_found_are_one(body: dict[str, str]) -> None:
    doku, _ = make(answer(404 if body["responseCode"].startswith("404") else 200, body))
    assert doku.inquire_status(payment(), doku_call()).status == "07"


@pytest.mark.parametrize("status", ["99", "", None, 0])
def test_a_status_that_nobody_knows_is_no_answer(status: object) -> None:
    doku, _ = make(answer(200, {"responseCode": "2005500", "latestTransactionStatus": status}))
    with pytest.raises(NotDone):
        doku.inquire_status(payment(), doku_call())


def test_an_amount_in_another_currency_is_not_taken_for_rupiah() -> None:
    body = {
        "responseCode": "2005500",
        "latestTransactionStatus": "00",
        "transAmount": {"value": "10000.00", "currency": "USD"},
    }
    doku, _ = make(answer(200, body))
    with pytest.raises(NotDone):
        doku.inquire_status(payment(), doku_call())


def test_balance() -> None:
    infos = [
        {"balanceType": "Cash", "availableBalance": {"value": "150000.00", "currency": "IDR"}},
        {"amount": {"value": "10.00", "currency": "IDR"}, "holdAmount": {"value": "4.00", "currency": "IDR"}},
        {"balanceType": "Unreadable"},
    ]
    doku, _ = make(answer(201, {"responseCode": "2011100", "accountInfos": infos}))
    balances = doku.inquire_balance(doku_call())
    assert [(line.type, line.amount, line.currency) for line in balances] == [
        ("Cash", "150000.00", "IDR"),
        (None, "6.00", "IDR"),
    ]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("4031118", CustomerActionRequired),
        ("4031105", Rejected),
        ("4001101", Rejected),
        ("4031106", NotDone),
        ("4291100", NotDone),
        ("5041100", NotDone),
        ("9999999", NotDone),
    ],
)
def test_a_refused_balance(code: str, error: type[DirectDebitError]) -> None:
    doku, _ = make(answer(200, {"responseCode": code}))
    with pytest.raises(error) as caught:
        doku.inquire_balance(doku_call())
    assert caught.value.code == code


def test_tokens() -> None:
    doku, _ = make(answer(200, {"responseCode": "2007300", "accessToken": "t0ken", "expiresIn": "900"}))
    issued = doku.request_b2b_token(deadline())
    assert (issued.token, issued.expires_in, issued.signed_with) == ("t0ken", 900, doku.key_id())
    body = {
        "responseCode": "2007400",
        "accessToken": "cust",
        "accessTokenExpiryTime": "2026-08-16T07:15:00+07:00",
        "refreshToken": "again",
    }
    doku, _ = make(answer(200, body))
    tokens = doku.exchange_auth_code("1" * 40, deadline())
    assert tokens.access_token == "cust"
    assert tokens.access_expires_at == datetime(2026, 8, 16, 0, 15, tzinfo=UTC)
    assert (tokens.refresh_token, tokens.refresh_expires_at) == ("again", None)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("4017400", RelinkRequired),
        ("4017402", RelinkRequired),
        ("4037405", RelinkRequired),
        ("4007401", NotDone),  # our own mistake must not unlink anybody
        ("5007400", NotDone),
        ("4297400", NotDone),
    ],
)
def test_a_refused_token_exchange(code: str, error: type[DirectDebitError]) -> None:
    doku, _ = make(answer(int(code[:3]), {"responseCode": code}))
    with pytest.raises(error) as caught:
        doku.exchange_auth_code("1" * 40, deadline())
    assert caught.value.code == code


@pytest.mark.parametrize(("code", "error"), [("4017300", Rejected), ("4007302", Rejected), ("5007300", NotDone)])
def test_a_refused_b2b_token(code: str, error: type[DirectDebitError]) -> None:
    doku, _ = make(answer(int(code[:3]), {"responseCode": code}))
    with pytest.raises(error):
        doku.request_b2b_token(deadline())


# --- the time budget -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "read_seconds", "left", "read"),
    [
        ("make_payment", WORKER_READ_SECONDS, 28.0, 20.0),
        ("make_payment", WORKER_READ_SECONDS, 60.0, 30.0),
        ("refund_payment", WORKER_READ_SECONDS, 20.0, 12.0),
        ("inquire_status", WORKER_READ_SECONDS, 60.0, 15.0),
        ("request_b2b_token", WORKER_READ_SECONDS, 28.0, 15.0),
    ],
)
def test_timeouts_come_from_the_deadline(name: str, read_seconds: float, left: float, read: float) -> None:
    doku, transport = make(lose(ConnectionNotMade("refused")), read_seconds=read_seconds)
    calls: dict[str, Callable[[], object]] = {
        "make_payment": lambda: doku.make_payment(payment(), PAGES, doku_call(left)),
        "refund_payment": lambda: doku.refund_payment(payment(with_refund=True), "Customer complain", doku_call(left)),
        "inquire_status": lambda: doku.inquire_status(payment(), doku_call(left)),
        "request_b2b_token": lambda: doku.request_b2b_token(deadline(left)),
    }
    with pytest.raises(NotDone):
        calls[name]()
    timeout = transport.sent[0][1]
    assert timeout.read == pytest.approx(read)
    assert timeout.connect <= 5
    assert timeout.connect + timeout.read <= left - 3 + 1e-9


@pytest.mark.parametrize("left", [0.0, 3.0, 5.9])
def test_too_little_time_sends_nothing(left: float) -> None:
    doku, transport = make(answer(200, {"responseCode": "2005400"}))
    with pytest.raises(NotDone):
        doku.make_payment(payment(), PAGES, doku_call(left))
    assert transport.sent == []
