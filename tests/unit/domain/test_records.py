"""The records: what each move and note changes, what is news, and what a state means for others."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from direct_debit.domain.binding import Binding, BindingEvent, BindingState, remember_move
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.money import Amount
from direct_debit.domain.move import Move
from direct_debit.domain.payment import (
    FailureReason,
    Payment,
    PaymentEvent,
    PaymentFailure,
    PaymentSituation,
    PaymentState,
    ReviewReason,
    remember_moves,
)
from direct_debit.domain.refund import Refund, RefundEvent, RefundState
from tests.fakes.records import with_fields

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
TEN_MINUTES = timedelta(minutes=10)
SAID = Evidence(EvidenceSource.STATUS, LATER, "06")
WITHOUT_CODE = Evidence(EvidenceSource.SCHEDULE, LATER)
NOT_FOUND = PaymentFailure(FailureReason.NOT_FOUND, "07")


def payment_in(state: PaymentState, **changes: object) -> Payment:
    payment = Payment(
        ref="A1",
        binding_id="B1",
        customer_id="C1",
        amount=Amount.parse("10000.00"),
        remarks="Order 1",
        request_hash="",
        state=state,
        version=7,
        created_at=NOW,
        updated_at=NOW,
        external_id="E1",
        attempt="first",
        sent_at=NOW,
        evidence=Evidence(EvidenceSource.CALLER, NOW),
    )
    return with_fields(payment, **changes)


def refund_in(state: RefundState, **changes: object) -> Refund:
    refund = Refund(
        number="R1",
        reason="Refund",
        request_hash="",
        state=state,
        requested_at=NOW,
        response_code="4035814",
        evidence=Evidence(EvidenceSource.CALLER, NOW),
    )
    return with_fields(refund, **changes)


def binding_in(state: BindingState, **changes: object) -> Binding:
    binding = Binding(
        id="B1",
        customer_id="C1",
        account="",
        phone_hint="761",
        success_url="https://shop.example/ok",
        failed_url="https://shop.example/no",
        request_hash="",
        return_state_hash="",
        state=state,
        version=7,
        created_at=NOW,
        updated_at=NOW,
        lease_until=LATER,
        external_id="E1",
        response_code="2000700",
        evidence=Evidence(EvidenceSource.CALLER, NOW),
    )
    return with_fields(binding, **changes)


# --- new records -----------------------------------------------------------------------------------------------------


def test_a_new_payment_is_asked_for_and_nothing_else() -> None:
    payment = payment_in(PaymentState.REQUESTED)
    new = Payment(
        **{name: getattr(payment, name) for name in ("ref", "binding_id", "customer_id", "amount", "remarks")},
        **{name: getattr(payment, name) for name in ("request_hash", "created_at")},
        **{name: getattr(payment, name) for name in ("updated_at", "external_id", "attempt", "sent_at", "evidence")},
    )
    assert (new.state, new.version) == (PaymentState.REQUESTED, 1)
    flags = (new.released, new.otp_accepted, new.otp_unclear, new.reposted, new.late_success)
    assert flags == (False,) * 5
    assert (new.otp_attempts, new.not_found_count) == (0, 0)
    assert not new.may_be_done_by_an_earlier_request


def test_a_new_refund_has_not_been_sent() -> None:
    refund = Refund(number="R1", reason="", request_hash="", requested_at=NOW, evidence=SAID)
    assert (refund.state, refund.attempts, refund.automatic) == (RefundState.REQUESTED, 0, False)


def test_a_new_link_is_asked_for_and_nothing_else() -> None:
    binding = binding_in(BindingState.REQUESTED)
    names = ("id", "customer_id", "account", "phone_hint", "success_url", "failed_url", "request_hash")
    more = ("return_state_hash", "created_at", "updated_at", "lease_until", "external_id", "evidence")
    new = Binding(**{name: getattr(binding, name) for name in (*names, *more)})
    assert (new.state, new.version) == (BindingState.REQUESTED, 1)
    assert (new.unbind_unclear, new.otp_attempts) == (False, 0)


# --- moves -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (PaymentEvent.DECLINED, FailureReason.DECLINED),
        (PaymentEvent.CANCELLED, FailureReason.CANCELLED),
        (PaymentEvent.EXPIRED, FailureReason.EXPIRED),
        (PaymentEvent.OTP_BLOCKED, FailureReason.OTP_BLOCKED),
        (PaymentEvent.OTP_ABANDONED, FailureReason.OTP_ABANDONED),
        (PaymentEvent.NOT_FOUND, FailureReason.NOT_FOUND),
    ],
)
def test_a_payment_fails_with_reason_and_code(event: PaymentEvent, reason: FailureReason) -> None:
    after = payment_in(PaymentState.OTP_PENDING).moved(event, SAID)
    assert after is not None
    assert (after.state, after.failure, after.review) == (PaymentState.FAILED, PaymentFailure(reason, "06"), None)
    assert (after.version, after.updated_at, after.evidence) == (8, LATER, SAID)


def test_a_review_has_its_reason_and_ends_with_it() -> None:
    exhausted = payment_in(PaymentState.UNKNOWN).moved(PaymentEvent.EXHAUSTED, WITHOUT_CODE)
    assert exhausted is not None
    assert (exhausted.review, exhausted.situation) == (
        ReviewReason.EXHAUSTED,
        PaymentSituation.NEEDS_REVIEW_EXHAUSTED,
    )
    paid = exhausted.moved(PaymentEvent.SUCCEEDED, SAID)
    assert paid is not None
    assert (paid.state, paid.review, paid.late_success) == (PaymentState.PAID, None, False)
    declined = payment_in(PaymentState.FAILED, failure=PaymentFailure(FailureReason.DECLINED))
    contradiction = declined.moved(PaymentEvent.SUCCEEDED, SAID)
    assert contradiction is not None
    assert (contradiction.review, contradiction.failure) == (ReviewReason.CONTRADICTION, None)
    assert contradiction.situation is PaymentSituation.NEEDS_REVIEW


def test_a_success_after_not_found_is_late_and_stays_so() -> None:
    late = payment_in(PaymentState.FAILED, failure=NOT_FOUND).moved(PaymentEvent.SUCCEEDED, SAID)
    assert late is not None
    assert (late.state, late.late_success, late.failure) == (PaymentState.PAID, True, None)
    refunded = late.moved(PaymentEvent.REFUNDED, SAID)
    assert refunded is not None
    assert refunded.late_success
    back = payment_in(PaymentState.FAILED, failure=NOT_FOUND).moved(PaymentEvent.REFUNDED, SAID)
    assert back is not None
    assert not back.late_success
    on_time = payment_in(PaymentState.PROCESSING).moved(PaymentEvent.SUCCEEDED, SAID)
    assert on_time is not None
    assert not on_time.late_success


def test_what_an_earlier_request_may_still_do_is_remembered() -> None:
    again = payment_in(PaymentState.FAILED, failure=NOT_FOUND).moved(PaymentEvent.REPOSTED, SAID)
    assert again is not None
    assert again.reposted
    unclear = payment_in(PaymentState.UNKNOWN, otp_attempts=1).moved(PaymentEvent.OTP_REQUIRED, SAID)
    first = payment_in(PaymentState.REQUESTED).moved(PaymentEvent.OTP_REQUIRED, SAID)
    assert unclear is not None
    assert first is not None
    assert (unclear.otp_unclear, first.otp_unclear) == (True, False)
    for payment in (again, unclear):
        later = payment.moved(PaymentEvent.ACCEPTED, SAID)
        assert later is not None
        assert (later.reposted, later.otp_unclear) == (payment.reposted, payment.otp_unclear)
        assert later.may_be_done_by_an_earlier_request
    assert payment_in(PaymentState.PROCESSING, otp_accepted=True).may_be_done_by_an_earlier_request


def test_what_changes_nothing_returns_nothing() -> None:
    assert payment_in(PaymentState.PAID).moved(PaymentEvent.DECLINED, SAID) is None
    assert refund_in(RefundState.REFUNDED).moved(RefundEvent.REFUSED, SAID) is None
    assert binding_in(BindingState.ACTIVE).moved(BindingEvent.LINK_EXPIRED, SAID) is None


def test_a_refund_and_a_link_keep_dokus_newest_code() -> None:
    refused = refund_in(RefundState.SENDING).moved(RefundEvent.REFUSED, SAID)
    lost = refund_in(RefundState.SENDING).moved(RefundEvent.OUTCOME_LOST, WITHOUT_CODE)
    assert refused is not None
    assert lost is not None
    assert (refused.state, refused.response_code, refused.evidence) == (RefundState.FAILED, "06", SAID)
    assert (lost.state, lost.response_code) == (RefundState.UNKNOWN, "4035814")
    failed = binding_in(BindingState.PENDING).moved(BindingEvent.LINK_REFUSED, SAID)
    expired = binding_in(BindingState.PENDING).moved(BindingEvent.LINK_EXPIRED, WITHOUT_CODE)
    assert failed is not None
    assert expired is not None
    assert (failed.state, failed.version, failed.updated_at) == (BindingState.FAILED, 8, LATER)
    assert (failed.response_code, failed.evidence) == ("06", SAID)
    assert expired.response_code == "2000700"


def test_a_note_is_a_version_and_a_time_and_nothing_else() -> None:
    payment, binding = payment_in(PaymentState.PAID), binding_in(BindingState.ACTIVE)
    assert payment.noted(LATER) == replace(payment, version=8, updated_at=LATER)
    assert binding.noted(LATER) == replace(binding, version=8, updated_at=LATER)


def test_what_is_still_to_be_told_is_no_part_of_what_a_record_says() -> None:
    move = Move(version=7, at=NOW, state="PAID", source="status")
    payment, binding = payment_in(PaymentState.PAID), binding_in(BindingState.ACTIVE)
    assert replace(payment, untold=(move,), tell_by=LATER) == payment
    assert replace(binding, untold=(move,), tell_by=LATER) == binding
    assert replace(payment, due_at=LATER) != payment
    assert replace(binding, due_at=LATER) != binding


# --- what a state means ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(PaymentState))
@pytest.mark.parametrize("refund", [None, *RefundState])
def test_a_payment_is_open_while_money_may_move_by_itself(state: PaymentState, refund: RefundState | None) -> None:
    payment = payment_in(state, refund=None if refund is None else refund_in(refund))
    final = state in ("PAID", "FAILED", "REFUNDED", "NEEDS_REVIEW")
    refunding = refund in ("REQUESTED", "SENDING", "RETRYING", "UNKNOWN")
    assert payment.is_final == final
    assert payment.is_open == (not final or refunding)
    if payment.refund is not None:
        assert payment.refund.is_final != refunding


@pytest.mark.parametrize("situation", list(PaymentSituation))
def test_a_situation_has_the_state_that_callers_see(situation: PaymentSituation) -> None:
    assert situation.value.startswith(situation.state.value)
    assert payment_in(PaymentState.FAILED, failure=NOT_FOUND).situation is PaymentSituation.FAILED_NOT_FOUND
    declined = PaymentFailure(FailureReason.DECLINED)
    assert payment_in(PaymentState.FAILED, failure=declined).situation is PaymentSituation.FAILED


@pytest.mark.parametrize("state", list(BindingState))
def test_a_link_holds_its_account_until_it_has_ended(state: BindingState) -> None:
    assert binding_in(state).holds_account == (state not in ("UNBOUND", "FAILED"))


def test_a_link_is_busy_until_its_attempt_ends() -> None:
    busy = binding_in(BindingState.PENDING, attempt_until=LATER)
    assert busy.is_busy(LATER - timedelta(microseconds=1))
    assert not busy.is_busy(LATER)
    assert not binding_in(BindingState.PENDING).is_busy(NOW)


# --- news ------------------------------------------------------------------------------------------------------------


def test_each_move_of_a_payment_is_news_with_its_evidence() -> None:
    begun = payment_in(PaymentState.REQUESTED)
    failed = begun.moved(PaymentEvent.DECLINED, SAID)
    assert failed is not None
    told = remember_moves(begun, replace(failed, response_code="4035414"))
    first = Move(
        version=8, at=LATER, state="FAILED", source="status", code="06", reason="declined", response_code="4035414"
    )
    assert (told.untold, told.tell_by) == ((first,), LATER + TEN_MINUTES)
    assert remember_moves(begun, told) == told
    assert remember_moves(begun, told).untold == told.untold


def test_a_refunds_move_is_news_of_its_own_and_of_both_together() -> None:
    before = payment_in(PaymentState.PAID)
    asked = replace(before.noted(LATER), refund=refund_in(RefundState.REQUESTED, evidence=SAID))
    (move,) = remember_moves(before, asked).untold
    assert (move.moved, move.refund_moved, move.refund_state) == (False, True, "REQUESTED")
    assert (move.state, move.source, move.code) == ("PAID", "status", "06")
    done = replace(
        asked.noted(LATER), state=PaymentState.REFUNDED, refund=refund_in(RefundState.REFUNDED, evidence=WITHOUT_CODE)
    )
    (both,) = remember_moves(asked, done).untold
    assert (both.moved, both.refund_moved, both.refund_state, both.source) == (True, True, "REFUNDED", "caller")


def test_what_does_not_move_is_no_news() -> None:
    payment = payment_in(PaymentState.PAID, refund=refund_in(RefundState.SENDING))
    assert remember_moves(payment, payment.noted(LATER)).untold == ()
    assert remember_moves(payment, payment.noted(LATER)).tell_by is None


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        (None, BindingState.REQUESTED, None),
        (BindingState.REQUESTED, BindingState.PENDING, None),
        (BindingState.PENDING, BindingState.ACTIVE, True),
        (BindingState.PENDING, BindingState.FAILED, True),
        (BindingState.ACTIVE, BindingState.RELINK_REQUIRED, True),
        (BindingState.RELINK_REQUIRED, BindingState.ACTIVE, True),
        (BindingState.ACTIVE, BindingState.UNBIND_OTP_PENDING, False),  # only for the history
        (BindingState.UNBIND_OTP_PENDING, BindingState.UNBOUND, True),
        (BindingState.UNBIND_OTP_PENDING, BindingState.ACTIVE, False),  # only for who waits for the unlinking
        (BindingState.ACTIVE, BindingState.ACTIVE, None),
    ],
)
def test_a_links_move_is_news_where_others_want_to_know(
    before: BindingState | None, after: BindingState, news: bool | None
) -> None:
    earlier = None if before is None else binding_in(before)
    now = binding_in(after, version=8, updated_at=LATER, evidence=SAID)
    remembered = remember_move(earlier, now)
    if news is None:
        assert (remembered.untold, remembered.tell_by) == ((), None)
        return
    move = Move(version=8, at=LATER, state=after.value, moved=news, source="status", code="06", response_code="2000700")
    told_by = None if after is BindingState.UNBIND_OTP_PENDING else LATER + TEN_MINUTES
    assert (remembered.untold, remembered.tell_by) == ((move,), told_by)
    assert remember_move(earlier, remembered).untold == (move,)
