"""An operation has a place in each of these; who adds one and forgets a place reads here which, and what to do there.

docs/architecture.md, "How to add an operation".
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.route import Route
from direct_debit.entrypoint.route_groups import group_of
from tests.e2e.test_cold_start import LOADED
from tests.template import routes
from tests.template.translation import source
from tools.operations import ROUTES

ROOT = Path(__file__).parents[2]
FOLDERS = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}
ROOMS = {route.name: route for route in ROUTES}


@dataclass(frozen=True)
class Place:
    """A file, what of an operation is to be found there, and what to do where it is not."""

    file: str
    is_there: Callable[[Route[Command]], bool]
    remedy: str


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _function(route: Route[Command]) -> Mapping[str, object]:
    found: Mapping[str, object] = source()["Resources"].get(_pascal(route.name), {}).get("Properties", {})
    return found


def _handler(route: Route[Command]) -> str:
    path = ROOT / "functions" / route.name / "handler.py"
    return path.read_text() if path.exists() else ""


def _openapi() -> Mapping[str, Mapping[str, object]]:
    document: Mapping[str, Mapping[str, object]] = json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]
    return document


PLACES = (
    Place(
        "functions/NAME/handler.py",
        lambda route: f"entrypoint.operations.{route.name} import" in _handler(route),
        "import ROUTE and operate of the room; handler = open_doors(ROUTE, operate, uses=(...))",
    ),
    Place(
        "template.yaml",
        lambda route: _function(route).get("CodeUri") == f"functions/{route.name}",
        "add the function (its name in PascalCase) with CodeUri, its rights, and its route in Events",
    ),
    Place(
        "template.yaml, Events",
        lambda route: f"'Method': '{route.method}', 'Path': '{route.path}'" in str(_function(route).get("Events")),
        "give the function an event of Type Api with the method and path of the room's ROUTE",
    ),
    Place(
        "template.yaml, Outputs",
        lambda route: f"{_pascal(route.name)}Alias" in source()["Outputs"],
        "add the alias, by which workflows and operators call the function",
    ),
    Place(
        "tests/template/routes.py",
        lambda route: routes.ROUTES.get((route.method, route.path)) == _pascal(route.name),
        "name the route and its function, on purpose by hand",
    ),
    Place(
        "tests/template/routes.py, PUBLIC",
        lambda route: ((route.method, route.path) in routes.PUBLIC) == route.public,
        "a route that needs no IAM stands there too, and no other does",
    ),
    Place(
        "entrypoint/route_groups.py",
        lambda route: (group_of(route.method, route.path) is None) == route.public,
        "put the route into the group of rights that it needs; a public one into none",
    ),
    Place(
        "events/NAME.json",
        lambda route: (ROOT / "events" / f"{route.name}.json").exists(),
        "add the example to tools/make_events.py, then `make events`",
    ),
    Place(
        "docs/openapi.json",
        lambda route: route.method.lower() in _openapi().get(route.path, {}),
        "`make openapi`",
    ),
    Place(
        "docs/api.md",
        lambda route: (
            re.search(rf"`{route.method} {re.escape(route.path)}`", (ROOT / "docs" / "api.md").read_text()) is not None
        ),
        "add the route to the table, with what it answers",
    ),
    Place(
        "tests/e2e/test_cold_start.py, LOADED",
        lambda route: _pascal(route.name) in LOADED,
        "add how many modules of ours it loads: what the test says",
    ),
)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.file)
@pytest.mark.parametrize("name", ROOMS)
def test_an_operation_is_in_its_place(name: str, place: Place) -> None:
    assert place.is_there(ROOMS[name]), f"{place.file.replace('NAME', name)}: {place.remedy}"


def test_each_function_of_a_room_has_one() -> None:
    """A folder that imports a room is of the same name."""
    for folder in FOLDERS:
        text = (ROOT / "functions" / folder / "handler.py").read_text()
        for room in re.findall(r"entrypoint\.operations\.(\w+) import", text):
            assert room == folder, f"functions/{folder}/handler.py imports the room of {room}"
