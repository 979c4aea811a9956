"""Bad input at every route: the status, the type, the field; nothing is written and nothing reaches DOKU."""

import json

import pytest

from direct_debit.application.errors import InvalidRequest
from direct_debit.entrypoint.events import MAX_BODY
from tests.integration.handlers.house import House, binding_body, encode, payment_body

BINDING = "6f1d2c3b4a5968778695a4b3c2d1e0f0"
REF = {"ref": "INV000000001"}
ID = {"id": BINDING}

type Refusal = tuple[int, str, str]  # status, kind of problem, field

LONG_URL = "https://shop.example/" + "x" * 2048


def idr(value: object) -> dict[str, object]:
    """An amount."""
    return {"value": value, "currency": "IDR"}


BAD_PAYMENTS: list[tuple[dict[str, object], Refusal]] = [
    ({"amount": idr("10000")}, (422, "invalid-field", "amount.value")),
    ({"amount": idr("1e4")}, (422, "invalid-field", "amount.value")),
    ({"amount": idr("-1.00")}, (422, "invalid-field", "amount.value")),
    ({"amount": idr("NaN")}, (422, "invalid-field", "amount.value")),
    ({"amount": idr("0.00")}, (422, "invalid-field", "amount.value")),
    ({"amount": idr("10,000.00")}, (422, "invalid-field", "amount.value")),
    ({"amount": idr("10000.0")}, (422, "invalid-field", "amount.value")),
    ({"amount": idr("10000.000")}, (422, "invalid-field", "amount.value")),
    ({"amount": idr("1" * 17 + ".00")}, (422, "invalid-field", "amount.value")),
    ({"amount": idr("\u0661\u0660\u0660.\u0660\u0660")}, (422, "invalid-field", "amount.value")),
    ({"amount": idr("10000.00\n")}, (422, "invalid-field", "amount.value")),
    ({"amount": idr(10000)}, (422, "invalid-field", "amount.value")),
    ({"amount": idr(10000.00)}, (422, "invalid-field", "amount.value")),
    ({"amount": {"value": "1.00", "currency": "USD"}}, (422, "invalid-field", "amount.currency")),
    ({"amount": {"value": "1.00", "currency": "idr"}}, (422, "invalid-field", "amount.currency")),
    ({"amount": {"value": "1.00"}}, (400, "missing-field", "amount.currency")),
    ({"amount": {"value": "1.00", "currency": "IDR", "cents": 0}}, (422, "unknown-field", "amount.cents")),
    ({"amount": "10000.00"}, (422, "invalid-field", "amount")),
    ({"amount": None}, (400, "missing-field", "amount")),
    ({"remarks": None}, (400, "missing-field", "remarks")),
    ({"remarks": ""}, (422, "invalid-field", "remarks")),
    ({"remarks": "x" * 41}, (422, "invalid-field", "remarks")),
    ({"remarks": "Bayar ✓"}, (422, "invalid-field", "remarks")),
    ({"remarks": "a\nb"}, (422, "invalid-field", "remarks")),
    ({"remarks": "<script>"}, (422, "invalid-field", "remarks")),
    ({"bindingId": None}, (400, "missing-field", "bindingId")),
    ({"bindingId": "../x"}, (422, "invalid-field", "bindingId")),
    ({"partnerReferenceNo": "x" * 65}, (422, "invalid-field", "partnerReferenceNo")),
    ({"partnerReferenceNo": ""}, (422, "invalid-field", "partnerReferenceNo")),
    ({"partnerReferenceNo": "INV 1"}, (422, "invalid-field", "partnerReferenceNo")),
    ({"partnerReferenceNo": None}, (400, "missing-field", "partnerReferenceNo")),
    ({"successUrl": "http://shop.example/x"}, (422, "invalid-field", "successUrl")),
    ({"successUrl": "https://user@shop.example/x"}, (422, "invalid-field", "successUrl")),
    ({"successUrl": "https://"}, (422, "invalid-field", "successUrl")),
    ({"successUrl": "https://[::1/x"}, (422, "invalid-field", "successUrl")),
    ({"successUrl": "https://shop.example:99999/x"}, (422, "invalid-field", "successUrl")),
    ({"successUrl": "javascript:alert(1)"}, (422, "invalid-field", "successUrl")),
    ({"successUrl": "https://shop.example\\@evil.example"}, (422, "invalid-field", "successUrl")),
    ({"failedUrl": LONG_URL}, (422, "invalid-field", "failedUrl")),
    ({"deviceId": "a-b"}, (422, "invalid-field", "deviceId")),
    ({"deviceId": "a" * 65}, (422, "invalid-field", "deviceId")),
    ({"ipAddress": "2001:db8::1"}, (422, "invalid-field", "ipAddress")),
    ({"ipAddress": "256.1.1.1"}, (422, "invalid-field", "ipAddress")),
    ({"metadata": {f"k{n}": "v" for n in range(21)}}, (422, "invalid-field", "metadata")),
    ({"metadata": {"k": "v" * 501}}, (422, "invalid-field", "metadata.k")),
    ({"metadata": {"k": 1}}, (422, "invalid-field", "metadata.k")),
    ({"metadata": {"a b": "v"}}, (422, "invalid-field", "metadata.a b")),
    ({"metadata": []}, (422, "invalid-field", "metadata")),
    ({"taskToken": "token"}, (422, "unknown-field", "taskToken")),  # plain commands only
    ({"idempotencyKey": "key"}, (422, "unknown-field", "idempotencyKey")),  # a header at the API
    ({"colour": "red"}, (422, "unknown-field", "colour")),
    ({"amount ": "1.00"}, (422, "unknown-field", "amount ")),
]

BAD_BINDINGS: list[tuple[dict[str, object], Refusal]] = [
    ({"phone": "62857957"}, (422, "invalid-field", "phone")),
    ({"phone": "62857957868761234"}, (422, "invalid-field", "phone")),
    ({"phone": "62857x57868"}, (422, "invalid-field", "phone")),
    ({"phone": "+6285795786"}, (422, "invalid-field", "phone")),
    ({"phone": "0857957868761"}, (422, "invalid-field", "phone")),
    ({"phone": 62857957868761}, (422, "invalid-field", "phone")),
    ({"phone": None}, (400, "missing-field", "phone")),
    ({"customerId": None}, (400, "missing-field", "customerId")),
    ({"customerId": "x" * 65}, (422, "invalid-field", "customerId")),
    ({"customerId": "siti@shop.example"}, (422, "invalid-field", "customerId")),
    ({"failedUrl": "http://shop.example"}, (422, "invalid-field", "failedUrl")),
    ({"customerName": ""}, (422, "invalid-field", "customerName")),
    ({"customerName": "x" * 71}, (422, "invalid-field", "customerName")),
    ({"customerName": "a\u0000b"}, (422, "invalid-field", "customerName")),
    ({"email": "no-at-sign"}, (422, "invalid-field", "email")),
    ({"email": "x" * 60 + "@a.id"}, (422, "invalid-field", "email")),
    ({"idCard": "3174-01"}, (422, "invalid-field", "idCard")),
    ({"dateOfBirth": "19901331"}, (422, "invalid-field", "dateOfBirth")),
    ({"dateOfBirth": "1990-01-31"}, (422, "invalid-field", "dateOfBirth")),
    ({"country": "x" * 61}, (422, "invalid-field", "country")),
    ({"address": "x" * 256}, (422, "invalid-field", "address")),
    ({"taskToken": "token"}, (422, "unknown-field", "taskToken")),
    ({"Phone": "62857957868761"}, (422, "unknown-field", "Phone")),
]

BAD_OTPS: list[tuple[object, Refusal]] = [
    ({}, (400, "missing-field", "otp")),
    ({"otp": ""}, (422, "invalid-field", "otp")),
    ({"otp": "123"}, (422, "invalid-field", "otp")),
    ({"otp": "123456789"}, (422, "invalid-field", "otp")),
    ({"otp": "12345a"}, (422, "invalid-field", "otp")),
    ({"otp": 123456}, (422, "invalid-field", "otp")),
    ({"otp": None}, (422, "invalid-field", "otp")),
    ({"otp": "123456", "partnerReferenceNo": "OTHER"}, (422, "unknown-field", "partnerReferenceNo")),
]


@pytest.mark.parametrize(("changes", "expected"), BAD_PAYMENTS)
def test_bad_payment(house: House, changes: dict[str, object], expected: Refusal) -> None:
    refuse(house, "make_payment", payment_body(BINDING, **changes), expected)


@pytest.mark.parametrize(("changes", "expected"), BAD_BINDINGS)
def test_bad_binding(house: House, changes: dict[str, object], expected: Refusal) -> None:
    refuse(house, "bind_account", binding_body(**changes), expected)


@pytest.mark.parametrize("name", ["verify_payment_otp", "confirm_unbinding"])
@pytest.mark.parametrize(("body", "expected"), BAD_OTPS)
def test_bad_otp(house: House, name: str, body: object, expected: Refusal) -> None:
    refuse(house, name, body, expected, path=REF if name == "verify_payment_otp" else ID)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"partnerRefundNo": "x" * 65}, (422, "invalid-field", "partnerRefundNo")),
        ({"reason": "x" * 256}, (422, "invalid-field", "reason")),
        ({"reason": "a\tb"}, (422, "invalid-field", "reason")),
        ({"amount": idr("1.00")}, (422, "unknown-field", "amount")),  # there are no partial refunds
    ],
)
def test_bad_refund(house: House, body: object, expected: Refusal) -> None:
    refuse(house, "refund_payment", body, expected, path=REF)


@pytest.mark.parametrize(
    ("name", "path", "query", "field"),
    [
        ("get_payment", {"ref": "INV 1"}, None, "partnerReferenceNo"),
        ("get_payment", REF, {"refresh": "yes"}, "refresh"),
        ("get_payment", REF, {"verbose": "true"}, "verbose"),
        ("get_binding", {"id": "a/b"}, None, "bindingId"),
        ("get_binding", ID, {"x": "1"}, "x"),
        ("list_bindings", {"customerId": "a b"}, None, "customerId"),
        ("return_from_binding", {"state": "short", "outcome": "success"}, None, "state"),
        ("return_from_binding", {"state": "0" * 32, "outcome": "maybe"}, None, "outcome"),
    ],
)
def test_bad_path_or_query(
    house: House, name: str, path: dict[str, str], query: dict[str, str] | None, field: str
) -> None:
    response = house.call(name, path=path, query=query)
    assert (response.status, response.json["field"]) == (422, field)


@pytest.mark.parametrize(
    ("raw", "is_base64"),
    [
        ("", False),
        ("   ", False),
        ("{", False),
        ("not JSON", False),
        ("[]", False),
        ("null", False),
        ('"text"', False),
        ("1", False),
        ('{"bindingId":NaN}', False),
        ('{"remarks":"a","remarks":"b"}', False),
        ("[" * 50_000, False),
        ('{"remarks":' + "9" * 5000 + "}", False),
        ("{\ud800}", False),
        ("not base64!", True),
        (encode("not JSON"), True),
        ("/w==", True),  # not UTF-8
    ],
)
@pytest.mark.parametrize("name", ["make_payment", "bind_account"])
def test_a_body_that_is_no_json_object(house: House, name: str, raw: str, is_base64: bool) -> None:
    response = house.call(name, raw=raw, is_base64=is_base64)
    assert (response.status, response.json["type"]) == (400, "/problems/malformed-request")
    assert (house.written, house.sent) == (0, 0)


def test_no_body_at_all(house: House) -> None:
    assert house.call("make_payment").json["type"] == "/problems/malformed-request"


def test_base64_is_read(house: House) -> None:
    response = house.call("make_payment", raw=encode(json.dumps(payment_body(BINDING))), is_base64=True)
    assert (response.status, response.json["type"]) == (404, "/problems/not-found")


@pytest.mark.parametrize("is_base64", [False, True])
def test_the_body_is_capped(house: House, is_base64: bool) -> None:
    text = '{"remarks":"' + "x" * (65 * 1024) + '"}'
    response = house.call("make_payment", raw=encode(text) if is_base64 else text, is_base64=is_base64)
    assert (response.status, response.json["type"]) == (413, "/problems/body-too-large")
    fitting = '{"remarks":"' + "x" * (MAX_BODY - 14) + '"}'
    assert len(fitting) == MAX_BODY
    assert house.call("make_payment", raw=fitting).status == 400  # read, and found incomplete


# --- text that can not be written to DOKU ----------------------------------------------------------------------------

WINDOWS_1252 = "control character U+0096 at position 5; it looks like text in Windows-1252: send UTF-8"


@pytest.mark.parametrize(
    ("name", "path", "body", "field"),
    [
        ("bind_account", None, binding_body(customerName="Siti\u0096Rahma"), "customerName"),
        ("bind_account", None, binding_body(country="Indo\u0096nesia"), "country"),
        ("bind_account", None, binding_body(address="Jl. \u0096 12"), "address"),
        ("make_payment", None, payment_body(BINDING, remarks="Kopi\u0096Tubruk"), "remarks"),
        ("refund_payment", REF, {"reason": "Kopi\u0096Tubruk"}, "reason"),
    ],
)
def test_text_of_another_encoding(
    house: House, name: str, path: dict[str, str] | None, body: dict[str, object], field: str
) -> None:
    refuse(house, name, body, (422, "invalid-field", field), path=path)
    problem = house.call(name, body, path=path).json
    assert WINDOWS_1252 in problem["detail"]
    assert str(body[field]) not in problem["detail"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a\ud83d", "half of a character (U+D83D at position 2)"),
        ("a\u0085b", "control character U+0085 at position 2"),
        ("a\nb", "control character U+000A at position 2"),
    ],
)
def test_a_character_that_can_not_be_sent(house: House, text: str, found: str) -> None:
    for name, path, body, field in (
        ("refund_payment", REF, {"reason": text}, "reason"),
        ("bind_account", None, binding_body(customerName=text), "customerName"),
    ):
        refuse(house, name, body, (422, "invalid-field", field), path=path)
        assert found in house.call(name, body, path=path).json["detail"]


def test_a_paid_payments_refund_is_not_promised_with_a_reason_that_can_not_be_sent(house: House) -> None:
    binding_id = house.link()
    house.call("make_payment", payment_body(binding_id))
    house.call("verify_payment_otp", {"otp": "123456"}, path=REF)
    house.world.run_for(60)
    assert house.call("refund_payment", {"reason": "Kopi\u0096Tubruk"}, path=REF).status == 422
    assert house.call("get_refund", path=REF).status == 404
    assert house.call("refund_payment", {"reason": "Kopi \u2013 Tubruk"}, path=REF).status == 202
    house.world.run_for(120)
    assert house.call("get_refund", path=REF).json["state"] == "REFUNDED"


def test_a_page_with_a_scheme_in_capitals_is_paid(house: House) -> None:
    body = payment_body(house.link(), successUrl="HTTPS://shop.example/paid")
    assert house.call("make_payment", body).status == 201


# --- nothing that its sender relies on goes unheard ------------------------------------------------------------------

KEYLESS = [
    ("bind_account", None, binding_body(), "the same request returns it"),
    ("unbind_account", ID, None, "under way or done is returned"),
    ("confirm_unbinding", ID, {"otp": "123456"}, "not confirmed again"),
    ("verify_payment_otp", REF, {"otp": "123456"}, "not sent again"),
    ("refund_payment", REF, {}, "partnerRefundNo is its key"),
]
GETS = [
    ("get_binding", ID),
    ("list_bindings", {"customerId": "CUST-1"}),
    ("get_balance", ID),
    ("get_payment", REF),
    ("get_refund", REF),
    ("return_from_binding", {"state": "0" * 32, "outcome": "success"}),
]


@pytest.mark.parametrize(("name", "path", "body", "reason"), KEYLESS)
def test_a_key_where_none_is_taken(
    house: House, name: str, path: dict[str, str] | None, body: object, reason: str
) -> None:
    for header in ("Idempotency-Key", "IDEMPOTENCY-KEY", "X-Idempotency-Key", "Idempotency_Key"):
        response = house.call(name, body, path=path, headers={header: "basket-7"})
        assert (response.status, response.json["type"]) == (422, "/problems/unknown-field")
        assert response.json["field"] == "Idempotency-Key"
        assert reason in response.json["detail"]
        assert "basket-7" not in response.text
    assert (house.written, house.sent) == (0, 0)


@pytest.mark.parametrize(("name", "path", "body", "reason"), KEYLESS)
def test_a_key_in_a_plain_command_where_none_is_taken(
    house: House, name: str, path: dict[str, str] | None, body: object, reason: str
) -> None:
    named = {"id": "bindingId", "ref": "partnerReferenceNo"}
    fields = {named[key]: value for key, value in (path or {}).items()}
    assert body is None or isinstance(body, dict)
    with pytest.raises(InvalidRequest, match=reason) as refused:
        house.invoke(name, {**fields, **(body or {}), "idempotencyKey": "basket-7"})
    assert refused.value.field == "idempotencyKey"
    assert (house.written, house.sent) == (0, 0)


@pytest.mark.parametrize(("name", "path"), GETS)
def test_a_key_means_nothing_to_a_question(house: House, name: str, path: dict[str, str]) -> None:
    without = house.call(name, path=path)
    assert house.call(name, path=path, headers={"Idempotency-Key": "basket-7"}).raw == without.raw


@pytest.mark.parametrize("header", ["X-Idempotency-Key", "Idempotency_Key", "IdempotencyKey", "x-idempotency-key"])
def test_a_key_under_another_name(house: House, header: str) -> None:
    response = house.call("make_payment", payment_body(BINDING), headers={header: "basket-7"})
    assert (response.status, response.json["type"]) == (422, "/problems/unknown-field")
    assert "is called Idempotency-Key" in response.json["detail"]
    assert (house.written, house.sent) == (0, 0)


@pytest.mark.parametrize("key", ["", "a b", "a" * 256, "caf\u00e9"])
def test_a_key_of_another_form(house: House, key: str) -> None:
    response = house.call("make_payment", payment_body(BINDING), headers={"Idempotency-Key": key})
    assert (response.status, response.json["field"]) == (422, "idempotencyKey")


@pytest.mark.parametrize("values", [["basket-7", "basket-8"], ["", "basket-7"]])
def test_two_keys_at_once(house: House, values: list[str]) -> None:
    response = house.call(
        "make_payment",
        payment_body(BINDING),
        headers={"Idempotency-Key": values[-1]},
        repeated_headers={"Idempotency-Key": values},
    )
    assert (response.status, response.json["field"]) == (422, "Idempotency-Key")
    assert "send it once" in response.json["detail"]
    assert (house.written, house.sent) == (0, 0)
    same = {"Idempotency-Key": ["basket-7", "basket-7"]}
    again = house.call(
        "make_payment", payment_body(BINDING), headers={"Idempotency-Key": "basket-7"}, repeated_headers=same
    )
    assert again.status == 404  # read: there is no such binding


def test_two_values_of_a_query_parameter(house: House) -> None:
    response = house.call(
        "get_payment", path=REF, query={"refresh": "false"}, repeated_query={"refresh": ["true", "false"]}
    )
    assert (response.status, response.json["field"]) == (422, "refresh")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"otp": "123456"}, (422, "unknown-field", "otp")),
        ({"reason": "gone"}, (422, "unknown-field", "reason")),
    ],
)
def test_a_body_of_an_operation_without_one(house: House, body: object, expected: Refusal) -> None:
    refuse(house, "unbind_account", body, expected, path=ID)


def test_an_empty_body_of_an_operation_without_one(house: House) -> None:
    for raw in ("", "  ", "{}"):
        assert house.call("unbind_account", path=ID, raw=raw).status == 404
    assert house.call("unbind_account", path=ID, raw="otp=123456").json["type"] == "/problems/malformed-request"
    too_long = house.call("unbind_account", path=ID, raw="x" * (3 * MAX_BODY))
    assert too_long.json["type"] == "/problems/body-too-large"


@pytest.mark.parametrize("name", ["\ud800", "a\u0000b", "\u001b[31m", "a\u0096"])
def test_a_field_name_that_no_answer_can_carry(house: House, name: str) -> None:
    raw = json.dumps({**payment_body(BINDING), name: 1})
    for response in (
        house.call("make_payment", raw=raw),
        house.call("make_payment", raw=json.dumps(payment_body(BINDING, metadata={name: "v"}))),
    ):
        assert response.status == 422
        assert response.text.encode()
        assert response.json["field"].isprintable()


# --- what does not exist, or does not fit ----------------------------------------------------------------------------


def test_an_unknown_binding_or_payment(house: House) -> None:
    assert house.call("make_payment", payment_body(BINDING)).status == 404
    for name, path, body in (
        ("get_binding", ID, None),
        ("get_balance", ID, None),
        ("unbind_account", ID, None),
        ("confirm_unbinding", ID, {"otp": "123456"}),
        ("get_payment", REF, None),
        ("verify_payment_otp", REF, {"otp": "123456"}),
        ("refund_payment", REF, None),
        ("get_refund", REF, None),
        ("return_from_binding", {"state": "0" * 32, "outcome": "success"}, None),
    ):
        response = house.call(name, body, path=path)
        assert (name, response.status, response.json["type"]) == (name, 404, "/problems/not-found")
    assert (house.written, house.sent) == (0, 0)


def test_wrong_states(house: House) -> None:
    pending = house.call("bind_account", binding_body()).json["bindingId"]
    sent = house.sent
    assert house.call("make_payment", payment_body(pending)).status == 409
    assert house.call("get_balance", path={"id": pending}).status == 409
    assert house.call("confirm_unbinding", {"otp": "123456"}, path={"id": pending}).status == 409
    assert house.sent == sent


def refuse(house: House, name: str, body: object, expected: Refusal, path: dict[str, str] | None = None) -> None:
    """The request is refused as told, and nothing happened."""
    status, kind, field = expected
    response = house.call(name, body, path=path)
    assert (response.status, response.json["type"]) == (status, f"/problems/{kind}"), response.text
    problem = response.json
    assert problem["field"] == field
    assert problem["status"] == status
    assert problem["requestId"] == "request-1"
    assert problem["detail"]
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (house.written, house.sent) == (0, 0)
