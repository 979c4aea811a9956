"""The route table against the functions, the models and the template."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.route import BodyRule, Route
from tools.operations import ROUTES

REPOSITORY = Path(__file__).parents[3]


class Loader(yaml.SafeLoader):
    """Reads the template's short tags as plain values."""


Loader.add_multi_constructor("!", lambda _loader, _suffix, node: node.value)


def template_routes() -> dict[str, tuple[str, str, bool]]:
    """Function folder -> method, path, public, as the template has them."""
    template: dict[str, Any] = yaml.load((REPOSITORY / "template.yaml").read_text("utf-8"), Loader)  # noqa: S506 - a SafeLoader
    found = {}
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        for event in properties.get("Events", {}).values():
            if event["Type"] == "Api":
                call = event["Properties"]
                folder = properties["CodeUri"].removeprefix("functions/")
                found[folder] = (call["Method"], call["Path"], "Auth" in call)
    return found


def test_the_template_has_the_same_routes() -> None:
    declared = {route.name: (route.method, route.path, route.public) for route in ROUTES}
    not_merchants = ("/doku/", "/problems/")
    deployed = {name: call for name, call in template_routes().items() if not call[1].startswith(not_merchants)}
    assert deployed == declared


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_route_names_fields_that_its_request_has(route: Route[Command]) -> None:
    names = {info.alias for info in route.request.model_fields.values()}
    elsewhere = {*route.from_path.values(), *route.from_query, *route.from_headers.values(), *route.command_only}
    assert elsewhere <= names
    assert set(route.from_path) == {part[1:-1] for part in route.path.split("/") if part.startswith("{")}
    assert route.body_fields == (names - elsewhere if route.body is not BodyRule.NONE else set())
    assert (route.body is BodyRule.NONE) == (names == elsewhere)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_what_changes_something_takes_a_key_or_says_why_a_repeat_is_safe(route: Route[Command]) -> None:
    takes_key = "idempotency-key" in route.from_headers
    assert (route.repeats is not None) == (route.method != "GET" and not takes_key)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_field_states_its_rule(route: Route[Command]) -> None:
    def check(model: type[Command]) -> None:
        properties = model.model_json_schema(by_alias=True)
        for name, schema in properties["properties"].items():
            described = "description" in schema or "$ref" in schema or _inside(schema)
            assert described, f"{model.__name__}.{name} has no description"

    check(route.request)


def _inside(schema: dict[str, Any]) -> bool:
    return any("description" in part for part in schema.get("anyOf", ()))
