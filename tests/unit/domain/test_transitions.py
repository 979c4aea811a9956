"""Every (situation, event) pair of the three machines: what moves, what is ignored, what is refused.

The expectations are written out here by hand, apart from the tables, so that a changed table has to say so twice.
"""

from datetime import UTC, datetime
from enum import StrEnum

import pytest

from direct_debit.domain.binding import BINDING_TRANSITIONS, BindingEvent, BindingState
from direct_debit.domain.payment import PAYMENT_TRANSITIONS, PaymentEvent, PaymentSituation
from direct_debit.domain.refund import REFUND_TRANSITIONS, RefundEvent, RefundState
from direct_debit.domain.transitions import TransitionRefused, TransitionTable

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)

_OPEN = ("REQUESTED", "OTP_PENDING", "OTP_SUBMITTED", "PROCESSING", "UNKNOWN")
_ENDS = {
    "succeeded": "PAID", "refunded": "REFUNDED", "declined": "FAILED", "cancelled": "FAILED", "expired": "FAILED",
    "otp_blocked": "FAILED", "not_found": "FAILED(not_found)", "exhausted": "NEEDS_REVIEW(exhausted)",
}  # fmt: skip
PAYMENT_MOVES = {
    **{(state, event): end for state in _OPEN for event, end in _ENDS.items()},
    ("REQUESTED", "released"): "REQUESTED",
    ("REQUESTED", "claimed"): "REQUESTED",
    ("REQUESTED", "otp_required"): "OTP_PENDING",
    ("REQUESTED", "accepted"): "PROCESSING",
    ("REQUESTED", "pending"): "PROCESSING",
    ("REQUESTED", "outcome_lost"): "UNKNOWN",
    ("OTP_PENDING", "otp_submitted"): "OTP_SUBMITTED",
    ("OTP_PENDING", "accepted"): "PROCESSING",
    ("OTP_PENDING", "otp_abandoned"): "FAILED",
    ("OTP_SUBMITTED", "otp_not_sent"): "OTP_PENDING",
    ("OTP_SUBMITTED", "otp_wrong"): "OTP_PENDING",
    ("OTP_SUBMITTED", "otp_required"): "OTP_PENDING",
    ("OTP_SUBMITTED", "accepted"): "PROCESSING",
    ("OTP_SUBMITTED", "pending"): "PROCESSING",
    ("OTP_SUBMITTED", "outcome_lost"): "UNKNOWN",
    ("PROCESSING", "otp_required"): "OTP_PENDING",
    ("PROCESSING", "otp_wrong"): "OTP_PENDING",
    ("UNKNOWN", "otp_required"): "OTP_PENDING",
    ("UNKNOWN", "otp_wrong"): "OTP_PENDING",
    ("UNKNOWN", "accepted"): "PROCESSING",
    ("UNKNOWN", "pending"): "PROCESSING",
    ("PAID", "refunded"): "REFUNDED",
    ("PAID", "refund_completed"): "REFUNDED",
    ("FAILED(not_found)", "succeeded"): "PAID",
    ("FAILED(not_found)", "refunded"): "REFUNDED",
    ("FAILED(not_found)", "reposted"): "REQUESTED",
    ("FAILED", "succeeded"): "NEEDS_REVIEW",
    ("FAILED", "refunded"): "NEEDS_REVIEW",
    ("NEEDS_REVIEW(exhausted)", "succeeded"): "PAID",
    ("NEEDS_REVIEW(exhausted)", "refunded"): "REFUNDED",
    ("NEEDS_REVIEW(exhausted)", "declined"): "FAILED",
    ("NEEDS_REVIEW(exhausted)", "cancelled"): "FAILED",
    ("NEEDS_REVIEW(exhausted)", "expired"): "FAILED",
}
REFUND_MOVES = {
    ("REQUESTED", "claimed"): "SENDING",
    ("REQUESTED", "succeeded"): "REFUNDED",
    ("REQUESTED", "exhausted"): "NEEDS_REVIEW",
    ("SENDING", "succeeded"): "REFUNDED",
    ("SENDING", "postponed"): "RETRYING",
    ("SENDING", "not_sent"): "RETRYING",
    ("SENDING", "outcome_lost"): "UNKNOWN",
    ("SENDING", "refused"): "FAILED",
    ("SENDING", "exhausted"): "NEEDS_REVIEW",
    ("UNKNOWN", "succeeded"): "REFUNDED",
    ("UNKNOWN", "refused"): "FAILED",
    ("UNKNOWN", "not_in_history"): "RETRYING",
    ("UNKNOWN", "exhausted"): "NEEDS_REVIEW",
    ("RETRYING", "claimed"): "SENDING",
    ("RETRYING", "succeeded"): "REFUNDED",
    ("RETRYING", "refused"): "FAILED",
    ("RETRYING", "exhausted"): "NEEDS_REVIEW",
    ("NEEDS_REVIEW", "redriven"): "RETRYING",
    ("NEEDS_REVIEW", "succeeded"): "REFUNDED",
    ("FAILED", "succeeded"): "REFUNDED",
    ("FAILED", "redriven"): "RETRYING",
}
BINDING_MOVES = {
    ("REQUESTED", "link_started"): "PENDING",
    ("REQUESTED", "link_refused"): "FAILED",
    ("REQUESTED", "link_expired"): "FAILED",
    ("PENDING", "proved"): "ACTIVE",
    ("PENDING", "link_refused"): "FAILED",
    ("PENDING", "link_expired"): "FAILED",
    ("REQUESTED", "link_abandoned"): "FAILED",
    ("PENDING", "link_abandoned"): "FAILED",
    ("ACTIVE", "token_rejected"): "RELINK_REQUIRED",
    ("ACTIVE", "unbind_requested"): "UNBIND_OTP_PENDING",
    ("RELINK_REQUIRED", "proved"): "ACTIVE",
    ("RELINK_REQUIRED", "unbind_requested"): "UNBIND_OTP_PENDING",
    ("UNBIND_OTP_PENDING", "unbound"): "UNBOUND",
    ("UNBIND_OTP_PENDING", "unbind_refused"): "ACTIVE",
    ("UNBIND_OTP_PENDING", "unbind_expired"): "ACTIVE",
}
COMMANDS = {
    "payment": {"claimed", "reposted", "otp_submitted"},
    "refund": {"claimed", "redriven"},
    "binding": {"unbind_requested", "link_abandoned"},
}


def _pairs[S: StrEnum, E: StrEnum](
    table: TransitionTable[S, E], situations: type[S], events: type[E], moves: dict[tuple[str, str], str]
) -> list[object]:
    return [
        pytest.param(table, situation, event, moves.get((situation, event)), id=f"{table.machine}-{situation}-{event}")
        for situation in situations
        for event in events
    ]


@pytest.mark.parametrize(
    ("table", "situation", "event", "following"),
    [
        *_pairs(PAYMENT_TRANSITIONS, PaymentSituation, PaymentEvent, PAYMENT_MOVES),
        *_pairs(REFUND_TRANSITIONS, RefundState, RefundEvent, REFUND_MOVES),
        *_pairs(BINDING_TRANSITIONS, BindingState, BindingEvent, BINDING_MOVES),
    ],
)
def test_every_pair(
    table: TransitionTable[StrEnum, StrEnum], situation: StrEnum, event: StrEnum, following: str | None
) -> None:
    if following is None and event in COMMANDS[table.machine]:
        with pytest.raises(TransitionRefused) as refusal:
            table.decide(situation, event)
        assert (refusal.value.machine, refusal.value.situation, refusal.value.event) == (
            table.machine,
            situation,
            event,
        )
        assert str(refusal.value) == f"{table.machine}: {event} is not possible in {situation}"
    else:
        assert table.decide(situation, event) == following


@pytest.mark.parametrize("final", [PaymentSituation.PAID, PaymentSituation.REFUNDED])
@pytest.mark.parametrize("late", [PaymentEvent.DECLINED, PaymentEvent.PENDING, PaymentEvent.NOT_FOUND])
def test_no_late_failure_overwrites_money_that_moved(final: PaymentSituation, late: PaymentEvent) -> None:
    assert PAYMENT_TRANSITIONS.decide(final, late) is None


@pytest.mark.parametrize(
    ("table", "settled"),
    [
        (PAYMENT_TRANSITIONS, {"REFUNDED", "NEEDS_REVIEW"}),
        (REFUND_TRANSITIONS, {"REFUNDED"}),
        (BINDING_TRANSITIONS, {"UNBOUND", "FAILED"}),
    ],
)
def test_every_situation_can_be_reached_and_only_the_settled_ones_have_no_way_out(
    table: TransitionTable[StrEnum, StrEnum], settled: set[str]
) -> None:
    moves = list(table)
    reached = {str(table.initial)}
    while True:
        more = {str(following) for situation, _, following in moves if situation in reached} - reached
        if not more:
            break
        reached |= more
    situations = {str(situation) for situation, _, _ in moves} | {str(following) for _, _, following in moves}
    assert reached == situations
    assert situations - {str(situation) for situation, _, _ in moves} == settled
