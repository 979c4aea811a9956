"""A stream keeps its records for a day and may lose them: what they had to say is told all the same, in order, once."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count, pairwise
from typing import TYPE_CHECKING, cast

import pytest

from direct_debit.adapters.dynamodb.binding_item import read_binding
from direct_debit.adapters.dynamodb.payment_item import read_payment
from direct_debit.application.errors import Conflict
from direct_debit.application.outbox.record_change import (
    find_payment_news,
    record_binding_change,
    record_payment_change,
)
from direct_debit.application.ports.telemetry import Metric
from direct_debit.domain import move
from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import PaymentState
from tests.fakes.invariants import check_at_rest
from tests.fakes.journey import REF, Merchant
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Fault
from tests.fakes.world import World
from tests.unit.application.support import Strike, linked, paid_untold
from tools.doku_simulator.dials import Dial

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.items import Item
    from direct_debit.domain.payment import Payment
    from tests.fakes.in_memory_dynamodb import StreamRecord

A_DAY = 86400
ALL_EVENTS = ["payment.otp_pending", "payment.paid", "refund.requested", "payment.refunded", "refund.completed"]
PATIENCE = move.PATIENCE.total_seconds()  # that the sweep leaves to the stream


def item(image: object) -> "Item":
    return cast("Item", image)


def payment_changes(world: World) -> "list[tuple[Payment | None, Payment]]":
    records = [one for one in world.store.stream(TRANSACTIONS) if one.keys["sk"].get("S") == "PAYMENT"]
    return [(None if one.old is None else read_payment(item(one.old)), read_payment(item(one.new))) for one in records]


def everything(_: "StreamRecord") -> bool:
    return True


def is_of_a_state(*states: str) -> "Callable[[StreamRecord], bool]":
    """Whether a record of the stream shows a payment that enters one of these states."""

    def check(record: "StreamRecord") -> bool:
        if record.keys["sk"].get("S") != "PAYMENT" or record.new is None:
            return False
        before = None if record.old is None else read_payment(item(record.old)).state
        after = read_payment(item(record.new)).state
        return after in states and before is not after

    return check


def names(world: World) -> list[str]:
    return [event.name for event in world.events.published]


def told_of_payments(world: World) -> list[str]:
    return [name for name in names(world) if not name.startswith("binding.")]


def assert_all_is_told_once(world: World) -> None:
    ids = [event.id for event in world.events.published]
    assert len(set(ids)) == len(ids)
    assert check_at_rest(world) == []


def pay_and_refund(merchant: Merchant) -> None:
    merchant.pay(task_token="task")
    merchant.enter_otp()
    come_to_rest(merchant.world, 5)
    merchant.refund()
    come_to_rest(merchant.world, 5)
    assert merchant.payment().state is PaymentState.REFUNDED


# --- payments --------------------------------------------------------------------------------------------------------


def test_without_any_stream_record_everything_is_told_in_order() -> None:
    merchant = linked()
    world = merchant.world
    world.loses = everything
    pay_and_refund(merchant)
    assert told_of_payments(world) == []
    come_to_rest(world, PATIENCE + 60)
    assert told_of_payments(world) == ALL_EVENTS
    times = [event.at for event in world.events.published if not event.name.startswith("binding.")]
    assert times == sorted(times)
    history = world.process().payments.history(REF)
    assert [(one.state, one.refund_state, one.source) for one in history] == [
        ("OTP_PENDING", None, "answer"),
        ("OTP_SUBMITTED", None, "caller"),
        ("PROCESSING", None, "answer"),
        ("PAID", None, "notification"),
        ("PAID", "REQUESTED", "caller"),
        ("PAID", "SENDING", "caller"),
        ("REFUNDED", "REFUNDED", "answer"),
    ]
    assert [(token, output["state"]) for token, output in world.workflows.completed] == [("task", "REFUNDED")]
    assert merchant.binding().open_payments == frozenset()
    assert world.telemetry.counts[Metric.NEWS_LATE] == 1
    assert_all_is_told_once(world)


@pytest.mark.parametrize("lost", range(10))
def test_a_single_lost_record_loses_nothing_and_its_news_come_in_their_place(lost: int) -> None:
    merchant = linked()
    world = merchant.world
    places = count()
    world.loses = lambda record: record.keys["sk"] == {"S": "PAYMENT"} and next(places) == lost
    pay_and_refund(merchant)
    come_to_rest(world, PATIENCE + 60)
    assert next(places) > lost  # so it was lost
    assert told_of_payments(world) == ALL_EVENTS
    assert merchant.binding().open_payments == frozenset()
    assert_all_is_told_once(world)


def test_the_only_news_that_were_lost_come_first_also_where_they_are_of_the_record_just_before() -> None:
    merchant = paid_untold()
    merchant.refund()
    before, after = payment_changes(merchant.world)[-1]
    assert before is not None
    versions = [before.version, after.version]
    after = replace(after, untold=tuple(one for one in after.untold if one.version in versions))
    news = find_payment_news(before, after, merchant.world.process())
    assert [event.name for event in news.events] == ["payment.paid", "refund.requested"]
    assert not news.settles  # the refund is open


def test_the_first_news_of_an_open_payment_cost_no_look_at_its_history(monkeypatch: pytest.MonkeyPatch) -> None:
    merchant = linked()
    merchant.pay()
    before, after = payment_changes(merchant.world)[-1]
    ports = merchant.world.process()
    monkeypatch.setattr(type(ports.payments), "history", lambda *_: pytest.fail("nothing came before"))
    assert [event.name for event in find_payment_news(before, after, ports).events] == ["payment.otp_pending"]


def test_a_lost_failure_is_told_with_its_reason() -> None:
    merchant = linked()
    world = merchant.world
    world.loses = everything
    merchant.pay(amount="10014.00", task_token="task")
    come_to_rest(world, PATIENCE + 60)
    (event,) = [one for one in world.events.published if one.name == "payment.failed"]
    assert (event.detail["reason"], event.detail["responseCode"]) == ("declined", "4035414")
    assert [output["reason"] for _, output in world.workflows.completed] == ["declined"]
    assert merchant.binding().open_payments == frozenset()


def test_twenty_settled_payments_whose_records_were_lost_do_not_refuse_the_next() -> None:
    merchant = linked()
    world = merchant.world
    world.loses = everything
    for number in range(20):
        merchant.pay_to_the_end(f"LOST{number}")
    assert len(merchant.binding().open_payments) == world.settings.max_open_payments
    assert merchant.pay().payment.state is PaymentState.OTP_PENDING  # at once, not only after the sweep
    assert merchant.binding().open_payments == {REF}
    come_to_rest(world, PATIENCE + 120)
    assert names(world).count("payment.paid") == 20


def test_settled_payments_whose_records_were_lost_leave_by_the_sweep() -> None:
    merchant = linked()
    world = merchant.world
    world.loses = everything
    for number in range(20):
        merchant.pay_to_the_end(f"LOST{number}")
    come_to_rest(world, PATIENCE + 120)
    assert merchant.binding().open_payments == frozenset()
    assert merchant.pay().payment.state is PaymentState.OTP_PENDING


def test_twenty_unfinished_payments_still_refuse_the_next() -> None:
    merchant = linked()
    for number in range(20):
        merchant.pay(f"OPEN{number}")
    with pytest.raises(Conflict):
        merchant.pay()


def test_an_account_whose_payments_news_was_lost_can_be_unlinked() -> None:
    merchant = linked()
    world = merchant.world
    world.loses = everything
    merchant.pay_to_the_end()
    merchant.unbind()
    merchant.confirm_unbinding()
    assert merchant.binding().state is BindingState.UNBOUND
    come_to_rest(world)
    assert told_of_payments(world) == ["payment.otp_pending", "payment.paid"]
    assert "binding.unbound" in names(world)
    assert_all_is_told_once(world)


@pytest.mark.parametrize("effect", ["events.publish", "store.put_item", "store.transact_write_items"])
@pytest.mark.parametrize("fault", [Fault.FAIL, Fault.LOSE, Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
@pytest.mark.parametrize("skip", [0, 1, 2])
def test_a_sweep_that_fails_half_way_through_the_news_tells_the_rest_next_time(
    effect: str, fault: Fault, skip: int
) -> None:
    merchant = linked()
    world = merchant.world
    world.loses = everything
    pay_and_refund(merchant)
    world.clock.tick(PATIENCE)
    world.weather = Strike(effect, fault, skip=skip)
    world.tick()
    come_to_rest(world, 600)
    firsts = dict.fromkeys((one.id, one.name) for one in world.events.published if not one.name.startswith("binding."))
    assert [name for _, name in firsts] == [
        "payment.otp_pending",
        "payment.paid",
        "refund.requested",
        "payment.refunded",
        "refund.completed",
    ]
    assert check_at_rest(world) == []


def test_a_late_record_does_not_clear_the_news_of_a_newer_move() -> None:
    merchant = paid_untold()
    world = merchant.world
    merchant.refund()  # newer than the record that comes now
    ((before, after),) = [(before, after) for before, after in payment_changes(world) if after.state == "PAID"][:1]
    record_payment_change(before, after, world.process())
    assert REF in merchant.binding().open_payments
    world.loses = everything
    world.stream()
    come_to_rest(world, PATIENCE + 120)
    assert {"payment.paid", "refund.requested", "payment.refunded", "refund.completed"} <= set(names(world))
    assert_all_is_told_once(world)


def test_a_late_record_of_a_settled_payment_tells_nothing_of_its_refund_before_its_time() -> None:
    """The record of PAID comes when the refund was long told: nothing is told again, and nothing is forgotten."""
    merchant = paid_untold()
    world = merchant.world
    world.loses = is_of_a_state("PAID")
    merchant.refund()
    come_to_rest(world, PATIENCE + 120)
    published = list(world.events.published)
    for before, after in payment_changes(world):
        record_payment_change(before, after, world.process())
    assert {one.id for one in world.events.published} == {one.id for one in published}
    assert check_at_rest(world) == []


def test_records_redriven_without_what_was_before_tell_nothing_under_another_id() -> None:
    """An operator's redrive has the keys only: the record comes as it stands, with nothing before it."""
    merchant = linked()
    world = merchant.world
    pay_and_refund(merchant)
    come_to_rest(world, 60)
    ids = {one.id for one in world.events.published}
    history = world.process().payments.history(REF)
    for _, after in payment_changes(world):
        record_payment_change(None, after, world.process())
    record_payment_change(None, merchant.payment(), world.process())
    assert {one.id for one in world.events.published} == ids
    assert world.process().payments.history(REF) == history
    assert merchant.binding().open_payments == frozenset()


def test_a_redrive_of_a_lost_record_tells_what_it_missed() -> None:
    merchant = linked()
    world = merchant.world
    world.loses = everything
    pay_and_refund(merchant)
    record_payment_change(None, merchant.payment(), world.process())
    assert told_of_payments(world)[1:] == ["payment.paid", "refund.requested", "payment.refunded", "refund.completed"]
    come_to_rest(world)
    assert_all_is_told_once(world)


def test_while_a_payment_is_open_its_news_waits_for_nobody() -> None:
    """An unfinished payment's lost news is told by the sweep too, not only when it ends a day later."""
    merchant = linked()
    world = merchant.world
    world.loses = everything
    world.simulator.add_dial(Dial("payment", "drop", when="before"))
    world.simulator.add_dial(Dial("status", "drop", count=100_000))
    merchant.pay()
    come_to_rest(world, 2 * PATIENCE)
    assert merchant.payment().state is PaymentState.UNKNOWN
    assert told_of_payments(world) == ["payment.unknown"]
    versions = [one.version for one in world.process().payments.history(REF)]
    assert all(before < after for before, after in pairwise(versions))
    assert REF in merchant.binding().open_payments


# --- links -----------------------------------------------------------------------------------------------------------


def test_a_link_whose_records_were_lost_is_told_and_its_workflow_goes_on() -> None:
    world = World()
    world.loses = everything
    merchant = Merchant(world)
    merchant.bind(task_token="task")
    merchant.come_back(merchant.walk_through_pages())
    come_to_rest(world, PATIENCE + 120)
    assert names(world) == ["binding.activated"]
    assert [(token, output["state"]) for token, output in world.workflows.completed] == [("task", "ACTIVE")]
    merchant.unbind()
    merchant.confirm_unbinding()
    come_to_rest(world, PATIENCE + 120)
    assert names(world) == ["binding.activated", "binding.unbound"]
    assert_all_is_told_once(world)


def test_a_link_that_ended_before_its_beginning_was_told_is_told_in_order() -> None:
    world = World()
    world.loses = everything
    merchant = Merchant(world)
    merchant.link()
    merchant.unbind()
    merchant.confirm_unbinding()
    come_to_rest(world, PATIENCE + 120)
    assert names(world) == ["binding.activated", "binding.unbound"]


def test_records_of_a_link_redriven_without_what_was_before_tell_nothing_under_another_id() -> None:
    merchant = linked()
    world = merchant.world
    merchant.unbind()
    merchant.confirm_unbinding()
    come_to_rest(world, 60)
    ids = {one.id for one in world.events.published}
    for record in world.store.stream(BINDINGS):
        if record.keys["sk"].get("S") == "BINDING" and record.new is not None:
            record_binding_change(None, read_binding(item(record.new)), world.process())
    assert {one.id for one in world.events.published} == ids
