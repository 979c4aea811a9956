"""Calls of DOKU to us: what is let in, what is refused, and with which words (contract 3.5 and 3.10)."""

import base64
import json
import traceback
from datetime import timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doku_snap.errors import InboundRefused, InvalidSetting
from doku_snap.inbound import (
    BINDING_NOTIFICATION_SERVICE,
    MAX_BODY_BYTES,
    IssuedToken,
    VerifiedNotification,
    issue_token,
    parse_binding_notification,
    parse_payment_notification,
    refuse,
    report_outage,
    verify_bearer,
    verify_notification,
    verify_token_request,
)
from doku_snap.keys import load_private_key, load_public_key
from doku_snap.signing import (
    format_timestamp,
    parse_timestamp,
    sign_asymmetric,
    sign_symmetric,
    symmetric_string_to_sign,
    verify_symmetric,
)
from doku_snap.statuses import TransactionStatus
from tests.unit.doku_snap.support import NOW, keys, samples

CLIENT = keys()["clientId"]
SECRET = keys()["secretKey"]
DOKU_KEY = load_private_key(keys()["dokuPrivateKeyPkcs8Pem"])
DOKU_PUBLIC = load_public_key(keys()["dokuPublicKeyPem"])
MERCHANT_PUBLIC = load_public_key(keys()["merchantPublicKeyPem"])
KEY, OLD_KEY = b"k" * 32, b"o" * 32
PATH = "/doku/v1.0/debit/notify"
GRANT = b'{"grantType":"client_credentials"}'
PAYMENT = {
    "originalPartnerReferenceNo": "CIMB20000001",
    "originalExternalId": "10052019",
    "latestTransactionStatus": "00",
    "amount": {"value": "10000.00", "currency": "IDR"},
    "additionalInfo": {"custIdMerchant": "CUST-000123"},
}


def issue(key: bytes = KEY, key_id: str = "k1", seconds_ago: int = 0, lifetime: int = 900) -> IssuedToken:
    return issue_token(
        key_id=key_id,
        key=key,
        issuer="merchant",
        audience="doku",
        client_id=CLIENT,
        now=NOW - timedelta(seconds=seconds_ago),
        lifetime_seconds=lifetime,
    )


def token_headers(**changed: str | None) -> dict[str, str]:
    timestamp = changed.get("X-TIMESTAMP") or format_timestamp(NOW)
    headers = {
        "Content-Type": "application/json",
        "X-CLIENT-KEY": CLIENT,
        "X-TIMESTAMP": timestamp,
        "X-SIGNATURE": sign_asymmetric(f"{CLIENT}|{timestamp}", DOKU_KEY),
    }
    return {name: value for name, value in {**headers, **changed}.items() if value is not None}


def check_token_request(headers: dict[str, str], body: bytes = GRANT) -> None:
    verify_token_request(
        headers,
        body,
        expected_client_key=CLIENT,
        doku_public_keys=[MERCHANT_PUBLIC, DOKU_PUBLIC],
        now=NOW,
        window_seconds=300,
    )


def test_the_sample_token_request_is_let_in() -> None:
    [sample, *_] = samples()["inboundToken"]["samples"]
    moment = parse_timestamp(sample["request"]["headers"]["X-TIMESTAMP"])
    verified = verify_token_request(
        {name.lower(): value for name, value in sample["request"]["headers"].items()},
        json.dumps(sample["request"]["body"]).encode(),
        expected_client_key=CLIENT,
        doku_public_keys=[DOKU_PUBLIC],
        now=moment + timedelta(seconds=300),
        window_seconds=300,
    )
    assert (verified.client_key, verified.timestamp) == (CLIENT, moment)


@pytest.mark.parametrize(
    ("headers", "body", "code", "message"),
    [
        (token_headers(**{"X-CLIENT-KEY": None}), GRANT, "4007302", "Invalid Mandatory Field X-CLIENT-KEY"),
        (token_headers(**{"X-SIGNATURE": None}), GRANT, "4007302", "Invalid Mandatory Field X-SIGNATURE"),
        (token_headers() | {"X-TIMESTAMP": ""}, GRANT, "4007302", "Invalid Mandatory Field X-TIMESTAMP"),
        (
            token_headers(**{"X-TIMESTAMP": "2024-11-19T07:15:00.000Z"}),
            GRANT,
            "4007301",
            "Invalid Field Format X-TIMESTAMP",
        ),
        (token_headers(**{"X-CLIENT-KEY": "other"}), GRANT, "4017300", "Unauthorized. Invalid Signature"),
        (token_headers(**{"X-SIGNATURE": "AAAA"}), GRANT, "4017300", "Unauthorized. Invalid Signature"),
        (
            token_headers() | {"X-TIMESTAMP": "2024-11-19T07:15:01Z"},
            GRANT,
            "4017300",
            "Unauthorized. Invalid Signature",
        ),
        (
            token_headers(**{"X-TIMESTAMP": "2024-11-19T07:20:01Z"}),
            GRANT,
            "4017300",
            "Unauthorized. Invalid Timestamp",
        ),
        (
            token_headers(**{"X-TIMESTAMP": "2024-11-19T07:09:59Z"}),
            GRANT,
            "4017300",
            "Unauthorized. Invalid Timestamp",
        ),
        (token_headers(), b"", "4007300", "Bad Request"),
        (token_headers(), b"[]", "4007300", "Bad Request"),
        (token_headers(), b"{}", "4007302", "Invalid Mandatory Field grantType"),
        (token_headers(), b'{"grantType":"password"}', "4007301", "Invalid Field Format grantType"),
    ],
)
def test_other_token_requests_are_refused(headers: dict[str, str], body: bytes, code: str, message: str) -> None:
    check_token_request(token_headers())
    with pytest.raises(InboundRefused) as refused:
        check_token_request(headers, body)
    assert (refused.value.response_code, refused.value.response_message) == (code, message)
    assert refused.value.http_status == int(code[:3])


def test_a_token_request_signed_by_a_stranger_is_refused() -> None:
    timestamp = format_timestamp(NOW)
    stranger = sign_asymmetric(f"{CLIENT}|{timestamp}", load_private_key(keys()["merchantPrivateKeyPkcs8Pem"]))
    with pytest.raises(InboundRefused):
        verify_token_request(
            token_headers(**{"X-SIGNATURE": stranger}),
            GRANT,
            expected_client_key=CLIENT,
            doku_public_keys=[DOKU_PUBLIC],
            now=NOW,
            window_seconds=300,
        )
    with pytest.raises(InboundRefused):
        verify_token_request(
            token_headers(), GRANT, expected_client_key=CLIENT, doku_public_keys=[], now=NOW, window_seconds=300
        )


def alive(token: str, at: int = 0, keys_: dict[str, bytes] | None = None) -> bool:
    moment = NOW + timedelta(seconds=at)
    return verify_bearer(token, keys_ or {"k1": KEY, "k0": OLD_KEY}, moment, issuer="merchant", audience="doku")


def test_an_issued_token_is_a_reply_and_lives_for_900_seconds() -> None:
    issued = issue()
    body = json.loads(issued.reply.body)
    assert body == {
        "responseCode": "2007300",
        "responseMessage": "Successful",
        "accessToken": issued.token,
        "tokenType": "Bearer",
        "expiresIn": 900,
        "additionalInfo": "",
    }
    assert issued.reply.http_status == 200
    assert issued.reply.headers == {
        "Content-Type": "application/json",
        "X-CLIENT-KEY": CLIENT,
        "X-TIMESTAMP": "2024-11-19T07:15:00Z",
    }
    assert issued.expires_at == NOW + timedelta(seconds=900)
    assert alive(issued.token)
    assert alive(issued.token, 899)
    assert not alive(issued.token, 900)
    assert alive(issued.token, -60)
    assert not alive(issued.token, -61)


def test_during_a_rotation_both_keys_count_and_no_other() -> None:
    assert alive(issue(OLD_KEY, "k0").token)
    assert not alive(issue(OLD_KEY, "k1").token)
    assert not alive(issue(KEY, "k2").token)
    assert not alive(issue().token, keys_={"k0": OLD_KEY})


def forged(header: dict[str, Any] | None = None, **claims: object) -> str:
    """A token made by hand, so that a library's own checks cannot stand in for ours."""
    all_claims = {
        "iss": "merchant",
        "aud": "doku",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 900,
        "clientId": CLIENT,
    } | claims
    head = {"alg": "HS256", "typ": "JWT", "kid": "k1"} | (header or {})
    parts = [
        base64.urlsafe_b64encode(json.dumps({k: v for k, v in part.items() if v != "absent"}).encode()).rstrip(b"=")
        for part in (head, all_claims)
    ]
    signing_input = b".".join(parts)
    algorithm = jwt.get_algorithm_by_name("HS256")
    signature = base64.urlsafe_b64encode(algorithm.sign(signing_input, KEY)).rstrip(b"=")
    return b".".join([signing_input, signature]).decode()


def test_the_hand_made_token_is_good() -> None:
    assert alive(forged())


@pytest.mark.parametrize(
    "token",
    [
        forged(exp="absent"),
        forged(iat="absent"),
        forged(iss="absent"),
        forged(aud="absent"),
        forged(iss="someone"),
        forged(aud="someone"),
        forged(aud=["doku", "others"]),
        forged(exp="never"),
        forged(exp=1e99),
        forged(iat=int(NOW.timestamp()) + 61),
        forged(exp=int(NOW.timestamp())),
        forged({"kid": "absent"}),
        forged({"kid": None}),
        forged({"kid": ["k1"]}),
        forged({"kid": "../k1"}),
        forged({"alg": "none"}),
        forged({"alg": "HS512"}),
        forged({"alg": "RS256"}),
        forged({"crit": ["exp"]}),
        forged({"jku": "https://evil.example"}),
        forged({"x5u": "https://evil.example"}),
        forged({"jwk": {"kty": "oct", "k": "a2s"}}),
        forged()[:-2],
        forged() + "A",
        forged().rsplit(".", 1)[0] + ".",
        "",
        "a.b.c",
        "é",
        "." * 1000,
        keys()["merchantIssuedTokenForDoku"],
    ],
)
def test_other_tokens_are_refused(token: str) -> None:
    assert not alive(token)


@given(st.text())
def test_no_text_crashes_the_token_check(text: str) -> None:
    assert not alive(text)


def test_a_short_token_key_is_a_wrong_setting() -> None:
    with pytest.raises(InvalidSetting, match="issuedTokenKey"):
        issue(b"short")
    with pytest.raises(InvalidSetting, match="issuedTokenKey"):
        alive("x", keys_={"k1": b"short"})


def notification(body: bytes, **changed: str | None) -> dict[str, str]:
    token = issue().token
    timestamp = changed.get("X-TIMESTAMP") or format_timestamp(NOW)
    to_sign = symmetric_string_to_sign("POST", PATH, token, body, timestamp)
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {token}",
        "X-TIMESTAMP": timestamp,
        "X-SIGNATURE": sign_symmetric(to_sign, SECRET),
        "X-PARTNER-ID": CLIENT,
        "X-EXTERNAL-ID": "169157654793277588402",
    }
    return {name: value for name, value in {**headers, **changed}.items() if value is not None}


def check(
    headers: dict[str, str], body: bytes, *, path: str = PATH, secrets: tuple[str, ...] = (SECRET,), service: str = "56"
) -> VerifiedNotification:
    return verify_notification(
        headers,
        body,
        path,
        secret_keys=secrets,
        token_keys={"k1": KEY},
        issuer="merchant",
        audience="doku",
        partner_id=CLIENT,
        now=NOW,
        window_seconds=300,
        service_code=service,
    )


BODY = json.dumps(PAYMENT).encode()


def test_an_authentic_notification_is_let_in() -> None:
    headers = notification(BODY, **{"Authorization-Customer": "Bearer customer"})
    verified = check({name.upper(): value for name, value in headers.items()}, BODY)
    assert verified == VerifiedNotification("56", NOW, True, "169157654793277588402", BODY, "customer")


@pytest.mark.parametrize("sample", samples()["inboundPaymentNotification"]["samples"], ids=lambda s: s["name"])
@pytest.mark.parametrize("indent", [None, 2])
def test_sample_notifications(sample: dict[str, Any], indent: int | None) -> None:
    sent = sample["request"]
    raw = json.dumps(sent["body"], indent=indent, ensure_ascii=False).encode()
    token = sent["headers"]["Authorization"].removeprefix("Bearer ")
    parts = {"method": "POST", "path": sent["path"], "timestamp": sent["headers"]["X-TIMESTAMP"]}
    signature = sent["headers"]["X-SIGNATURE"]
    assert verify_symmetric(signature, SECRET, b2b_token=token, body=raw, **parts)
    # The sample's token is a stand-in that nobody issued; with one of ours the whole check runs.
    verified = check(notification(raw), raw)
    expected = sample["response"]["body"]
    if sample["name"] == "missing-mandatory-field":
        with pytest.raises(InboundRefused) as refused:
            parse_payment_notification(verified)
        assert json.loads(refuse(refused.value, NOW).body) == expected
        assert refuse(refused.value, NOW).http_status == sample["response"]["httpStatus"]
        return
    if sample["name"] in {"bad-signature", "bad-token"}:
        wrong = (
            {"X-SIGNATURE": signature} if sample["name"] == "bad-signature" else {"Authorization": f"Bearer {token}"}
        )
        with pytest.raises(InboundRefused) as refused:
            check(notification(raw, **wrong), raw)
        assert json.loads(refuse(refused.value, NOW).body) == expected
        assert refuse(refused.value, NOW).http_status == sample["response"]["httpStatus"]
        return
    parsed = parse_payment_notification(verified)
    assert parsed.latest_transaction_status == sent["body"]["latestTransactionStatus"]
    assert parsed.original_reference_no == sent["body"].get("originalReferenceNo")
    assert parsed.amount.value == "10000.00"
    assert parsed.cust_id_merchant == "CUST-000123"


@pytest.mark.parametrize("sample", samples()["inboundBindingNotification"]["samples"], ids=lambda s: s["name"])
def test_sample_binding_notifications(sample: dict[str, Any]) -> None:
    raw = json.dumps(sample["request"]["body"]).encode()
    parsed = parse_binding_notification(check(notification(raw), raw, service=BINDING_NOTIFICATION_SERVICE))
    expected = sample["request"]["body"]
    assert parsed.original_external_id == expected["originalExternalId"]
    assert parsed.status == expected["additionalInfo"]["status"]
    assert parsed.auth_code == expected["additionalInfo"]["authCode"]
    assert parsed.cust_id_merchant == expected["additionalInfo"]["custIdMerchant"]


@pytest.mark.parametrize("service", ["56", "07"])
@pytest.mark.parametrize(
    ("changed", "http", "case", "message"),
    [
        ({"Authorization": None}, 401, "03", "Token Not Found (B2B)"),
        ({"Authorization": ""}, 401, "03", "Token Not Found (B2B)"),
        ({"Authorization": "Basic abc"}, 401, "01", "Invalid Token (B2B)"),
        ({"Authorization": "Bearer abc"}, 401, "01", "Invalid Token (B2B)"),
        ({"Authorization": f"Bearer {issue(seconds_ago=900).token}"}, 401, "01", "Invalid Token (B2B)"),
        ({"X-SIGNATURE": None}, 401, "00", "Unauthorized. [Signature]"),
        ({"X-SIGNATURE": "AAAA"}, 401, "00", "Unauthorized. [Signature]"),
        ({"X-TIMESTAMP": "2024-11-19T07:15:00.000Z"}, 400, "01", "Invalid Field Format X-TIMESTAMP"),
        ({"X-PARTNER-ID": None}, 400, "02", "Invalid Mandatory Field X-PARTNER-ID"),
        ({"X-PARTNER-ID": "other"}, 401, "00", "Unauthorized. [X-PARTNER-ID]"),
        ({"X-EXTERNAL-ID": None}, 400, "02", "Invalid Mandatory Field X-EXTERNAL-ID"),
        ({"X-EXTERNAL-ID": "1" * 37}, 400, "01", "Invalid Field Format X-EXTERNAL-ID"),
        ({"X-EXTERNAL-ID": "abc"}, 400, "01", "Invalid Field Format X-EXTERNAL-ID"),
    ],
)
def test_refusals_are_those_of_the_contract(
    changed: dict[str, str | None], http: int, case: str, message: str, service: str
) -> None:
    with pytest.raises(InboundRefused) as refused:
        check(notification(BODY, **changed), BODY, service=service)
    assert refused.value.http_status == http
    assert refused.value.response_code == f"{http}{service}{case}"
    assert refused.value.response_message == message


def test_a_missing_timestamp_is_named() -> None:
    headers = notification(BODY)
    del headers["X-TIMESTAMP"]
    with pytest.raises(InboundRefused, match="4005602 Invalid Mandatory Field X-TIMESTAMP"):
        check(headers, BODY)


@pytest.mark.parametrize(
    ("body", "path"),
    [(BODY.replace(b"10000.00", b"10000.01"), PATH), (BODY, "/prod" + PATH), (BODY, PATH + "?x=1"), (b"", PATH)],
)
def test_another_body_or_path_is_not_what_was_signed(body: bytes, path: str) -> None:
    with pytest.raises(InboundRefused, match="4015600"):
        check(notification(BODY), body, path=path)


def test_a_token_of_another_call_does_not_carry_a_signature() -> None:
    headers = notification(BODY) | {"Authorization": f"Bearer {issue(seconds_ago=10).token}"}
    with pytest.raises(InboundRefused, match="4015600"):
        check(headers, BODY)


def test_during_a_rotation_the_previous_secret_counts() -> None:
    assert check(notification(BODY), BODY, secrets=("new", SECRET)).fresh
    with pytest.raises(InboundRefused, match="4015600"):
        check(notification(BODY), BODY, secrets=("new",))
    with pytest.raises(InboundRefused, match="4015600"):
        check(notification(BODY), BODY, secrets=())


@pytest.mark.parametrize(("seconds", "fresh"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_outside_the_window_is_authentic_but_not_fresh(seconds: int, fresh: bool) -> None:
    timestamp = format_timestamp(NOW + timedelta(seconds=seconds))
    verified = check(notification(BODY, **{"X-TIMESTAMP": timestamp}), BODY)
    assert verified.fresh is fresh
    assert verified.timestamp == NOW + timedelta(seconds=seconds)


def test_a_body_that_is_too_large_is_refused_even_if_signed() -> None:
    body = b'{"a":"' + b"x" * MAX_BODY_BYTES + b'"}'
    with pytest.raises(InboundRefused, match="4005600"):
        check(notification(body), body)


def verified(body: bytes, service: str = "56") -> VerifiedNotification:
    return VerifiedNotification(service, NOW, True, "1", body)


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"originalPartnerReferenceNo": None}, "4005602", "originalPartnerReferenceNo"),
        ({"originalPartnerReferenceNo": ""}, "4005602", "originalPartnerReferenceNo"),
        ({"originalPartnerReferenceNo": "x" * 65}, "4005601", "originalPartnerReferenceNo"),
        ({"originalPartnerReferenceNo": ["x"]}, "4005601", "originalPartnerReferenceNo"),
        ({"originalExternalId": None}, "4005602", "originalExternalId"),
        ({"latestTransactionStatus": None}, "4005602", "latestTransactionStatus"),
        ({"latestTransactionStatus": "0"}, "4005601", "latestTransactionStatus"),
        ({"latestTransactionStatus": "OK"}, "4005601", "latestTransactionStatus"),
        ({"amount": None}, "4005602", "amount"),
        ({"amount": "10000.00"}, "4005601", "amount"),
        ({"amount": {"currency": "IDR"}}, "4005602", "amount.value"),
        ({"amount": {"value": "-1.00", "currency": "IDR"}}, "4005601", "amount.value"),
        ({"amount": {"value": "1.005", "currency": "IDR"}}, "4005601", "amount.value"),
        ({"amount": {"value": "1.00"}}, "4005602", "amount.currency"),
        ({"amount": {"value": "1.00", "currency": "RUPIAH"}}, "4005601", "amount.currency"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, object], code: str, field: str) -> None:
    fields = {name: value for name, value in (PAYMENT | change).items() if value is not None or name == "amount"}
    with pytest.raises(InboundRefused) as refused:
        parse_payment_notification(verified(json.dumps(fields).encode()))
    words = "Mandatory Field" if code.endswith("02") else "Field Format"
    assert refused.value.response_code == code
    assert refused.value.response_message == f"Invalid {words} {field}"
    assert refused.value.__context__ is None


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"originalExternalId": "1"}, "4000702"),
        ({"originalExternalId": "1", "additionalInfo": "x"}, "4000702"),
        ({"originalExternalId": "1", "additionalInfo": {"status": "MAYBE"}}, "4000701"),
        ({"additionalInfo": {"status": "SUCCESS"}}, "4000702"),
    ],
)
def test_a_wrong_binding_notification_is_refused_as_service_07(fields: dict[str, object], code: str) -> None:
    with pytest.raises(InboundRefused) as refused:
        parse_binding_notification(verified(json.dumps(fields).encode(), "07"))
    assert refused.value.response_code == code
    assert refused.value.response_message.endswith(
        "originalExternalId" if "originalExternalId" not in fields else "additionalInfo.status"
    )


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null", b"\xff", b"[" * 100_000, b'{"a":NaN}'])
def test_what_is_no_json_object_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(InboundRefused, match="4005600 Bad Request"):
        parse_payment_notification(verified(body))
    with pytest.raises(InboundRefused, match="4000700 Bad Request"):
        parse_binding_notification(verified(body, "07"))


@pytest.mark.parametrize("value", ["10000.00", "10000", "10000.0", 10000])
def test_amounts_are_normalised_and_extra_fields_ignored(value: object) -> None:
    fields = PAYMENT | {"amount": {"value": value, "currency": "IDR"}, "newTopLevel": {"a": [1, 2]}}
    parsed = parse_payment_notification(verified(json.dumps(fields).encode()))
    assert parsed.amount.value == "10000.00"
    assert parsed.transaction_status is TransactionStatus.SUCCESS


def test_a_status_the_contract_does_not_list_is_kept_as_it_is() -> None:
    parsed = parse_payment_notification(verified(json.dumps(PAYMENT | {"latestTransactionStatus": "99"}).encode()))
    assert (parsed.latest_transaction_status, parsed.transaction_status) == ("99", None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(PAYMENT, JSON)))
def test_no_json_crashes_the_parsers(fields: dict[str, object]) -> None:
    body = json.dumps(fields).encode()
    for parse, service in ((parse_payment_notification, "56"), (parse_binding_notification, "07")):
        refused: InboundRefused | None = None
        try:
            parse(verified(body, service))
        except InboundRefused as error:
            refused = error
        assert refused is None or refused.response_code[:5] == f"400{service}"


def test_an_outage_asks_doku_to_come_again() -> None:
    reply = report_outage("56", NOW)
    assert (reply.http_status, json.loads(reply.body)["responseCode"]) == (500, "5005600")


def test_a_refusal_does_not_carry_what_was_sent() -> None:
    secret = "very-secret-value"
    fields = PAYMENT | {"latestTransactionStatus": secret}
    with pytest.raises(InboundRefused) as refused:
        parse_payment_notification(verified(json.dumps(fields).encode()))
    assert secret not in "".join(traceback.format_exception(refused.value))
    assert refused.value.__context__ is None
