from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from direct_debit.adapters.dynamodb.client import Store
from direct_debit.adapters.dynamodb.review import WaitingRecord, list_waiting_for_review
from direct_debit.application.ports.inbox import InboxState
from direct_debit.domain.binding import Binding, BindingEvent
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.payment import Payment, PaymentState, ReviewReason
from direct_debit.domain.refund import Refund, RefundState
from tests.fakes.clock import START
from tests.fakes.ids import SeededIds
from tests.integration.adapters.conftest import World
from tests.integration.adapters.records import BINDINGS, TRANSACTIONS, a_binding, a_notification, a_payment, step

LATER = START + timedelta(days=1)
AT = START + timedelta(hours=3)
EVIDENCE = Evidence(EvidenceSource.STATUS, AT, "00")


def waiting(world: World) -> list[WaitingRecord]:
    store = Store(world.client, world.clock, SeededIds())
    return list_waiting_for_review(store, TRANSACTIONS, LATER, 10)


def stored_payment(world: World) -> Payment:
    binding = a_binding()
    world.bindings.create(binding, START)
    pending = world.bindings.save(binding, step(binding, BindingEvent.LINK_STARTED))
    world.bindings.save(pending, step(pending, BindingEvent.PROVED))
    payment = a_payment()
    assert world.payments.create(payment) is None
    return payment


def needing_review(payment: Payment) -> Payment:
    return replace(
        payment.noted(AT),
        state=PaymentState.NEEDS_REVIEW,
        review=ReviewReason.CONTRADICTION,
        evidence=EVIDENCE,
        due_at=None,
    )


def a_refund_in(state: RefundState, *, automatic: bool = False) -> Refund:
    return Refund(
        number="RF1",
        reason="r",
        request_hash="h",
        state=state,
        requested_at=START,
        automatic=automatic,
        evidence=EVIDENCE,
    )


def told(world: World, ref: str) -> None:
    """Let all of a payment's moves be told: until then it is due for that."""
    payment = world.payments.get(ref)
    assert payment is not None
    world.payments.release_account(payment.binding_id, ref, payment, told=True)


def test_a_payment_that_needs_a_person_is_found_and_not_visited_by_the_sweep(world: World) -> None:
    payment = stored_payment(world)
    assert waiting(world) == []
    stored = world.payments.save(payment, needing_review(payment))
    assert waiting(world) == []  # first its news is told
    told(world, payment.ref)
    assert waiting(world) == [WaitingRecord("PAYMENT", payment.ref, AT)]
    assert world.payments.list_due(LATER, 10) == []
    assert world.payments.get(payment.ref) == stored


def test_asking_again_comes_before_waiting_for_a_person(world: World) -> None:
    payment = stored_payment(world)
    reviewed = world.payments.save(payment, needing_review(payment))
    asked = world.payments.save(reviewed, replace(reviewed.noted(AT), due_at=AT))
    assert waiting(world) == []
    assert world.payments.list_due(LATER, 10) == [payment.ref]
    world.payments.save(asked, replace(asked.noted(AT), due_at=None))
    told(world, payment.ref)
    assert waiting(world) == [WaitingRecord("PAYMENT", payment.ref, AT)]


def test_a_refund_that_needs_a_person_is_found_until_it_is_started_again(world: World) -> None:
    payment = stored_payment(world)
    paid = replace(payment.noted(AT), state=PaymentState.PAID, due_at=None)
    stuck = world.payments.save(payment, replace(paid, refund=a_refund_in(RefundState.NEEDS_REVIEW)))
    told(world, payment.ref)
    assert waiting(world) == [WaitingRecord("PAYMENT", payment.ref, AT)]
    again = replace(a_refund_in(RefundState.RETRYING), due_at=AT)
    world.payments.save(stuck, replace(stuck.noted(AT), refund=again))  # read before its news was told
    assert waiting(world) == []
    assert world.payments.list_due(LATER, 10) == [payment.ref]


def test_a_refused_refund_counts_whoever_asked_for_it(world: World) -> None:
    payment = stored_payment(world)
    paid = replace(payment.noted(AT), state=PaymentState.PAID, due_at=None)
    world.payments.save(payment, replace(paid, refund=a_refund_in(RefundState.FAILED)))
    told(world, payment.ref)
    assert waiting(world) == [WaitingRecord("PAYMENT", payment.ref, AT)]


def test_a_payment_in_review_is_found_until_its_review_is_closed(world: World) -> None:
    payment = stored_payment(world)
    stuck = world.payments.save(payment, replace(payment.noted(AT), state=PaymentState.NEEDS_REVIEW, due_at=None))
    told(world, payment.ref)
    assert waiting(world) == [WaitingRecord("PAYMENT", payment.ref, stuck.evidence.at)]
    current = world.payments.get(payment.ref)
    assert current is not None
    world.payments.save(current, replace(current.noted(AT), review_closed_at=AT))
    told(world, payment.ref)
    assert waiting(world) == []


def test_a_reversed_payment_is_found(world: World) -> None:
    payment = stored_payment(world)
    paid = replace(payment.noted(AT), state=PaymentState.PAID, due_at=None)
    world.payments.save(payment, replace(paid, reversed_at=AT))
    told(world, payment.ref)
    assert waiting(world) == [WaitingRecord("PAYMENT", payment.ref, AT)]


def ended_link(world: World, after_lease: timedelta) -> Binding:
    """A link that was ended by the schedule so long after its lease, and of which all is told."""
    binding = a_binding()
    world.bindings.create(binding, START)
    pending = world.bindings.save(binding, step(binding, BindingEvent.LINK_STARTED))
    evidence = Evidence(EvidenceSource.SCHEDULE, pending.lease_until + after_lease)
    ended = pending.moved(BindingEvent.LINK_EXPIRED, evidence)
    assert ended is not None
    stored = world.bindings.save(pending, replace(ended, due_at=None))
    world.bindings.confirm_told(stored)
    return stored


def waiting_links(world: World, since: datetime = START) -> list[WaitingRecord]:
    store = Store(world.client, world.clock, SeededIds())
    return list_waiting_for_review(store, BINDINGS, LATER + timedelta(days=1), 10, since=since)


def test_a_link_given_up_without_dokus_word_is_found_and_due_to_nobody(world: World) -> None:
    link = ended_link(world, timedelta(days=1))
    at = link.evidence.at
    assert waiting_links(world) == [WaitingRecord("BINDING", link.id, at)]
    assert waiting_links(world, at + timedelta(seconds=1)) == []
    assert world.bindings.list_due(LATER + timedelta(days=1), 10) == []
    read = world.bindings.get(link.id)
    assert read is not None
    assert (read.due_at, read.untold) == (None, ())


def test_a_link_that_ended_with_its_lease_waits_for_nobody(world: World) -> None:
    ended_link(world, timedelta(minutes=1))
    assert waiting_links(world) == []


def test_a_notification_put_aside_is_found_until_somebody_has_looked(world: World) -> None:
    item = a_notification()
    world.inbox.put(item)
    aside = replace(item, state=InboxState.QUARANTINED, reason="amount_mismatch", attempts=1, due_at=None)
    world.inbox.settle(item, aside)
    assert waiting(world) == [WaitingRecord("INBOX", item.id, item.received_at)]
    assert world.inbox.list_due(LATER, 10) == []
    assert world.inbox.get(item.id) == aside
    world.inbox.settle(aside, replace(aside, state=InboxState.PROCESSED, attempts=2))
    assert waiting(world) == []
