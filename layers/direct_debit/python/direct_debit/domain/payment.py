"""A payment: what is charged, how far it is, and the only ways it may move on."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from direct_debit.domain.evidence import Evidence
from direct_debit.domain.money import Amount
from direct_debit.domain.move import PATIENCE, Move
from direct_debit.domain.refund import Refund, RefundState
from direct_debit.domain.transitions import TransitionTable
from direct_debit.domain.values import is_forgotten


class PaymentState(StrEnum):
    """What callers see."""

    REQUESTED = "REQUESTED"
    OTP_PENDING = "OTP_PENDING"
    OTP_SUBMITTED = "OTP_SUBMITTED"
    PROCESSING = "PROCESSING"
    UNKNOWN = "UNKNOWN"
    PAID = "PAID"
    FAILED = "FAILED"
    REFUNDED = "REFUNDED"
    NEEDS_REVIEW = "NEEDS_REVIEW"


FINAL_STATES = frozenset({PaymentState.PAID, PaymentState.FAILED, PaymentState.REFUNDED, PaymentState.NEEDS_REVIEW})


class FailureReason(StrEnum):
    """Why a payment is FAILED."""

    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    OTP_BLOCKED = "otp_blocked"
    OTP_ABANDONED = "otp_abandoned"
    NOT_FOUND = "not_found"


class ReviewReason(StrEnum):
    """Why a payment is NEEDS_REVIEW."""

    EXHAUSTED = "exhausted"  # asked to the end of the schedule without a final answer
    CONTRADICTION = "contradiction"  # DOKU says the money moved after a final refusal


class PaymentSituation(StrEnum):
    """The state together with the reason where the reason decides what may follow."""

    REQUESTED = "REQUESTED"
    OTP_PENDING = "OTP_PENDING"
    OTP_SUBMITTED = "OTP_SUBMITTED"
    PROCESSING = "PROCESSING"
    UNKNOWN = "UNKNOWN"
    PAID = "PAID"
    FAILED = "FAILED"
    FAILED_NOT_FOUND = "FAILED(not_found)"
    REFUNDED = "REFUNDED"
    NEEDS_REVIEW = "NEEDS_REVIEW"
    NEEDS_REVIEW_EXHAUSTED = "NEEDS_REVIEW(exhausted)"

    @property
    def state(self) -> PaymentState:
        """The state that callers see in this situation."""
        return PaymentState(self.partition("(")[0])


class PaymentEvent(StrEnum):
    """What can happen to a payment."""

    # Our own steps.
    RELEASED = "released"  # proved that nothing was sent: the same request may claim it again
    CLAIMED = "claimed"  # about to be sent, again after RELEASED
    REPOSTED = "reposted"  # sent again after a proven "not found" (a setting, off by default)
    OTP_SUBMITTED = "otp_submitted"
    OTP_NOT_SENT = "otp_not_sent"
    EXHAUSTED = "exhausted"
    # What DOKU says, in an answer, a status or a notification.
    OTP_REQUIRED = "otp_required"  # 4035413, or a status that says the code is awaited
    ACCEPTED = "accepted"  # 2005400, 2025400, 2000400: accepted, the debit follows
    PENDING = "pending"  # statuses 01, 02, 03
    SUCCEEDED = "succeeded"  # status 00
    REFUNDED = "refunded"  # status 04
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    OTP_WRONG = "otp_wrong"
    OTP_BLOCKED = "otp_blocked"
    OTP_ABANDONED = "otp_abandoned"
    NOT_FOUND = "not_found"
    OUTCOME_LOST = "outcome_lost"
    # What our own refund brings about.
    REFUND_COMPLETED = "refund_completed"


_S = PaymentSituation
_E = PaymentEvent

_FAILURES = {
    _E.DECLINED: FailureReason.DECLINED,
    _E.CANCELLED: FailureReason.CANCELLED,
    _E.EXPIRED: FailureReason.EXPIRED,
    _E.OTP_BLOCKED: FailureReason.OTP_BLOCKED,
    _E.OTP_ABANDONED: FailureReason.OTP_ABANDONED,
    _E.NOT_FOUND: FailureReason.NOT_FOUND,
}

# Facts that end any unfinished payment in the same way.
_OUTCOMES = {
    _E.SUCCEEDED: _S.PAID,
    _E.REFUNDED: _S.REFUNDED,
    _E.DECLINED: _S.FAILED,
    _E.CANCELLED: _S.FAILED,
    _E.EXPIRED: _S.FAILED,
    _E.OTP_BLOCKED: _S.FAILED,
    _E.NOT_FOUND: _S.FAILED_NOT_FOUND,
    _E.EXHAUSTED: _S.NEEDS_REVIEW_EXHAUSTED,
}

PAYMENT_TRANSITIONS: TransitionTable[PaymentSituation, PaymentEvent] = TransitionTable(
    machine="payment",
    initial=_S.REQUESTED,
    moves={
        **{
            (situation, event): following
            for situation in (_S.REQUESTED, _S.OTP_PENDING, _S.OTP_SUBMITTED, _S.PROCESSING, _S.UNKNOWN)
            for event, following in _OUTCOMES.items()
        },
        (_S.REQUESTED, _E.RELEASED): _S.REQUESTED,
        (_S.REQUESTED, _E.CLAIMED): _S.REQUESTED,
        (_S.REQUESTED, _E.OTP_REQUIRED): _S.OTP_PENDING,
        (_S.REQUESTED, _E.ACCEPTED): _S.PROCESSING,
        (_S.REQUESTED, _E.PENDING): _S.PROCESSING,
        (_S.REQUESTED, _E.OUTCOME_LOST): _S.UNKNOWN,
        (_S.OTP_PENDING, _E.OTP_SUBMITTED): _S.OTP_SUBMITTED,
        (_S.OTP_PENDING, _E.ACCEPTED): _S.PROCESSING,  # the answer to a code came after the status had said "awaited"
        (_S.OTP_PENDING, _E.OTP_ABANDONED): _S.FAILED,
        (_S.OTP_SUBMITTED, _E.OTP_NOT_SENT): _S.OTP_PENDING,
        (_S.OTP_SUBMITTED, _E.OTP_WRONG): _S.OTP_PENDING,
        (_S.OTP_SUBMITTED, _E.OTP_REQUIRED): _S.OTP_PENDING,
        (_S.OTP_SUBMITTED, _E.ACCEPTED): _S.PROCESSING,
        (_S.OTP_SUBMITTED, _E.PENDING): _S.PROCESSING,
        (_S.OTP_SUBMITTED, _E.OUTCOME_LOST): _S.UNKNOWN,
        (_S.PROCESSING, _E.OTP_REQUIRED): _S.OTP_PENDING,
        (_S.PROCESSING, _E.OTP_WRONG): _S.OTP_PENDING,
        (_S.UNKNOWN, _E.OTP_REQUIRED): _S.OTP_PENDING,
        (_S.UNKNOWN, _E.OTP_WRONG): _S.OTP_PENDING,
        (_S.UNKNOWN, _E.ACCEPTED): _S.PROCESSING,
        (_S.UNKNOWN, _E.PENDING): _S.PROCESSING,
        (_S.PAID, _E.REFUNDED): _S.REFUNDED,
        (_S.PAID, _E.REFUND_COMPLETED): _S.REFUNDED,
        # The money moved although DOKU had not known the payment: it is paid, and refunded by default.
        (_S.FAILED_NOT_FOUND, _E.SUCCEEDED): _S.PAID,
        (_S.FAILED_NOT_FOUND, _E.REFUNDED): _S.REFUNDED,
        (_S.FAILED_NOT_FOUND, _E.REPOSTED): _S.REQUESTED,
        # The money moved although DOKU had refused: two statements of DOKU disagree, and a person must look.
        (_S.FAILED, _E.SUCCEEDED): _S.NEEDS_REVIEW,
        (_S.FAILED, _E.REFUNDED): _S.NEEDS_REVIEW,
        # Asked in vain to the end; the truth may still arrive, and ends the review.
        (_S.NEEDS_REVIEW_EXHAUSTED, _E.SUCCEEDED): _S.PAID,
        (_S.NEEDS_REVIEW_EXHAUSTED, _E.REFUNDED): _S.REFUNDED,
        (_S.NEEDS_REVIEW_EXHAUSTED, _E.DECLINED): _S.FAILED,
        (_S.NEEDS_REVIEW_EXHAUSTED, _E.CANCELLED): _S.FAILED,
        (_S.NEEDS_REVIEW_EXHAUSTED, _E.EXPIRED): _S.FAILED,
    },
    commands=frozenset({_E.CLAIMED, _E.REPOSTED, _E.OTP_SUBMITTED}),
)


@dataclass(frozen=True, slots=True)
class PaymentFailure:
    """Why a payment failed, with DOKU's response code or transaction status where there was one."""

    reason: FailureReason
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One payment and its refund: one record, one version, moved only by `moved`.

    Times are UTC. `attempt` names the caller that is speaking to DOKU about this payment; answers of an older attempt
    count only where they are evidence. `otp_unclear` says that DOKU waits for a code although one was sent before,
    `reposted` that the payment was sent again after DOKU had not known it. `not_found_since` is when DOKU first said of
    this attempt that it does not know it, `not_found_count` how often since; what it says else ends both.
    `questioned_at` is since when something odd that DOKU told waits for DOKU's status, whatever the state, and
    `question_heard_at` since when DOKU has answered that question without one; `reversed_at` since when DOKU's status
    says that a PAID payment was cancelled or failed: a person has to look. `review_closed_at` is since when a person
    has settled a payment that needed one; it ends with the next move. `due_at` is when the resolver must look
    next; None once nothing is open. `untold` are the moves that the outbox has not told yet, as far as it has said so,
    and `tell_by` when somebody else has to. The customer's device and address, and the pages to return to, are in the
    request alone: nobody needs them once it is sent.
    """

    ref: str
    binding_id: str
    customer_id: str
    amount: Amount
    remarks: str
    request_hash: str
    state: PaymentState = PaymentState.REQUESTED
    version: int = 1
    created_at: datetime
    updated_at: datetime
    external_id: str
    attempt: str
    sent_at: datetime
    released: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    doku_reference: str | None = None
    web_redirect_url: str | None = field(default=None, repr=False)  # sealed; gone with the end of the payment
    response_code: str | None = None
    failure: PaymentFailure | None = None
    review: ReviewReason | None = None
    otp_attempts: int = 0
    otp_accepted: bool = False
    otp_unclear: bool = False
    reposted: bool = False
    late_success: bool = False
    not_found_count: int = 0
    not_found_since: datetime | None = None
    questioned_at: datetime | None = None
    question_heard_at: datetime | None = None
    reversed_at: datetime | None = None
    review_closed_at: datetime | None = None
    last_inquiry_at: datetime | None = None
    due_at: datetime | None = None
    # What the outbox has still to do is no part of what the record says; the token, sealed, goes with its news.
    untold: tuple[Move, ...] = field(default=(), compare=False)
    tell_by: datetime | None = field(default=None, compare=False)
    task_token: str | None = field(default=None, repr=False, compare=False)
    evidence: Evidence
    refund: Refund | None = None

    @property
    def work_due(self) -> datetime | None:
        """When somebody has to come next for the payment or its refund; None when nobody has to."""
        return _earliest(self.due_at, self.refund.due_at if self.refund else None)

    @property
    def first_due(self) -> datetime | None:
        """When somebody has to come next: for the payment, its refund, or its news; None when nobody has to."""
        return _earliest(self.work_due, self.tell_by)

    @property
    def situation(self) -> PaymentSituation:
        """The row of the transition table that this payment stands on."""
        if self.failure is not None and self.failure.reason is FailureReason.NOT_FOUND:
            return PaymentSituation.FAILED_NOT_FOUND
        if self.review is ReviewReason.EXHAUSTED:
            return PaymentSituation.NEEDS_REVIEW_EXHAUSTED
        return PaymentSituation(self.state)

    @property
    def is_final(self) -> bool:
        """Whether callers may rely on the state (a late success of FAILED(not_found) is the documented exception)."""
        return self.state in FINAL_STATES

    @property
    def may_be_done_by_an_earlier_request(self) -> bool:
        """Whether DOKU may still act on an earlier request, so that the refusal of the newest one is no end."""
        return self.otp_unclear or self.otp_accepted or self.reposted

    @property
    def is_forgotten(self) -> bool:
        """Whether its customer was removed: what is told of it is compared with no customer."""
        return is_forgotten(self.customer_id)

    @property
    def is_open(self) -> bool:
        """Whether money may still move without a further request: then its account must stay linked."""
        refunding = self.refund is not None and self.refund.state in (
            RefundState.REQUESTED,
            RefundState.SENDING,
            RefundState.RETRYING,
            RefundState.UNKNOWN,
        )
        return not self.is_final or refunding

    def moved(self, event: PaymentEvent, evidence: Evidence) -> "Payment | None":
        """Return the payment after `event`, its version raised by one; None when the event changes nothing.

        Raises TransitionRefused for a command that does not fit the state.
        """
        following = PAYMENT_TRANSITIONS.decide(self.situation, event)
        if following is None:
            return None
        failure = None
        if following.state is PaymentState.FAILED:
            failure = PaymentFailure(_FAILURES[event], evidence.code)
        review = None
        if following is PaymentSituation.NEEDS_REVIEW_EXHAUSTED:
            review = ReviewReason.EXHAUSTED
        elif following is PaymentSituation.NEEDS_REVIEW:
            review = ReviewReason.CONTRADICTION
        return replace(
            self,
            state=following.state,
            version=self.version + 1,
            updated_at=evidence.at,
            failure=failure,
            review=review,
            late_success=self.late_success
            or (self.situation is PaymentSituation.FAILED_NOT_FOUND and following is PaymentSituation.PAID),
            reposted=self.reposted or event is PaymentEvent.REPOSTED,
            otp_unclear=self.otp_unclear or (event is PaymentEvent.OTP_REQUIRED and self.otp_attempts > 0),
            web_redirect_url=None if following.state in FINAL_STATES else self.web_redirect_url,
            review_closed_at=None,
            evidence=evidence,
        )

    def told(self) -> "Payment":
        """Return the payment as one whose moves are told, and whose end a waiting workflow knows."""
        return replace(self, untold=(), tell_by=None, task_token=None if self.is_final else self.task_token)

    def noted(self, at: datetime) -> "Payment":
        """Return the payment with its version raised for a change that is no transition, for example a new due time."""
        return replace(self, version=self.version + 1, updated_at=at)


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def remember_moves(before: Payment, after: Payment) -> Payment:
    """Return `after` with its move from `before` noted, if it or its refund moved; one that is noted already not twice.

    How a payment begins is no move: the record itself says it.
    """
    refund_before = None if before.refund is None else before.refund.state
    refund_after = None if after.refund is None else after.refund.state
    moved = before.state is not after.state
    refund_moved = refund_before is not refund_after
    known = any(move.version == after.version for move in after.untold)
    if known or not (moved or refund_moved):
        return after
    evidence = after.evidence if moved or after.refund is None else after.refund.evidence
    move = Move(
        version=after.version,
        at=after.updated_at,
        state=after.state,
        moved=moved,
        refund_state=refund_after,
        refund_moved=refund_moved,
        source=evidence.source,
        code=evidence.code,
        reason=None if after.failure is None else after.failure.reason,
        response_code=after.response_code,
    )
    return replace(after, untold=(*after.untold, move), tell_by=after.updated_at + PATIENCE)
