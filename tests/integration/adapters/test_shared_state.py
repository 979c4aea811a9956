from dataclasses import replace
from datetime import timedelta

import pytest

from direct_debit.adapters.dynamodb.items import AttributeValue
from direct_debit.adapters.dynamodb.keys import B2B_TOKEN_KEY
from direct_debit.application.calls.obtain_b2b_token import Proof
from direct_debit.application.ports.fleet import CircuitState, SharedToken, SharedTokenRecord
from tests.fakes.clock import START
from tests.integration.adapters.conftest import World
from tests.integration.adapters.records import BINDINGS

LEASE_END = START + timedelta(seconds=10)
TOKEN = SharedToken("sealed", "k", START, START + timedelta(minutes=15), 1)


# --- the B2B token ---------------------------------------------------------------------------------------------------


def test_there_is_no_token_before_the_first_is_published(world: World) -> None:
    assert world.tokens.read() == SharedTokenRecord()
    assert world.tokens.take_lease("me", 0, START, LEASE_END)
    assert world.tokens.read() == SharedTokenRecord(None, LEASE_END)
    assert world.tokens.publish("me", TOKEN)
    assert world.tokens.read() == SharedTokenRecord(TOKEN, None)


def test_a_token_that_older_code_published_serves_and_is_renewed(world: World) -> None:
    item: dict[str, AttributeValue] = {
        **B2B_TOKEN_KEY,
        "token": {"S": "sealed"},
        "expiresAt": {"S": TOKEN.expires_at.isoformat()},
        "generation": {"N": "1"},
    }
    world.client.put_item(TableName=BINDINGS, Item=item)
    shared = world.tokens.read().token
    assert shared is not None
    assert (shared.token, shared.expires_at, shared.generation) == ("sealed", TOKEN.expires_at, 1)
    assert not Proof("k", START).is_given_by(shared)
    assert not Proof("", START).is_given_by(shared)
    assert world.tokens.take_lease("me", 1, START, LEASE_END)
    assert world.tokens.publish("me", replace(TOKEN, generation=2))
    assert world.tokens.read().token == replace(TOKEN, generation=2)


def test_one_renews_at_a_time(world: World) -> None:
    assert world.tokens.take_lease("me", 0, START, LEASE_END)
    assert not world.tokens.take_lease("you", 0, LEASE_END - timedelta(microseconds=1), LEASE_END)
    assert world.tokens.take_lease("me", 0, START, LEASE_END)  # its own: a lost reply


def test_an_ended_lease_passes_on_and_its_owner_can_not_publish(world: World) -> None:
    assert world.tokens.take_lease("me", 0, START, LEASE_END)
    assert world.tokens.take_lease("you", 0, LEASE_END, LEASE_END + timedelta(seconds=10))
    assert not world.tokens.publish("me", TOKEN)
    assert world.tokens.publish("you", replace(TOKEN, token="yours"))
    assert world.tokens.read().token == replace(TOKEN, token="yours")


def test_what_was_renewed_is_not_renewed_again(world: World) -> None:
    world.tokens.take_lease("me", 0, START, LEASE_END)
    world.tokens.publish("me", TOKEN)
    assert not world.tokens.take_lease("you", 0, START, LEASE_END)
    assert world.tokens.take_lease("you", 1, START, LEASE_END)


def test_a_released_lease_is_free_at_once(world: World) -> None:
    world.tokens.take_lease("me", 0, START, LEASE_END)
    world.tokens.release_lease("you")
    assert not world.tokens.take_lease("you", 0, START, LEASE_END)
    world.tokens.release_lease("me")
    world.tokens.release_lease("me")
    assert world.tokens.take_lease("you", 0, START, LEASE_END)


def test_publishing_without_a_lease_does_nothing(world: World) -> None:
    assert not world.tokens.publish("me", TOKEN)
    world.tokens.release_lease("me")
    assert world.tokens.read().token is None


# --- the circuit -----------------------------------------------------------------------------------------------------

STATES = [
    CircuitState(),
    CircuitState(0, START, None),
    CircuitState(1, START),
    CircuitState(5, START, LEASE_END),
    CircuitState(5, None, LEASE_END),
]


def test_the_circuit_begins_without_failures(world: World) -> None:
    assert world.circuit.read() == CircuitState()


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_the_circuit_is_replaced_only_from_what_was_read(
    world: World, before: CircuitState, after: CircuitState
) -> None:
    assert world.circuit.replace(CircuitState(), before)
    for other in STATES:
        if other != before:
            assert not world.circuit.replace(other, after)
    assert world.circuit.read() == before
    assert world.circuit.replace(before, after)
    assert world.circuit.read() == after
