"""Where a payment stands in the `due` index: earlier than its time costs a visit, later would cost a promise."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from direct_debit.domain.payment import Payment
from tests.fakes.clock import START
from tests.integration.adapters.conftest import World
from tests.integration.adapters.records import a_payment, a_refund, accepted
from tests.integration.adapters.test_payments import activate

MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def _active_binding(world: World) -> None:
    activate(world, "b1", "c1", "a1")


def created(world: World, due: datetime) -> Payment:
    payment = replace(a_payment(), due_at=due)
    world.payments.create(payment)
    return payment


def is_filed_at(world: World, moment: datetime) -> bool:
    return world.payments.list_due(moment - TICK, 10) == [] and world.payments.list_due(moment, 10) == ["r1"]


def test_a_later_time_leaves_the_entry_where_it_is(world: World) -> None:
    before = created(world, START + 5 * MINUTE)
    after = world.payments.save(before, replace(accepted(before), due_at=START + 9 * MINUTE))
    assert after.first_due == START + 9 * MINUTE
    assert is_filed_at(world, START + 5 * MINUTE)


def test_the_same_time_keeps_the_entry(world: World) -> None:
    before = created(world, START + 5 * MINUTE)
    world.payments.save(before, replace(accepted(before), due_at=START + 5 * MINUTE))
    assert is_filed_at(world, START + 5 * MINUTE)


def test_an_earlier_time_moves_the_entry(world: World) -> None:
    before = created(world, START + 5 * MINUTE)
    world.payments.save(before, replace(accepted(before), due_at=START + 2 * MINUTE))
    assert is_filed_at(world, START + 2 * MINUTE)


def test_what_was_due_is_filed_at_its_new_time(world: World) -> None:
    before = created(world, START)
    world.payments.save(before, replace(accepted(before), due_at=START + 9 * MINUTE))
    assert is_filed_at(world, START + 9 * MINUTE)


def test_news_that_is_told_meanwhile_puts_nothing_off(world: World) -> None:
    """The outbox files what it has told for its work, without changing the version: who saves does not know it."""
    before = created(world, START + 5 * MINUTE)
    read = world.payments.save(before, replace(accepted(before), due_at=START + 30 * MINUTE))
    assert read.tell_by == START + 10 * MINUTE
    world.payments.confirm_told(read)
    world.payments.save(read, replace(read.noted(START), due_at=START + 60 * MINUTE))  # carries the news again
    assert is_filed_at(world, START + 10 * MINUTE)


def test_news_that_is_put_off_meanwhile_puts_nothing_off(world: World) -> None:
    before = created(world, START + 5 * MINUTE)
    read = world.payments.save(before, replace(accepted(before), due_at=START + 60 * MINUTE))
    world.payments.put_off_news(read, START + 40 * MINUTE)
    world.payments.save(read, replace(read.noted(START), due_at=START + 20 * MINUTE, untold=(), tell_by=None))
    assert is_filed_at(world, START + 20 * MINUTE)


def test_where_only_news_was_due_the_entry_moves(world: World) -> None:
    before = created(world, START + 5 * MINUTE)
    rest = world.payments.save(before, replace(accepted(before), due_at=None))
    assert rest.tell_by == START + 10 * MINUTE
    world.payments.save(rest, replace(rest.noted(START), due_at=START + 20 * MINUTE, untold=(), tell_by=None))
    assert is_filed_at(world, START + 20 * MINUTE)


def test_what_has_left_the_index_meanwhile_is_filed_again(world: World) -> None:
    """The outbox takes news out without changing the version: who has read the record before does not know it."""
    before = created(world, START + 5 * MINUTE)
    rest = world.payments.save(before, replace(accepted(before), due_at=None))
    world.payments.confirm_told(rest)
    assert world.payments.list_due(START + timedelta(days=2), 10) == []
    assert rest.tell_by is not None
    world.payments.save(rest, replace(rest.noted(START), due_at=rest.tell_by + MINUTE, untold=(), tell_by=None))
    assert is_filed_at(world, rest.tell_by + MINUTE)


def test_a_refund_that_is_due_at_once_moves_the_entry(world: World) -> None:
    before = created(world, START + 5 * MINUTE)
    world.payments.hold_account(before, replace(before.noted(START), refund=replace(a_refund(), due_at=START)))
    assert is_filed_at(world, START)


# --- filed again -----------------------------------------------------------------------------------------------------


def test_a_visit_in_vain_files_it_at_its_time(world: World) -> None:
    before = created(world, START + 5 * MINUTE)
    after = world.payments.save(before, replace(accepted(before), due_at=START + 9 * MINUTE))
    world.payments.file_again(after)
    assert is_filed_at(world, START + 9 * MINUTE)
    assert world.payments.get("r1") == after  # nobody loses a race by it


def test_who_has_read_an_older_version_files_nothing(world: World) -> None:
    before = created(world, START + 5 * MINUTE)
    world.payments.save(before, replace(accepted(before), due_at=START + 2 * MINUTE))
    world.payments.file_again(before)
    assert is_filed_at(world, START + 2 * MINUTE)


def test_what_has_left_the_index_is_not_filed_again(world: World) -> None:
    before = created(world, START + 5 * MINUTE)
    rest = world.payments.save(before, replace(accepted(before), due_at=None))
    world.payments.confirm_told(rest)
    world.payments.file_again(rest)
    assert world.payments.list_due(START + timedelta(days=2), 10) == []


def test_what_is_never_due_is_filed_nowhere(world: World) -> None:
    payment = replace(a_payment(), due_at=None)
    world.payments.create(payment)
    world.payments.file_again(payment)
    assert world.payments.list_due(START + timedelta(days=2), 10) == []
