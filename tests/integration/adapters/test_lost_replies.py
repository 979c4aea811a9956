"""A write took effect, its reply was lost, and the SDK sent it again: the writer must recognise its own work."""

from dataclasses import replace

import pytest

from direct_debit.adapters.dynamodb.client import DynamoDb
from direct_debit.application.errors import BindingChanged, PaymentChanged, StoreUnavailable
from direct_debit.application.ports.fleet import CircuitState, SharedToken
from direct_debit.application.ports.payments import KeyTaken, PaymentExists, PaymentKey
from direct_debit.domain.binding import BindingEvent
from tests.fakes.clock import START
from tests.integration.adapters.conftest import World, make_world
from tests.integration.adapters.faults import FaultyDynamoDb, ResendingDynamoDb
from tests.integration.adapters.records import LEASE, a_binding, a_notification, a_payment, a_step, accepted, step


@pytest.fixture(params=["the store knows the request again", "the store has forgotten the request"])
def resent(request: pytest.FixtureRequest, bare: DynamoDb, client: DynamoDb) -> World:
    known: bool = request.param == "the store knows the request again"
    return make_world(ResendingDynamoDb(client if known else bare))


@pytest.fixture
def faulty(client: DynamoDb) -> FaultyDynamoDb:
    return FaultyDynamoDb(client)


@pytest.fixture
def shaky(faulty: FaultyDynamoDb) -> World:
    return make_world(faulty)


def test_a_whole_life_with_every_reply_lost(resent: World) -> None:
    binding = a_binding()
    assert resent.bindings.create(binding, START) is None
    pending = resent.bindings.save(binding, step(binding, BindingEvent.LINK_STARTED))
    active = resent.bindings.save(pending, step(pending, BindingEvent.PROVED))
    payment = a_payment()
    assert resent.payments.create(payment) is None
    again = resent.payments.reclaim(payment, payment.noted(START))
    assert again == payment.noted(START)
    done = accepted(payment.noted(START))
    assert resent.payments.save(payment.noted(START), done) == done
    assert resent.payments.get("r1") == done
    resent.release("r1")
    leaving = resent.bindings.save_when_settled(active, step(active, BindingEvent.UNBIND_REQUESTED))
    gone = step(leaving, BindingEvent.UNBOUND)
    assert resent.bindings.save(leaving, gone) == gone
    assert resent.bindings.get("b1") == gone


def test_a_key_with_every_reply_lost(resent: World) -> None:
    binding = a_binding()
    resent.bindings.create(binding, START)
    pending = resent.bindings.save(binding, step(binding, BindingEvent.LINK_STARTED))
    resent.bindings.save(pending, step(pending, BindingEvent.PROVED))
    key, later = PaymentKey("fingerprint-1", "OWN1"), PaymentKey("fingerprint-2", "r1")
    assert resent.payments.create(a_payment(), key) is None
    assert resent.payments.bind_key(later, "r1") is None
    assert resent.payments.create(a_payment("r2"), key) == KeyTaken("r1")
    assert resent.payments.bind_key(later, "r2") == KeyTaken("r1")


def test_small_records_with_every_reply_lost(resent: World) -> None:
    assert resent.inbox.put(a_notification()) is None
    assert resent.payments.add_history("r1", a_step(1))
    assert not resent.payments.add_history("r1", a_step(1))
    assert resent.bindings.add_history("b1", a_step(1))
    assert not resent.bindings.add_history("b1", a_step(1))
    assert resent.tokens.take_lease("me", 0, START, START + LEASE)
    assert resent.tokens.publish("me", SharedToken("sealed", "k", START, START, 1))
    assert resent.circuit.replace(CircuitState(), CircuitState(1, START))
    assert not resent.circuit.replace(CircuitState(), CircuitState(1, START))


def test_a_claim_that_passed_on_with_every_reply_lost(resent: World) -> None:
    old = a_binding()
    resent.bindings.create(old, START)
    resent.bindings.create(replace(a_binding("b2"), lease_until=START + 2 * LEASE), START + LEASE)
    ended = step(old, BindingEvent.LINK_EXPIRED)
    assert resent.bindings.save(old, ended) == ended


def test_a_real_race_is_still_lost_when_replies_are(resent: World) -> None:
    binding, payment = a_binding(), a_payment()
    resent.bindings.create(binding, START)
    pending = resent.bindings.save(binding, step(binding, BindingEvent.LINK_STARTED))
    with pytest.raises(BindingChanged):
        resent.bindings.save(binding, step(binding, BindingEvent.LINK_STARTED))
    resent.bindings.save(pending, step(pending, BindingEvent.PROVED))
    resent.payments.create(payment)
    assert resent.payments.create(payment) == PaymentExists(payment)
    resent.payments.save(payment, accepted(payment))
    with pytest.raises(PaymentChanged):
        resent.payments.save(payment, accepted(payment))


def test_a_reply_lost_for_good_is_an_unavailable_store_and_a_repetition_finds_the_payment(
    shaky: World, faulty: FaultyDynamoDb
) -> None:
    binding = a_binding()
    shaky.bindings.create(binding, START)
    pending = shaky.bindings.save(binding, step(binding, BindingEvent.LINK_STARTED))
    shaky.bindings.save(pending, step(pending, BindingEvent.PROVED))
    faulty.drop_reply()
    with pytest.raises(StoreUnavailable):
        shaky.payments.create(a_payment())
    assert shaky.payments.create(a_payment()) == PaymentExists(a_payment())


def test_a_request_lost_for_good_wrote_nothing(shaky: World, faulty: FaultyDynamoDb) -> None:
    faulty.drop_request()
    with pytest.raises(StoreUnavailable):
        shaky.inbox.put(a_notification())
    assert shaky.inbox.get("i1") is None
    assert shaky.inbox.put(a_notification()) is None
