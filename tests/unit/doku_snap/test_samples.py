"""Every signed sample of the contract goes through the client: same bytes, same headers, same classification."""

import json
from typing import Any, Literal

import pytest

from doku_snap.answers import Answer
from doku_snap.client import DokuClient
from doku_snap.errors import InvalidMessage
from doku_snap.inbound import TOKEN_SERVICE, accept_binding_notification, accept_payment_notification
from doku_snap.messages.account_binding import AccountBindingRequest
from doku_snap.messages.account_unbinding import AccountUnbindingRequest
from doku_snap.messages.b2b_token import B2bToken
from doku_snap.messages.balance_inquiry import BalanceInquiry, BalanceInquiryRequest
from doku_snap.messages.base import Amount, RequestMessage
from doku_snap.messages.customer_token import CustomerToken
from doku_snap.messages.otp_verification import OtpPurpose, OtpVerificationRequest
from doku_snap.messages.payment import PaymentRequest
from doku_snap.messages.refund import RefundRequest
from doku_snap.messages.status import Status, StatusRequest
from doku_snap.response_codes import AnswerClass
from doku_snap.settings import ClientSettings
from doku_snap.signing import parse_timestamp, verify_symmetric
from doku_snap.statuses import RefundStatus, TransactionStatus
from tests.unit.doku_snap.support import (
    TIMEOUT,
    RecordingTransport,
    call,
    client,
    json_answer,
    keys,
    samples,
    token_client,
)

REQUESTS: dict[str, tuple[type[RequestMessage], str]] = {
    "accountBinding": (AccountBindingRequest, "bind_account"),
    "otpVerification": (OtpVerificationRequest, "verify_otp"),
    "balanceInquiry": (BalanceInquiryRequest, "inquire_balance"),
    "payment": (PaymentRequest, "make_payment"),
    "checkStatus": (StatusRequest, "inquire_status"),
    "refund": (RefundRequest, "refund_payment"),
    "accountUnbinding": (AccountUnbindingRequest, "unbind_account"),
}
# Requests that break the contract on purpose: the client must refuse to send them.
REFUSED_HERE = {
    ("accountBinding", "phone-too-short"): "phoneNo",
    ("accountBinding", "phone-missing"): "phoneNo",
    ("otpVerification", "missing-otp"): "otp",
}
# The same fields in another order than ours: compared as JSON, and signed over our own bytes.
OTHER_ORDER = {("otpVerification", "payment-core-type"), ("otpVerification", "unbinding")}
CLASSES = {
    "success": {AnswerClass.OK},
    "success-created": {AnswerClass.OK},
    "pending-otp": {AnswerClass.OTP},
    "pending": {AnswerClass.PEND},
    "customer-must-act": {AnswerClass.CUST, AnswerClass.CUSTOMER_TOKEN},
    "merchant-bug": {AnswerClass.BUG},
    "retryable": {AnswerClass.RETRY},
    "retryable-later": {AnswerClass.LATER},
    "retry-after-new-token": {AnswerClass.TOKEN},
    "check-before-retry": {AnswerClass.CHECK},
    "final-decline": {AnswerClass.FINAL},
    "not-found": {AnswerClass.NOT_FOUND},
    "already-gone": {AnswerClass.ALREADY_GONE},
}
# Where the samples' coarser words and the contract's table differ, the table counts.
BY_THE_TABLE = {
    ("accountBinding", "issuer-timeout"): AnswerClass.CHECK,
    ("payment", "account-limit"): AnswerClass.LATER,
    ("refund", "not-refundable-now"): AnswerClass.LATER,
}
STATUSES = {
    "paid": TransactionStatus.SUCCESS,
    "pending-otp": TransactionStatus.PENDING,
    "failed": TransactionStatus.FAILED,
    "refunded": TransactionStatus.REFUNDED,
    "service-code-55-as-the-sdks-send": TransactionStatus.SUCCESS,
    "not-found-as-status": TransactionStatus.NOT_FOUND,
}
CASES = [(operation, sample) for operation in REQUESTS for sample in samples()[operation]["samples"]]
TOKEN_CASES = [(op, s) for op in ("b2bToken", "b2b2cToken") for s in samples()[op]["samples"]]


def case_id(value: object) -> str:
    return value if isinstance(value, str) else str(value["name"]) if isinstance(value, dict) else ""


def settings_for(sample: dict[str, Any]) -> ClientSettings:
    legacy = "/direct-debit/cimb/" in sample["request"]["path"]
    body = sample["request"]["body"]
    field: Literal["action", "type"] | None = "type" if "type" in body else "action" if "action" in body else None
    return ClientSettings(
        paths="legacy" if legacy else "core", otp_field=field, status_service_code=body.get("serviceCode", "54")
    )


def typed_request(operation: str, body: dict[str, Any]) -> RequestMessage:
    """The typed request whose wire form is `body`, from the models' own aliases."""
    request_type, _ = REQUESTS[operation]
    names = {field.serialization_alias or name: name for name, field in request_type.model_fields.items()}
    flat = {f"additionalInfo.{k}": v for k, v in body.get("additionalInfo", {}).items()} | {
        k: v for k, v in body.items() if k != "additionalInfo"
    }
    given = {
        names[path]: Amount(**value) if isinstance(value, dict) else value
        for path, value in flat.items()
        if path in names and path != "serviceCode"
    }
    if operation == "otpVerification":
        given["purpose"] = OtpPurpose.UNBINDING if body.get("type") == "UNBINDING" else OtpPurpose.PAYMENT
    return request_type(**given)


def send(operation: str, sample: dict[str, Any]) -> tuple[RecordingTransport, Answer[Any]]:
    sent, response = sample["request"], sample["response"]
    headers = sent["headers"]
    transport = RecordingTransport(json_answer(response["httpStatus"], response["body"]))
    customer = headers.get("Authorization-Customer")
    legacy_token = sent["body"].get("bankCardToken")
    doku: DokuClient = client(transport, settings_for(sample), lambda: parse_timestamp(headers["X-TIMESTAMP"]))
    method = getattr(doku, REQUESTS[operation][1])
    answer = method(
        typed_request(operation, sent["body"]),
        call(
            external_id=headers["X-EXTERNAL-ID"],
            customer_token=customer.removeprefix("Bearer ") if customer else legacy_token,
            device_id=headers.get("X-DEVICE-ID"),
            ip_address=headers.get("X-IP-ADDRESS"),
        ),
    )
    return transport, answer


def test_no_sample_is_missing() -> None:
    assert {operation: len(samples()[operation]["samples"]) for operation in samples()} == {
        "b2bToken": 3,
        "b2b2cToken": 3,
        "accountBinding": 8,
        "payment": 19,
        "otpVerification": 11,
        "balanceInquiry": 4,
        "checkStatus": 7,
        "refund": 8,
        "accountUnbinding": 4,
        "inboundToken": 2,
        "inboundPaymentNotification": 8,
        "inboundBindingNotification": 4,
    }


@pytest.mark.parametrize(("operation", "sample"), CASES, ids=case_id)
def test_the_request_is_the_sample(operation: str, sample: dict[str, Any]) -> None:
    key = (operation, sample["name"])
    if key in REFUSED_HERE:
        with pytest.raises(InvalidMessage) as refused:
            typed_request(operation, sample["request"]["body"])
        assert refused.value.field == REFUSED_HERE[key]
        return
    transport, _ = send(operation, sample)
    [sent] = transport.sent
    expected = sample["request"]
    assert (sent.method, sent.url) == ("POST", "https://api-sandbox.doku.com" + expected["path"])
    if key in OTHER_ORDER:
        assert json.loads(sent.body) == expected["body"]
        assert {k: v for k, v in sent.headers.items() if k != "X-SIGNATURE"} == {
            k: v for k, v in expected["headers"].items() if k != "X-SIGNATURE"
        }
        assert verify_symmetric(
            sent.headers["X-SIGNATURE"],
            keys()["secretKey"],
            method="POST",
            path=expected["path"],
            b2b_token=keys()["b2bAccessToken"],
            body=sent.body,
            timestamp=sent.headers["X-TIMESTAMP"],
        )
        return
    assert sent.body == json.dumps(expected["body"], separators=(",", ":"), ensure_ascii=False).encode()
    assert sent.headers == expected["headers"]


# The seed's requests and responses do not belong together (contract 3.11): taken as a pair, they contradict each other.
OF_ANOTHER = {
    ("payment", "otp-sent-seed"): ("partnerReferenceNo",),
    ("refund", "success-seed"): ("originalPartnerReferenceNo", "partnerRefundNo"),
}


@pytest.mark.parametrize(("key", "contradictions"), OF_ANOTHER.items(), ids=str)
def test_an_answer_to_something_else_is_told_from_ours(key: tuple[str, str], contradictions: tuple[str, ...]) -> None:
    [sample] = [one for operation, one in CASES if (operation, one["name"]) == key]
    _, answer = send(key[0], sample)
    assert (answer.contradictions, answer.body) == (contradictions, None)
    assert answer.classification.answer_class is AnswerClass.CHECK


@pytest.mark.parametrize(
    ("operation", "sample"),
    [c for c in CASES if (c[0], c[1]["name"]) not in REFUSED_HERE.keys() | OF_ANOTHER.keys()],
    ids=case_id,
)
def test_the_answer_is_read_as_the_sample_says(operation: str, sample: dict[str, Any]) -> None:
    _, answer = send(operation, sample)
    response = sample["response"]
    assert answer.http_status == response["httpStatus"]
    assert answer.code == response["body"]["responseCode"]
    assert answer.message == response["body"]["responseMessage"]
    key = (operation, sample["name"])
    if operation == "checkStatus" and sample["name"] in STATUSES:
        # The samples' word is about the payment; the answer itself is fine.
        assert answer.classification.answer_class is AnswerClass.OK
        assert isinstance(answer.body, Status)
        assert answer.body.transaction_status is STATUSES[sample["name"]]
    elif key in BY_THE_TABLE:
        assert answer.classification.answer_class is BY_THE_TABLE[key]
    else:
        assert answer.classification.answer_class in CLASSES[sample["classification"]]


@pytest.mark.parametrize(
    ("operation", "sample"), [c for c in CASES if (c[0], c[1]["name"]) not in OF_ANOTHER], ids=case_id
)
def test_every_documented_field_of_an_answer_is_readable(operation: str, sample: dict[str, Any]) -> None:
    if (operation, sample["name"]) in REFUSED_HERE:
        sample = sample | {"request": samples()[operation]["samples"][0]["request"]}
    _, answer = send(operation, sample)
    wire = sample["response"]["body"]
    body = answer.body
    assert body is not None
    for wire_name, name in {
        "partnerReferenceNo": "partner_reference_no",
        "referenceNo": "reference_no",
        "redirectUrl": "redirect_url",
        "webRedirectUrl": "web_redirect_url",
        "originalPartnerReferenceNo": "original_partner_reference_no",
        "originalReferenceNo": "original_reference_no",
        "originalExternalId": "original_external_id",
        "approvalCode": "approval_code",
        "serviceCode": "service_code",
        "originalResponseCode": "original_response_code",
        "refundNo": "refund_no",
        "partnerRefundNo": "partner_refund_no",
    }.items():
        if wire_name in wire:
            assert getattr(body, name) == wire[wire_name]
    for wire_name, name in {
        "transAmount": "trans_amount",
        "feeAmount": "fee_amount",
        "refundAmount": "refund_amount",
    }.items():
        if wire_name in wire:
            assert getattr(body, name).model_dump() == wire[wire_name]
    extra = wire.get("additionalInfo", {})
    if "authCode" in extra:
        assert body.auth_code == extra["authCode"]
        assert body.status == "PENDING"
    if "redirectUrl" in extra:
        assert body.redirect_url == extra["redirectUrl"]
    if "accountInfos" in wire:
        assert isinstance(body, BalanceInquiry)
        assert body.available is not None
        assert body.available.value == "1500000.00"
    if wire.get("refundHistory"):
        assert isinstance(body, Status)
        [item] = body.refund_history
        assert (item.refund_no, item.status) == ("9lCqroDiy27A", RefundStatus.SUCCESS)
        assert item.refund_amount is not None
        assert item.refund_amount.value == "10000.00"


@pytest.mark.parametrize(("operation", "sample"), TOKEN_CASES, ids=case_id)
def test_token_requests_are_the_samples(operation: str, sample: dict[str, Any]) -> None:
    sent, response = sample["request"], sample["response"]
    if sample["name"] == "bad-timestamp-format":
        with pytest.raises(InvalidMessage):
            parse_timestamp(sent["headers"]["X-TIMESTAMP"])
        return
    transport = RecordingTransport(json_answer(response["httpStatus"], response["body"]))
    tokens = token_client(transport, clock=lambda: parse_timestamp(sent["headers"]["X-TIMESTAMP"]))
    body = sent["body"]
    answer: Answer[B2bToken] | Answer[CustomerToken]
    if operation == "b2bToken":
        answer = tokens.request_b2b_token(TIMEOUT)
    elif "authCode" in body:
        answer = tokens.exchange_auth_code(body["authCode"], TIMEOUT)
    else:
        answer = tokens.refresh_customer_token(body["refreshToken"], TIMEOUT)
    [request] = transport.sent
    assert request.url == "https://api-sandbox.doku.com" + sent["path"]
    assert request.body == json.dumps(body, separators=(",", ":")).encode()
    assert request.headers == sent["headers"]
    assert answer.classification.answer_class in CLASSES[sample["classification"]]
    wire = response["body"]
    if "accessToken" not in wire:
        assert answer.body is None
        return
    assert answer.body is not None
    assert answer.body.access_token == wire["accessToken"]
    if isinstance(answer.body, B2bToken):
        assert answer.body.expires_in == 900
    else:
        assert answer.body.refresh_token == wire["refreshToken"]
        assert answer.body.access_token_expiry_time == parse_timestamp(wire["accessTokenExpiryTime"])
        assert answer.body.refresh_token_expiry_time == parse_timestamp(wire["refreshTokenExpiryTime"])


def test_our_replies_are_the_samples() -> None:
    moment = parse_timestamp("2024-11-19T07:21:06Z")
    [payment, *_] = samples()["inboundPaymentNotification"]["samples"]
    [binding, *_] = samples()["inboundBindingNotification"]["samples"]
    assert json.loads(accept_payment_notification(moment, "201039000200").body) == payment["response"]["body"]
    assert json.loads(accept_binding_notification(moment).body) == binding["response"]["body"]
    assert accept_payment_notification(moment).headers["X-TIMESTAMP"] == "2024-11-19T07:21:06Z"
    assert samples()["inboundToken"]["serviceCode"] == TOKEN_SERVICE
