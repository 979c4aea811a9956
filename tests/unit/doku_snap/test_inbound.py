"""Calls of DOKU to us: what is let in, what is refused, and with which words (contract 3.5 and 3.10)."""

import base64
import hashlib
import hmac
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
    BodyForm,
    find_body_form,
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
            token_headers(**{"X-TIMESTAMP": "2024-11-19T07:15:00"}),
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
    keys = keys_ or {"k1": KEY, "k0": OLD_KEY}
    return verify_bearer(token, keys, moment, issuer="merchant", audience="doku") is not None


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
        ({"X-TIMESTAMP": "2024-11-19 07:15:00Z"}, 400, "01", "Invalid Field Format X-TIMESTAMP"),
        ({"X-PARTNER-ID": None}, 400, "02", "Invalid Mandatory Field X-PARTNER-ID"),
        ({"X-PARTNER-ID": "other"}, 401, "00", "Unauthorized. [X-PARTNER-ID]"),
        ({"X-EXTERNAL-ID": None}, 400, "02", "Invalid Mandatory Field X-EXTERNAL-ID"),
        ({"X-EXTERNAL-ID": "1" * 37}, 400, "01", "Invalid Field Format X-EXTERNAL-ID"),
        ({"X-EXTERNAL-ID": "a\tb"}, 400, "01", "Invalid Field Format X-EXTERNAL-ID"),
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


LENIENT = ["2024-11-19T07:15:00.000Z", "2024-11-19T14:15:00+0700", "2024-11-19T07:15:00-00:00", "2024-11-19T07:15:00z"]


@pytest.mark.parametrize("timestamp", LENIENT)
def test_a_timestamp_as_doku_may_write_it_is_signed_as_it_came(timestamp: str) -> None:
    assert check(notification(BODY, **{"X-TIMESTAMP": timestamp}), BODY).timestamp == NOW
    check_token_request(token_headers(**{"X-TIMESTAMP": timestamp}))
    with pytest.raises(InboundRefused, match="4015600"):
        check(notification(BODY) | {"X-TIMESTAMP": timestamp}, BODY)


@pytest.mark.parametrize("late", ["2024-11-19T07:09:59.999Z", "2024-11-19T07:20:00.001Z", "2024-11-19T07:15:00+0600"])
def test_the_window_stays(late: str) -> None:
    assert not check(notification(BODY, **{"X-TIMESTAMP": late}), BODY).fresh
    with pytest.raises(InboundRefused, match="4017300"):
        check_token_request(token_headers(**{"X-TIMESTAMP": late}))


@pytest.mark.parametrize("external_id", ["abc", "3f0c1e1e-7c55-4f6f-9d65-2f4d7b6f0c11", "1", "A/1 =", "x" * 36])
def test_any_printable_external_id_is_let_in(external_id: str) -> None:
    assert check(notification(BODY, **{"X-EXTERNAL-ID": external_id}), BODY).external_id == external_id


@pytest.mark.parametrize("external_id", ["x" * 37, "é", "a\x7f", "a\x00b"])
def test_another_external_id_is_not(external_id: str) -> None:
    with pytest.raises(InboundRefused, match="4005601"):
        check(notification(BODY, **{"X-EXTERNAL-ID": external_id}), BODY)


@pytest.mark.parametrize("scheme", ["BEARER ", "bearer ", "Bearer   ", "bEaReR\t"])
def test_the_scheme_is_read_in_any_case_and_with_any_blanks(scheme: str) -> None:
    headers = notification(BODY, **{"Authorization-Customer": f"{scheme}customer"})
    headers["Authorization"] = scheme + headers["Authorization"].removeprefix("Bearer ")
    assert check(headers, BODY).customer_token == "customer"


def signed(body: bytes, path: str = PATH) -> dict[str, str]:
    """Headers whose signature is over these bytes and this path."""
    headers = notification(body)
    token = headers["Authorization"].removeprefix("Bearer ")
    to_sign = symmetric_string_to_sign("POST", path, token, body, headers["X-TIMESTAMP"])
    return headers | {"X-SIGNATURE": sign_symmetric(to_sign, SECRET)}


@pytest.mark.parametrize("path", [PATH, PATH + "?source=doku&n=1"])
def test_the_path_counts_with_and_without_its_query(path: str) -> None:
    assert check(signed(BODY, path), BODY, path=PATH + "?source=doku&n=1").form is BodyForm.RAW
    with pytest.raises(InboundRefused, match="4015600"):
        check(signed(BODY, PATH + "?source=other"), BODY, path=PATH + "?source=doku&n=1")


CONTENT = {"url": "https://a.example/?b=1&c='é<>'", "x": "\u2028"}
FORMS = {
    BodyForm.RAW: json.dumps(CONTENT, indent=1).replace("u00e9", "u00E9").replace("s://", r"s:\/\/").encode(),
    BodyForm.MINIFIED: rb"""{"url":"https:\/\/a.example/?b=1&c='\u00E9<>'","x":"\u2028"}""",
    BodyForm.RESERIALISED: """{"url":"https://a.example/?b=1&c='é<>'","x":"\u2028"}""".encode(),
    BodyForm.ASCII_ESCAPED: rb"""{"url":"https://a.example/?b=1&c='\u00e9<>'","x":"\u2028"}""",
    BodyForm.HTML_ESCAPED: (
        rb"""{"url":"https://a.example/?b\u003d1\u0026c\u003d\u0027"""
        + "é".encode()
        + rb"""\u003c\u003e\u0027","x":"\u2028"}"""
    ),
    BodyForm.SLASH_ESCAPED: """{"url":"https:\\/\\/a.example\\/?b=1&c='é<>'","x":"\u2028"}""".encode(),
    BodyForm.SLASH_AND_ASCII_ESCAPED: rb"""{"url":"https:\/\/a.example\/?b=1&c='\u00e9<>'","x":"\u2028"}""",
}


@pytest.mark.parametrize("form", BodyForm)
def test_any_form_of_the_body_may_have_been_signed_and_which_is_told(form: BodyForm) -> None:
    content = FORMS[form]
    assert json.loads(content) == CONTENT
    arrived = FORMS[BodyForm.RAW]
    assert check(signed(content), arrived).form is form
    with pytest.raises(InboundRefused, match="4015600"):
        check(signed(content), arrived.replace(b"a.example", b"b.example"))


def test_the_time_of_a_check_says_nothing_of_a_signature_that_fits_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every distinct form is hashed once, and compared under every path and key; what fits the raw bytes is enough."""
    compared: list[bytes] = []
    hashed: list[bytes] = []
    compare, digest = hmac.compare_digest, hashlib.sha256

    def remember_comparison(given: bytes, expected: bytes) -> bool:
        compared.append(expected)
        return compare(given, expected)

    def remember_hash(content: bytes) -> object:
        hashed.append(content)
        return digest(content)

    signatures = {
        sign_symmetric(symmetric_string_to_sign("POST", "/p", "t", content, "ts"), "two"): form
        for form, content in FORMS.items()
    }
    monkeypatch.setattr(hmac, "compare_digest", remember_comparison)
    monkeypatch.setattr(hashlib, "sha256", remember_hash)
    for signature in ("AAAA", *signatures):
        compared.clear()
        hashed.clear()
        form = find_body_form(
            signature,
            ["one", "two"],
            method="POST",
            paths=["/p?a=1", "/p"],
            b2b_token="t",
            body=FORMS[BodyForm.RAW],
            timestamp="ts",
        )
        assert form is (None if signature == "AAAA" else signatures[signature])
        forms = 1 if form is BodyForm.RAW else 7
        assert (len(hashed), len(set(hashed))) == (forms, forms)
        assert (len(compared), len(set(compared))) == (4 * forms, 4 * forms)


def test_a_missing_timestamp_is_named() -> None:
    headers = notification(BODY)
    del headers["X-TIMESTAMP"]
    with pytest.raises(InboundRefused, match="4005602 Invalid Mandatory Field X-TIMESTAMP"):
        check(headers, BODY)


@pytest.mark.parametrize(
    ("body", "path"),
    [(BODY.replace(b"10000.00", b"10000.01"), PATH), (BODY, "/prod" + PATH), (BODY, PATH + "/?x=1"), (b"", PATH)],
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
        ({"amount": {"value": "1.00", "currency": "ID\ud800"}}, "4005601", "amount.currency"),
        ({"amount": {"value": "1E+16", "currency": "IDR"}}, "4005601", "amount.value"),
        ({"amount": {"value": "1E-3", "currency": "IDR"}}, "4005601", "amount.value"),
        ({"amount": {"value": "1E+4000000000", "currency": "IDR"}}, "4005601", "amount.value"),
        ({"amount": {"value": "+1E+4", "currency": "IDR"}}, "4005601", "amount.value"),
        ({"originalPartnerReferenceNo": "A\ud800"}, "4005601", "originalPartnerReferenceNo"),
        ({"originalPartnerReferenceNo": "A\x00"}, "4005601", "originalPartnerReferenceNo"),
        ({"originalReferenceNo": "\ud800"}, "4005601", "originalReferenceNo"),
        ({"latestTransactionStatus": "0\ud800"}, "4005601", "latestTransactionStatus"),
        ({"additionalInfo": {"custIdMerchant": "\ud800"}}, "4005601", "additionalInfo.custIdMerchant"),
        ({"additionalInfo": {"custIdMerchant": "C\x00"}}, "4005601", "additionalInfo.custIdMerchant"),
        ({"additionalInfo": {"custIdMerchant": "C" * 65}}, "4005601", "additionalInfo.custIdMerchant"),
        ({"additionalInfo": {"custIdMerchant": {"id": "C"}}}, "4005601", "additionalInfo.custIdMerchant"),
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
        ({"originalExternalId": "1", "additionalInfo": {"status": "", "accountStatus": None}}, "4000702"),
        ({"originalExternalId": "1", "additionalInfo": {"accountStatus": "perhaps"}}, "4000701"),
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


@pytest.mark.parametrize("value", ["10000.00", "10000", "10000.0", 10000, "1E+4", "1e4", "1.0E04", "100000000E-4"])
def test_amounts_are_normalised_and_extra_fields_ignored(value: object) -> None:
    fields = PAYMENT | {"amount": {"value": value, "currency": "IDR"}, "newTopLevel": {"a": [1, 2]}}
    parsed = parse_payment_notification(verified(json.dumps(fields).encode()))
    assert parsed.amount.value == "10000.00"
    assert parsed.transaction_status is TransactionStatus.SUCCESS


def test_a_number_in_exponent_form_is_an_amount() -> None:
    body = json.dumps(PAYMENT).replace('"10000.00"', "1.5E+5").encode()
    assert parse_payment_notification(verified(body)).amount.value == "150000.00"


def test_what_a_payment_notification_may_lack_or_spoil() -> None:
    fields = {name: value for name, value in PAYMENT.items() if name != "originalExternalId"}
    nothing = parse_payment_notification(verified(json.dumps(fields).encode()))
    assert (nothing.original_external_id, nothing.original_reference_no) == (None, None)
    spoilt = fields | {
        "originalExternalId": "\ud800",
        "originalReferenceNo": "x" * 65,
        "transactionStatusDesc": "\ud800",
        "additionalInfo": {"custIdMerchant": "", "channelId": ["x"], "acquirerId": "x" * 2049},
    }
    parsed = parse_payment_notification(verified(json.dumps(spoilt).encode()))
    optional = (
        parsed.original_external_id,
        parsed.original_reference_no,
        parsed.transaction_status_desc,
        parsed.cust_id_merchant,
        parsed.channel_id,
        parsed.acquirer_id,
    )
    assert optional == (None,) * 6


@pytest.mark.parametrize(
    ("additional", "status"),
    [
        ({"status": "success"}, "SUCCESS"),
        ({"status": " Failed "}, "FAILED"),
        ({"accountStatus": "PENDING"}, "PENDING"),
        ({"status": None, "accountStatus": "success"}, "SUCCESS"),
        ({"status": "", "accountStatus": "Failed"}, "FAILED"),
        ({"status": "SUCCESS", "accountStatus": "FAILED"}, "SUCCESS"),
    ],
)
def test_the_status_of_a_link_has_two_names_and_any_case(additional: dict[str, object], status: str) -> None:
    body = json.dumps({"originalExternalId": "1", "additionalInfo": additional}).encode()
    assert parse_binding_notification(verified(body, "07")).status == status


@pytest.mark.parametrize("auth_code", ["\ud800", "x" * 257, "", "a b", ["x"]])
def test_an_auth_code_that_can_not_be_one_is_absent(auth_code: object) -> None:
    fields = {"originalExternalId": "1", "additionalInfo": {"status": "SUCCESS", "authCode": auth_code}}
    assert parse_binding_notification(verified(json.dumps(fields).encode(), "07")).auth_code is None


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
