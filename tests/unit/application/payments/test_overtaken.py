"""Somebody is always faster: whoever writes looks again each time, gives up after a while, and says so."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from direct_debit.application.bindings.advance_binding import advance_binding, end_attempt
from direct_debit.application.errors import NotDone, StoreUnavailable
from direct_debit.application.payments.advance_payment import advance_payment
from direct_debit.application.payments.inquire_status import ask_status, request_inquiry
from direct_debit.application.refunds.process_refund import process_refund
from direct_debit.domain.binding import BindingEvent, BindingState
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.payment import PaymentEvent, PaymentState
from direct_debit.domain.refund import RefundState
from tests.fakes.journey import REF, Merchant
from tests.fakes.world import World
from tests.unit.application.support import (
    Meanwhile,
    Rivals,
    linked,
    paid,
    refund_of,
    requests,
    touch_binding,
    touch_payment,
)
from tools.doku_simulator.operations import Json

A_FEW = range(5, 30)
"""How often a rival may be faster before one gives up: the times themselves matter to nobody."""


def seen(merchant: Merchant) -> Evidence:
    return Evidence(EvidenceSource.NOTIFICATION, merchant.world.clock.now(), "00")


def advance(merchant: Merchant) -> object:
    return advance_payment(merchant.world.process(), merchant.payment(), PaymentEvent.SUCCEEDED, seen(merchant))


def inquire(merchant: Merchant) -> object:
    return request_inquiry(merchant.world.process(), merchant.payment())


@pytest.mark.parametrize("write", [advance, inquire])
def test_a_payment_that_is_always_changed_by_others_is_given_up_as_not_written(
    write: Callable[[Merchant], object],
) -> None:
    merchant = linked()
    before = merchant.pay().payment
    merchant.world.weather = rivals = Rivals("store.update_item", lambda: touch_payment(merchant))
    with pytest.raises(StoreUnavailable):
        write(merchant)
    assert rivals.count in A_FEW
    after = merchant.payment()
    assert after == replace(before, version=before.version + rivals.count, updated_at=after.updated_at)


def test_who_is_overtaken_once_writes_on_what_the_other_wrote() -> None:
    merchant = paid()
    world = merchant.world
    world.weather = weather = Meanwhile("store.update_item", lambda: touch_payment(merchant, remarks="another"))
    asked = request_inquiry(world.process(), merchant.payment())
    assert weather.done
    assert (asked.questioned_at, asked.remarks) == (world.clock.now(), "another")
    world.bend = lambda path, answer: {**answer, "latestTransactionStatus": "05"} if path == "status" else answer
    # The first write is the claim of the look.
    world.weather = Meanwhile("store.update_item", lambda: touch_payment(merchant, remarks="a third"), skip=1)
    after = ask_status(asked, world.process(), world.deadline())
    assert (after.reversed_at, after.remarks) == (world.clock.now(), "a third")


def test_a_reversal_that_can_not_be_written_is_told_so_that_it_is_asked_about_again() -> None:
    merchant = paid()
    world = merchant.world
    payment = request_inquiry(world.process(), merchant.payment())
    world.clock.tick(70)

    def reverse(path: str, answer: Json) -> Json:
        if path == "status":
            world.weather = Rivals("store.update_item", lambda: touch_payment(merchant))
            return {**answer, "latestTransactionStatus": "05"}
        return answer

    world.bend = reverse
    with pytest.raises(StoreUnavailable):
        ask_status(payment, world.process(), world.deadline())
    after = merchant.payment()
    assert (after.reversed_at, after.questioned_at) == (None, payment.questioned_at)
    assert after.due_at is not None


def test_a_refund_whose_answer_can_not_be_written_is_left_to_the_next_step() -> None:
    merchant = paid()
    world = merchant.world
    merchant.refund()

    def answered(path: str, answer: Json) -> Json:
        if path == "refund":
            world.weather = Rivals("store.update_item", lambda: touch_payment(merchant))
        return answer

    world.bend = answered
    process_refund(REF, world.process(), world.deadline())
    assert requests(world, "refund") == 1
    refund = refund_of(merchant)
    assert (refund.state, merchant.payment().state) == (RefundState.SENDING, PaymentState.PAID)
    assert refund.due_at is not None
    assert ("refund answer not written, left to the next step", {"ref": REF, "code": "2005800"}) in (
        world.telemetry.notes
    )


def test_a_link_that_is_always_changed_by_others_is_given_up_as_not_written() -> None:
    merchant = linked()
    before = merchant.binding()
    merchant.world.weather = rivals = Rivals("store.", lambda: touch_binding(merchant))
    with pytest.raises(StoreUnavailable):
        advance_binding(merchant.world.process(), before, BindingEvent.TOKEN_REJECTED, seen(merchant))
    assert rivals.count in A_FEW
    assert merchant.binding().state is BindingState.ACTIVE


def test_an_unlinking_of_a_link_that_is_always_changed_by_others_is_not_done() -> None:
    merchant = linked()
    merchant.world.weather = Rivals("store.update_item", lambda: touch_binding(merchant))
    with pytest.raises(NotDone):
        merchant.unbind()
    assert merchant.binding().state is BindingState.ACTIVE
    assert requests(merchant.world, "unbinding") == 0


def test_who_is_overtaken_at_the_end_of_an_attempt_sees_what_the_other_wrote() -> None:
    merchant = Merchant(World())
    merchant.bind()
    until = merchant.world.clock.now() + timedelta(seconds=30)
    busy = touch_binding(merchant, attempt="mine", attempt_until=until)
    merchant.world.weather = Meanwhile("store.update_item", lambda: touch_binding(merchant, attempt="another"))
    after = end_attempt(busy, merchant.world.process())
    assert after == merchant.binding()
    assert (after.attempt, after.attempt_until) == ("another", until)
