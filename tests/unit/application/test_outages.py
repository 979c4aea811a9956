"""DOKU was away, or whoever asked it died: minutes after its return the truth is known, however long it was away."""

from datetime import timedelta

import pytest

from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import PaymentState
from tests.fakes.invariants import check_at_rest
from tests.fakes.journey import Merchant
from tests.fakes.outages import ANSWER_LOST, SCENES, Scene, play
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Fault
from tests.fakes.world import World
from tests.unit.application.support import Strike, linked, lose_notifications
from tools.doku_simulator.dials import Dial

TEN_MINUTES = timedelta(minutes=10)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.title)
@pytest.mark.parametrize("minutes", [16, 31, 130, 370])
def test_ten_minutes_after_an_outage_the_truth_is_written(scene: Scene, minutes: int) -> None:
    away = timedelta(minutes=minutes)
    for seed in range(2):
        after = play(scene, away, seed)
        assert after is not None
        assert after <= TEN_MINUTES + scene.grace, f"{after} (seed {seed})"


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.title)
def test_ten_minutes_after_all_answers_were_lost_the_truth_is_written(scene: Scene) -> None:
    after = play(scene, timedelta(minutes=31), fault=Fault.LOSE)
    assert after is not None
    assert after <= TEN_MINUTES + scene.grace


def lost_debit() -> Merchant:
    """A payment that was debited; its answer is lost, and no notification comes."""
    merchant = linked()
    merchant.pay(amount=ANSWER_LOST)
    lose_notifications(merchant.world)
    return merchant


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
@pytest.mark.parametrize("hours", [2, 6])
def test_a_look_that_dies_late_in_the_schedule_is_repeated_in_minutes(fault: Fault, hours: int) -> None:
    merchant = lost_debit()
    world = merchant.world
    step = hours * 3600
    world.bend = lambda path, answer: (
        {"responseCode": "2005500", "latestTransactionStatus": "02"} if path == "status" else answer
    )
    come_to_rest(world, step - 60)  # so far DOKU only said that it goes on
    assert merchant.payment().state is PaymentState.PROCESSING
    world.bend = None
    world.weather = Strike("doku.status", fault)
    come_to_rest(world, 120)
    assert merchant.payment().state is PaymentState.PROCESSING  # that look has died
    come_to_rest(world, 300)
    assert merchant.payment().state is PaymentState.PAID


def test_five_dead_looks_do_not_put_a_payment_aside() -> None:
    merchant = lost_debit()
    world = merchant.world
    world.weather = Strike("doku.status", Fault.CRASH_BEFORE, count=5)
    come_to_rest(world, 20 * 60)
    assert merchant.payment().state is PaymentState.PAID
    assert check_at_rest(world) == []


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
def test_a_dead_look_at_a_refund_is_repeated_in_minutes(fault: Fault) -> None:
    merchant = linked()
    world = merchant.world
    merchant.pay_to_the_end()
    world.simulator.add_dial(Dial("refund", "drop"))
    merchant.refund()
    world.work()
    lose_notifications(world)
    world.weather = Strike("doku.status", fault, count=3)
    come_to_rest(world, 12 * 60)
    assert merchant.payment().state is PaymentState.REFUNDED
    assert check_at_rest(world) == []


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
def test_a_dead_probe_of_an_unlinking_is_repeated_in_minutes(fault: Fault) -> None:
    merchant = linked()
    world = merchant.world
    merchant.unbind()
    world.simulator.add_dial(Dial("otp", "drop"))
    merchant.confirm_unbinding()
    world.weather = Strike("doku.balance", fault, count=3)
    come_to_rest(world, 18 * 60)  # a code's time, and three claims
    assert merchant.binding().state is BindingState.UNBOUND


@pytest.mark.parametrize("fault", [Fault.FAIL, Fault.LOSE])
def test_a_repeated_request_for_a_link_that_the_customer_has_finished_makes_it_active(fault: Fault) -> None:
    merchant = Merchant(World())
    merchant.bind()
    url = merchant.walk_through_pages()
    lose_notifications(merchant.world)
    merchant.world.weather = Strike("doku.b2b2c", fault)
    assert merchant.come_back(url).binding_state is BindingState.PENDING
    again = merchant.bind()
    assert (again.replayed, again.binding.state, again.redirect_url) == (True, BindingState.ACTIVE, None)


def test_a_repeated_request_for_a_link_shows_it_even_while_doku_is_away() -> None:
    merchant = Merchant(World())
    page = merchant.bind().redirect_url
    merchant.walk_through_pages()
    lose_notifications(merchant.world)
    merchant.world.weather = Strike("doku.", Fault.FAIL, count=1_000)
    again = merchant.bind()
    assert (again.binding.state, again.redirect_url) == (BindingState.PENDING, page)
    merchant.world.weather = Strike("doku.", Fault.NONE)
    come_to_rest(merchant.world, 200)
    assert merchant.binding().state is BindingState.ACTIVE
