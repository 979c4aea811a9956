"""Every door answers alike, whichever way the request came: no domain, a domain at its root, one with a base path."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from direct_debit.entrypoint import container
from direct_debit.entrypoint.events import read_api_event
from tests.aws_rules.base_path import WAYS, Way
from tests.integration.handlers.house import Context, House, binding_body, verify_with
from tests.integration.handlers.test_inbound import FITTING
from tools.make_events import AT, NOTIFY_PATH, Event, make_events, vector_signer


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    name: str = request.param
    return WAYS[name]


@pytest.fixture
def there(house: House, way: Way) -> Iterator[House]:
    """The house at the address that this way leads to."""
    settings = replace(house.ports.settings, public_base_url=way.public_base_url)
    house.ports = replace(house.ports, settings=settings)
    inbound = verify_with(lambda _: FITTING, house.world.clock, public_url=way.public_base_url)
    house.services = replace(house.services, ports=house.ports, inbound=inbound)
    with container.install(house.services):
        yield house


def events(way: Way) -> Mapping[str, Event]:
    """All events, signed for the public address and arriving this way."""
    made = make_events(replace(vector_signer(), public_url=way.public_base_url))
    return {name: way.arrive(event) if "httpMethod" in event else event for name, event in made.items()}


def answer(house: House, way: Way, name: str) -> tuple[int, str]:
    result = house.invoke(name, events(way)[name])
    return result["statusCode"], json.loads(result["body"])["responseCode"]


def test_dokus_calls_are_verified_over_the_path_that_doku_called(there: House, way: Way) -> None:
    there.world.clock.set(AT)
    assert answer(there, way, "issue_token") == (200, "2007300")
    assert answer(there, way, "receive_payment_notification") == (200, "2005600")
    assert answer(there, way, "receive_binding_notification") == (200, "2000700")


def test_a_signature_over_another_path_is_refused_whichever_way_it_came(there: House, way: Way) -> None:
    there.world.clock.set(AT)
    call = events(way)["receive_payment_notification"]
    signer = replace(vector_signer(), public_url=way.public_base_url)
    headers = signer.notification_headers("/dd" + NOTIFY_PATH, str(call["body"]).encode(), "1")
    result = there.invoke("receive_payment_notification", {**call, "headers": headers})
    assert (result["statusCode"], json.loads(result["body"])["responseCode"]) == (401, "4015600")


def test_the_customer_comes_back_to_the_page_that_doku_was_given(there: House, way: Way) -> None:
    linked = there.call("bind_account", binding_body())
    given = there.world.simulator.customer.complete(linked.json["redirectUrl"].rsplit("/", 1)[1]).redirect_url or ""
    assert given.startswith(way.public_base_url + "/bindings/return/")
    *_, state, outcome = given.split("/")
    event: dict[str, Any] = {
        **events(way)["return_from_binding"],
        "path": way.before_path + given.removeprefix(way.public_base_url),
        "pathParameters": {"state": state, "outcome": outcome},
    }
    assert there.invoke("return_from_binding", event)["statusCode"] == 302


def test_the_path_begins_with_the_route_at_every_door(way: Way) -> None:
    straight = {name: event for name, event in make_events(vector_signer()).items() if "httpMethod" in event}
    assert straight
    for event in straight.values():
        assert read_api_event(way.arrive(event), Context()).path == event["path"]


@pytest.mark.parametrize(
    ("route", "path", "own"),
    [
        ("/payments/{ref}", "/dd/payments/r1", "/payments/r1"),
        ("/payments/{ref}", "/dd/payments/r1/", "/payments/r1/"),
        ("/payments", "/payments/r1", "/payments/r1"),
        ("/payments/{ref}", "/r1", "/r1"),
        (None, "/dd/payments", "/dd/payments"),
        ("/payments", None, ""),
    ],
)
def test_a_path_that_does_not_end_like_its_route_stays_as_it_is(route: object, path: object, own: str) -> None:
    event = {"httpMethod": "GET", "requestContext": {}, "resource": route, "path": path}
    assert read_api_event(event, Context()).path == own
