"""Every mistake of the tables in this folder meets an answer that says what is wrong, where, and what to do."""

from dataclasses import replace

import pytest

from tests.fakes.world import World
from tests.integration.handlers.house import House
from tests.integration.handlers.mistakes import (
    addresses,
    amounts,
    bodies,
    codes,
    headers,
    hosts,
    lists,
    names,
    people,
    queries,
    references,
    texts,
)
from tests.integration.handlers.mistakes.mistake import Mistake, check

TABLES = {
    "address": addresses.MISTAKES,
    "amount": amounts.MISTAKES,
    "body": bodies.MISTAKES,
    "code": codes.MISTAKES,
    "header": headers.MISTAKES,
    "list": lists.MISTAKES,
    "name": names.MISTAKES,
    "person": people.MISTAKES,
    "query": queries.MISTAKES,
    "reference": references.MISTAKES,
    "text": texts.MISTAKES,
}


@pytest.fixture(scope="module")
def house() -> House:
    """One for all: a mistake changes nothing, which each of them checks."""
    return House()


@pytest.mark.parametrize(
    "mistake", [pytest.param(one, id=f"{kind}: {one.did}") for kind, table in TABLES.items() for one in table]
)
def test_a_mistake_is_explained(house: House, mistake: Mistake) -> None:
    with house.open():
        check(mistake, house)


@pytest.fixture(scope="module")
def choosy_house() -> House:
    """One whose operator has listed the hosts of pages."""
    return House(World(settings=replace(World().settings, allowed_return_hosts=hosts.LISTED)))


@pytest.mark.parametrize("mistake", [pytest.param(one, id=one.did) for one in hosts.MISTAKES])
def test_a_page_elsewhere_is_explained(choosy_house: House, mistake: Mistake) -> None:
    with choosy_house.open():
        check(mistake, choosy_house)


@pytest.mark.parametrize("kind", TABLES)
def test_no_mistake_is_told_twice(kind: str) -> None:
    told = [one.did for one in TABLES[kind]]
    assert len(set(told)) == len(told)
