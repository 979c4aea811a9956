"""What happens next to a payment or its refund, and whether a person has to do something: in words."""

from datetime import datetime, timedelta

from direct_debit.application.looks import SOON
from direct_debit.application.settings import LateSuccess, Settings
from direct_debit.domain.payment import Payment, PaymentSituation
from direct_debit.domain.refund import Refund, RefundState
from tools.ops.report import tell_span, tell_time

_S = PaymentSituation

_NOW = {
    _S.REQUESTED: "It is being sent, or its sender died. The status tells; nothing is sent again before.",
    _S.OTP_PENDING: "It waits for the customer's OTP.",
    _S.OTP_SUBMITTED: "An OTP is being verified, or its verifier died. The status tells.",
    _S.PROCESSING: "DOKU accepted it. The notification or the status ends it.",
    _S.UNKNOWN: "DOKU's answer was lost: the money may have moved. The status tells, without a person.",
    _S.PAID: "Nothing more by itself. The merchant may refund it.",
    _S.FAILED: "Nothing more by itself. A new payment needs a new reference.",
    _S.REFUNDED: "Nothing more. The money is back.",
    _S.NEEDS_REVIEW: (
        "A PERSON must look: DOKU refused it, and said later that the money moved. Compare DOKU's back office "
        "with the history, settle it with the customer and DOKU, then `close-review`. Nothing is sent by itself."
    ),
    _S.NEEDS_REVIEW_EXHAUSTED: (
        "A PERSON must look: DOKU gave no final answer to the end of the schedule. Look the reference up in DOKU's "
        "back office; `resolve` asks again. A late notification or status still ends it. If you have settled it "
        "otherwise, `close-review`."
    ),
}

_REFUND_NOW = {
    RefundState.REQUESTED: "The refund is about to be sent.",
    RefundState.SENDING: "The refund is being sent, or its sender died. DOKU's refund history tells.",
    RefundState.RETRYING: (
        "DOKU did not take the refund yet. It is sent again under the same number, once its history was asked."
    ),
    RefundState.UNKNOWN: "The answer to the refund was lost. DOKU's refund history tells before anything is sent.",
    RefundState.REFUNDED: "The refund is done.",
    RefundState.FAILED: (
        "A PERSON must look: DOKU refused the refund, and the customer's money is still with the merchant. Mend what "
        "the code says, then `redrive-refund` sends it again under the same number; or settle it otherwise."
    ),
    RefundState.NEEDS_REVIEW: (
        "A PERSON must look: the refund could not be ended. Check DOKU's back office for a refund under any number; "
        "when there is none, `redrive-refund` starts it again under the same number."
    ),
}


_CLOSED = "A person has settled it ({}). A late notification or status of DOKU's may still move it."

_REVERSED = (
    "A PERSON must look: DOKU told it as paid, and says now that it was cancelled or failed. Its state stays. Find out "
    "at DOKU whether the customer has the money, settle it, then `close-reversal`."
)


def foresee_payment(payment: Payment, settings: Settings, now: datetime) -> list[str]:
    """Return what happens next to a payment, one sentence per line."""
    lines = [*_foresee_reversal(payment), *_foresee_state(payment, settings, now)]
    if payment.questioned_at is not None:
        lines.append("DOKU told something odd: it is asked until it answers with a status, whatever the state.")
    if payment.due_at is not None:
        lines.append(f"DOKU is asked for the status at {tell_time(payment.due_at, now)}.")
    if not payment.is_final:
        lines.extend(_foresee_end(payment, settings, now))
    return lines


def _foresee_reversal(payment: Payment) -> list[str]:
    if payment.reversed_at is None:
        return []
    return [_REVERSED]


def _foresee_state(payment: Payment, settings: Settings, now: datetime) -> list[str]:
    situation = payment.situation
    if payment.review_closed_at is not None:
        return [_CLOSED.format(tell_time(payment.review_closed_at, now))]
    if situation is _S.REQUESTED and payment.released:
        return ["Proved that nothing was sent. The merchant may repeat the same request."]
    if situation is _S.FAILED_NOT_FOUND:
        return _foresee_not_found(payment, settings, now)
    if situation is _S.PAID and payment.refund is not None:
        return ["It is paid; what becomes of its refund stands below."]
    if situation is _S.OTP_PENDING:
        codes = f"{payment.otp_attempts} of {settings.max_otp_attempts} codes were passed on."
        after = tell_span(settings.abandoned_otp)
        end = f"Without one it ends as FAILED(otp_abandoned), not before {after} after its start."
        return [_NOW[situation], f"{codes} {end}"]
    return [_NOW[situation]]


def _foresee_not_found(payment: Payment, settings: Settings, now: datetime) -> list[str]:
    then = (
        "it becomes PAID and is refunded by itself"
        if settings.late_success is LateSuccess.REFUND
        else "it becomes PAID and stays so"
    )
    lines = [f"DOKU does not know it. Should the money have moved after all, {then}."]
    if payment.due_at is None:
        end = payment.sent_at + timedelta(seconds=settings.inquiry_schedule[-1])
        lines.append(f"Asking ended at {tell_time(end, now)}.")
    return lines


def _foresee_end(payment: Payment, settings: Settings, now: datetime) -> list[str]:
    """By when an unfinished payment ends, and how, if nothing else is heard of it."""
    lines = []
    if payment.not_found_since is not None:
        believed = payment.sent_at + timedelta(seconds=settings.not_found_final)
        end = max(believed, payment.not_found_since + SOON)
        lines.append(
            f"If DOKU says from {tell_time(end, now)} on that it does not know it, it becomes FAILED(not_found)."
        )
    steps = settings.otp_schedule if payment.situation is _S.OTP_PENDING else settings.inquiry_schedule
    end = payment.sent_at + timedelta(seconds=steps[-1])
    lines.append(f"If nothing is final by {tell_time(end, now)}, it becomes NEEDS_REVIEW with an alarm.")
    return lines


def foresee_refund(refund: Refund, settings: Settings, now: datetime) -> list[str]:
    """Return what happens next to a refund, one sentence per line."""
    lines = [_REFUND_NOW[refund.state]]
    if refund.due_at is not None and not refund.is_final:
        lines.append(f"The next step is at {tell_time(refund.due_at, now)}.")
        end = refund.requested_at + timedelta(seconds=settings.refund_schedule[-1])
        lines.append(f"If it is not done by {tell_time(end, now)}, it becomes NEEDS_REVIEW with an alarm.")
    return lines
