"""What a refund is asked for with, and what counts as the same request."""

from dataclasses import replace

import pytest

from direct_debit.application.errors import Conflict, NotFound
from direct_debit.application.ports.vault import SealedField
from direct_debit.application.references import derive_reference
from direct_debit.domain.evidence import EvidenceSource
from direct_debit.domain.payment import PaymentState
from direct_debit.domain.refund import RefundState
from tests.fakes.journey import REF
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, linked, paid, refund_of, touch_payment


def test_a_refund_is_recorded_due_at_once_and_queued() -> None:
    merchant = paid()
    result = merchant.refund()
    now = merchant.world.clock.now()
    assert not result.replayed
    refund = refund_of(merchant)
    assert (refund.state, refund.number, refund.reason) == (
        RefundState.REQUESTED,
        derive_reference(f"refund:{REF}"),
        "Refund",
    )
    assert (refund.requested_at, refund.due_at, refund.automatic) == (now, now, False)
    assert (refund.attempts, refund.evidence.source) == (0, EvidenceSource.CALLER)
    assert [(one.queue, one.subject) for _, _, one, _ in merchant.world.queues.waiting] == [("refund", REF)]
    assert merchant.refund().replayed
    assert len(merchant.world.queues.waiting) == 1


def test_number_and_reason_are_the_merchants() -> None:
    merchant = paid()
    merchant.refund(number="R-7", reason="Customer complain")
    kept = refund_of(merchant)
    assert (kept.number, kept.reason) == ("R-7", "")
    vault = merchant.world.process().vault
    assert vault.unseal(kept.sealed_reason or "", SealedField.REFUND_REASON, REF) == "Customer complain"
    assert merchant.refund(number="R-7", reason="Customer complain").replayed


@pytest.mark.parametrize(
    ("number", "reason", "says"), [("R-8", "why", "R-7"), ("R-7", "other", "another reason"), ("R-7", None, "reason")]
)
def test_another_number_or_reason_is_another_request(number: str, reason: str | None, says: str) -> None:
    merchant = paid()
    merchant.refund(number="R-7", reason="why")
    before = merchant.payment()
    with pytest.raises(Conflict, match=says):
        merchant.refund(number=number, reason=reason)
    assert merchant.payment() == before


def test_a_refund_that_began_by_itself_is_anybodys_with_its_number() -> None:
    merchant = paid()
    merchant.refund(number="R-7", reason="why")
    touch_payment(merchant, refund=replace(refund_of(merchant), automatic=True, request_hash=""))
    assert merchant.refund(number="R-7", reason="another").replayed
    with pytest.raises(Conflict):
        merchant.refund(number="R-8")


def test_of_two_refunds_at_once_one_is_made() -> None:
    merchant = paid()
    merchant.world.weather = weather = Meanwhile("store.transact_write_items", merchant.refund)
    assert merchant.refund().replayed
    assert weather.done


def test_what_can_not_be_refunded_says_why() -> None:
    merchant = linked()
    with pytest.raises(NotFound):
        merchant.refund()
    merchant.pay()
    with pytest.raises(Conflict, match="OTP_PENDING"):
        merchant.refund()
    touch_payment(merchant, state=PaymentState.PAID)
    assert merchant.refund().payment.refund is not None


def test_a_refund_of_a_link_that_is_gone_is_recorded_all_the_same() -> None:
    merchant = paid(World())
    merchant.unbind()
    merchant.confirm_unbinding()
    assert merchant.refund().payment.refund is not None
    assert refund_of(merchant).state is RefundState.REQUESTED
    assert merchant.binding().open_payments == frozenset()
