"""The history names who asked for a step, where the record of it still says so, and names him for no other step."""

from typing import TYPE_CHECKING, cast

import pytest

from direct_debit.adapters.dynamodb.binding_item import read_binding
from direct_debit.application.bindings.unbind_account import unbind_account
from direct_debit.application.outbox.record_change import News, tell
from direct_debit.application.refunds.refund_payment import RefundPayment, refund_payment
from direct_debit.domain.binding import BindingState
from tests.fakes.journey import REF, Merchant
from tests.fakes.processes import BINDINGS
from tests.fakes.quiescence import come_to_rest
from tests.unit.application.support import linked, paid

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.items import Item
    from direct_debit.application.ports.history import HistoryEntry


def unbind(merchant: Merchant, who: str) -> None:
    world = merchant.world
    unbind_account(merchant.binding().id, world.process(), world.deadline(), requested_by=who)


def test_a_refund_names_who_asked_for_it_at_its_beginning_alone() -> None:
    merchant = paid()
    world = merchant.world
    come_to_rest(world, 60)
    refund_payment(RefundPayment(ref=REF, requested_by="anna"), world.process(), world.deadline())
    come_to_rest(world)
    history = world.process().payments.history(REF)
    asked = [(one.state, one.refund_state, one.requested_by) for one in history if one.requested_by or one.refund_state]
    assert asked == [("PAID", "REQUESTED", "anna"), ("PAID", "SENDING", None), ("REFUNDED", "REFUNDED", None)]


def test_an_unlinking_names_who_asked_for_it_and_its_end_names_nobody() -> None:
    merchant = linked()
    come_to_rest(merchant.world, 60)
    unbind(merchant, "anna")
    merchant.confirm_unbinding()
    come_to_rest(merchant.world)
    history = merchant.world.process().bindings.history(merchant.binding().id)
    assert [(one.state, one.requested_by) for one in history[-2:]] == [
        ("UNBIND_OTP_PENDING", "anna"),
        ("UNBOUND", None),
    ]


def test_of_two_unlinkings_that_are_told_together_the_last_alone_names_who_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The link names who asked last; of the one before nobody knows it any more."""
    merchant = linked()
    world = merchant.world
    unbind(merchant, "anna")
    come_to_rest(world)
    assert merchant.binding().state is BindingState.ACTIVE
    unbind(merchant, "budi")
    merchant.confirm_unbinding()
    records = [one.new for one in world.store.stream(BINDINGS) if one.keys["sk"].get("S") == "BINDING"]
    moves = {move.version: move for new in records for move in read_binding(cast("Item", new)).untold}
    ports = world.process()
    entries: list[HistoryEntry] = []
    monkeypatch.setattr(type(ports.bindings), "add_history", lambda _, __, entry: entries.append(entry))
    tell(News(merchant.binding(), tuple(moves[one] for one in sorted(moves)), settles=False), ports)
    assert [one.requested_by for one in entries if one.state == "UNBIND_OTP_PENDING"] == [None, "budi"]
    assert [one.requested_by for one in entries if one.state != "UNBIND_OTP_PENDING"].count(None) >= 2
