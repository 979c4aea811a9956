"""Response codes of DOKU as data, and what each means for the caller (contract section 5).

A code is HTTP status (3) + service (2) + case (2). The body's code decides, whatever the HTTP status: 4035413 under
HTTP 200 is still a pending OTP, and HTTP 409 may carry a repeated first answer. Texts are never branched on.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from doku_snap.operations import Operation

_CODE = re.compile(r"[0-9]{7}")
_SUCCESS = 200


class AnswerClass(StrEnum):
    """What an answer means for the caller."""

    OK = "OK"  # done
    OTP = "OTP"  # accepted; waits for the customer's OTP
    PEND = "PEND"  # accepted; still in progress
    CUST = "CUST"  # the customer must act
    BUG = "BUG"  # the merchant's error: never repeat unchanged
    TOKEN = "TOKEN"  # noqa: S105  renew the B2B token, repeat once
    CUSTOMER_TOKEN = "CUSTOMER_TOKEN"  # noqa: S105  refresh the customer's token once, else re-link
    RETRY = "RETRY"  # repeat with back-off
    CHECK = "CHECK"  # outcome unknown: ask the status first
    FINAL = "FINAL"  # final decline
    LATER = "LATER"  # repeat after a window
    NOT_FOUND = "NOT_FOUND"  # DOKU does not know the reference (yet)
    ALREADY_GONE = "ALREADY_GONE"  # what was to be removed is removed already


@dataclass(frozen=True, slots=True)
class ResponseCode:
    """A parsed 7-digit response code."""

    http: int
    service: str
    case: str

    def __str__(self) -> str:
        return f"{self.http:03}{self.service}{self.case}"


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One row of the table: `http` + `case` for every service, with DOKU's message and our reading of it."""

    http: int
    case: str
    message: str
    meaning: str
    answer_class: AnswerClass
    next_step: str


@dataclass(frozen=True, slots=True)
class Classification:
    """What to do with an answer; `row` is None where the contract does not list the code."""

    answer_class: AnswerClass
    row: CodeRow | None
    next_step: str


NEXT_STEPS: Mapping[AnswerClass, str] = {
    AnswerClass.OK: "go on",
    AnswerClass.OTP: "ask the customer for the OTP and verify it",
    AnswerClass.PEND: "wait for the notification or ask the status",
    AnswerClass.CUST: "tell the customer what to do",
    AnswerClass.BUG: "fix the request; never repeat it unchanged",
    AnswerClass.TOKEN: "renew the B2B token and repeat once",
    AnswerClass.CUSTOMER_TOKEN: "refresh the customer token once, repeat once, else ask the customer to link again",
    AnswerClass.RETRY: "repeat with back-off",
    AnswerClass.CHECK: "outcome unknown: ask the status before anything else",
    AnswerClass.FINAL: "stop and tell the customer",
    AnswerClass.LATER: "repeat after the window has passed",
    AnswerClass.NOT_FOUND: "wait and ask again; final only after the grace period",
    AnswerClass.ALREADY_GONE: "treat as unbound",
}


def _row(  # noqa: PLR0917  a table reads by column
    http: int, case: str, message: str, meaning: str, answer_class: AnswerClass, next_step: str = ""
) -> CodeRow:
    return CodeRow(http, case, message, meaning, answer_class, next_step or NEXT_STEPS[answer_class])


_C = AnswerClass
TABLE: tuple[CodeRow, ...] = (
    _row(200, "00", "Successful", "done; a payment is accepted, its result is the status", _C.OK),
    _row(202, "00", "Request In Progress", "still processing", _C.PEND),
    _row(400, "00", "Bad Request", "cannot be parsed", _C.BUG),
    _row(400, "01", "Invalid Field Format {field}", "a field has the wrong format", _C.BUG),
    _row(400, "02", "Invalid Mandatory Field {field}", "a field is missing", _C.BUG),
    _row(400, "03", "Transaction Already Success", "the same transaction is paid", _C.CHECK),
    _row(400, "04", "Invalid Parameter", "a parameter is wrong", _C.BUG),
    _row(401, "00", "Unauthorized. [reason]", "signature, client, key, or an API that is not allowed", _C.BUG),
    _row(401, "01", "Invalid Token (B2B)", "unknown or expired", _C.TOKEN),
    _row(401, "02", "Invalid Customer Token", "unknown or expired", _C.CUSTOMER_TOKEN),
    _row(401, "03", "Token Not Found (B2B)", "the header is missing", _C.TOKEN),
    _row(401, "04", "Customer Token Not Found", "the header is missing or the token removed", _C.CUST),
    _row(403, "00", "Transaction Expired", "too late", _C.FINAL),
    _row(403, "01", "Feature Not Allowed [reason]", "not enabled for the merchant", _C.BUG, "contact DOKU"),
    _row(403, "02", "Exceeds Transaction Amount Limit", "limit per transaction", _C.FINAL),
    _row(403, "03", "Suspected Fraud", "declined by the bank", _C.FINAL),
    _row(403, "04", "Activity Count Limit Exceeded", "too frequent", _C.LATER),
    _row(403, "05", "Do Not Honor", "the account's state is abnormal", _C.FINAL),
    _row(403, "06", "Feature Not Allowed At This Time. [reason]", "the bank's cut-off is running", _C.LATER),
    _row(403, "07", "Card Blocked", "blocked by the bank", _C.FINAL),
    _row(403, "08", "Card Expired", "expired", _C.FINAL),
    _row(403, "09", "Dormant Account", "the account sleeps", _C.CUST),
    _row(403, "10", "Need To Set Token Limit", "the customer has not set a limit", _C.CUST),
    _row(403, "11", "OTP Blocked", "too many wrong codes", _C.FINAL, "stop this payment; a new one later"),
    _row(403, "12", "OTP Lifetime Expired", "the OTP is too old", _C.CUST, "start a new payment"),
    _row(403, "13", "OTP Sent To Cardholder", "not a failure: the bank waits for the OTP", _C.OTP),
    _row(403, "14", "Insufficient Funds", "the balance is too low", _C.FINAL, "the customer may top up; a new payment"),
    _row(403, "15", "Transaction Not Permitted. [reason]", "binding: the account belongs to another", _C.FINAL),
    _row(403, "16", "Suspend Transaction", "suspended", _C.FINAL),
    _row(403, "17", "Token Limit Exceeded", "above the customer's limit", _C.FINAL),
    _row(403, "18", "Inactive Card/Account/Customer", "not active at the bank", _C.CUST),
    _row(403, "19", "Merchant Blacklisted", "the merchant is blocked", _C.BUG, "contact DOKU"),
    _row(403, "20", "Merchant Limit Exceed", "the merchant's daily sum", _C.LATER),
    _row(403, "21", "Set Limit Not Allowed", "not allowed", _C.FINAL),
    _row(403, "22", "Token Limit Invalid", "not valid", _C.FINAL),
    _row(403, "23", "Account Limit Exceed", "the account's daily sum", _C.LATER, "repeat the next day"),
    _row(404, "00", "Invalid Transaction Status", "wrong state for this call", _C.FINAL),
    _row(404, "01", "Transaction Not Found", "DOKU does not know the reference", _C.BUG),
    _row(404, "02", "Invalid Routing", "no such path", _C.BUG),
    _row(404, "03", "Bank Not Supported By Switch", "no route to the bank", _C.BUG),
    _row(404, "04", "Transaction Cancelled", "cancelled by the customer", _C.FINAL),
    _row(404, "05", "Merchant Is Not Registered For Card Registration Services", "not enabled", _C.BUG),
    _row(404, "06", "Need To Request OTP", "no OTP is pending", _C.CUST, "issue the payment or unbinding again"),
    _row(404, "07", "Journey Not Found", "no such journey", _C.BUG),
    _row(404, "08", "Invalid Merchant", "unknown merchant", _C.BUG),
    _row(404, "09", "No Issuer", "no issuing bank", _C.FINAL),
    _row(404, "10", "Invalid API Transition", "wrong order of calls", _C.BUG),
    _row(404, "11", "Invalid Card/Account/Customer", "not valid or blacklisted", _C.CUST),
    _row(404, "12", "Invalid Bill/Virtual Account [reason]", "not for direct debit", _C.BUG),
    _row(404, "13", "Invalid Amount", "differs from what DOKU expects", _C.BUG),
    _row(404, "14", "Paid Bill", "paid already", _C.CHECK),
    _row(404, "15", "Invalid OTP", "wrong code", _C.CUST, "the customer may try again with the same references"),
    _row(404, "16", "Partner Not Found", "unknown partner", _C.BUG),
    _row(404, "17", "Invalid Terminal", "unknown terminal", _C.BUG),
    _row(404, "18", "Inconsistent Request", "same reference, other parameters", _C.FINAL),
    _row(404, "19", "Invalid Bill/Virtual Account", "expired; not for direct debit", _C.BUG),
    _row(405, "00", "Requested Function Is Not Supported", "wrong method or function", _C.BUG),
    _row(405, "01", "Requested Operation Is Not Allowed", "not possible in this state", _C.FINAL),
    _row(409, "00", "Conflict", "the external id was used today", _C.CHECK),
    _row(409, "01", "Duplicate partnerReferenceNo", "the reference has succeeded already", _C.CHECK),
    _row(429, "00", "Too Many Requests", "throttled", _C.RETRY),
    _row(500, "00", "General Error", "DOKU failed", _C.CHECK),
    _row(500, "01", "Internal Server Error", "DOKU failed", _C.CHECK),
    _row(500, "02", "External Server Error", "the bank's side failed", _C.CHECK),
    _row(504, "00", "Timeout", "the issuer did not answer", _C.CHECK),
)

# Rows that mean something else for one operation. Sections: 3.2 (auth code), 3.7 (201), 3.9 (not found), 3.11, 3.12.
OVERRIDES: Mapping[tuple[Operation, int, str], CodeRow] = {
    (Operation.REQUEST_CUSTOMER_TOKEN, 401, "00"): _row(
        401,
        "00",
        "Unauthorized. [reason]",
        "not linked yet, or unlinked at the issuer",
        _C.CUST,
        "finish or renew the link",
    ),
    (Operation.INQUIRE_BALANCE, 201, "00"): _row(201, "00", "Successful", "done (older documentation)", _C.OK),
    (Operation.INQUIRE_STATUS, 404, "01"): _row(
        404, "01", "Transaction Not Found", "unknown, or not known yet within minutes of the payment", _C.NOT_FOUND
    ),
    (Operation.UNBIND_ACCOUNT, 404, "11"): _row(
        404, "11", "Invalid Card/Account/Customer", "DOKU does not know the token any more", _C.ALREADY_GONE
    ),
    (Operation.UNBIND_ACCOUNT, 401, "02"): _row(
        401, "02", "Invalid Customer Token", "DOKU does not know the token any more", _C.ALREADY_GONE
    ),
    (Operation.UNBIND_ACCOUNT, 401, "04"): _row(
        401, "04", "Customer Token Not Found", "DOKU does not know the token any more", _C.ALREADY_GONE
    ),
    (Operation.REFUND_PAYMENT, 404, "18"): _row(
        404,
        "18",
        "Inconsistent Request",
        "probably refunded already",
        _C.CHECK,
        "confirm with the status's refund history",
    ),
    (Operation.REFUND_PAYMENT, 405, "01"): _row(
        405, "01", "Requested Operation Is Not Allowed", "a refund is not possible now", _C.LATER
    ),
}
_BY_CODE: Mapping[tuple[int, str], CodeRow] = {(row.http, row.case): row for row in TABLE}


def parse_response_code(text: object) -> ResponseCode | None:
    """The parts of a 7-digit code; None for anything else (8 digits, empty, not a string), never an exception."""
    if not isinstance(text, str) or not _CODE.fullmatch(text):
        return None
    return ResponseCode(http=int(text[:3]), service=text[3:5], case=text[5:])


_TOKEN_REFUSED = frozenset({(401, "01"), (401, "03")})
# Services beside its own under which an operation may be answered (contract 3.11, 12.4, 12.7): successes, refusals.
_SUCCESS_ALSO: Mapping[Operation, frozenset[str]] = {Operation.REFUND_PAYMENT: frozenset({"07"})}
_REFUSAL_ALSO: Mapping[Operation, frozenset[str]] = {
    Operation.INQUIRE_STATUS: frozenset({"54"}),
    Operation.REQUEST_CUSTOMER_TOKEN: frozenset({"73"}),
}


def belongs_to(code: ResponseCode, operation: Operation) -> bool:
    """Whether a response code is of a service under which this operation is answered.

    A gateway that refuses the B2B token of a question may do so under another: that speaks of no payment.
    """
    if operation.is_read and (code.http, code.case) in _TOKEN_REFUSED:
        return True
    also = _SUCCESS_ALSO if code.http == _SUCCESS else _REFUSAL_ALSO
    return code.service == operation.service or code.service in also.get(operation, frozenset())


def classify(code: str | None, http_status: int, operation: Operation) -> Classification:
    """Decide what an answer means: its 7-digit code first. One that is not listed, or of another service, is unknown.

    Unknown is CHECK for a write, whatever the status said, and RETRY for a read. On a read CHECK becomes RETRY: asking
    is free.
    """
    parsed = parse_response_code(code)
    row = _find_row(parsed, operation) if parsed is not None else None
    if row is None:
        return doubt(code, http_status, operation)
    if row.answer_class is AnswerClass.CHECK and operation.is_read:
        return Classification(AnswerClass.RETRY, row, NEXT_STEPS[AnswerClass.RETRY])
    return Classification(row.answer_class, row, row.next_step)


def doubt(code: str | None, http_status: int, operation: Operation) -> Classification:
    """Classify an answer that is no evidence, whatever its code says: CHECK for a write, RETRY for a read."""
    answer_class = AnswerClass.RETRY if operation.is_read else AnswerClass.CHECK
    why = f"HTTP {http_status}, code {code or 'none'}: no evidence; {NEXT_STEPS[answer_class]}"
    return Classification(answer_class, None, why)


def _find_row(code: ResponseCode, operation: Operation) -> CodeRow | None:
    if not belongs_to(code, operation):
        return None
    return OVERRIDES.get((operation, code.http, code.case)) or _BY_CODE.get((code.http, code.case))
