"""The sweep: bounded, within its time, and nobody's trouble keeps the others waiting."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest

from direct_debit.adapters.dynamodb.keys import SHARDS
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import NotDone, StoreUnavailable
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.resolve_pending import Resolved, resolve_pending
from direct_debit.domain.binding import BindingState
from direct_debit.domain.move import PATIENCE
from direct_debit.domain.payment import PaymentState
from tests.fakes.invariants import check_at_rest
from tests.fakes.journey import Merchant
from tests.fakes.outages import Outage
from tests.fakes.processes import TRANSACTIONS
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Fault
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, Strike, linked, lose_notifications
from tools.doku_simulator.dials import Dial

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from direct_debit.application.ports.bindings import Bindings
    from direct_debit.application.ports.inbox import Inbox
    from direct_debit.application.ports.payments import Payments


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


def test_visits_in_vain_hold_up_nobody_and_are_made_once() -> None:
    """Codes are awaited longer than a minute: the index lists these payments for the time that they were due before."""
    merchant = linked()
    world = merchant.world
    for number in range(4):
        merchant.pay(f"AWAITED-{number}")
    world.clock.tick(5)
    world.simulator.dials.add(Dial("payment", "drop"))
    merchant.pay("LOST")
    lose_notifications(world)
    world.queues.waiting.clear()
    world.clock.tick(100)
    assert resolve_pending(1, world.process(), world.deadline(60)).visited == 5
    assert [message.subject for _, _, message, _ in world.queues.waiting] == ["LOST"]
    world.work()
    assert resolve_pending(1, world.process(), world.deadline(60)).visited == 0


def ruin(world: World, *refs: str) -> None:
    for item in world.store.items(TRANSACTIONS):
        if item["pk"]["S"] in [f"PAYMENT#{ref}" for ref in refs]:
            cast("MutableMapping[str, object]", item).pop("amount")


def asked_about(world: World) -> list[str]:
    return [message.subject for _, _, message, _ in world.queues.waiting]


def test_what_can_not_be_read_is_counted_told_and_takes_nobodys_place() -> None:
    merchant = unresolved(5)
    world = merchant.world
    first, second, third, *_ = world.process().payments.list_due(world.clock.now(), 5)
    ruin(world, first, second)
    world.telemetry.notes.clear()
    assert resolve_pending(1, world.process(), world.deadline(60)) == Resolved(3, 2)
    assert asked_about(world) == [third]
    assert world.telemetry.counts[Metric.RECORD_UNREADABLE] == 2
    assert [fields["reason"].split(":")[0] for text, fields in world.telemetry.notes if "can not be read" in text] == [
        f"payment {first}",
        f"payment {second}",
    ]


class Listed:
    """A repository that lists three ids as due, of which none is there; `get` may say something else of them."""

    def __init__(self, real: object, get: Callable[[str], object] | None = None) -> None:
        self.real = real
        self.instead = {} if get is None else {"get": get}

    def list_due(self, _now: datetime, limit: int) -> list[str]:
        return ["X1", "X2", "X3"][:limit]

    def __getattr__(self, name: str) -> object:
        return self.instead.get(name) or getattr(self.real, name)


def listing(ports: Ports, get: Callable[[str], object] | None = None) -> Ports:
    return replace(
        ports,
        payments=cast("Payments", Listed(ports.payments, get)),
        inbox=cast("Inbox", Listed(ports.inbox)),
        bindings=cast("Bindings", Listed(ports.bindings)),
    )


def fail_with(error: Exception) -> Callable[[str], object]:
    def fail(_ref: str) -> object:
        raise error

    return fail


def test_a_payment_that_is_gone_takes_nobodys_place_and_a_notification_and_a_link_take_their_own() -> None:
    world = World()
    assert resolve_pending(1, listing(world.process()), world.deadline(60)) == Resolved(3 + 1 + 1, 0)


@pytest.mark.parametrize(("seconds", "visited"), [(40, 3 + 1 + 1), (39, 1 + 1 + 1)])
def test_visits_in_vain_leave_the_others_their_time(seconds: int, visited: int) -> None:
    world = World()
    assert resolve_pending(1, listing(world.process()), world.deadline(seconds)).visited == visited


def test_a_sweep_without_visits_in_vain_reads_each_list_once() -> None:
    merchant = unresolved(2)
    world = merchant.world
    world.weather = calm = Strike("nothing", Fault.FAIL)
    resolve_pending(1, world.process(), world.deadline(60))
    assert calm.names.count("store.query") == 3 * SHARDS


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NotDone("no", code="5005500"), {"code": "5005500", "reason": "NotDone"}),
        (ValueError("x"), {"reason": "ValueError"}),
    ],
)
def test_what_goes_wrong_is_told_with_dokus_code(error: Exception, told: dict[str, str]) -> None:
    world = World()
    resolve_pending(1, listing(world.process(), fail_with(error)), world.deadline(60))
    assert ("due record not resolved", told) in world.telemetry.notes


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
    world.settings = replace(world.settings, max_open_payments=2000, max_payments_per_day=0, circuit_failures=10_000)
    refs = [f"L{number}" for number in range(200)]
    for ref in refs:
        assert merchant.pay(ref, amount="10504.00").payment.state is PaymentState.UNKNOWN
    lose_notifications(world)
    come_to_rest(world, 95)
    assert {merchant.payment(ref).state for ref in refs} == {PaymentState.PAID}


def test_news_that_can_not_be_told_does_not_keep_what_is_due_waiting() -> None:
    """The bus is away for an hour, and more news waits than a sweep visits: an inquiry that is due is asked for."""
    merchant = linked()
    world = merchant.world
    world.loses = lambda _: True
    for number in range(5):
        merchant.pay_to_the_end(f"PAID{number}")
    world.clock.tick(PATIENCE.total_seconds())
    world.simulator.dials.add(Dial("payment", "drop"))
    merchant.pay("LOST")
    lose_notifications(world)
    world.queues.waiting.clear()
    world.weather = Strike("events.", Fault.FAIL, count=10_000)
    for _ in range(4):
        world.clock.tick(60)
        resolve_pending(2, world.process(), world.deadline(60))
        world.work()
    assert merchant.payment("LOST").state is not PaymentState.UNKNOWN


def test_what_can_not_be_told_is_tried_less_and_less_often_and_told_at_last() -> None:
    merchant = linked()
    world = merchant.world
    world.loses = lambda _: True
    merchant.pay_to_the_end()
    world.weather = bus = Strike("events.publish", Fault.FAIL, count=10_000)
    come_to_rest(world, 6 * 3600)
    tries = bus.names.count("events.publish")
    assert 5 <= tries <= 20
    assert world.events.published == [one for one in world.events.published if one.name.startswith("binding.")]
    world.weather = Strike("", Fault.NONE, count=0)
    come_to_rest(world, 3700)
    assert [one.name for one in world.events.published if one.name.startswith("payment.")] == [
        "payment.otp_pending",
        "payment.paid",
    ]
    assert check_at_rest(world) == []


class BusAway(Outage):
    """DOKU is away for a while, and the event bus for good."""

    def draw(self, name: str) -> Fault:
        return Fault.FAIL if name.startswith("events.") else super().draw(name)


def test_a_link_whose_news_can_not_be_told_is_settled_all_the_same() -> None:
    """The end of its unlinking is open, since DOKU was away for longer than the stream had for the news."""
    world = World()
    world.loses = lambda _: True
    merchant = Merchant(world)
    merchant.link()
    merchant.unbind()
    world.simulator.dials.add(Dial("otp", "drop"))
    merchant.confirm_unbinding()
    away = timedelta(minutes=20)
    world.weather = BusAway(world.clock, world.clock.now() + away)
    come_to_rest(world, away.total_seconds() + 600)
    assert merchant.binding().state is BindingState.UNBOUND


def test_news_of_a_link_that_changes_meanwhile_is_left_to_the_change() -> None:
    world = World()
    world.loses = lambda _: True
    merchant = Merchant(world)
    merchant.link()
    world.clock.tick(PATIENCE.total_seconds() + 60)
    world.weather = meanwhile = Meanwhile("store.update_item", merchant.unbind)
    world.tick()
    assert meanwhile.done
    assert world.events.published == []
    come_to_rest(world, 3600)
    assert [one.name for one in world.events.published] == ["binding.activated"]


def test_news_of_a_record_that_changes_meanwhile_is_left_to_the_change() -> None:
    merchant = linked()
    world = merchant.world
    world.loses = lambda _: True
    merchant.pay_to_the_end()
    world.clock.tick(PATIENCE.total_seconds() + 60)
    world.weather = meanwhile = Meanwhile("store.update_item", merchant.refund)
    before = len(world.events.published)
    world.tick()
    assert meanwhile.done
    assert len(world.events.published) == before
    come_to_rest(world, 3600)
    assert check_at_rest(world) == []
