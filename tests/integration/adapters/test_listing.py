"""Lists over the indexes: complete and each record once, whatever falls on the same instant; never a scan."""

from dataclasses import replace
from datetime import timedelta

import pytest

from direct_debit.adapters.dynamodb.binding_item import write_binding
from direct_debit.adapters.dynamodb.payment_item import write_payment
from direct_debit.application.ports.pages import OfCustomer, OfDay, Page, PageMark, Selection, Unresolved
from direct_debit.domain.payment import Payment
from direct_debit.domain.values import JAKARTA
from tests.fakes.clock import START
from tests.fakes.counting_dynamodb import CountingDynamoDb
from tests.integration.adapters.conftest import World, make_world
from tests.integration.adapters.records import BINDINGS, TRANSACTIONS, a_binding, a_payment

TODAY = OfDay(START.astimezone(JAKARTA).date())


def keep(world: World, *payments: Payment) -> None:
    for payment in payments:
        world.client.put_item(TableName=TRANSACTIONS, Item=write_payment(payment))


def read_all(world: World, selection: Selection, limit: int) -> list[str]:
    found: list[str] = []
    page: Page[Payment] = world.payments.list_page(selection, limit, None)
    while True:
        found += [payment.ref for payment in page.records]
        if page.following is None:
            return found
        page = world.payments.list_page(selection, limit, page.following)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("selection", [TODAY, OfCustomer("c1"), Unresolved()])
def test_records_of_one_instant_come_each_once(world: World, selection: Selection, limit: int) -> None:
    same = [a_payment(f"same{number}") for number in range(9)]
    later = [replace(a_payment(f"later{number}"), created_at=START + timedelta(seconds=1)) for number in range(2)]
    due = START + timedelta(minutes=1)
    keep(world, *(replace(payment, due_at=due) for payment in [*same, *later]))
    assert sorted(read_all(world, selection, limit)) == sorted(payment.ref for payment in [*same, *later])


def test_a_day_is_read_from_all_its_partitions_newest_first(world: World) -> None:
    payments = [replace(a_payment(f"r{n}"), created_at=START + timedelta(seconds=n)) for n in range(12)]
    yesterday = replace(a_payment("before"), created_at=START - timedelta(days=1))
    keep(world, yesterday, *payments)
    for limit in (1, 5, 12):
        assert read_all(world, TODAY, limit) == [payment.ref for payment in reversed(payments)]


def test_what_is_due_longest_comes_first_and_what_is_not_due_not_at_all(world: World) -> None:
    payments = [replace(a_payment(f"r{n}"), due_at=START + timedelta(seconds=n)) for n in range(5)]
    keep(world, replace(a_payment("done"), due_at=None), *payments)
    assert read_all(world, Unresolved(), 2) == [payment.ref for payment in payments]


def test_other_kinds_that_wait_for_a_person_are_passed_over(world: World) -> None:
    """Partitions of what waits for a person hold every kind of record."""
    page = world.bindings.list_page(OfDay(TODAY.day), 10, None)
    assert page == Page((), ())
    binding = a_binding()
    world.client.put_item(TableName=BINDINGS, Item=write_binding(binding))
    assert [one.id for one in world.bindings.list_page(TODAY, 10, None).records] == [binding.id]
    assert [one.id for one in world.bindings.list_page(Unresolved(), 10, None).records] == [binding.id]


def test_dokus_reference_finds_its_payment_alone(world: World) -> None:
    keep(world, replace(a_payment("r1"), doku_reference="D1"), replace(a_payment("r2"), doku_reference="D2"))
    keep(world, a_payment("r3"))
    assert [payment.ref for payment in world.payments.find_by_doku_reference("D2").records] == ["r2"]
    assert world.payments.find_by_doku_reference("D3") == Page((), ())


@pytest.mark.parametrize("selection", [TODAY, OfCustomer("c1"), Unresolved()])
@pytest.mark.parametrize("is_inside", [False, True])
def test_a_page_reads_as_much_of_a_long_list_as_of_a_short_one(selection: Selection, *, is_inside: bool) -> None:
    costs = []
    for count in (1_000, 5_000):
        counting = CountingDynamoDb(BINDINGS, TRANSACTIONS)
        world = make_world(counting)
        for number in range(count):
            moment = START + timedelta(milliseconds=number)
            keep(world, replace(a_payment(f"r{number:05}"), created_at=moment, due_at=moment))
        middle = count // 2
        after = PageMark(START + timedelta(milliseconds=middle), f"r{middle:05}") if is_inside else None
        assert len(world.payments.list_page(selection, 20, after).records) == 20
        costs.append((counting.queries, counting.entries, counting.records))
    assert costs[0] == costs[1]
