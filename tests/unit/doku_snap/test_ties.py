"""An answer counts only if what it names is what was asked (contract 12.4)."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from doku_snap.operations import Operation
from doku_snap.ties import TIED_PATHS, Question, doubt_rows, find_contradictions

_OWN = {
    "reference": "INV000000001",
    "external_id": "20260801071400123456789012",
    "refund_number": "RFD000000001",
    "amount": Decimal("10000.00"),
    "customer_id": "CUST-1",
}
# Where the answers name what, and how ours look.
NAMED: dict[Operation, dict[str, object]] = {
    Operation.BIND_ACCOUNT: {"additionalInfo.custIdMerchant": "CUST-1"},
    Operation.VERIFY_OTP: {"originalPartnerReferenceNo": "INV000000001"},
    Operation.MAKE_PAYMENT: {"partnerReferenceNo": "INV000000001"},
    Operation.INQUIRE_STATUS: {
        "originalPartnerReferenceNo": "INV000000001",
        "originalExternalId": "20260801071400123456789012",
        "transAmount": {"value": "10000.00", "currency": "IDR"},
        "serviceCode": "54",
    },
    Operation.REFUND_PAYMENT: {
        "originalPartnerReferenceNo": "INV000000001",
        "originalExternalId": "20260801071400123456789012",
        "partnerRefundNo": "RFD000000001",
        "refundAmount": {"value": "10000.00", "currency": "IDR"},
    },
}
PLACES = [(operation, path) for operation, paths in NAMED.items() for path in paths]
AMOUNTS = [(operation, path) for operation, path in PLACES if path.endswith("Amount")]
TEXTS = [place for place in PLACES if place not in AMOUNTS]


def question(operation: Operation) -> Question:
    return Question(operation=operation, **_OWN)  # type: ignore[arg-type]  # each value has its member's type


def fields(path: str, value: object) -> Mapping[str, object]:
    parent, _, leaf = path.rpartition(".")
    return {parent: {leaf: value}} if parent else {leaf: value}


def found(operation: Operation, path: str, value: object) -> tuple[str, ...]:
    return find_contradictions(question(operation), None, fields(path, value))


@pytest.mark.parametrize("operation", NAMED)
def test_what_names_ours_agrees(operation: Operation) -> None:
    whole: dict[str, object] = {}
    for path, value in NAMED[operation].items():
        whole |= fields(path, value)
    code = f"200{operation.service}00"
    assert find_contradictions(question(operation), code, whole) == ()


@pytest.mark.parametrize(("operation", "path"), PLACES)
@pytest.mark.parametrize("absent", [None, "", {}])
def test_what_is_not_named_is_no_reason_for_doubt(operation: Operation, path: str, absent: object) -> None:
    assert found(operation, path, absent) == ()
    assert find_contradictions(question(operation), None, {}) == ()


@pytest.mark.parametrize(("operation", "path"), TEXTS)
@pytest.mark.parametrize("other", ["OTHER0000001", "inv000000001", 7, True, [], ["INV000000001"], {"a": "b"}, 1.5])
def test_another_name_or_an_unreadable_one_contradicts(operation: Operation, path: str, other: object) -> None:
    assert found(operation, path, other) == (path,)


@pytest.mark.parametrize(("operation", "path"), AMOUNTS)
@pytest.mark.parametrize(
    "other",
    [
        {"value": "1.00", "currency": "IDR"},
        {"value": "0.00", "currency": "IDR"},
        {"value": "Rp 5.000", "currency": "IDR"},
        {"value": "-10000.00", "currency": "IDR"},
        {"value": "10000.00", "currency": "USD"},
        {"value": "10000.00", "currency": 360},
        {"value": True, "currency": "IDR"},
        {"value": ["10000.00"], "currency": "IDR"},
        {"value": "", "currency": "USD"},
        "10000.00",
        10000,
        ["10000.00"],
    ],
    ids=str,
)
def test_another_amount_or_an_unreadable_one_contradicts(operation: Operation, path: str, other: object) -> None:
    assert found(operation, path, other) == (path,)


@pytest.mark.parametrize(("operation", "path"), AMOUNTS)
@pytest.mark.parametrize(
    "same",
    [
        {"value": "10000.00"},
        {"value": "10000.0", "currency": "IDR"},
        {"value": 10000, "currency": "IDR"},
        {"value": Decimal("10000.00"), "currency": "IDR"},
        {"value": "", "currency": "IDR"},
        {"value": None, "currency": None},
    ],
    ids=str,
)
def test_the_same_amount_in_another_form_agrees(operation: Operation, path: str, same: object) -> None:
    assert found(operation, path, same) == ()


def test_blanks_around_a_name_and_a_number_for_text_agree() -> None:
    """Contract 3.6: L's sample has a stray leading blank; DOKU may write what is all digits as a number."""
    assert found(Operation.VERIFY_OTP, "originalPartnerReferenceNo", " INV000000001") == ()
    digits = replace(question(Operation.MAKE_PAYMENT), reference="4711")
    assert find_contradictions(digits, None, {"partnerReferenceNo": 4711}) == ()


@pytest.mark.parametrize(("operation", "path"), PLACES)
def test_a_question_that_is_not_about_it_is_not_compared(operation: Operation, path: str) -> None:
    if path != "serviceCode" and operation is not Operation.VERIFY_OTP:
        assert find_contradictions(Question(operation=operation), None, fields(path, "anything")) == ()


@pytest.mark.parametrize(("named", "contradicts"), [("INV000000001", True), (7, True), ("", False), (None, False)])
def test_the_answer_to_an_unlinkings_code_names_no_payment(named: object, contradicts: bool) -> None:
    path = "originalPartnerReferenceNo"
    unlinking = Question(operation=Operation.VERIFY_OTP)
    assert find_contradictions(unlinking, "2000400", {path: named}) == ((path,) if contradicts else ())
    assert find_contradictions(unlinking, "2000400", {path: named}, frozenset({path})) == ()


def test_every_path_that_is_compared_can_be_untied() -> None:
    assert {path for _, path in PLACES} | {"responseCode", "refundHistory.refundAmount"} == TIED_PATHS


@pytest.mark.parametrize(("operation", "path"), PLACES)
def test_an_untied_path_is_not_compared(operation: Operation, path: str) -> None:
    untied = frozenset({path})
    assert find_contradictions(question(operation), None, fields(path, "OTHER"), untied) == ()


@pytest.mark.parametrize(
    ("operation", "code", "agrees"),
    [
        (Operation.INQUIRE_STATUS, "2005500", True),
        (Operation.INQUIRE_STATUS, "4045401", True),
        (Operation.INQUIRE_STATUS, "4041101", False),
        (Operation.INQUIRE_STATUS, "2005800", False),
        (Operation.INQUIRE_STATUS, "4017301", True),  # a gateway's word on our token
        (Operation.INQUIRE_STATUS, "4017300", False),
        (Operation.REFUND_PAYMENT, "2000700", True),
        (Operation.REFUND_PAYMENT, "2005500", False),
        (Operation.REFUND_PAYMENT, "4030715", False),
        (Operation.REFUND_PAYMENT, "4015801", True),
        (Operation.REFUND_PAYMENT, "4010401", False),
        (Operation.MAKE_PAYMENT, "4035413", True),
        (Operation.MAKE_PAYMENT, "4030913", False),
        (Operation.REQUEST_CUSTOMER_TOKEN, "4017300", True),  # contract 12.7
        (Operation.REQUEST_CUSTOMER_TOKEN, "2007300", False),  # the merchant's token is no customer's
        (Operation.REQUEST_B2B_TOKEN, "2007400", False),
        (Operation.INQUIRE_STATUS, "20055000", True),  # no code at all: classified as unknown, not as another's
        (Operation.INQUIRE_STATUS, None, True),
    ],
)
def test_the_service_of_the_code_has_to_be_the_calls(operation: Operation, code: str | None, agrees: bool) -> None:
    assert find_contradictions(question(operation), code, {}) == (() if agrees else ("responseCode",))


@pytest.mark.parametrize("service", ["54", "55", 54, " 55 "])
def test_the_original_service_of_a_status_is_a_payments(service: object) -> None:
    assert found(Operation.INQUIRE_STATUS, "serviceCode", service) == ()


@pytest.mark.parametrize("service", ["58", "07", 5, ["54"]])
def test_a_status_of_something_else_contradicts(service: object) -> None:
    assert found(Operation.INQUIRE_STATUS, "serviceCode", service) == ("serviceCode",)


# --- refundHistory ---------------------------------------------------------------------------------------------------

_OTHER_AMOUNT = {"value": "1.00", "currency": "IDR"}


def doubted(row: object) -> bool:
    """Whether the row has lost its status, and the answer is said to contradict there."""
    before = {"refundHistory": [row, {"partnerRefundNo": "BACK", "refundStatus": "00"}]}
    after, paths = doubt_rows(question(Operation.INQUIRE_STATUS), before)
    lost = after != before
    assert paths == (("refundHistory.refundAmount",) if lost else ())
    if lost:
        rows = after["refundHistory"]
        assert isinstance(rows, list)
        assert rows[0]["refundStatus"] is None
        assert rows[1]["refundStatus"] == "00"
    return lost


@pytest.mark.parametrize(
    "naming",
    [
        {"partnerRefundNo": "RFD000000001"},
        {"partnerReferenceNo": "RFD000000001"},
        {"partnerReferenceNo": "INV000000001"},  # the payment's own: no refund's number, so the row is ours
        {},
    ],
)
@pytest.mark.parametrize("amount", [_OTHER_AMOUNT, {"value": "0.00"}, {"value": "Rp 10.000"}, "10000.00"], ids=str)
def test_our_row_with_another_amount_says_nothing(naming: dict[str, object], amount: object) -> None:
    assert doubted({**naming, "refundStatus": "00", "refundAmount": amount})


def test_our_row_with_our_amount_or_none_counts() -> None:
    ours = {"partnerRefundNo": "RFD000000001", "refundStatus": "00"}
    assert not doubted(ours)
    assert not doubted({**ours, "refundAmount": {"value": "10000.00", "currency": "IDR"}})
    assert not doubted("not a row")


@pytest.mark.parametrize("name", ["partnerRefundNo", "partnerReferenceNo"])
def test_what_others_gave_back_may_be_any_amount(name: str) -> None:
    assert not doubted({name: "BACK", "refundStatus": "00", "refundAmount": _OTHER_AMOUNT})
