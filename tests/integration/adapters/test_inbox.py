from dataclasses import replace
from datetime import timedelta

from direct_debit.application.ports.inbox import InboxState
from tests.fakes.clock import START
from tests.integration.adapters.conftest import World
from tests.integration.adapters.records import a_notification

LATER = START + timedelta(days=1)


def test_a_notification_is_stored_once(world: World) -> None:
    item = a_notification()
    assert world.inbox.put(item) is None
    assert world.inbox.put(replace(item, body="other")) == item
    assert world.inbox.get("i1") == item
    assert world.inbox.get("i2") is None


def test_what_became_of_it_is_written_and_it_leaves_the_index(world: World) -> None:
    item = a_notification()
    world.inbox.put(item)
    assert world.inbox.list_due(START + timedelta(seconds=59), 10) == []
    assert world.inbox.list_due(LATER, 10) == ["i1"]
    settled = replace(item, state=InboxState.PROCESSED, attempts=1, due_at=None)
    world.inbox.settle(item, settled)
    assert world.inbox.get("i1") == settled
    assert world.inbox.put(item) == settled
    assert world.inbox.list_due(LATER, 10) == []


def test_a_change_in_between_is_kept(world: World) -> None:
    item = a_notification()
    world.inbox.put(item)
    first = replace(item, state=InboxState.QUARANTINED, reason="amount", attempts=1, due_at=None)
    world.inbox.settle(item, first)
    world.inbox.settle(item, replace(item, state=InboxState.PROCESSED, attempts=1, due_at=None))
    assert world.inbox.get("i1") == first


def test_an_attempt_counts_even_without_a_new_state(world: World) -> None:
    item = a_notification()
    world.inbox.put(item)
    tried = replace(item, attempts=1)
    world.inbox.settle(item, tried)
    world.inbox.settle(item, replace(item, reason="stale"))
    assert world.inbox.get("i1") == tried
