"""Limits of what we send, tolerance for what we receive (contract section 3)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from doku_snap.errors import InvalidMessage
from doku_snap.messages.account_binding import AccountBinding, AccountBindingRequest
from doku_snap.messages.account_unbinding import AccountUnbinding, AccountUnbindingRequest
from doku_snap.messages.b2b_token import B2bToken
from doku_snap.messages.balance_inquiry import BalanceInquiry
from doku_snap.messages.base import Amount, ReceivedAmount, RequestMessage, parse_lenient_datetime
from doku_snap.messages.customer_token import CustomerToken, CustomerTokenRequest
from doku_snap.messages.otp_verification import OtpPurpose, OtpVerificationRequest
from doku_snap.messages.payment import PaymentRequest
from doku_snap.messages.refund import Refund, RefundRequest
from doku_snap.messages.status import Status, StatusRequest
from doku_snap.statuses import RefundStatus, TransactionStatus

GOOD: dict[type[RequestMessage], dict[str, Any]] = {
    AccountBindingRequest: {
        "phone_no": "62857957868761",
        "cust_id_merchant": "CUST-1",
        "success_registration_url": "https://a.example/ok",
        "failed_registration_url": "https://a.example/no",
    },
    PaymentRequest: {
        "partner_reference_no": "INV1",
        "amount": Amount(value="1.00"),
        "remarks": "Order",
        "success_payment_url": "https://a.example/ok",
        "failed_payment_url": "http://localhost/no",
    },
    OtpVerificationRequest: {
        "purpose": OtpPurpose.PAYMENT,
        "original_partner_reference_no": "INV1",
        "otp": "123456",
        "bank_card_token": "t",
    },
    StatusRequest: {"original_partner_reference_no": "INV1"},
    RefundRequest: {
        "original_partner_reference_no": "INV1",
        "partner_refund_no": "RF1",
        "refund_amount": Amount(value="1.00"),
    },
    AccountUnbindingRequest: {"token_id": "t"},
    CustomerTokenRequest: {"grant_type": "authorization_code", "auth_code": "a"},
}
PHONE_LIMITS = ["6285795", "1" * 17, "+6285795786", "62 857957868", "٦٢٨٥٧٩٥٧٨٦", 62857957868761]
REFERENCE_LIMITS = ["", "x" * 65, "a b", "a\n", "é", 1, None]
URL_LIMITS = ["", "ftp://a.example", "https://", "https://a b", "https://a.example/" + "x" * 2048, "javascript:x"]
LIMITS: list[tuple[type[RequestMessage], str, str, list[Any]]] = [
    (AccountBindingRequest, "phone_no", "phoneNo", PHONE_LIMITS),
    (AccountBindingRequest, "cust_id_merchant", "additionalInfo.custIdMerchant", ["", "x" * 65, "a\tb", None]),
    (AccountBindingRequest, "customer_name", "additionalInfo.customerName", ["", "x" * 71, "a\nb", "\ud800"]),
    (AccountBindingRequest, "email", "additionalInfo.email", ["", "x" * 65]),
    (AccountBindingRequest, "id_card", "additionalInfo.idCard", ["", "x" * 21]),
    (AccountBindingRequest, "country", "additionalInfo.country", ["", "x" * 61]),
    (AccountBindingRequest, "address", "additionalInfo.address", ["", "x" * 256]),
    (AccountBindingRequest, "date_of_birth", "additionalInfo.dateOfBirth", ["1990121", "199012122", "1990-12-12"]),
    (AccountBindingRequest, "success_registration_url", "additionalInfo.successRegistrationUrl", URL_LIMITS),
    (AccountBindingRequest, "failed_registration_url", "additionalInfo.failedRegistrationUrl", URL_LIMITS),
    (PaymentRequest, "partner_reference_no", "partnerReferenceNo", REFERENCE_LIMITS),
    (PaymentRequest, "amount", "amount", [None, "1.00"]),
    (PaymentRequest, "remarks", "additionalInfo.remarks", ["", "x" * 41, "é", "a\nb", None]),
    (PaymentRequest, "success_payment_url", "additionalInfo.successPaymentUrl", URL_LIMITS),
    (PaymentRequest, "failed_payment_url", "additionalInfo.failedPaymentUrl", URL_LIMITS),
    (OtpVerificationRequest, "original_partner_reference_no", "originalPartnerReferenceNo", REFERENCE_LIMITS),
    (OtpVerificationRequest, "otp", "otp", ["", "123456789", "12a456", "\uff11\uff12\uff13\uff14\uff15\uff16", 123456]),
    (OtpVerificationRequest, "bank_card_token", "additionalInfo.bankCardToken", ["", "x" * 2049, "a b"]),
    (OtpVerificationRequest, "purpose", "purpose", ["payment", None]),
    (StatusRequest, "original_partner_reference_no", "originalPartnerReferenceNo", REFERENCE_LIMITS),
    (StatusRequest, "original_external_id", "originalExternalId", ["", "1" * 37, "a"]),
    (StatusRequest, "service_code", "serviceCode", ["5", "544", "ab"]),
    (RefundRequest, "original_partner_reference_no", "originalPartnerReferenceNo", REFERENCE_LIMITS),
    (RefundRequest, "partner_refund_no", "partnerRefundNo", REFERENCE_LIMITS),
    (RefundRequest, "original_external_id", "originalExternalId", ["", "1" * 37, "a"]),
    (RefundRequest, "reason", "reason", ["x" * 256, "a\x00"]),
    (AccountUnbindingRequest, "token_id", "tokenId", ["", "x" * 2049, "a b", None]),
    (CustomerTokenRequest, "auth_code", "authCode", ["", "x" * 257, None]),
    (CustomerTokenRequest, "refresh_token", "refreshToken", ["x" * 513, "beside-the-auth-code"]),
    (CustomerTokenRequest, "grant_type", "grantType", ["client_credentials", None]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("request_type", "name", "field", "value"),
    [(request_type, name, field, value) for request_type, name, field, values in LIMITS for value in values],
)
def test_what_breaks_a_limit_names_the_wire_field_and_not_the_value(
    request_type: type[RequestMessage], name: str, field: str, value: object
) -> None:
    with pytest.raises(InvalidMessage) as refused:
        request_type(**(GOOD[request_type] | {name: value}))
    assert refused.value.field == field
    assert refused.value.__context__ is None
    if isinstance(value, str) and len(value) > 2:
        assert value not in str(refused.value)


@pytest.mark.parametrize(
    ("request_type", "name", "value"),
    [
        (AccountBindingRequest, "phone_no", "123456789"),
        (AccountBindingRequest, "phone_no", "1" * 16),
        (AccountBindingRequest, "cust_id_merchant", "x" * 64),
        (AccountBindingRequest, "customer_name", "Ñusá 東京 😀"),
        (AccountBindingRequest, "address", "x" * 255),
        (PaymentRequest, "partner_reference_no", "x"),
        (PaymentRequest, "partner_reference_no", "x" * 64),
        (PaymentRequest, "remarks", "x" * 40),
        (PaymentRequest, "success_payment_url", "HTTPS://shop.example/paid"),
        (PaymentRequest, "remarks", "A&B <promo> 'x' = 5"),
        (RefundRequest, "partner_refund_no", "x" * 64),
        (RefundRequest, "reason", ""),
        (RefundRequest, "reason", "x" * 255),
        (RefundRequest, "original_external_id", "1" * 36),
        (AccountUnbindingRequest, "token_id", "x" * 2048),
        (OtpVerificationRequest, "otp", "12345678"),
    ],
)
def test_the_limits_themselves_are_allowed(request_type: type[RequestMessage], name: str, value: str) -> None:
    assert getattr(request_type(**(GOOD[request_type] | {name: value})), name) == value


@pytest.mark.parametrize("request_type", GOOD)
def test_a_field_that_is_not_of_the_message_is_refused(request_type: type[RequestMessage]) -> None:
    with pytest.raises(InvalidMessage) as refused:
        request_type(**(GOOD[request_type] | {"surprise": "x"}))
    assert refused.value.field == "surprise"


@pytest.mark.parametrize("value", ["0.00", "10000.00", "9999999999999999.99"])
def test_amounts_with_two_decimals(value: str) -> None:
    assert Amount(value=value).model_dump() == {"value": value, "currency": "IDR"}


@pytest.mark.parametrize(
    "value",
    ["", "1", "1.0", "1.000", "-1.00", "+1.00", "1,000.00", ".00", "12345678901234567.00", "1.00\n", "\uff11.00", 1.0],
)
def test_other_amounts_are_refused(value: object) -> None:
    with pytest.raises(InvalidMessage) as refused:
        Amount(value=value)  # type: ignore[arg-type]  # what the test is about
    assert refused.value.field == "amount.value"
    with pytest.raises(InvalidMessage) as refused:
        Amount(value="1.00", currency="USD")  # type: ignore[arg-type]  # what the test is about
    assert refused.value.field == "amount.currency"


def test_a_refresh_needs_its_token_and_only_it() -> None:
    with pytest.raises(InvalidMessage) as refused:
        CustomerTokenRequest(grant_type="refresh_token")
    assert refused.value.field == "refreshToken"
    with pytest.raises(InvalidMessage) as refused:
        CustomerTokenRequest(grant_type="refresh_token", auth_code="a", refresh_token="r")
    assert refused.value.field == "authCode"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-12-21T17:21:41+07:00", datetime(2020, 12, 21, 10, 21, 41, tzinfo=UTC)),
        ("2024-01-01T09:09:00.123", datetime(2024, 1, 1, 2, 9, 0, 123000, tzinfo=UTC)),
        ("2024-01-01T09:09:00Z", datetime(2024, 1, 1, 9, 9, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        ("0001-01-01T00:00:00+07:00", None),
        (1700000000, None),
        (None, None),
    ],
)
def test_received_dates_are_read_leniently(text: object, expected: datetime | None) -> None:
    assert parse_lenient_datetime(text) == expected
    assert Refund.model_validate({"refundTime": text}).refund_time == expected


@pytest.mark.parametrize(
    ("wire", "seconds"),
    [
        (900, 900),
        ("900", 900),
        (899, 899),
        (None, 900),
        ("", 900),
        (-1, 900),
        (0, 900),
        (True, 900),
        ("\uff19", 900),
        (10**9, 900),
        ([], 900),
    ],
)
def test_expires_in_is_a_number_or_a_string(wire: object, seconds: int) -> None:
    assert B2bToken.model_validate({"accessToken": "t", "expiresIn": wire}).expires_in == seconds
    assert B2bToken.model_validate({"accessToken": "t"}).expires_in == 900


def test_wrong_optional_types_read_as_none() -> None:
    token = CustomerToken.model_validate(
        {"accessToken": "t", "tokenType": {}, "refreshToken": 5.5, "accessTokenExpiryTime": [], "new": 1}
    )
    assert (token.token_type, token.refresh_token, token.access_token_expiry_time) == (None, "5.5", None)
    assert CustomerToken.model_validate({"accessToken": "t", "refreshToken": "x" * 513}).refresh_token is None


@pytest.mark.parametrize("name", ["status", "accountStatus"])
def test_the_binding_status_has_two_names(name: str) -> None:
    assert AccountBinding.model_validate({"additionalInfo": {name: "PENDING"}}).status == "PENDING"
    assert AccountBinding.model_validate({"additionalInfo": {"status": None, name: "PENDING"}}).status == "PENDING"


@pytest.mark.parametrize("additional_info", ["", "x", None, [], 5])
def test_additional_info_may_be_anything(additional_info: object) -> None:
    assert AccountBinding.model_validate({"additionalInfo": additional_info}).auth_code is None
    assert AccountUnbinding.model_validate({"additionalInfo": additional_info}).redirect_url is None


def money(value: object, currency: str = "IDR") -> dict[str, object]:
    return {"value": value, "currency": currency}


@pytest.mark.parametrize(
    ("infos", "available"),
    [
        ([{"availableBalance": money("5.00"), "amount": money("9.00")}], "5.00"),
        ([{"amount": money("9.00"), "holdAmount": money("2.50")}], "6.50"),
        ([{"amount": money("9.00")}], "9.00"),
        ([{"amount": money(9)}], "9.00"),
        ([{"amount": money(Decimal("9.5"))}], "9.50"),
        ([{"availableBalance": money("1.5E+5")}], "150000.00"),
        ([{"availableBalance": money(Decimal("1.5E+5"))}], "150000.00"),
        ([{"availableBalance": money("1E-3"), "amount": money("9.00")}], "9.00"),
        ([{"availableBalance": money("junk"), "amount": money("9.00")}], "9.00"),
        ([{"amount": money("9.00"), "holdAmount": money("10.00")}], None),
        ([{"amount": money("9.00"), "holdAmount": money("1.00", "USD")}], None),
        ([{"balanceType": "Points"}, {"availableBalance": money("5.00")}], "5.00"),
        (["junk", None], None),
        ([], None),
        ("junk", None),
        (None, None),
    ],
)
def test_the_balance_is_the_available_one(infos: object, available: str | None) -> None:
    found = BalanceInquiry.model_validate({"accountInfos": infos}).available
    assert (found.value if found else None) == available


def test_received_amounts_compare_as_numbers() -> None:
    assert ReceivedAmount(value="10000", currency="IDR").decimal == Decimal("10000.00")
    assert ReceivedAmount(value="10000.5", currency="IDR").value == "10000.50"
    assert ReceivedAmount(value="9999999999999999.99", currency="IDR").decimal == Decimal("9999999999999999.99")


@pytest.mark.parametrize("text", ["\ud800", "a\ud800", "x" * 2049])
def test_a_text_that_can_not_be_stored_is_absent(text: str) -> None:
    binding = AccountBinding.model_validate(
        {"referenceNo": text, "redirectUrl": text, "additionalInfo": {"authCode": text, "custIdMerchant": text}}
    )
    assert (binding.reference_no, binding.redirect_url, binding.auth_code, binding.cust_id_merchant) == (None,) * 4
    status = Status.model_validate(
        {
            "originalReferenceNo": text,
            "originalResponseCode": text,
            "latestTransactionStatus": text,
            "refundHistory": [{"refundNo": text, "partnerRefundNo": text, "refundStatus": text}],
        }
    )
    assert (status.original_reference_no, status.original_response_code, status.transaction_status) == (None,) * 3
    [refund] = status.refund_history
    assert (refund.refund_no, refund.partner_refund_no, refund.status) == (None, None, None)
    [info] = BalanceInquiry.model_validate({"accountInfos": [{"balanceType": text}]}).account_infos
    assert info.balance_type is None
    unbinding = AccountUnbinding.model_validate({"referenceNo": text, "additionalInfo": {"redirectUrl": text}})
    assert (unbinding.reference_no, unbinding.redirect_url) == (None, None)


@pytest.mark.parametrize(
    ("auth_code", "read"), [("x" * 256, "x" * 256), ("x" * 257, None), ("a b", None), (2238, "2238")]
)
def test_an_auth_code_of_a_binding_answer_can_be_exchanged_or_is_absent(auth_code: object, read: str | None) -> None:
    assert AccountBinding.model_validate({"additionalInfo": {"authCode": auth_code}}).auth_code == read


def test_what_is_stored_of_an_answer_is_no_longer_than_the_contract_says() -> None:
    status = Status.model_validate({"originalReferenceNo": "x" * 65, "originalResponseCode": "x" * 17})
    assert (status.original_reference_no, status.original_response_code) == (None, None)
    spaced = Status.model_validate({"latestTransactionStatus": " 00 ", "originalResponseCode": "2005400 "})
    assert (spaced.transaction_status, spaced.original_response_code) == (TransactionStatus.SUCCESS, "2005400")
    [info] = BalanceInquiry.model_validate({"accountInfos": [{"balanceType": "x" * 71}]}).account_infos
    assert info.balance_type is None


def test_a_refund_in_the_history_keeps_its_names_apart() -> None:
    [item] = Status.model_validate(
        {"refundHistory": [{"partnerReferenceNo": "INV1", "partnerRefundNo": "RF1", "refundStatus": "03"}]}
    ).refund_history
    assert (item.partner_reference_no, item.partner_refund_no, item.status) == ("INV1", "RF1", RefundStatus.PENDING)
