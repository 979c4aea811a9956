"""What DOKU's answer to a write means for the next step: contract section 5 as data, the stricter where two fit.

The signing layer classifies a code; this table turns class, case and operation into the port's vocabulary.
"""

from collections.abc import Mapping
from enum import StrEnum

from direct_debit.application.ports.doku import Reply
from doku_snap.operations import Operation
from doku_snap.response_codes import AnswerClass, Classification


class NoReply(StrEnum):
    """Answers that are no reply: the port raises for them."""

    UNKNOWN = "unknown"  # it may have happened
    B2B_TOKEN = "b2b_token"  # noqa: S105 - a verdict's name  # refused at the gate: the merchant's token
    CUSTOMER_TOKEN = "customer_token"  # noqa: S105 - a verdict's name  # refused at the gate: the customer's token
    KEYS = "keys"  # refused at the gate: our signature, client or key


type Verdict = Reply | NoReply

_BY_CLASS: Mapping[AnswerClass, Verdict] = {
    AnswerClass.OK: Reply.DONE,
    AnswerClass.OTP: Reply.OTP_REQUIRED,
    AnswerClass.PEND: Reply.IN_PROGRESS,
    AnswerClass.FINAL: Reply.DECLINED,
    AnswerClass.BUG: Reply.DECLINED,  # refused in plain words, so nothing happened
    AnswerClass.CUST: Reply.CUSTOMER_MUST_ACT,
    AnswerClass.LATER: Reply.LATER,
    AnswerClass.ALREADY_GONE: Reply.GONE,
    AnswerClass.TOKEN: NoReply.B2B_TOKEN,
    AnswerClass.CUSTOMER_TOKEN: NoReply.CUSTOMER_TOKEN,
    AnswerClass.CHECK: NoReply.UNKNOWN,
    # 429 came after the body had been sent: whether it was let in before is not said.
    AnswerClass.RETRY: NoReply.UNKNOWN,
    AnswerClass.NOT_FOUND: NoReply.UNKNOWN,
}

# Cases with a meaning of their own, whatever the operation.
_BY_CASE: Mapping[tuple[int, str], Verdict] = {
    # Our signature, client or key: nothing was done, and it may be sent again once the secret is right (a rotation).
    (401, "00"): NoReply.KEYS,
    (401, "04"): NoReply.CUSTOMER_TOKEN,
    (403, "00"): Reply.EXPIRED,
    (403, "11"): Reply.OTP_BLOCKED,
    (403, "12"): Reply.EXPIRED,
    (404, "04"): Reply.CANCELLED,
    (404, "06"): Reply.OTP_NOT_AWAITED,
    (404, "15"): Reply.OTP_WRONG,
    # The contract calls 4045418 final; but it proves that the reference exists, so only the status tells (stricter).
    (404, "18"): NoReply.UNKNOWN,
}

# Cases that mean something else for one operation.
_BY_OPERATION: Mapping[tuple[Operation, int, str], Verdict] = {
    # The payment was there when the OTP came; the status tells what became of it.
    (Operation.VERIFY_OTP, 404, "01"): NoReply.UNKNOWN,
    # Throttled, and safe to send again: same refund number, same account.
    (Operation.BIND_ACCOUNT, 429, "00"): Reply.LATER,
    (Operation.REFUND_PAYMENT, 429, "00"): Reply.LATER,
    # Refusals of a refund that pass (contract 12.5): the merchant's balance at DOKU is too low, or DOKU does not know
    # yet what we know, that the payment is paid.
    (Operation.REFUND_PAYMENT, 403, "14"): Reply.LATER,
    (Operation.REFUND_PAYMENT, 404, "00"): Reply.LATER,
    (Operation.REFUND_PAYMENT, 404, "01"): Reply.LATER,
    (Operation.UNBIND_ACCOUNT, 429, "00"): Reply.LATER,
    # Contract 3.12: DOKU does not know this token any more. That may be the token's end and not the link's, so it is
    # renewed first; only a link whose token can not be renewed, or is refused again, counts as gone.
    (Operation.UNBIND_ACCOUNT, 401, "02"): NoReply.CUSTOMER_TOKEN,
    (Operation.UNBIND_ACCOUNT, 401, "04"): NoReply.CUSTOMER_TOKEN,
    (Operation.UNBIND_ACCOUNT, 404, "11"): NoReply.CUSTOMER_TOKEN,
}


def judge_write(operation: Operation, classification: Classification) -> Verdict:
    """Return what an answer to a write means; a code that the contract does not list proves nothing."""
    row = classification.row
    if row is None:
        return NoReply.UNKNOWN
    special = _BY_OPERATION.get((operation, row.http, row.case)) or _BY_CASE.get((row.http, row.case))
    return special or _BY_CLASS[classification.answer_class]
