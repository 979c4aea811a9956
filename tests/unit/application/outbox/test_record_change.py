"""The outbox: one history item and one event per step, however often and in whatever order the stream tells it."""

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, cast

import pytest

from direct_debit.adapters.dynamodb.binding_item import read_binding
from direct_debit.adapters.dynamodb.payment_item import read_payment
from direct_debit.application.errors import StoreUnavailable
from direct_debit.application.outbox.record_change import (
    find_binding_news,
    record_binding_change,
    record_payment_change,
)
from direct_debit.domain.binding import BindingState
from tests.fakes.journey import REF, Merchant
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Fault
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, Strike, linked, paid_untold

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.items import Item
    from direct_debit.domain.payment import Payment


def changes(world: World) -> "list[tuple[Payment | None, Payment]]":
    records = [one for one in world.store.stream(TRANSACTIONS) if one.keys["sk"].get("S") == "PAYMENT"]
    return [
        (None if one.old is None else read_payment(cast("Item", one.old)), read_payment(cast("Item", one.new)))
        for one in records
    ]


def refunded() -> Merchant:
    merchant = linked()
    merchant.pay(task_token="task")
    merchant.enter_otp()
    come_to_rest(merchant.world, 5)
    merchant.refund()
    come_to_rest(merchant.world, 5)
    return merchant


def test_the_history_tells_every_step_with_its_evidence() -> None:
    merchant = refunded()
    history = merchant.world.process().payments.history(REF)
    assert [(one.state, one.refund_state, one.source) for one in history] == [
        ("OTP_PENDING", None, "answer"),
        ("OTP_SUBMITTED", None, "caller"),
        ("PROCESSING", None, "answer"),
        ("PAID", None, "notification"),
        ("PAID", "REQUESTED", "caller"),
        ("PAID", "SENDING", "caller"),
        ("REFUNDED", "REFUNDED", "answer"),
    ]
    assert [one.version for one in history] == sorted({one.version for one in history})


def test_events_say_what_happened_and_nothing_personal() -> None:
    merchant = refunded()
    names = [event.name for event in merchant.world.events.published]
    assert names == [
        "binding.activated",
        "payment.otp_pending",
        "payment.paid",
        "refund.requested",
        "payment.refunded",
        "refund.completed",
    ]
    ids = [event.id for event in merchant.world.events.published]
    assert len(set(ids)) == len(ids)


def test_the_waiting_workflow_hears_the_outcome_only() -> None:
    merchant = refunded()
    assert set(merchant.world.workflows.completed[0][1]) == {"partnerReferenceNo", "state", "reason"}
    assert merchant.world.workflows.completed[0][1]["state"] == "PAID"


@pytest.mark.parametrize("seed", range(10))
def test_repeated_and_reordered_records_add_nothing(seed: int) -> None:
    merchant = refunded()
    world = merchant.world
    history = world.process().payments.history(REF)
    ids = {event.id for event in world.events.published}
    again = changes(world) * 2
    Random(seed).shuffle(again)  # noqa: S311 - a test's chance has to repeat
    for before, after in again:
        record_payment_change(before, after, world.process())
    assert world.process().payments.history(REF) == history
    assert {event.id for event in world.events.published} == ids  # consumers deduplicate on the id
    assert merchant.binding().open_payments == frozenset()


def test_a_late_record_never_frees_an_account_whose_payment_is_open_again() -> None:
    merchant = paid_untold()
    world = merchant.world
    merchant.refund()
    world.stream()
    assert REF in merchant.binding().open_payments


def test_a_refund_asked_for_while_the_account_is_let_go_keeps_it() -> None:
    merchant = paid_untold()
    world = merchant.world
    ((before, after),) = [(before, after) for before, after in changes(world) if after.state == "PAID"]
    world.weather = weather = Meanwhile("store.transact_write_items", merchant.refund)
    record_payment_change(before, after, world.process())
    assert weather.done
    assert REF in merchant.binding().open_payments


@pytest.mark.parametrize("effect", ["events.publish", "store.put_item", "store.transact_write_items"])
@pytest.mark.parametrize("fault", [Fault.FAIL, Fault.LOSE])
def test_a_failing_outbox_is_told_so_that_the_record_comes_again(effect: str, fault: Fault) -> None:
    merchant = paid_untold()
    world = merchant.world
    ((before, after),) = [(before, after) for before, after in changes(world) if after.state == "PAID"]
    world.weather = Strike(effect, fault)
    with pytest.raises(StoreUnavailable):
        record_payment_change(before, after, world.process())
    record_payment_change(before, after, world.process())
    assert len({event.id for event in world.events.published if event.name == "payment.paid"}) == 1


def test_a_refused_unlinking_is_no_new_link() -> None:
    merchant = linked()
    merchant.unbind()
    come_to_rest(merchant.world)
    assert [event.name for event in merchant.world.events.published].count("binding.activated") == 1
    for record in merchant.world.store.stream(BINDINGS):
        if record.keys["sk"].get("S") == "BINDING":
            old = None if record.old is None else read_binding(cast("Item", record.old))
            record_binding_change(old, read_binding(cast("Item", record.new)), merchant.world.process())
    ids = {event.id for event in merchant.world.events.published if event.name == "binding.activated"}
    assert len(ids) == 1


def test_that_an_unlinking_was_begun_is_noted_with_its_record_alone_and_settles_nothing() -> None:
    merchant = linked()
    merchant.unbind()
    records = [one for one in merchant.world.store.stream(BINDINGS) if one.keys["sk"].get("S") == "BINDING" and one.old]
    changes = [(read_binding(cast("Item", one.old)), read_binding(cast("Item", one.new))) for one in records]
    before, begun = next(both for both in changes if both[1].state is BindingState.UNBIND_OTP_PENDING)
    news = find_binding_news(before, begun)
    assert ([move.version for move in news.moves], news.settles) == ([begun.version], False)
    later = replace(begun, version=begun.version + 1)
    assert find_binding_news(begun, later).moves == ()
    assert find_binding_news(None, later).moves == news.moves  # an operator gives the record again
