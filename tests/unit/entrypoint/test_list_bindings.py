"""Links at the door: by customer, by day, by state, and what is unresolved."""

from datetime import UTC, datetime

import pytest

from direct_debit.application.errors import InvalidRequest
from direct_debit.domain.binding import BindingState
from direct_debit.entrypoint.doors import Call
from direct_debit.entrypoint.events import ApiRequest
from direct_debit.entrypoint.operations.list_bindings import ROUTE, operate
from direct_debit.entrypoint.parsing import read_request
from tests.fakes.journey import Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.world import World
from tools.doku_simulator.dials import Dial
from tools.doku_simulator.notifications import NoticeDial


def ask(merchant: Merchant, **query: str) -> dict[str, object]:
    ports = merchant.world.process()
    asked = ApiRequest(
        request_id="r",
        path=ROUTE.path,
        headers={},
        path_parameters={},
        query=query,
        raw_body=None,
        query_pairs=tuple(query.items()),
    )
    return operate(read_request(ROUTE, asked, ports.settings), Call(ports, merchant.world.deadline())).view.to_json()


def customers(page: dict[str, object]) -> list[str]:
    assert isinstance(page["bindings"], list)
    return [binding["customerId"] for binding in page["bindings"]]


def town() -> tuple[Merchant, Merchant, Merchant]:
    """One customer who linked yesterday, one who is linking now, and one who came and left today."""
    world = World()
    world.clock.set(datetime(2026, 3, 2, 16, tzinfo=UTC))
    linked = Merchant(world, customer="LINKED")
    linked.link()
    world.clock.set(datetime(2026, 3, 2, 18, tzinfo=UTC))
    linking = Merchant(world, customer="LINKING", phone="6281234567891")
    linking.bind()
    world.clock.tick(1)
    left = Merchant(world, customer="LEFT", phone="6281234567892")
    left.link()
    left.unbind()
    left.confirm_unbinding()
    return linked, linking, left


def test_links_are_found_by_customer_and_by_jakartas_day() -> None:
    linked, _, _ = town()
    assert customers(ask(linked, customerId="LINKED")) == ["LINKED"]
    assert customers(ask(linked, customerId="NOBODY")) == []
    assert customers(ask(linked, day="2026-03-02")) == ["LINKED"]
    assert customers(ask(linked, day="2026-03-03")) == ["LEFT", "LINKING"]


def test_a_state_is_found_among_others() -> None:
    linked, _, _ = town()
    assert customers(ask(linked, day="2026-03-03", state="UNBOUND")) == ["LEFT"]
    assert customers(ask(linked, day="2026-03-03", state="ACTIVE")) == []
    assert customers(ask(linked, customerId="LINKED", state="ACTIVE")) == ["LINKED"]


def test_a_state_alone_is_found_on_all_days() -> None:
    linked, _, _ = town()
    assert customers(ask(linked, state="ACTIVE")) == ["LINKED"]
    assert customers(ask(linked, state="UNBOUND")) == ["LEFT"]
    assert customers(ask(linked, state="FAILED")) == []


def test_what_is_being_linked_is_unresolved() -> None:
    linked, _, _ = town()
    assert customers(ask(linked, unresolved="true")) == ["LINKING"]
    assert customers(ask(linked, unresolved="true", state="ACTIVE")) == []


def test_what_was_given_up_without_a_word_of_dokus_is_unresolved_and_what_doku_refused_is_not() -> None:
    world = World()
    given_up = Merchant(world, customer="GIVEN-UP")
    given_up.bind()
    world.simulator.notifications.dials.append(NoticeDial("drop", kind="binding", count=1_000))
    world.simulator.add_dial(Dial("b2b2c_token", "code", when="before", code="42900", count=100_000))
    come_to_rest(world, 2 * 86_400)
    world.simulator.add_dial(Dial("binding", "code", when="before", code="40301"))
    refused = Merchant(world, customer="REFUSED", phone="6281234567891").bind()  # and nobody was told of it yet
    assert {given_up.binding().state, refused.binding.state} == {BindingState.FAILED}
    assert customers(ask(given_up, unresolved="true")) == ["GIVEN-UP"]


def test_pages_together_are_all_of_a_day_each_once() -> None:
    linked, _, _ = town()
    first = ask(linked, day="2026-03-03", limit="1")
    second = ask(linked, day="2026-03-03", limit="1", after=str(first["next"]))
    assert (customers(first), customers(second), "next" in second) == (["LEFT"], ["LINKING"], False)


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ({}, "customerId", "Say which links"),
        ({"customerId": "C1", "unresolved": "true"}, "unresolved", "not several"),
        ({"day": "today"}, "day", "YYYY-MM-DD"),
        ({"day": "2026-03-02", "state": "active"}, "state", "ACTIVE"),
        ({"dokuReference": "X"}, "dokuReference", "customerId"),
    ],
)
def test_a_question_that_is_none_says_what_to_ask(query: dict[str, str], field: str, words: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        ask(Merchant(World()), **query)
    assert refused.value.field == field
    assert words in str(refused.value)
