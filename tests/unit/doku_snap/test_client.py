"""What goes out for each operation, and what comes back of answers that are not as documented."""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doku_snap.answers import Answer, read_answer
from doku_snap.client import Call, DokuClient
from doku_snap.errors import AnswerLost, InvalidMessage
from doku_snap.messages.account_binding import AccountBinding, AccountBindingRequest
from doku_snap.messages.account_unbinding import AccountUnbinding, AccountUnbindingRequest
from doku_snap.messages.b2b_token import B2bToken
from doku_snap.messages.balance_inquiry import BalanceInquiry, BalanceInquiryRequest
from doku_snap.messages.base import Amount, AnswerMessage
from doku_snap.messages.customer_token import CustomerToken
from doku_snap.messages.otp_verification import OtpPurpose, OtpVerification, OtpVerificationRequest
from doku_snap.messages.payment import Payment, PaymentRequest
from doku_snap.messages.refund import Refund, RefundRequest
from doku_snap.messages.status import Status, StatusRequest
from doku_snap.operations import Operation
from doku_snap.response_codes import AnswerClass
from doku_snap.settings import PRODUCTION_URL, ClientSettings
from doku_snap.signing import verify_symmetric
from doku_snap.ties import Question
from doku_snap.transport import HttpAnswer, HttpRequest
from tests.unit.doku_snap.support import (
    NOW,
    TIMEOUT,
    RecordingTransport,
    call,
    client,
    json_answer,
    keys,
    token_client,
)

OK = json_answer(200, {"responseCode": "2005400", "responseMessage": "Successful"})
AMOUNT = Amount(value="10000.00")
PAYMENT = PaymentRequest(
    partner_reference_no="INV0001",
    amount=AMOUNT,
    remarks="Order 1",
    success_payment_url="https://shop.example.com/ok",
    failed_payment_url="https://shop.example.com/no",
)
BINDING = AccountBindingRequest(
    phone_no="62857957868761",
    cust_id_merchant="CUST-1",
    success_registration_url="https://shop.example.com/ok",
    failed_registration_url="https://shop.example.com/no",
)
OTP = OtpVerificationRequest(
    purpose=OtpPurpose.PAYMENT, original_partner_reference_no="INV0001", otp="123456", bank_card_token="customer-token"
)
REFUND = RefundRequest(original_partner_reference_no="INV0001", partner_refund_no="RF1", refund_amount=AMOUNT)
SENDERS: dict[str, Callable[[DokuClient, Call], Answer[Any]]] = {
    "bind": lambda doku, how: doku.bind_account(BINDING, how),
    "otp": lambda doku, how: doku.verify_otp(OTP, how),
    "balance": lambda doku, how: doku.inquire_balance(BalanceInquiryRequest(), how),
    "pay": lambda doku, how: doku.make_payment(PAYMENT, how),
    "status": lambda doku, how: doku.inquire_status(StatusRequest(original_partner_reference_no="INV0001"), how),
    "refund": lambda doku, how: doku.refund_payment(REFUND, how),
    "unbind": lambda doku, how: doku.unbind_account(AccountUnbindingRequest(token_id="customer-token"), how),
}
ALWAYS = {
    "Content-Type",
    "Authorization",
    "X-TIMESTAMP",
    "X-SIGNATURE",
    "X-PARTNER-ID",
    "X-EXTERNAL-ID",
    "CHANNEL-ID",
    "X-IP-ADDRESS",
}


def sent_by(name: str, settings: ClientSettings | None = None, **parts: str) -> HttpRequest:
    transport = RecordingTransport(OK)
    SENDERS[name](client(transport, settings), call(customer_token="customer-token", **parts))
    [request] = transport.sent
    return request


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("bind", {"X-DEVICE-ID"}),
        ("otp", {"X-DEVICE-ID", "Authorization-Customer"}),
        ("balance", {"Authorization-Customer"}),
        ("pay", {"X-DEVICE-ID", "Authorization-Customer"}),
        ("status", set()),
        ("refund", {"X-DEVICE-ID", "Authorization-Customer"}),
        ("unbind", set()),
    ],
)
def test_headers_are_those_of_the_contract(name: str, more: set[str]) -> None:
    request = sent_by(name, device_id="abc123", ip_address="192.168.23.23")
    assert set(request.headers) == ALWAYS | more
    assert request.headers["Authorization"] == f"Bearer {keys()['b2bAccessToken']}"
    assert request.headers.get("Authorization-Customer", "Bearer customer-token") == "Bearer customer-token"
    assert request.headers["X-PARTNER-ID"] == keys()["clientId"]
    assert request.headers["X-TIMESTAMP"] == "2024-11-19T07:15:00Z"
    assert request.headers["CHANNEL-ID"] == "H2H"


@pytest.mark.parametrize("name", SENDERS)
def test_what_is_not_known_is_not_sent(name: str) -> None:
    request = sent_by(name, ClientSettings(channel_id=None))
    assert not {"X-DEVICE-ID", "X-IP-ADDRESS", "CHANNEL-ID"} & set(request.headers)
    assert b"null" not in request.body


@pytest.mark.parametrize("name", SENDERS)
@pytest.mark.parametrize("paths", ["core", "legacy"])
def test_what_is_sent_is_what_is_signed(name: str, paths: Literal["core", "legacy"]) -> None:
    settings = ClientSettings(base_url="https://proxy.example.com/doku/", paths=paths)
    request = sent_by(name, settings)
    path = request.url.removeprefix("https://proxy.example.com")
    assert path.startswith("/doku/")
    assert verify_symmetric(
        request.headers["X-SIGNATURE"],
        keys()["secretKey"],
        method=request.method,
        path=path,
        b2b_token=keys()["b2bAccessToken"],
        body=request.body,
        timestamp=request.headers["X-TIMESTAMP"],
    )


@pytest.mark.parametrize("name", ["balance", "pay", "refund"])
def test_nothing_is_sent_without_the_customer_token_where_it_is_mandatory(name: str) -> None:
    transport = RecordingTransport(OK)
    with pytest.raises(InvalidMessage) as refused:
        SENDERS[name](client(transport), call())
    assert refused.value.field == "Authorization-Customer"
    assert transport.sent == []


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("balance", b'{"bankCardToken":"customer-token"}'),
        (
            "refund",
            (
                b'{"originalPartnerReferenceNo":"INV0001","partnerRefundNo":"RF1",'
                b'"refundAmount":{"value":"10000.00","currency":"IDR"},"additionalInfo":{"bankCardToken":"customer-token"}}'
            ),
        ),
        (
            "pay",
            (
                b'{"partnerReferenceNo":"INV0001","amount":{"value":"10000.00","currency":"IDR"},'
                b'"bankCardToken":"customer-token","additionalInfo":{"remarks":"Order 1",'
                b'"successPaymentUrl":"https://shop.example.com/ok","failedPaymentUrl":"https://shop.example.com/no"}}'
            ),
        ),
    ],
)
def test_the_legacy_form_carries_the_customer_token_in_the_body(name: str, body: bytes) -> None:
    request = sent_by(name, ClientSettings(paths="legacy"))
    assert request.body == body
    assert "Authorization-Customer" not in request.headers


@pytest.mark.parametrize(
    ("settings", "field", "payment", "unbinding"),
    [
        (ClientSettings(), "action", "otpPayment", "otpUnbind"),
        (ClientSettings(paths="legacy"), "type", "PAYMENT", "UNBINDING"),
        (ClientSettings(otp_field="type"), "type", "PAYMENT", "UNBINDING"),
        (ClientSettings(paths="legacy", otp_field="action"), "action", "otpPayment", "otpUnbind"),
        (ClientSettings(otp_payment_value="pay", otp_unbinding_value="card"), "action", "pay", "card"),
    ],
)
def test_the_otp_discriminator_is_a_setting(settings: ClientSettings, field: str, payment: str, unbinding: str) -> None:
    transport = RecordingTransport(OK)
    doku = client(transport, settings)
    doku.verify_otp(OTP, call())
    doku.verify_otp(OtpVerificationRequest(purpose=OtpPurpose.UNBINDING, otp="123456", bank_card_token="t"), call())
    assert f'"otp":"123456","{field}":"{payment}"'.encode() in transport.sent[0].body
    assert transport.sent[1].body.startswith(f'{{"otp":"123456","{field}":"{unbinding}"'.encode())


def test_the_status_service_code_is_a_setting_and_a_request_may_override_it() -> None:
    assert b'"serviceCode":"54"' in sent_by("status").body
    assert b'"serviceCode":"55"' in sent_by("status", ClientSettings(status_service_code="55")).body
    transport = RecordingTransport(OK)
    client(transport).inquire_status(StatusRequest(original_partner_reference_no="A", service_code="58"), call())
    assert b'"serviceCode":"58"' in transport.sent[0].body


def test_the_skew_is_subtracted() -> None:
    settings = ClientSettings(timestamp_skew_seconds=2)
    assert sent_by("status", settings).headers["X-TIMESTAMP"] == "2024-11-19T07:14:58Z"
    transport = RecordingTransport(json_answer(200, {"responseCode": "2007300", "accessToken": "t"}))
    token_client(transport, settings).request_b2b_token(TIMEOUT)
    assert transport.sent[0].headers["X-TIMESTAMP"] == "2024-11-19T07:14:58Z"


def test_the_environment_is_a_setting() -> None:
    request = sent_by("pay", ClientSettings(base_url=PRODUCTION_URL))
    assert request.url == "https://api.doku.com/direct-debit/core/v1/debit/payment-host-to-host"


def test_the_answer_says_when_it_came() -> None:
    moments = iter([NOW, NOW + timedelta(seconds=3)])
    answer = SENDERS["pay"](client(RecordingTransport(OK), clock=lambda: next(moments)), call(customer_token="t"))
    assert answer.received_at == datetime(2024, 11, 19, 7, 15, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("parts", "header"),
    [
        ({"external_id": ""}, "X-EXTERNAL-ID"),
        ({"external_id": "1" * 37}, "X-EXTERNAL-ID"),
        ({"external_id": "12a"}, "X-EXTERNAL-ID"),
        ({"external_id": "\uff11\uff12"}, "X-EXTERNAL-ID"),
        ({"customer_token": "a b"}, "Authorization-Customer"),
        ({"customer_token": "a\r\nX: y"}, "Authorization-Customer"),
        ({"customer_token": "x" * 2049}, "Authorization-Customer"),
        ({"customer_token": ""}, "Authorization-Customer"),
        ({"device_id": "a-b"}, "X-DEVICE-ID"),
        ({"device_id": "a" * 65}, "X-DEVICE-ID"),
        ({"ip_address": "::1"}, "X-IP-ADDRESS"),
        ({"ip_address": "256.1.1.1"}, "X-IP-ADDRESS"),
    ],
)
def test_a_call_that_cannot_be_sent_cannot_be_made(parts: dict[str, str], header: str) -> None:
    with pytest.raises(InvalidMessage) as refused:
        call(**parts)
    assert refused.value.field == header


@pytest.mark.parametrize("token", ["", "a b", "x" * 2049, "é"])
def test_a_b2b_token_that_cannot_be_one(token: str) -> None:
    with pytest.raises(InvalidMessage) as refused:
        Call(b2b_token=token, external_id="1", timeout=TIMEOUT)
    assert refused.value.field == "Authorization"


@pytest.mark.parametrize("name", SENDERS)
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (HttpAnswer(302, {"location": "https://elsewhere.example.com"}, b'{"responseCode":"2005400"}'), "redirect"),
        (HttpAnswer(307, {}, b""), "redirect"),
        (HttpAnswer(200, {}, b""), "unparsable"),
        (HttpAnswer(502, {}, b"<html>Bad Gateway</html>"), "unparsable"),
        (HttpAnswer(200, {}, b'{"responseCode":"2005400"'), "unparsable"),
        (HttpAnswer(200, {}, b'["2005400"]'), "unparsable"),
        (HttpAnswer(200, {}, b'{"responseCode":NaN}'), "unparsable"),
        (HttpAnswer(200, {}, b"\xff{}"), "unparsable"),
        (HttpAnswer(200, {}, b"[" * 100_000), "unparsable"),
    ],
)
def test_an_answer_that_cannot_be_read_is_lost(name: str, answer: HttpAnswer, kind: str) -> None:
    with pytest.raises(AnswerLost) as lost:
        SENDERS[name](client(RecordingTransport(answer)), call(customer_token="t"))
    assert (lost.value.kind, lost.value.http_status) == (kind, answer.status)


@pytest.mark.parametrize("code", [None, "", 12.5, True, {"a": 1}, ["2005400"], "200 5400", "x" * 500])
def test_an_answer_without_a_code_is_unknown(code: object) -> None:
    transport = RecordingTransport(json_answer(200, {"responseCode": code}))
    answer = SENDERS["pay"](client(transport), call(customer_token="t"))
    assert answer.code is None
    assert answer.classification.answer_class is AnswerClass.CHECK


def test_a_code_as_a_number_and_an_eight_digit_code_are_read() -> None:
    number = RecordingTransport(json_answer(403, {"responseCode": 4035413}))
    eight = RecordingTransport(json_answer(200, {"responseCode": "20054000"}))
    assert SENDERS["pay"](client(number), call(customer_token="t")).classification.answer_class is AnswerClass.OTP
    answer = SENDERS["pay"](client(eight), call(customer_token="t"))
    assert (answer.code, answer.classification.answer_class) == ("20054000", AnswerClass.CHECK)


@pytest.mark.parametrize("code", ["4035413 ", " 4035413", "\t4035413\r\n", 4035413, 4035413.0])
def test_a_code_is_read_through_blanks_and_as_a_number(code: object) -> None:
    transport = RecordingTransport(json_answer(403, {"responseCode": code}))
    answer = SENDERS["pay"](client(transport), call(customer_token="t"))
    assert (answer.code, answer.classification.answer_class) == ("4035413", AnswerClass.OTP)


@pytest.mark.parametrize("code", ["1E+999999999", "4035413.5", "-4035413.0", "1E+16"])
def test_another_number_is_no_code(code: str) -> None:
    transport = RecordingTransport(HttpAnswer(403, {}, b'{"responseCode":' + code.encode() + b"}"))
    assert SENDERS["pay"](client(transport), call(customer_token="t")).code is None


def test_a_byte_order_mark_does_not_hide_an_answer() -> None:
    transport = RecordingTransport(HttpAnswer(403, {}, b'\xef\xbb\xbf{"responseCode":"4035413"}'))
    assert SENDERS["pay"](client(transport), call(customer_token="t")).code == "4035413"


def test_a_bad_byte_spoils_the_text_that_it_stands_in_and_no_other() -> None:
    raw = b'{"responseCode":"4035413","responseMessage":"Pembayaran \xe9","referenceNo":"D\xff1","x\xe2":1}'
    answer = SENDERS["pay"](client(RecordingTransport(HttpAnswer(403, {}, raw))), call(customer_token="t"))
    assert (answer.code, answer.message) == ("4035413", "Pembayaran \ufffd")
    assert answer.body is not None
    assert answer.body.reference_no == "D\ufffd1"  # no reference of DOKU's: it equals none and is never stored
    spoilt = HttpAnswer(403, {}, b'{"responseCode":"403541\xe9","responseMessage":"x"}')
    assert SENDERS["pay"](client(RecordingTransport(spoilt)), call(customer_token="t")).code is None


def test_a_message_can_be_printed() -> None:
    transport = RecordingTransport(json_answer(200, {"responseCode": "2005400", "responseMessage": "a\ud800b"}))
    assert SENDERS["pay"](client(transport), call(customer_token="t")).message == "a?b"


def test_a_token_answer_without_a_token_has_no_body() -> None:
    transport = RecordingTransport(json_answer(200, {"responseCode": "2007300", "responseMessage": "Successful"}))
    assert token_client(transport).request_b2b_token(TIMEOUT).body is None


@pytest.mark.parametrize("bad", ["", "a b", "x" * 257, "é"])
def test_an_auth_code_that_cannot_be_one_is_not_sent(bad: str) -> None:
    transport = RecordingTransport(OK)
    with pytest.raises(InvalidMessage) as refused:
        token_client(transport).exchange_auth_code(bad, TIMEOUT)
    assert refused.value.field == "authCode"
    assert transport.sent == []


BODY_TYPES: dict[Operation, type[AnswerMessage]] = {
    Operation.REQUEST_B2B_TOKEN: B2bToken,
    Operation.REQUEST_CUSTOMER_TOKEN: CustomerToken,
    Operation.BIND_ACCOUNT: AccountBinding,
    Operation.VERIFY_OTP: OtpVerification,
    Operation.INQUIRE_BALANCE: BalanceInquiry,
    Operation.MAKE_PAYMENT: Payment,
    Operation.INQUIRE_STATUS: Status,
    Operation.REFUND_PAYMENT: Refund,
    Operation.UNBIND_ACCOUNT: AccountUnbinding,
}
WIRE_NAMES = [
    *("responseCode", "responseMessage", "additionalInfo", "accountInfos", "amount", "value", "currency", "holdAmount"),
    *("availableBalance", "refundHistory", "refundStatus", "refundDate", "latestTransactionStatus", "paidTime"),
    *("accessToken", "expiresIn", "accessTokenExpiryTime", "refreshToken", "status", "authCode", "referenceNo"),
    *("transAmount", "refundAmount", "refundTime", "redirectUrl", "reason", "serviceCode"),
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["IDR", "1.5", "00", "0001-01-01"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WIRE_NAMES) | st.text(), inner, max_size=5)
    ),
    max_leaves=25,
)


@given(st.dictionaries(st.sampled_from(WIRE_NAMES), JSON), st.integers(200, 599), st.sampled_from(Operation))
def test_no_json_crashes_a_reader(fields: dict[str, object], status: int, operation: Operation) -> None:
    try:
        answer = read_answer(json_answer(status, fields), Question(operation=operation), BODY_TYPES[operation], NOW)
    except AnswerLost:
        return
    if isinstance(answer.body, BalanceInquiry):
        assert answer.body.available is None or answer.body.available.decimal >= 0
    if isinstance(answer.body, Status):
        assert all(item.status is None or item.refund_status for item in answer.body.refund_history)
        assert answer.body.transaction_status is None or answer.body.latest_transaction_status is not None


@given(st.binary(), st.integers(100, 599), st.sampled_from(Operation))
def test_no_bytes_crash_a_reader(body: bytes, status: int, operation: Operation) -> None:
    with contextlib.suppress(AnswerLost):
        read_answer(HttpAnswer(status, {}, body), Question(operation=operation), BODY_TYPES[operation], NOW)
