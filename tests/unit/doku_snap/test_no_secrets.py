"""No repr, str or traceback of anything in this package shows a secret, a token or personal data."""

import traceback
from collections.abc import Callable
from typing import Any

import pytest

from doku_snap.client import Call
from doku_snap.errors import DokuSnapError
from doku_snap.inbound import VerifiedNotification, issue_token
from doku_snap.messages.account_binding import AccountBinding, AccountBindingRequest
from doku_snap.messages.account_unbinding import AccountUnbinding, AccountUnbindingRequest
from doku_snap.messages.b2b_token import B2bToken
from doku_snap.messages.base import Amount
from doku_snap.messages.binding_notification import BindingNotification
from doku_snap.messages.customer_token import CustomerToken, CustomerTokenRequest
from doku_snap.messages.otp_verification import OtpPurpose, OtpVerificationRequest
from doku_snap.messages.payment import Payment, PaymentRequest
from doku_snap.transport import HttpAnswer, HttpRequest
from tests.unit.doku_snap.support import NOW, TIMEOUT, RecordingTransport, call, client, credentials, json_answer, keys

SECRET = "7777777777"
URL = f"https://a.example/{SECRET}"
TOKEN = issue_token(key_id="k", key=b"k" * 32, issuer="i", audience="a", client_id="c", now=NOW)
THINGS: list[Any] = [
    Call(SECRET, "1", TIMEOUT, SECRET, SECRET, "77.77.77.77"),
    HttpRequest("POST", "https://a.example", {"Authorization": SECRET}, SECRET.encode()),
    HttpAnswer(200, {"x": SECRET}, SECRET.encode()),
    AccountBindingRequest(
        phone_no=SECRET,
        cust_id_merchant="CUST-1",
        customer_name=SECRET,
        email=SECRET,
        id_card=SECRET,
        address=SECRET,
        date_of_birth="77777777",
        success_registration_url=URL,
        failed_registration_url=URL,
    ),
    AccountBinding(redirect_url=URL, auth_code=SECRET),
    AccountUnbindingRequest(token_id=SECRET),
    AccountUnbinding(redirect_url=URL),
    B2bToken(access_token=SECRET),
    CustomerToken(access_token=SECRET, refresh_token=SECRET),
    CustomerTokenRequest(grant_type="authorization_code", auth_code=SECRET),
    CustomerTokenRequest(grant_type="refresh_token", refresh_token=SECRET),
    OtpVerificationRequest(purpose=OtpPurpose.UNBINDING, otp="77777777", bank_card_token=SECRET),
    PaymentRequest(
        partner_reference_no="INV1",
        amount=Amount(value="1.00"),
        remarks="x",
        success_payment_url=URL,
        failed_payment_url=URL,
    ),
    Payment(web_redirect_url=URL),
    BindingNotification(original_external_id="1", status="SUCCESS", auth_code=SECRET),
    VerifiedNotification("56", NOW, True, "1", SECRET.encode(), SECRET),
]


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: type(thing).__name__)
def test_a_repr_shows_no_secret(thing: object) -> None:
    assert "7777" not in repr(thing)
    assert "7777" not in str(thing)


def test_credentials_and_issued_tokens_show_no_secret() -> None:
    shown = repr(credentials()) + str(credentials()) + repr(TOKEN) + repr(TOKEN.reply)
    assert keys()["secretKey"] not in shown
    assert "PRIVATE KEY" not in shown
    assert TOKEN.token not in shown


def test_an_answer_shows_neither_its_body_nor_dokus_words() -> None:
    transport = RecordingTransport(
        json_answer(
            200,
            {
                "responseCode": "2000700",
                "responseMessage": SECRET,
                "redirectUrl": URL,
                "additionalInfo": {"authCode": SECRET},
            },
        )
    )
    request = AccountBindingRequest(
        phone_no=SECRET, cust_id_merchant="C", success_registration_url=URL, failed_registration_url=URL
    )
    answer = client(transport).bind_account(request, call())
    assert answer.body is not None
    assert answer.body.auth_code == SECRET
    assert "7777" not in repr(answer) + str(answer)


@pytest.mark.parametrize(
    "build",
    [
        lambda: AccountBindingRequest(
            phone_no=SECRET + "x", cust_id_merchant="C", success_registration_url=URL, failed_registration_url=URL
        ),
        lambda: OtpVerificationRequest(purpose=OtpPurpose.UNBINDING, otp=SECRET, bank_card_token="t"),
        lambda: AccountUnbindingRequest(token_id=SECRET + " "),
        lambda: CustomerTokenRequest(grant_type="authorization_code", auth_code=SECRET + " "),
        lambda: Amount(value=SECRET),
        lambda: call(customer_token=SECRET + " "),
    ],
)
def test_an_error_shows_no_value(build: Callable[[], object]) -> None:
    with pytest.raises(DokuSnapError) as refused:
        build()
    assert "7777" not in str(refused.value) + repr(refused.value)
    assert "7777" not in "\n".join(traceback.format_exception_only(refused.value))
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
