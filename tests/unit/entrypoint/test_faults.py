"""What a caller reads of wrong fields: all of them, each with its place, its rule, what kind came, an example."""

import json
from dataclasses import replace

import pytest

from direct_debit.application.errors import InvalidRequest
from direct_debit.application.settings import Settings
from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.errors import MissingField, UnknownField, describe
from direct_debit.entrypoint.events import ApiRequest
from direct_debit.entrypoint.faults import MOST_FAULTS
from direct_debit.entrypoint.operations import bind_account, make_payment, verify_payment_otp
from direct_debit.entrypoint.parsing import read_json, read_request
from direct_debit.entrypoint.route import Route
from tests.fakes.world import World

SETTINGS = World().settings
GOOD_PAYMENT: dict[str, object] = {
    "bindingId": "6f1d2c3b4a5968778695a4b3c2d1e0f0",
    "partnerReferenceNo": "INV1",
    "remarks": "Order 1",
    "amount": {"value": "10000.00", "currency": "IDR"},
}
GOOD_BINDING: dict[str, object] = {
    "customerId": "C1",
    "phone": "62857957868761",
    "successUrl": "https://shop.example/a",
}


def request(body: object, path: str, query: dict[str, str]) -> ApiRequest:
    return ApiRequest(
        request_id="r",
        path=path,
        headers={},
        path_parameters={"ref": "INV1"} if "{ref}" in path else {},
        query=query,
        raw_body=json.dumps(body),
        query_pairs=tuple(query.items()),
    )


def refused[C: Command](route: Route[C], body: object, settings: Settings = SETTINGS, **query: str) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        read_request(route, request(body, route.path, query), settings)
    return caught.value


def test_all_wrong_fields_are_told_at_once_the_gravest_first() -> None:
    body = {**GOOD_PAYMENT, "remarks": "x" * 41, "amount": {"value": "1", "currency": "USD"}, "colour": "red"}
    del body["bindingId"]
    error = refused(make_payment.ROUTE, body, size="l")
    assert isinstance(error, MissingField)
    assert [(fault.kind, fault.pointer) for fault in error.faults] == [
        ("missing", "/bindingId"),
        ("unknown", "/colour"),
        ("unknown", "/size"),
        ("invalid", "/amount/value"),
        ("invalid", "/amount/currency"),
        ("invalid", "/remarks"),
    ]
    assert (error.field, error.detail) == ("bindingId", f"{error.faults[0].detail} (5 more: see errors)")


def test_an_unknown_field_does_not_hide_a_broken_rule() -> None:
    error = refused(make_payment.ROUTE, {**GOOD_PAYMENT, "remark": "x", "remarks": ""})
    assert isinstance(error, UnknownField)
    assert [fault.field for fault in error.faults] == ["remark", "remarks"]


def test_a_fault_shows_the_kind_of_what_came_and_an_example_and_never_the_value() -> None:
    error = refused(verify_payment_otp.ROUTE, {"otp": "12 34 56"})
    (fault,) = error.faults
    assert (fault.came, fault.example) == ("a string of 8 characters", "123456")
    shown = describe(error).body("r", "/problems")
    assert shown["errors"] == [
        {"pointer": "/otp", "detail": fault.detail, "came": "a string of 8 characters", "example": "123456"}
    ]
    assert "12 34 56" not in json.dumps(shown)


def test_no_more_faults_are_told_than_anybody_reads() -> None:
    error = refused(make_payment.ROUTE, {**GOOD_PAYMENT, **{f"f{n}": 1 for n in range(50)}})
    assert len(error.faults) == MOST_FAULTS


def test_a_pointer_is_written_as_the_standard_says() -> None:
    error = refused(make_payment.ROUTE, {**GOOD_PAYMENT, "a/b~c": 1})
    assert error.faults[0].pointer == "/a~1b~0c"


NUMBER = "A number came: send a string, in quotes."
MISTAKES = [
    ({"amount": 10000}, "/amount", 'An amount is an object: {"value": "10000.00", "currency": "IDR"}.'),
    ({"amount": "10000.00"}, "/amount", 'An amount is an object: {"value": "10000.00", "currency": "IDR"}.'),
    (
        {"amount": {"value": 10000, "currency": "IDR"}},
        "/amount/value",
        "A number came: send a string, in quotes.",
    ),
    ({"amount": {"value": "10000", "currency": "IDR"}}, "/amount/value", "Two decimals are missing (.00)."),
    ({"amount": {"value": "10000.5", "currency": "IDR"}}, "/amount/value", "Exactly two decimals."),
    ({"amount": {"value": "10000.000", "currency": "IDR"}}, "/amount/value", "Exactly two decimals."),
    ({"amount": {"value": "10,000.00", "currency": "IDR"}}, "/amount/value", "No separators of thousands"),
    ({"amount": {"value": "10.000.00", "currency": "IDR"}}, "/amount/value", "No separators of thousands"),
    ({"amount": {"value": "0.00", "currency": "IDR"}}, "/amount/value", "It has to be greater than zero."),
    ({"amount": {"value": "IDR 1.00", "currency": "IDR"}}, "/amount/value", "the currency stands in its own field"),
    ({"amount": None}, "/amount", "null came"),
    ({"remarks": 4711}, "/remarks", NUMBER),
    ({"partnerReferenceNo": " INV1"}, "/partnerReferenceNo", "It begins or ends with a blank"),
]


@pytest.mark.parametrize(("change", "pointer", "hint"), MISTAKES)
def test_a_common_mistake_of_a_payment_is_called_by_its_name(
    change: dict[str, object], pointer: str, hint: str
) -> None:
    (fault,) = refused(make_payment.ROUTE, GOOD_PAYMENT | change).faults
    assert fault.pointer == pointer
    assert hint in fault.detail


@pytest.mark.parametrize(
    ("phone", "hint"),
    [
        ("+62857957868761", "without the +"),
        ("0062857957868761", "without the 00"),
        ("0857957868761", "Write 62 in place of the leading 0."),
        ("62-857-957-868", "Digits 0 to 9 only, without blanks and hyphens."),
        (62857957868761, NUMBER),
    ],
)
def test_a_phone_as_people_write_it(phone: object, hint: str) -> None:
    (fault,) = refused(bind_account.ROUTE, GOOD_BINDING | {"phone": phone}).faults
    assert hint in fault.detail
    assert str(phone) not in fault.detail


def test_a_page_on_another_host_names_those_that_are_allowed_and_the_parameter() -> None:
    settings = replace(SETTINGS, allowed_return_hosts=("shop.example", "pay.example:8443"))
    (fault,) = refused(make_payment.ROUTE, GOOD_PAYMENT | {"successUrl": "https://other.example/"}, settings).faults
    assert "Allowed are: pay.example:8443, shop.example (the operator's parameter AllowedReturnHosts)." in fault.detail


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"a": 1,}', "the comma before the end is too much; remove it (at line 1, column 8)"),
        (b'{"a": 1\n "b": 2}', "line 2, column 2"),
        (b"{'a': 1}", "line 1, column 2"),
        (b'{"a": "x}', "line 1, column 7"),
        (b'{"a": NaN}', "leave the field out (at line 1, column 7)"),
        (b'{"a": 1, "a": 2}', "has the key a more than once"),
        (b'{"a": "\xe4"}', "not UTF-8: byte 8"),
        (b"[" * 100_000, "too many brackets within each other"),
    ],
)
def test_a_fault_of_json_is_told_with_its_place(body: bytes, told: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_json(body)
    assert told in caught.value.detail
