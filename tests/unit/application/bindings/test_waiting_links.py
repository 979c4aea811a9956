"""Workflows that wait for a link: whose token is completed, when, and with what."""

import pytest

from direct_debit.application.errors import Conflict
from tests.fakes.journey import Merchant
from tests.fakes.world import World


def finish(merchant: Merchant) -> None:
    """Let the customer come back from the bank, and the outbox run."""
    merchant.come_back(merchant.walk_through_pages())
    merchant.world.clock.tick(2)
    merchant.world.pump()


def test_the_waiting_workflow_is_told_the_outcome_only() -> None:
    merchant = Merchant(World())
    merchant.bind(task_token="first")
    assert merchant.world.workflows.completed == []
    finish(merchant)
    outcome = {"bindingId": merchant.binding().id, "state": "ACTIVE"}
    assert merchant.world.workflows.completed == [("first", outcome)]


def test_a_repeat_waits_in_the_place_of_the_first() -> None:
    merchant = Merchant(World())
    merchant.bind(task_token="first")
    assert merchant.bind(task_token="second").replayed
    finish(merchant)
    assert [token for token, _ in merchant.world.workflows.completed] == ["second"]


def test_a_repeat_without_a_workflow_leaves_the_waiting_one_alone() -> None:
    merchant = Merchant(World())
    merchant.bind(task_token="first")
    merchant.bind()
    finish(merchant)
    assert [token for token, _ in merchant.world.workflows.completed] == ["first"]


def test_a_link_that_is_active_completes_a_new_wait_at_once_and_is_not_written() -> None:
    merchant = Merchant(World())
    before = merchant.link()
    merchant.bind(task_token="late")
    outcome = {"bindingId": before.id, "state": "ACTIVE"}
    assert merchant.world.workflows.completed == [("late", outcome)]
    assert merchant.binding() == before


def test_another_customers_wait_for_the_account_is_their_own() -> None:
    world = World()
    Merchant(world).bind(task_token="first")
    other = Merchant(world, customer="CUST-2")
    assert other.bind(task_token="other").replayed is False
    finish(Merchant(world))
    assert [token for token, _ in world.workflows.completed] == ["first"]
    with pytest.raises(Conflict):
        other.bind(task_token="third")
