"""Notifications: stored before anything else, believed only where all agrees, harmless in any number and order."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from direct_debit.application.errors import StoreUnavailable
from direct_debit.application.notifications.accept_notification import AcceptNotification, accept_notification
from direct_debit.application.notifications.notices import BindingNotice, PaymentNotice
from direct_debit.application.notifications.process_notification import process_notification, sweep_notification
from direct_debit.application.ports.inbox import InboxItem, InboxKind, InboxState
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.ports.vault import SealedField
from direct_debit.domain.binding import BindingState
from direct_debit.domain.evidence import EvidenceSource
from direct_debit.domain.payment import PaymentState
from tests.fakes.invariants import check_at_rest
from tests.fakes.journey import REF, Merchant
from tests.fakes.processes import TRANSACTIONS
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Fault
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, Strike, linked, lose_notifications, requests


def processing() -> Merchant:
    """A payment whose code was accepted; DOKU's own notification is lost."""
    merchant = linked()
    merchant.pay()
    merchant.enter_otp()
    lose_notifications(merchant.world)
    return merchant


def notify(
    world: World,
    status: str = "00",
    *,
    ref: str = REF,
    value: str = "10000.00",
    currency: str = "IDR",
    customer: str = "CUST-1",
    fresh: bool = True,
) -> None:
    command = AcceptNotification(
        kind=InboxKind.PAYMENT,
        subject=ref,
        fact=f"{status}:{value}:{currency}:{customer}",
        fresh=fresh,
        notice=PaymentNotice(ref, status, value, currency, customer, "DOKU-1"),
    )
    accept_notification(command, world.process())


def stored(world: World, kind: InboxKind = InboxKind.PAYMENT) -> list[InboxItem]:
    ports = world.process()
    names = [item["pk"]["S"].removeprefix("INBOX#") for item in world.store.items(TRANSACTIONS)]
    found = [ports.inbox.get(name) for name in names]
    return [one for one in found if one is not None and one.kind is kind]


def inbox(world: World, kind: InboxKind = InboxKind.PAYMENT) -> list[tuple[InboxState, str | None]]:
    return [(one.state, one.reason) for one in stored(world, kind)]


def test_a_notification_is_stored_before_its_work_is_queued() -> None:
    merchant = processing()
    merchant.world.weather = Strike("queue.send", Fault.FAIL)
    notify(merchant.world)
    assert inbox(merchant.world) == [(InboxState.ACCEPTED, None)]
    told = ("notification not queued, left to the sweep", {"reason": "payment"})
    assert told in merchant.world.telemetry.notes
    come_to_rest(merchant.world, 130)  # the sweep finds it
    assert merchant.payment().state is PaymentState.PAID


def test_what_could_not_be_stored_is_not_accepted() -> None:
    merchant = processing()
    merchant.world.weather = Strike("store.put_item", Fault.FAIL)
    with pytest.raises(StoreUnavailable):
        notify(merchant.world)


def test_duplicates_have_one_effect() -> None:
    merchant = processing()
    for _ in range(4):
        notify(merchant.world)
    merchant.world.pump()
    notify(merchant.world)
    merchant.world.pump()
    assert merchant.payment().state is PaymentState.PAID
    assert inbox(merchant.world) == [(InboxState.PROCESSED, None)]
    assert sum(event.name == "payment.paid" for event in merchant.world.events.published) == 1


def test_a_repeat_of_what_is_processed_asks_for_no_work() -> None:
    merchant = processing()
    notify(merchant.world)
    merchant.world.pump()
    merchant.world.weather = queued = Strike("queue.send", Fault.NONE)
    notify(merchant.world)
    assert not any(name.startswith("queue.send") for name in queued.names)


def test_a_repeat_of_what_waits_is_queued_again() -> None:
    """DOKU repeats because it heard nothing: perhaps we died between storing and queueing."""
    merchant = processing()
    merchant.world.weather = Strike("queue.send", Fault.FAIL)
    notify(merchant.world)
    merchant.world.weather = Strike("", Fault.NONE)
    notify(merchant.world)
    merchant.world.work()
    assert merchant.payment().state is PaymentState.PAID


def test_an_accepted_notification_is_due_for_the_sweep_after_a_minute() -> None:
    merchant = processing()
    notify(merchant.world)
    [item] = stored(merchant.world)
    assert item.due_at == item.received_at + timedelta(seconds=60)
    assert len(item.id) == 32


@pytest.mark.parametrize("order", [("02", "00"), ("00", "02"), ("00", "03"), ("03", "00", "02")])
def test_order_does_not_matter(order: tuple[str, ...]) -> None:
    merchant = processing()
    for status in order:
        notify(merchant.world, status)
    merchant.world.pump()
    assert merchant.payment().state is PaymentState.PAID


def test_a_late_success_notice_does_not_undo_a_refund() -> None:
    merchant = processing()
    notify(merchant.world)
    merchant.world.pump()
    merchant.refund()
    come_to_rest(merchant.world, 10)
    assert merchant.payment().state is PaymentState.REFUNDED
    notify(merchant.world, "00", value="10000.000")
    merchant.world.pump()
    assert merchant.payment().state is PaymentState.REFUNDED


@pytest.mark.parametrize(
    ("wrong", "reason", "told"),
    [
        ({"value": "9999.00"}, "amount_mismatch", "9999.00 IDR"),
        ({"value": "1e4x"}, "amount_mismatch", "1e4x IDR"),
        ({"value": "9" * 100}, "amount_mismatch", "9" * 64),
        ({"value": ""}, "amount_mismatch", "IDR"),
        ({"value": "", "currency": ""}, "amount_mismatch", None),
        ({"currency": "USD"}, "amount_mismatch", "10000.00 USD"),
        ({"customer": "CUST-2"}, "customer_mismatch", None),
    ],
)
def test_a_mismatch_changes_no_money_is_put_aside_counted_and_asked_about(
    wrong: dict[str, str], reason: str, told: str | None
) -> None:
    merchant = processing()
    before = merchant.payment().state
    notify(merchant.world, **wrong)  # type: ignore[arg-type]  # texts only
    merchant.world.pump()
    assert merchant.payment().state is before
    assert inbox(merchant.world) == [(InboxState.QUARANTINED, reason)]
    assert [item.told for item in stored(merchant.world)] == [told]
    assert merchant.world.telemetry.counts[Metric.NOTIFICATION_QUARANTINED] == 1
    assert ("notification quarantined", {"ref": REF, "reason": reason}) in merchant.world.telemetry.notes
    come_to_rest(merchant.world, 130)
    assert requests(merchant.world, "status") >= 1
    assert merchant.payment().state is PaymentState.PAID  # the status told the truth


def test_an_amount_that_is_equal_as_a_number_agrees() -> None:
    merchant = processing()
    notify(merchant.world, value="10000.0")
    merchant.world.pump()
    assert merchant.payment().state is PaymentState.PAID


@pytest.mark.parametrize("value", ["10000.00", 10000, 1e4])
def test_what_the_version_before_kept_is_still_understood(value: object) -> None:
    merchant = processing()
    world = merchant.world
    ports = world.process()
    notify(world)
    (item,) = stored(world)
    body = {
        "originalPartnerReferenceNo": REF,
        "latestTransactionStatus": "00",
        "amount": {"value": value, "currency": "IDR"},
        "additionalInfo": {"custIdMerchant": merchant.customer},
    }
    ports.inbox.settle(item, replace(item, body=ports.vault.seal(json.dumps(body), SealedField.NOTICE, item.id)))
    world.pump()
    assert merchant.payment().state is PaymentState.PAID
    assert inbox(world) == [(InboxState.PROCESSED, None)]


def test_an_unknown_reference_is_kept_and_counted() -> None:
    merchant = processing()
    notify(merchant.world, ref="NOBODYS")
    merchant.world.pump()
    assert inbox(merchant.world) == [(InboxState.QUARANTINED, "unknown_reference")]
    assert merchant.world.process().payments.get("NOBODYS") is None


def test_a_stale_one_only_asks_for_the_status() -> None:
    merchant = linked()
    merchant.pay()
    notify(merchant.world, "00", fresh=False)
    merchant.world.pump()
    assert merchant.payment().state is PaymentState.OTP_PENDING
    assert merchant.world.telemetry.counts[Metric.NOTIFICATION_STALE] == 1
    come_to_rest(merchant.world, 130)
    assert requests(merchant.world, "status") == 1
    assert merchant.payment().state is PaymentState.OTP_PENDING  # DOKU says so


@pytest.mark.parametrize(
    ("seconds", "source", "reason"),
    [(300, EvidenceSource.NOTIFICATION, None), (301, EvidenceSource.STATUS, "waited")],
)
def test_one_that_has_waited_in_our_queues_only_asks_for_the_status(
    seconds: int, source: EvidenceSource, reason: str | None
) -> None:
    """It was true when it came; DOKU's staff may have given the money back since, and nobody tells (seed 123311)."""
    merchant = processing()
    notify(merchant.world, "00")
    merchant.world.clock.tick(seconds)
    come_to_rest(merchant.world)
    assert (merchant.payment().state, merchant.payment().evidence.source) == (PaymentState.PAID, source)
    assert requests(merchant.world, "status") == (reason is not None)
    assert inbox(merchant.world) == [(InboxState.PROCESSED, reason)]


def test_what_has_waited_and_names_another_amount_is_told_all_the_same() -> None:
    merchant = processing()
    notify(merchant.world, "00", value="10001.00")
    merchant.world.clock.tick(600)
    merchant.world.pump()
    assert inbox(merchant.world) == [(InboxState.QUARANTINED, "amount_mismatch")]


def test_a_binding_notice_that_a_page_failed_counts_only_while_it_has_not_waited() -> None:
    merchant = Merchant(World())
    merchant.bind()
    _binding_notice(merchant, "FAILED")
    merchant.world.clock.tick(301)
    merchant.world.pump()
    assert merchant.binding().state is BindingState.PENDING
    assert inbox(merchant.world, InboxKind.BINDING) == [(InboxState.PROCESSED, "waited")]


def test_a_stale_one_about_a_failed_payment_still_finds_the_debit() -> None:
    merchant = linked()
    merchant.pay()
    merchant.enter_otp()
    lose_notifications(merchant.world)
    notify(merchant.world, "06")
    merchant.world.pump()
    assert merchant.payment().state is PaymentState.FAILED  # a false notice
    notify(merchant.world, "00", fresh=False)
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.NEEDS_REVIEW


def test_another_doku_reference_than_the_answers_is_not_taken_over() -> None:
    merchant = processing()
    reference = merchant.payment().doku_reference
    assert reference is not None
    notify(merchant.world)  # names DOKU-1
    merchant.world.pump()
    assert merchant.payment().doku_reference == reference


def test_a_status_of_no_known_meaning_asks() -> None:
    merchant = processing()
    notify(merchant.world, "42")
    come_to_rest(merchant.world, 130)
    assert requests(merchant.world, "status") >= 1


def test_concurrent_workers_have_one_effect() -> None:
    merchant = processing()
    world = merchant.world
    notify(world)
    (message,) = [entry[2] for entry in world.queues.waiting if entry[2].queue == "notification"]

    def second() -> None:
        process_notification(message.subject, world.process(), world.deadline())

    for skip in range(3):
        world.weather = Meanwhile("store.update_item", second, skip=skip)
        process_notification(message.subject, world.process(), world.deadline())
    come_to_rest(world)
    assert world.debits(REF) == 1
    assert sum(event.name == "payment.paid" for event in world.events.published) == 1
    assert check_at_rest(world) == []


def test_a_failing_worker_leaves_the_notification_for_the_next() -> None:
    merchant = processing()
    notify(merchant.world)
    merchant.world.weather = Strike("store.update_item", Fault.FAIL, count=3)
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.PAID
    assert check_at_rest(merchant.world) == []


def test_one_that_can_never_be_processed_is_put_aside_and_counted() -> None:
    merchant = processing()
    notify(merchant.world)
    merchant.world.queues.waiting.clear()
    ports = merchant.world.process()
    (item,) = stored(merchant.world)
    ports.inbox.settle(item, replace(item, attempts=12, due_at=merchant.world.clock.now()))
    merchant.world.tick()
    assert inbox(merchant.world) == [(InboxState.QUARANTINED, "unprocessable")]
    assert merchant.world.telemetry.counts[Metric.NOTIFICATION_QUARANTINED] == 1


def test_one_whose_message_is_lost_is_queued_again_and_each_time_later() -> None:
    merchant = processing()
    world = merchant.world
    notify(world)
    waits = []
    for _ in range(12):
        (item,) = stored(world)
        assert item.due_at is not None
        world.clock.tick((item.due_at - world.clock.now()).total_seconds())
        world.queues.waiting.clear()
        sweep_notification(item.id, world.process())
        assert [message.queue for _, _, message, _ in world.queues.waiting] == ["notification"]
        (after,) = stored(world)
        assert after.due_at is not None
        waits.append(after.due_at - world.clock.now())
    assert waits == sorted(waits)
    assert waits[1] == 2 * waits[0]
    assert waits[-1] == timedelta(hours=6)
    (item,) = stored(world)
    sweep_notification(item.id, world.process())
    assert inbox(world) == [(InboxState.QUARANTINED, "unprocessable")]


# --- bindings --------------------------------------------------------------------------------------------------------


def test_a_binding_notice_proves_nothing_but_leads_to_the_proof() -> None:
    merchant = Merchant(World())
    merchant.bind()
    _binding_notice(merchant, "SUCCESS")
    merchant.world.pump()
    assert merchant.binding().state is BindingState.PENDING  # the customer has not finished: no token
    merchant.walk_through_pages()
    come_to_rest(merchant.world, 5)
    assert merchant.binding().state is BindingState.ACTIVE


def test_a_failed_binding_notice_counts_only_while_fresh() -> None:
    merchant = Merchant(World())
    merchant.bind()
    _binding_notice(merchant, "FAILED", fresh=False)
    merchant.world.pump()
    assert merchant.binding().state is BindingState.PENDING
    _binding_notice(merchant, "FAILED")
    merchant.world.pump()
    assert merchant.binding().state is BindingState.FAILED


def test_a_notice_of_another_request_is_put_aside() -> None:
    merchant = Merchant(World())
    merchant.bind()
    _binding_notice(merchant, "FAILED", external_id="1")
    merchant.world.pump()
    assert merchant.binding().state is BindingState.PENDING
    assert inbox(merchant.world, InboxKind.BINDING) == [(InboxState.QUARANTINED, "unknown_binding")]


def test_a_binding_that_changes_while_its_auth_code_is_learnt_is_tried_again() -> None:
    merchant = Merchant(World())
    merchant.bind()
    world = merchant.world
    ports = world.process()
    binding = merchant.binding()
    ports.bindings.save(binding, replace(binding.noted(world.clock.now()), auth_code=None))
    merchant.walk_through_pages()
    lose_notifications(world)

    def meddle() -> None:
        current = merchant.binding()
        ports.bindings.save(current, current.noted(world.clock.now()))

    _binding_notice(merchant, "SUCCESS")
    world.weather = Meanwhile("store.update_item", meddle)
    come_to_rest(world, 700)
    assert merchant.binding().state is BindingState.ACTIVE


def _binding_notice(merchant: Merchant, status: str, *, fresh: bool = True, external_id: str | None = None) -> None:
    (page,) = merchant.world.simulator.world.bindings.values()
    notice = BindingNotice(external_id or merchant.binding().external_id, status, page.code, merchant.customer)
    command = AcceptNotification(
        kind=InboxKind.BINDING,
        subject=notice.external_id,
        fact=status,
        fresh=fresh,
        notice=notice,
    )
    accept_notification(command, merchant.world.process())
