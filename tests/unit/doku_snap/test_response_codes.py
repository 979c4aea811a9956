"""The whole table of contract section 5, row by row, and the decisions around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doku_snap.operations import Operation
from doku_snap.response_codes import (
    NEXT_STEPS,
    OVERRIDES,
    TABLE,
    AnswerClass,
    CodeRow,
    ResponseCode,
    classify,
    parse_response_code,
)

# Written out from the contract a second time, by hand: a row that is dropped, added or changed shows here.
CONTRACT = """
200 00 OK, 202 00 PEND,
400 00 BUG, 400 01 BUG, 400 02 BUG, 400 03 CHECK, 400 04 BUG,
401 00 BUG, 401 01 TOKEN, 401 02 CUSTOMER_TOKEN, 401 03 TOKEN, 401 04 CUST,
403 00 FINAL, 403 01 BUG, 403 02 FINAL, 403 03 FINAL, 403 04 LATER, 403 05 FINAL, 403 06 LATER, 403 07 FINAL,
403 08 FINAL, 403 09 CUST, 403 10 CUST, 403 11 FINAL, 403 12 CUST, 403 13 OTP, 403 14 FINAL, 403 15 FINAL,
403 16 FINAL, 403 17 FINAL, 403 18 CUST, 403 19 BUG, 403 20 LATER, 403 21 FINAL, 403 22 FINAL, 403 23 LATER,
404 00 FINAL, 404 01 BUG, 404 02 BUG, 404 03 BUG, 404 04 FINAL, 404 05 BUG, 404 06 CUST, 404 07 BUG, 404 08 BUG,
404 09 FINAL, 404 10 BUG, 404 11 CUST, 404 12 BUG, 404 13 BUG, 404 14 CHECK, 404 15 CUST, 404 16 BUG, 404 17 BUG,
404 18 FINAL, 404 19 BUG,
405 00 BUG, 405 01 FINAL,
409 00 CHECK, 409 01 CHECK,
429 00 RETRY,
500 00 CHECK, 500 01 CHECK, 500 02 CHECK,
504 00 CHECK
"""
EXPECTED = [tuple(item.split()) for item in CONTRACT.replace("\n", " ").split(",")]
READS = {
    Operation.REQUEST_B2B_TOKEN,
    Operation.REQUEST_CUSTOMER_TOKEN,
    Operation.INQUIRE_BALANCE,
    Operation.INQUIRE_STATUS,
}
WRITES = set(Operation) - READS
ALIVE = {AnswerClass.OK, AnswerClass.OTP, AnswerClass.PEND}


def row_id(row: CodeRow) -> str:
    return f"{row.http}xx{row.case}"


def test_the_table_is_the_contract() -> None:
    assert [(str(row.http), row.case, row.answer_class.value) for row in TABLE] == EXPECTED
    assert len(EXPECTED) == len(set(EXPECTED)) == 65


def test_the_services_are_the_contract() -> None:
    assert {operation.value: operation.service for operation in Operation} == {
        "request_b2b_token": "73",
        "request_customer_token": "74",
        "bind_account": "07",
        "verify_otp": "04",
        "inquire_balance": "11",
        "make_payment": "54",
        "inquire_status": "55",
        "refund_payment": "58",
        "unbind_account": "09",
    }
    assert {operation for operation in Operation if operation.is_read} == READS


def test_the_overrides_are_these() -> None:
    assert {
        (operation.service, http, case): row.answer_class for (operation, http, case), row in OVERRIDES.items()
    } == {
        ("74", 401, "00"): AnswerClass.CUST,
        ("11", 201, "00"): AnswerClass.OK,
        ("55", 404, "01"): AnswerClass.NOT_FOUND,
        ("09", 404, "11"): AnswerClass.ALREADY_GONE,
        ("09", 401, "02"): AnswerClass.ALREADY_GONE,
        ("09", 401, "04"): AnswerClass.ALREADY_GONE,
        ("58", 404, "18"): AnswerClass.CHECK,
        ("58", 405, "01"): AnswerClass.LATER,
    }


@pytest.mark.parametrize("row", TABLE, ids=row_id)
@pytest.mark.parametrize("operation", Operation)
def test_every_row_for_every_operation(row: CodeRow, operation: Operation) -> None:
    expected = OVERRIDES.get((operation, row.http, row.case), row)
    answer_class = expected.answer_class
    if answer_class is AnswerClass.CHECK and operation in READS:
        answer_class = AnswerClass.RETRY
    code = f"{row.http}{operation.service}{row.case}"
    # The HTTP status says nothing where the body has a code.
    for http_status in (row.http, 200, 409, 500):
        found = classify(code, http_status, operation)
        assert (found.answer_class, found.row) == (answer_class, expected)
        assert found.next_step


@pytest.mark.parametrize("row", TABLE, ids=row_id)
def test_every_row_speaks(row: CodeRow) -> None:
    assert row.message
    assert row.meaning
    assert row.next_step
    assert set(NEXT_STEPS) == set(AnswerClass)


@pytest.mark.parametrize("http_status", [200, 403, 409, 500])
@pytest.mark.parametrize(
    ("code", "operation"), [("4035413", Operation.MAKE_PAYMENT), ("4030913", Operation.UNBIND_ACCOUNT)]
)
def test_an_otp_sent_is_pending_whatever_http_says(code: str, operation: Operation, http_status: int) -> None:
    assert classify(code, http_status, operation).answer_class is AnswerClass.OTP


@pytest.mark.parametrize("code", [None, "", "20054000", "200", "abcdefg", "2025499", "2015477", "4999999", "5999999"])
@pytest.mark.parametrize("http_status", [200, 202, 400, 401, 403, 404, 409, 429, 500, 503, 504])
@pytest.mark.parametrize("operation", Operation)
def test_an_unknown_code_is_unknown(code: str | None, http_status: int, operation: Operation) -> None:
    found = classify(code, http_status, operation)
    assert found.row is None
    assert found.answer_class is (AnswerClass.RETRY if operation in READS else AnswerClass.CHECK)


@pytest.mark.parametrize("operation", WRITES)
def test_a_writes_code_of_another_service_is_unknown(operation: Operation) -> None:
    for code in ("2007300", "4037314", "4037313", "4017301"):
        assert classify(code, int(code[:3]), operation).answer_class is AnswerClass.CHECK


def test_a_gateways_token_refusal_on_a_read_renews_the_token() -> None:
    assert classify("4017301", 401, Operation.INQUIRE_STATUS).answer_class is AnswerClass.TOKEN


@pytest.mark.parametrize("operation", READS)
def test_a_reads_code_of_another_service_is_unknown(operation: Operation) -> None:
    for code in ("2005800", "4041101" if operation is not Operation.INQUIRE_BALANCE else "4045501", "4010902"):
        assert classify(code, int(code[:3]), operation).answer_class is AnswerClass.RETRY


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("2005800", AnswerClass.OK),
        ("2000700", AnswerClass.OK),  # SDK fixtures (contract 3.11)
        ("2005500", AnswerClass.CHECK),
        ("2007300", AnswerClass.CHECK),
        ("2000400", AnswerClass.CHECK),
        ("4030714", AnswerClass.CHECK),
    ],
)
def test_only_services_58_and_07_end_a_refund(code: str, expected: AnswerClass) -> None:
    assert classify(code, int(code[:3]), Operation.REFUND_PAYMENT).answer_class is expected


@pytest.mark.parametrize("code", ["4045501", "4045401"])
def test_a_status_is_not_found_under_its_own_service_and_the_payments(code: str) -> None:
    assert classify(code, 404, Operation.INQUIRE_STATUS).answer_class is AnswerClass.NOT_FOUND


def test_a_code_is_taken_apart() -> None:
    code = parse_response_code("4035413")
    assert code == ResponseCode(403, "54", "13")
    assert str(code) == "4035413"


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "403541",
        "20054000",
        "\uff14\uff10\uff13\uff15\uff14\uff11\uff13",
        "403 413",
        "-035413",
        4035413,
        b"1",
        [],
    ],
)
def test_no_code_is_none(text: object) -> None:
    assert parse_response_code(text) is None


@given(st.text() | st.from_regex(r"[0-9]{6,8}", fullmatch=True), st.integers(100, 599), st.sampled_from(Operation))
def test_no_text_crashes_and_no_write_is_repeated_by_accident(code: str, http: int, operation: Operation) -> None:
    parsed = parse_response_code(code)
    assert parsed is None or str(parsed) == code
    found = classify(code, http, operation)
    if found.row is None and operation in WRITES:
        assert found.answer_class is AnswerClass.CHECK
    if found.answer_class in ALIVE:
        assert parsed is not None
