"""The whole response-code table of the contract (section 5) for every write, row by row, written down here again."""

import pytest

from direct_debit.adapters.doku_replies import NoReply, Verdict, judge_write
from direct_debit.application.ports.doku import Reply
from doku_snap.operations import Operation
from doku_snap.response_codes import TABLE, classify

_WRITES = (
    Operation.BIND_ACCOUNT,
    Operation.VERIFY_OTP,
    Operation.MAKE_PAYMENT,
    Operation.REFUND_PAYMENT,
    Operation.UNBIND_ACCOUNT,
)

_R = Reply
_UNKNOWN = NoReply.UNKNOWN

# (HTTP, case) -> what it means for every write that EXCEPTIONS does not name.
EXPECTED: dict[tuple[int, str], Verdict] = {
    (200, "00"): _R.DONE,
    (202, "00"): _R.IN_PROGRESS,
    (400, "00"): _R.DECLINED,
    (400, "01"): _R.DECLINED,
    (400, "02"): _R.DECLINED,
    (400, "03"): _UNKNOWN,
    (400, "04"): _R.DECLINED,
    (401, "00"): NoReply.KEYS,
    (401, "01"): NoReply.B2B_TOKEN,
    (401, "02"): NoReply.CUSTOMER_TOKEN,
    (401, "03"): NoReply.B2B_TOKEN,
    (401, "04"): NoReply.CUSTOMER_TOKEN,
    (403, "00"): _R.EXPIRED,
    (403, "01"): _R.DECLINED,
    (403, "02"): _R.DECLINED,
    (403, "03"): _R.DECLINED,
    (403, "04"): _R.LATER,
    (403, "05"): _R.DECLINED,
    (403, "06"): _R.LATER,
    (403, "07"): _R.DECLINED,
    (403, "08"): _R.DECLINED,
    (403, "09"): _R.CUSTOMER_MUST_ACT,
    (403, "10"): _R.CUSTOMER_MUST_ACT,
    (403, "11"): _R.OTP_BLOCKED,
    (403, "12"): _R.EXPIRED,
    (403, "13"): _R.OTP_REQUIRED,
    (403, "14"): _R.DECLINED,
    (403, "15"): _R.DECLINED,
    (403, "16"): _R.DECLINED,
    (403, "17"): _R.DECLINED,
    (403, "18"): _R.CUSTOMER_MUST_ACT,
    (403, "19"): _R.DECLINED,
    (403, "20"): _R.LATER,
    (403, "21"): _R.DECLINED,
    (403, "22"): _R.DECLINED,
    (403, "23"): _R.LATER,
    (404, "00"): _R.DECLINED,
    (404, "01"): _R.DECLINED,
    (404, "02"): _R.DECLINED,
    (404, "03"): _R.DECLINED,
    (404, "04"): _R.CANCELLED,
    (404, "05"): _R.DECLINED,
    (404, "06"): _R.OTP_NOT_AWAITED,
    (404, "07"): _R.DECLINED,
    (404, "08"): _R.DECLINED,
    (404, "09"): _R.DECLINED,
    (404, "10"): _R.DECLINED,
    (404, "11"): _R.CUSTOMER_MUST_ACT,
    (404, "12"): _R.DECLINED,
    (404, "13"): _R.DECLINED,
    (404, "14"): _UNKNOWN,
    (404, "15"): _R.OTP_WRONG,
    (404, "16"): _R.DECLINED,
    (404, "17"): _R.DECLINED,
    (404, "18"): _UNKNOWN,
    (404, "19"): _R.DECLINED,
    (405, "00"): _R.DECLINED,
    (405, "01"): _R.DECLINED,
    (409, "00"): _UNKNOWN,
    (409, "01"): _UNKNOWN,
    (429, "00"): _UNKNOWN,
    (500, "00"): _UNKNOWN,
    (500, "01"): _UNKNOWN,
    (500, "02"): _UNKNOWN,
    (504, "00"): _UNKNOWN,
}
EXCEPTIONS: dict[tuple[Operation, int, str], Verdict] = {
    (Operation.VERIFY_OTP, 404, "01"): _UNKNOWN,
    (Operation.BIND_ACCOUNT, 429, "00"): _R.LATER,
    (Operation.REFUND_PAYMENT, 429, "00"): _R.LATER,
    # Refusals of a refund that pass (contract 12.5).
    (Operation.REFUND_PAYMENT, 403, "14"): _R.LATER,
    (Operation.REFUND_PAYMENT, 404, "00"): _R.LATER,
    (Operation.REFUND_PAYMENT, 404, "01"): _R.LATER,
    (Operation.UNBIND_ACCOUNT, 429, "00"): _R.LATER,
    (Operation.REFUND_PAYMENT, 405, "01"): _R.LATER,
    (Operation.UNBIND_ACCOUNT, 401, "02"): NoReply.CUSTOMER_TOKEN,
    (Operation.UNBIND_ACCOUNT, 401, "04"): NoReply.CUSTOMER_TOKEN,
    (Operation.UNBIND_ACCOUNT, 404, "11"): NoReply.CUSTOMER_TOKEN,
}


def test_every_row_of_the_table_is_expected_here() -> None:
    assert {(row.http, row.case) for row in TABLE} == set(EXPECTED)


@pytest.mark.parametrize("operation", _WRITES)
@pytest.mark.parametrize(("http", "case"), EXPECTED)
def test_row(operation: Operation, http: int, case: str) -> None:
    code = f"{http}{operation.service}{case}"
    expected = EXCEPTIONS.get((operation, http, case), EXPECTED[http, case])
    assert judge_write(operation, classify(code, http, operation)) is expected


@pytest.mark.parametrize("operation", _WRITES)
@pytest.mark.parametrize("status", [200, 409, 500])
def test_the_code_decides_whatever_the_http_status(operation: Operation, status: int) -> None:
    code = f"403{operation.service}13"
    assert judge_write(operation, classify(code, status, operation)) is Reply.OTP_REQUIRED


@pytest.mark.parametrize("operation", _WRITES)
@pytest.mark.parametrize("code", [None, "", "20054000", "4035499", "2997300", "abc"])
def test_a_code_outside_the_table_proves_nothing(operation: Operation, code: str | None) -> None:
    assert judge_write(operation, classify(code, 200, operation)) is NoReply.UNKNOWN


def test_any_200_ends_a_refund() -> None:
    assert judge_write(Operation.REFUND_PAYMENT, classify("2000700", 200, Operation.REFUND_PAYMENT)) is Reply.DONE
