"""The sweep: bounded, within its time, and nobody's trouble keeps the others waiting."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest

from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import StoreUnavailable
from direct_debit.application.resolve_pending import resolve_pending
from direct_debit.domain.payment import PaymentState
from tests.fakes.invariants import check_at_rest
from tests.fakes.journey import Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Fault
from tests.fakes.world import TRANSACTIONS
from tests.unit.application.support import Strike, linked, lose_notifications
from tools.doku_simulator.dials import Dial

if TYPE_CHECKING:
    from collections.abc import MutableMapping


def unresolved(count: int) -> Merchant:
    """Payments whose codes are awaited at DOKU and whose answers were lost; only the sweep is left."""
    merchant = linked()
    world = merchant.world
    world.settings = replace(world.settings, circuit_failures=10_000)
    world.simulator.dials.add(Dial("payment", "drop", count=count))
    for number in range(count):
        merchant.pay(f"LOST-{number:03d}")
    lose_notifications(world)
    world.queues.waiting.clear()
    world.clock.tick(100)
    return merchant


def test_no_more_than_the_limit_is_visited_and_the_rest_comes_next() -> None:
    merchant = unresolved(7)
    world = merchant.world
    assert resolve_pending(3, world.process(), world.deadline(60)).visited == 3
    assert len(world.queues.waiting) == 3
    world.work()
    assert resolve_pending(3, world.process(), world.deadline(60)).visited == 3
    world.work()
    assert resolve_pending(3, world.process(), world.deadline(60)).visited == 1


def test_nothing_is_begun_that_might_outlive_the_function() -> None:
    merchant = unresolved(3)
    world = merchant.world
    assert resolve_pending(10, world.process(), Deadline(world.clock.now() + timedelta(seconds=10))).visited == 0


def test_one_records_trouble_does_not_stop_the_others() -> None:
    merchant = unresolved(4)
    world = merchant.world
    world.weather = Strike("queue.send", Fault.FAIL)
    assert resolve_pending(10, world.process(), world.deadline(60)).visited == 4
    assert len(world.queues.waiting) == 3
    world.weather = Strike("store.get_item", Fault.FAIL)
    assert resolve_pending(10, world.process(), world.deadline(60)).failed == 1


def test_a_record_that_can_not_be_read_does_not_stop_the_others() -> None:
    merchant = unresolved(4)
    world = merchant.world
    ruined = next(item for item in world.store.items(TRANSACTIONS) if item["pk"]["S"] == "PAYMENT#LOST-000")
    cast("MutableMapping[str, object]", ruined).pop("amount")
    result = resolve_pending(10, world.process(), world.deadline(60))
    assert (result.visited, result.failed) == (4, 1)
    assert len(world.queues.waiting) == 3


def test_a_list_that_can_not_be_read_is_told() -> None:
    merchant = unresolved(1)
    merchant.world.weather = Strike("store.query", Fault.FAIL)
    with pytest.raises(StoreUnavailable):
        resolve_pending(10, merchant.world.process(), merchant.world.deadline(60))


def test_the_sweep_alone_resolves_everything() -> None:
    merchant = unresolved(5)
    come_to_rest(merchant.world)
    assert {merchant.payment(f"LOST-{number:03d}").state for number in range(5)} == {
        PaymentState.FAILED
    }  # codes expired
    assert check_at_rest(merchant.world) == []


def test_many_lost_answers_at_once_are_known_within_95_seconds() -> None:
    merchant = linked()
    world = merchant.world
    world.settings = replace(world.settings, max_open_payments=2000, circuit_failures=10_000)
    refs = [f"L{number}" for number in range(200)]
    for ref in refs:
        assert merchant.pay(ref, amount="10504.00").payment.state is PaymentState.UNKNOWN
    lose_notifications(world)
    come_to_rest(world, 95)
    assert {merchant.payment(ref).state for ref in refs} == {PaymentState.PAID}
