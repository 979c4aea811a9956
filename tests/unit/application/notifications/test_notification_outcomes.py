"""What becomes of a notification in the inbox: its end, why, and when it is tried again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from direct_debit.application.errors import RecordUnreadable, StoreUnavailable
from direct_debit.application.notifications.accept_notification import AcceptNotification, accept_notification
from direct_debit.application.notifications.notices import BindingNotice, PaymentNotice
from direct_debit.application.notifications.process_notification import process_notification, sweep_notification
from direct_debit.application.ports.inbox import InboxItem, InboxKind, InboxState
from direct_debit.application.ports.telemetry import Metric
from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import PaymentState
from tests.fakes.journey import REF, Merchant
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tests.fakes.records import with_fields
from tests.fakes.weather import Fault
from tests.fakes.world import World
from tests.unit.application.support import (
    Meanwhile,
    Strike,
    linked,
    lose_notifications,
    requests,
    touch_binding,
    touch_payment,
)
from tools.doku_simulator.dials import Dial


def processing() -> Merchant:
    """A payment whose code was accepted; DOKU's own notification is lost."""
    merchant = linked()
    merchant.pay()
    merchant.enter_otp()
    lose_notifications(merchant.world)
    return merchant


def pending(*, finished: bool = False) -> Merchant:
    """A link whose customer is at the bank's page, or has finished there; the bank's own notification is lost."""
    merchant = Merchant(World())
    merchant.bind()
    if finished:
        merchant.walk_through_pages()
    lose_notifications(merchant.world)
    return merchant


def items(world: World, kind: InboxKind) -> list[InboxItem]:
    inbox = world.process().inbox
    names = [item["pk"]["S"].removeprefix("INBOX#") for item in world.store.items(TRANSACTIONS)]
    return [one for one in map(inbox.get, names) if one is not None and one.kind is kind]


def tell(
    merchant: Merchant, status: str, *, fresh: bool = True, by_replaced_key: bool = False, value: str = "10000.00"
) -> InboxItem:
    """Let DOKU tell a payment's status; return it as it lies in the inbox, nobody's work yet."""
    before = {one.id for one in items(merchant.world, InboxKind.PAYMENT)}
    command = AcceptNotification(
        kind=InboxKind.PAYMENT,
        subject=REF,
        fact=f"{status}:{value}",
        fresh=fresh and not by_replaced_key,
        notice=PaymentNotice(REF, status, value, "IDR", merchant.customer, "DOKU-1"),
        is_by_replaced_key=by_replaced_key,
    )
    accept_notification(command, merchant.world.process())
    (item,) = [one for one in items(merchant.world, InboxKind.PAYMENT) if one.id not in before]
    return item


def tell_link(
    merchant: Merchant, status: str, *, fresh: bool = True, by_replaced_key: bool = False, **facts: str | None
) -> InboxItem:
    """The same of a link."""
    before = {one.id for one in items(merchant.world, InboxKind.BINDING)}
    binding = merchant.binding()
    command = AcceptNotification(
        kind=InboxKind.BINDING,
        subject="link",
        fact=status,
        fresh=fresh and not by_replaced_key,
        notice=with_fields(BindingNotice(binding.external_id, status, None, merchant.customer), **facts),
        is_by_replaced_key=by_replaced_key,
    )
    accept_notification(command, merchant.world.process())
    (item,) = [one for one in items(merchant.world, InboxKind.BINDING) if one.id not in before]
    return item


def process(merchant: Merchant, item: InboxItem) -> InboxItem:
    """Let a worker have it; return what became of it."""
    process_notification(item.id, merchant.world.process(), merchant.world.deadline())
    after = merchant.world.process().inbox.get(item.id)
    assert after is not None
    return after


def assert_ends(merchant: Merchant, item: InboxItem, state: InboxState, reason: str | None) -> None:
    after = process(merchant, item)
    assert (after.state, after.reason) == (state, reason)
    assert (after.due_at, after.attempts) == (None, 1)
    assert process(merchant, item) == after


# --- payments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "fresh", "value", "state", "reason"),
    [
        ("00", True, "10000.00", InboxState.PROCESSED, None),
        ("02", True, "10000.00", InboxState.PROCESSED, None),
        ("06", True, "10000.00", InboxState.PROCESSED, None),
        ("42", True, "10000.00", InboxState.PROCESSED, "status_unclear"),
        ("00", False, "10000.00", InboxState.PROCESSED, "stale"),
        ("00", False, "1.00", InboxState.PROCESSED, "stale"),
        ("00", True, "1.00", InboxState.QUARANTINED, "amount_mismatch"),
    ],
)
def test_a_word_about_a_payment_ends_once_with_its_reason(
    status: str, fresh: bool, value: str, state: InboxState, reason: str | None
) -> None:
    merchant = processing()
    assert_ends(merchant, tell(merchant, status, fresh=fresh, value=value), state, reason)


@pytest.mark.parametrize(
    ("status", "fresh", "asked"), [("00", True, False), ("02", True, False), ("42", True, True), ("00", False, True)]
)
def test_only_what_is_not_believed_raises_a_question(status: str, fresh: bool, asked: bool) -> None:
    merchant = processing()
    process(merchant, tell(merchant, status, fresh=fresh))
    assert (merchant.payment().questioned_at is not None) == asked


@pytest.mark.parametrize(
    ("state", "status", "asked"),
    [
        (PaymentState.PAID, "00", False),
        (PaymentState.PAID, "02", False),
        (PaymentState.PAID, "05", True),
        (PaymentState.PAID, "06", True),
        (PaymentState.PROCESSING, "06", False),
        (PaymentState.REFUNDED, "05", False),
    ],
)
def test_that_a_paid_payment_is_not_is_asked_about_and_no_other_repetition(
    state: PaymentState, status: str, asked: bool
) -> None:
    merchant = processing()
    touch_payment(merchant, state=state)
    process(merchant, tell(merchant, status))
    assert (merchant.payment().questioned_at is not None) == asked


def test_what_has_waited_here_raises_a_question() -> None:
    merchant = processing()
    item = tell(merchant, "00")
    merchant.world.clock.tick(301)
    assert_ends(merchant, item, InboxState.PROCESSED, "waited")
    assert (merchant.payment().state, merchant.payment().questioned_at) == (
        PaymentState.PROCESSING,
        merchant.world.clock.now(),
    )
    told = ("notification waited here, asking for the status", {"ref": REF, "code": "00"})
    assert told in merchant.world.telemetry.notes


BY_REPLACED_KEY = "a replaced key proved a notification, asking DOKU instead"


def test_what_a_replaced_key_proved_of_a_payment_raises_a_question() -> None:
    merchant = processing()
    item = tell(merchant, "00", by_replaced_key=True)
    assert_ends(merchant, item, InboxState.PROCESSED, "replaced_key")
    assert (merchant.payment().state, merchant.payment().questioned_at) == (
        PaymentState.PROCESSING,
        merchant.world.clock.now(),
    )
    assert merchant.world.telemetry.counts[Metric.NOTIFICATION_BY_REPLACED_KEY] == 1
    assert (BY_REPLACED_KEY, {"ref": REF}) in merchant.world.telemetry.notes


def test_dokus_reference_is_learnt_where_the_answer_had_none() -> None:
    merchant = processing()
    touch_payment(merchant, doku_reference=None)
    process(merchant, tell(merchant, "00"))
    assert merchant.payment().doku_reference == "DOKU-1"


def test_what_is_not_in_the_inbox_is_nobodys_work() -> None:
    merchant = processing()
    process_notification("none", merchant.world.process(), merchant.world.deadline())
    sweep_notification("none", merchant.world.process())
    assert merchant.world.queues.waiting == []


# --- the sweep -------------------------------------------------------------------------------------------------------


def test_the_sweep_tries_again_after_a_minute_and_then_each_time_twice_as_late() -> None:
    merchant = processing()
    world = merchant.world
    item = tell(merchant, "00")
    for attempts, minutes in ((0, 1), (1, 2), (2, 4), (8, 256), (9, 360), (11, 360)):
        world.process().inbox.settle(item, replace(item, attempts=attempts))
        sweep_notification(item.id, world.process())
        (after,) = items(world, InboxKind.PAYMENT)
        assert (after.attempts, after.due_at) == (attempts + 1, world.clock.now() + timedelta(minutes=minutes))
        item = after


def test_the_sweep_leaves_alone_what_has_ended() -> None:
    merchant = processing()
    after = process(merchant, tell(merchant, "00"))
    merchant.world.queues.waiting.clear()
    sweep_notification(after.id, merchant.world.process())
    assert items(merchant.world, InboxKind.PAYMENT) == [after]
    assert merchant.world.queues.waiting == []


@pytest.mark.parametrize("subject", [REF, "NOBODYS", None])
def test_what_was_swept_in_vain_is_put_aside_and_its_payment_asked_about(subject: str | None) -> None:
    merchant = processing()
    world = merchant.world
    item = tell(merchant, "00")
    world.process().inbox.settle(item, replace(item, attempts=12, subject=subject))
    sweep_notification(item.id, world.process())
    (after,) = items(world, InboxKind.PAYMENT)
    assert (after.state, after.reason, after.due_at) == (InboxState.QUARANTINED, "unprocessable", None)
    assert (merchant.payment().questioned_at is not None) == (subject == REF)


def test_a_links_word_that_was_swept_in_vain_asks_about_no_payment_of_its_name() -> None:
    merchant = processing()
    world = merchant.world
    item = tell_link(merchant, "FAILED")
    world.process().inbox.settle(item, replace(item, attempts=12, subject=REF))
    sweep_notification(item.id, world.process())
    after = world.process().inbox.get(item.id)
    assert after is not None
    assert after.state is InboxState.QUARANTINED
    assert merchant.payment().questioned_at is None


# --- links -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "fresh", "reason", "state"),
    [
        ("SUCCESS", True, None, BindingState.ACTIVE),
        ("SUCCESS", False, "stale", BindingState.ACTIVE),  # the exchange is the proof
        ("FAILED", True, None, BindingState.FAILED),
        ("FAILED", False, "stale", BindingState.PENDING),
        ("PENDING", True, None, BindingState.PENDING),
    ],
)
def test_a_word_about_a_link_ends_with_its_reason_and_leads_to_the_proof(
    status: str, fresh: bool, reason: str | None, state: BindingState
) -> None:
    merchant = pending(finished=True)
    assert_ends(merchant, tell_link(merchant, status, fresh=fresh), InboxState.PROCESSED, reason)
    assert merchant.binding().state is state


def test_what_a_replaced_key_proved_of_a_link_is_counted_and_ends_nothing() -> None:
    merchant = pending()
    item = tell_link(merchant, "FAILED", by_replaced_key=True)
    assert_ends(merchant, item, InboxState.PROCESSED, "replaced_key")
    assert merchant.binding().state is BindingState.PENDING
    assert merchant.world.telemetry.counts[Metric.NOTIFICATION_BY_REPLACED_KEY] == 1
    assert (BY_REPLACED_KEY, {"binding_id": merchant.binding().id}) in merchant.world.telemetry.notes


def test_what_a_replaced_key_proved_does_not_stand_for_dokus_own_word_that_comes_late() -> None:
    merchant = pending(finished=True)
    (page,) = merchant.world.simulator.world.bindings.values()
    touch_binding(merchant, auth_code=None)  # DOKU's answer brought none (contract 3.3)
    process(merchant, tell_link(merchant, "SUCCESS", by_replaced_key=True, auth_code="stolen"))
    assert (merchant.binding().state, merchant.binding().auth_code) == (BindingState.PENDING, None)
    process(merchant, tell_link(merchant, "SUCCESS", fresh=False, auth_code=page.code))
    assert merchant.binding().state is BindingState.ACTIVE


def test_the_link_in_the_customers_one_place_is_known_without_the_index_that_may_lag() -> None:
    merchant = pending(finished=True)
    item = tell_link(merchant, "SUCCESS")
    merchant.world.weather = Strike("store.query", Fault.FAIL, count=1_000)
    assert_ends(merchant, item, InboxState.PROCESSED, None)
    assert merchant.binding().state is BindingState.ACTIVE


def test_a_word_about_a_link_that_names_no_customer_waits_for_a_person() -> None:
    merchant = pending()
    item = tell_link(merchant, "SUCCESS", customer_id=None)
    merchant.world.weather = effects = Strike("", Fault.NONE)
    assert_ends(merchant, item, InboxState.QUARANTINED, "unknown_binding")
    assert "store.query" not in effects.names  # whose links should be listed?
    assert merchant.world.telemetry.counts[Metric.NOTIFICATION_QUARANTINED] == 1


def test_a_word_about_another_request_of_a_customer_whose_links_have_all_ended_waits_for_a_person() -> None:
    merchant = linked()
    merchant.unbind()
    merchant.confirm_unbinding()
    ended = tell_link(merchant, "FAILED", external_id="4711")
    assert_ends(merchant, ended, InboxState.QUARANTINED, "unknown_binding")


def newer_link(merchant: Merchant) -> None:
    """Let newer code have written another link of the customer."""
    item = next(one for one in merchant.world.store.items(BINDINGS) if one["sk"]["S"] == "BINDING")
    newer = {**item, "pk": {"S": "BINDING#newer"}, "id": {"S": "newer"}, "state": {"S": "SETTLING"}}
    merchant.world.store.put_item(TableName=BINDINGS, Item=newer)


def test_a_word_that_may_be_about_a_link_of_newer_code_comes_again() -> None:
    merchant = linked()
    item = tell_link(merchant, "FAILED", external_id="4711")
    newer_link(merchant)
    with pytest.raises(RecordUnreadable, match="one of the customer's links, which may be the one that is spoken of"):
        process_notification(item.id, merchant.world.process(), merchant.world.deadline())
    assert [one.state for one in items(merchant.world, InboxKind.BINDING) if one.id == item.id] == [InboxState.ACCEPTED]


def test_a_word_about_an_ended_link_is_known_whatever_newer_code_wrote() -> None:
    merchant = linked()
    external_id = merchant.binding().external_id
    merchant.unbind()
    merchant.confirm_unbinding()
    item = tell_link(merchant, "FAILED", external_id=external_id)
    newer_link(merchant)
    assert_ends(merchant, item, InboxState.PROCESSED, "ended")


def test_a_link_that_can_not_be_proved_now_is_proved_by_its_next_look() -> None:
    merchant = pending(finished=True)
    item = tell_link(merchant, "SUCCESS")
    merchant.world.weather = Strike("doku.b2b2c", Fault.FAIL)
    assert_ends(merchant, item, InboxState.PROCESSED, None)
    binding = merchant.binding()
    assert ("link not proved yet", {"binding_id": binding.id}) in merchant.world.telemetry.notes
    assert binding.state is BindingState.PENDING
    assert binding.due_at is not None
    assert binding.due_at <= merchant.world.clock.now() + timedelta(minutes=3)


def test_a_word_about_a_link_comes_again_where_the_store_fails() -> None:
    merchant = pending(finished=True)
    item = tell_link(merchant, "SUCCESS")
    merchant.world.weather = Strike("store.update_item", Fault.FAIL)
    with pytest.raises(StoreUnavailable):
        process(merchant, item)
    merchant.world.weather = Strike("", Fault.NONE)
    (after,) = items(merchant.world, InboxKind.BINDING)
    assert after.state is InboxState.ACCEPTED


def test_an_auth_code_is_learnt_once_and_by_the_link_it_belongs_to() -> None:
    merchant = pending(finished=True)
    world = merchant.world
    (page,) = world.simulator.world.bindings.values()
    touch_binding(merchant, auth_code=None)
    world.weather = weather = Meanwhile("store.update_item", lambda: touch_binding(merchant, response_code="1"))
    process(merchant, tell_link(merchant, "SUCCESS", auth_code=page.code))
    assert weather.done
    assert merchant.binding().state is BindingState.ACTIVE


def test_an_auth_code_that_is_there_is_not_replaced() -> None:
    merchant = pending(finished=True)
    before = merchant.binding().auth_code
    process(merchant, tell_link(merchant, "SUCCESS", auth_code="another"))
    assert merchant.binding().auth_code == before
    assert merchant.binding().state is BindingState.ACTIVE


def test_a_link_that_ends_while_its_auth_code_is_learnt_keeps_none() -> None:
    merchant = pending(finished=True)
    world = merchant.world
    touch_binding(merchant, auth_code=None)

    def end() -> None:
        touch_binding(merchant, state=BindingState.FAILED)

    world.weather = weather = Meanwhile("store.update_item", end)
    process(merchant, tell_link(merchant, "SUCCESS", auth_code="late"))
    assert weather.done
    assert (merchant.binding().state, merchant.binding().auth_code) == (BindingState.FAILED, None)
    assert requests(world, "b2b2c_token") == 0


def test_a_refusal_by_dokus_keys_ends_no_word_about_a_link_in_silence() -> None:
    merchant = pending(finished=True)
    item = tell_link(merchant, "SUCCESS")
    merchant.world.simulator.add_dial(Dial("b2b2c_token", "code", when="before", code="42900"))
    process(merchant, item)
    fields = {"binding_id": merchant.binding().id, "code": "4297400"}
    assert ("link not proved yet", fields) in merchant.world.telemetry.notes
