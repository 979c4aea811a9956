"""A review is closed by a person: once, whatever happens meanwhile; the payment's state stays, and may still move."""

from dataclasses import replace

import pytest

from direct_debit.application.errors import NotFound, Rejected
from direct_debit.application.payments.close_review import close_review
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.payment import Payment, PaymentEvent, PaymentState, ReviewReason
from tests.fakes.journey import REF, Merchant
from tests.fakes.records import with_fields
from tests.unit.application.support import Meanwhile, linked


def in_review(reason: ReviewReason = ReviewReason.CONTRADICTION) -> Merchant:
    merchant = linked()
    merchant.pay(REF)
    change(merchant, state=PaymentState.NEEDS_REVIEW, review=reason, due_at=None)
    return merchant


def change(merchant: Merchant, **changes: object) -> Payment:
    payments, payment = merchant.world.process().payments, merchant.payment()
    return payments.save(payment, with_fields(payment.noted(merchant.world.clock.now()), **changes))


@pytest.mark.parametrize("reason", ReviewReason)
def test_a_review_is_closed_and_nothing_else_changes(reason: ReviewReason) -> None:
    merchant = in_review(reason)
    before = merchant.payment()
    closed = close_review(REF, merchant.world.process())
    now = merchant.world.clock.now()
    assert closed == replace(before, review_closed_at=now, version=before.version + 1, updated_at=now)
    assert merchant.payment() == closed
    assert merchant.world.telemetry.notes[-1] == ("review closed", {"ref": REF, "state": "NEEDS_REVIEW"})


def test_a_second_time_there_is_nothing_to_close_and_nothing_is_written() -> None:
    merchant = in_review()
    closed = close_review(REF, merchant.world.process())
    merchant.world.clock.tick(60)
    with pytest.raises(Rejected, match="no review to close"):
        close_review(REF, merchant.world.process())
    assert merchant.payment() == closed


def test_a_payment_that_needs_nobody_has_nothing_to_close() -> None:
    merchant = linked()
    merchant.pay_to_the_end(REF)
    with pytest.raises(Rejected, match="no review to close"):
        close_review(REF, merchant.world.process())


def test_a_change_in_between_is_kept() -> None:
    merchant = in_review()
    world = merchant.world
    world.weather = Meanwhile("store.update_item", lambda: change(merchant, response_code="4045500"))
    closed = close_review(REF, world.process())
    assert closed.response_code == "4045500"
    assert closed.review_closed_at == world.clock.now()


def test_what_is_decided_in_between_is_not_closed() -> None:
    merchant = in_review(ReviewReason.EXHAUSTED)
    world = merchant.world
    world.weather = Meanwhile("store.update_item", lambda: change(merchant, state=PaymentState.PAID, review=None))
    with pytest.raises(Rejected):
        close_review(REF, world.process())
    assert merchant.payment().review_closed_at is None


def test_the_next_move_opens_it_again() -> None:
    """What was settled was what was known; whoever settled it has to hear of the rest."""
    merchant = in_review(ReviewReason.EXHAUSTED)
    closed = close_review(REF, merchant.world.process())
    failed = closed.moved(PaymentEvent.DECLINED, Evidence(EvidenceSource.STATUS, merchant.world.clock.now(), "06"))
    assert failed is not None
    assert (failed.state, failed.review_closed_at) == (PaymentState.FAILED, None)
    paid = failed.moved(PaymentEvent.SUCCEEDED, Evidence(EvidenceSource.NOTIFICATION, merchant.world.clock.now(), "00"))
    assert paid is not None
    assert (paid.state, paid.review, paid.review_closed_at) == (
        PaymentState.NEEDS_REVIEW,
        ReviewReason.CONTRADICTION,
        None,
    )


def test_there_is_no_such_payment() -> None:
    with pytest.raises(NotFound):
        close_review("NOPE", linked().world.process())
