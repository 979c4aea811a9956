"""The refund of a payment: full amount, one number for ever (invariant 4; contract 3.11)."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from direct_debit.domain.evidence import Evidence
from direct_debit.domain.transitions import TransitionTable


class RefundState(StrEnum):
    """How far a refund is."""

    REQUESTED = "REQUESTED"
    SENDING = "SENDING"
    RETRYING = "RETRYING"
    UNKNOWN = "UNKNOWN"
    REFUNDED = "REFUNDED"
    FAILED = "FAILED"
    NEEDS_REVIEW = "NEEDS_REVIEW"


class RefundEvent(StrEnum):
    """What can happen to a refund."""

    CLAIMED = "claimed"  # a worker is about to send it
    REDRIVEN = "redriven"  # an operator starts it again
    NOT_SENT = "not_sent"  # proved that nothing was sent
    POSTPONED = "postponed"  # DOKU says: not now
    OUTCOME_LOST = "outcome_lost"
    REFUSED = "refused"  # a refusal that does not pass, or refundHistory says 06
    SUCCEEDED = "succeeded"  # 2005800, or refundHistory says 00
    NOT_IN_HISTORY = "not_in_history"  # DOKU does not know the number: it may be sent again
    EXHAUSTED = "exhausted"


_S = RefundState
_E = RefundEvent

REFUND_TRANSITIONS: TransitionTable[RefundState, RefundEvent] = TransitionTable(
    machine="refund",
    initial=_S.REQUESTED,
    moves={
        (_S.REQUESTED, _E.CLAIMED): _S.SENDING,
        (_S.REQUESTED, _E.SUCCEEDED): _S.REFUNDED,
        (_S.REQUESTED, _E.EXHAUSTED): _S.NEEDS_REVIEW,
        (_S.SENDING, _E.SUCCEEDED): _S.REFUNDED,
        (_S.SENDING, _E.POSTPONED): _S.RETRYING,
        (_S.SENDING, _E.NOT_SENT): _S.RETRYING,
        (_S.SENDING, _E.OUTCOME_LOST): _S.UNKNOWN,
        (_S.SENDING, _E.REFUSED): _S.FAILED,
        (_S.SENDING, _E.EXHAUSTED): _S.NEEDS_REVIEW,
        (_S.UNKNOWN, _E.SUCCEEDED): _S.REFUNDED,
        (_S.UNKNOWN, _E.REFUSED): _S.FAILED,
        (_S.UNKNOWN, _E.NOT_IN_HISTORY): _S.RETRYING,
        (_S.UNKNOWN, _E.EXHAUSTED): _S.NEEDS_REVIEW,
        (_S.RETRYING, _E.CLAIMED): _S.SENDING,
        (_S.RETRYING, _E.SUCCEEDED): _S.REFUNDED,  # an older attempt had worked
        (_S.RETRYING, _E.REFUSED): _S.FAILED,
        (_S.RETRYING, _E.EXHAUSTED): _S.NEEDS_REVIEW,
        (_S.NEEDS_REVIEW, _E.REDRIVEN): _S.RETRYING,
        # A person has seen why it was refused: it may be sent again, under its number, once the history was asked.
        (_S.FAILED, _E.REDRIVEN): _S.RETRYING,
        (_S.NEEDS_REVIEW, _E.SUCCEEDED): _S.REFUNDED,
        # A refusal that turns out to have worked after all: the money is back, and that is what counts.
        (_S.FAILED, _E.SUCCEEDED): _S.REFUNDED,
    },
    commands=frozenset({_E.CLAIMED, _E.REDRIVEN}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """The refund group of a payment record. `number` (partnerRefundNo) never changes once written; times are UTC.

    `reason` is ours; the merchant's own words are `sealed_reason`, until they have reached DOKU for the last time.
    `requested_at` starts its schedule, anew when an operator redrives it: then no earlier sending counts any more.
    `requested_by` is who asked for it first, as far as AWS told.
    """

    number: str
    reason: str
    sealed_reason: str | None = field(default=None, repr=False)
    request_hash: str
    state: RefundState = RefundState.REQUESTED
    requested_at: datetime
    requested_by: str | None = None
    attempt: str | None = None
    attempts: int = 0
    external_id: str | None = None
    sent_at: datetime | None = None
    due_at: datetime | None = None
    refund_no: str | None = None
    refunded_at: datetime | None = None
    response_code: str | None = None
    automatic: bool = False
    evidence: Evidence

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state in (RefundState.REFUNDED, RefundState.FAILED, RefundState.NEEDS_REVIEW)

    def moved(self, event: RefundEvent, evidence: Evidence) -> "Refund | None":
        """Return the refund after `event`; None when the event changes nothing.

        Raises TransitionRefused for a command that does not fit the state.
        """
        following = REFUND_TRANSITIONS.decide(self.state, event)
        if following is None:
            return None
        return replace(
            self,
            state=following,
            evidence=evidence,
            response_code=evidence.code or self.response_code,
            sealed_reason=None if following is RefundState.REFUNDED else self.sealed_reason,
        )
