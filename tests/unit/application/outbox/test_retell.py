"""A payment's events, told again from its history, are those that were told: the same ids, and the same of each."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from direct_debit.application.errors import CustomerActionRequired
from direct_debit.application.outbox.retell import retell_payment
from direct_debit.application.ports.messages import OutboxEvent
from direct_debit.domain.payment import PaymentState
from tests.fakes.event_contract import find_fault
from tests.fakes.journey import REF, Merchant
from tests.fakes.quiescence import come_to_rest
from tests.unit.application.support import linked, lose_notifications, paid
from tools.doku_simulator.dials import Dial


def refunded() -> Merchant:
    merchant = paid()
    merchant.refund(number="R-7")
    come_to_rest(merchant.world, 300)
    return merchant


def declined() -> Merchant:
    merchant = linked()
    merchant.pay(amount="10014.00")
    come_to_rest(merchant.world, 300)
    return merchant


def lost_and_found() -> Merchant:
    merchant = linked()
    merchant.world.simulator.dials.add(Dial("payment", "drop", count=1))
    merchant.pay()
    lose_notifications(merchant.world)
    come_to_rest(merchant.world)
    return merchant


def refund_redriven_in_the_dark() -> Merchant:
    merchant = paid()
    merchant.world.simulator.dials.add(Dial("refund", "drop", count=1))
    merchant.refund()
    come_to_rest(merchant.world)
    return merchant


def wrong_codes() -> Merchant:
    merchant = linked()
    merchant.pay()
    for otp in ("000000", "111111"):
        with pytest.raises(CustomerActionRequired):
            merchant.enter_otp(otp)
    merchant.enter_otp()
    come_to_rest(merchant.world, 300)
    return merchant


def stream_lost() -> Merchant:
    merchant = linked()
    merchant.world.loses = lambda _: True
    merchant.pay()
    merchant.enter_otp()
    merchant.world.run_for(1200)
    return merchant


STORIES = (paid, refunded, declined, lost_and_found, refund_redriven_in_the_dark, wrong_codes, stream_lost)


def retold(merchant: Merchant) -> list[OutboxEvent]:
    found = merchant.world.process().payments.get_with_history(REF)
    assert found is not None
    return list(retell_payment(*found))


@pytest.mark.parametrize("story", STORIES)
def test_what_is_told_again_is_what_was_told(story: Callable[[], Merchant]) -> None:
    merchant = story()
    published = [one for one in merchant.world.events.published if one.detail.get("partnerReferenceNo") == REF]
    once = list({one.id: one for one in published}.values())
    assert retold(merchant) == sorted(once, key=lambda one: (one.detail["recordVersion"] or 0, published.index(one)))
    assert len(once) > 0


def test_steps_of_earlier_releases_have_no_reason_and_fit_the_schema_all_the_same() -> None:
    merchant = declined()
    payments = merchant.world.process().payments
    steps = [replace(step, reason=None, response_code=None) for step in payments.history(REF)]
    events = retell_payment(merchant.payment(), steps)
    assert [one.name for one in events] == ["payment.failed"]
    assert [find_fault(one.name, one.to_json()) for one in events] == [None]
    assert [one.id for one in events] == [one.id for one in retold(merchant)]


def test_a_payment_that_only_began_has_told_nothing() -> None:
    payment = replace(paid().payment(), state=PaymentState.REQUESTED)
    assert retell_payment(payment, []) == []
