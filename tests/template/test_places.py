"""An operation has a place in each of these; who adds one and forgets a place reads here which, and what to do there.

docs/architecture.md, "How to add an operation".
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from pydantic.alias_generators import to_camel

from direct_debit.entrypoint import operations
from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.route import Route
from direct_debit.entrypoint.route_groups import group_of
from tests.e2e.loaded import read_loaded
from tests.template import routes
from tests.template.translation import as_list, source

ROOT = Path(__file__).parents[2]
FOLDERS = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}
MODULES = {room.name: import_module(f"{operations.__name__}.{room.name}") for room in iter_modules(operations.__path__)}
ROOMS: Mapping[str, Route[Command]] = {name: room.ROUTE for name, room in MODULES.items() if hasattr(room, "ROUTE")}
# Behind the API without a room: DOKU's own calls, and the page of a problem.
WITHOUT_ROOM = {"ExplainProblem", "IssueToken", "ReceivePaymentNotification", "ReceiveBindingNotification"}
# The services that keep something, which an operator's own key is used for.
KEEPERS = {"dynamodb", "sqs", "secretsmanager"}


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


def _needs_the_key(route: Route[Command]) -> bool:
    """Whether the function's rights are on what is kept."""
    policies = as_list(_function(route).get("Policies", []))
    statements = [one for policy in policies for one in as_list(policy.get("Statement", []))]
    actions = re.findall(r"'Action': (\[.*?\]|'.*?')", str(statements))
    return any(f"'{keeper}:" in one for one in actions for keeper in KEEPERS)


def _has_the_key(route: Route[Command]) -> bool:
    roles = source()["Resources"]["KeyUse"]["Properties"]["Roles"]
    return {"Ref": f"{_pascal(route.name)}Role"} in roles


def _is_in_client_ts(route: Route[Command]) -> bool:
    text = (ROOT / "clients" / "typescript" / "src" / "client.ts").read_text()
    return re.search(rf"^  (async )?{to_camel(route.name)}\(", text, re.MULTILINE) is not None


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
        "template.yaml, KeyUse",
        lambda route: _has_the_key(route) == _needs_the_key(route),
        "a function that reads or writes what is kept has its role there, and no other has: "
        "add `!Ref <Function>Role` to its Roles, or take it away",
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
        "events/NAME_direct.json",
        lambda route: (ROOT / "events" / f"{route.name}_direct.json").exists(),
        "add the plain command to `direct` in tools/make_events.py, then `make events`",
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
        "clients/typescript/src/client.ts",
        lambda route: route.public or _is_in_client_ts(route),
        "add a method of the operation's name (camelCase), then `make clients`",
    ),
    Place(
        "tests/e2e/loaded_modules.json",
        lambda route: _pascal(route.name) in read_loaded(),
        "list which modules of ours it loads: `python -m tests.e2e.loaded` writes the file anew",
    ),
)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.file)
@pytest.mark.parametrize("name", ROOMS)
def test_an_operation_is_in_its_place(name: str, place: Place) -> None:
    assert place.is_there(ROOMS[name]), f"{place.file.replace('NAME', name)}: {place.remedy}"


def rooms_of(folder: str) -> list[str]:
    """The rooms that a function's front door names."""
    text = (ROOT / "functions" / folder / "handler.py").read_text()
    return re.findall(r"entrypoint\.operations\.(\w+) import", text)


@pytest.mark.parametrize("name", MODULES)
def test_a_room_has_its_route_and_its_lines(name: str) -> None:
    file = f"entrypoint/operations/{name}.py"
    for what in ("ROUTE", "operate"):
        assert hasattr(MODULES[name], what), f"{file}: give it {what}, as the rooms beside it have"
    assert ROOMS[name].name == name, f"{file}: its ROUTE is named {ROOMS[name].name}; name it {name}"


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_a_front_door_opens_the_room_of_its_name(folder: str) -> None:
    for room in rooms_of(folder):
        assert room == folder, f"functions/{folder}/handler.py imports the room of {room}: import its own"
        assert room in MODULES, f"entrypoint/operations/{room}.py is missing, which functions/{folder} opens: write it"


def functions_behind_the_api() -> list[str]:
    return [
        name
        for name, one in source()["Resources"].items()
        if one["Type"] == "AWS::Serverless::Function" and "'Type': 'Api'" in str(one["Properties"].get("Events"))
    ]


@pytest.mark.parametrize("function", sorted(set(functions_behind_the_api()) | set(routes.ROUTES.values())))
def test_a_function_behind_the_api_has_a_room(function: str) -> None:
    room = re.sub(r"(?<!^)(?=[A-Z])", "_", function).lower()
    assert function in WITHOUT_ROOM or room in MODULES, (
        f"entrypoint/operations/{room}.py is missing: template.yaml or tests/template/routes.py has {function} behind "
        "the API; write the room, or name the function in WITHOUT_ROOM of tests/template/test_places.py"
    )
    assert room in FOLDERS, f"functions/{room}/handler.py is missing: write the front door of {function}"


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_a_folder_is_a_function_of_the_template(folder: str) -> None:
    resource = source()["Resources"].get(_pascal(folder), {})
    assert resource.get("Properties", {}).get("CodeUri") == f"functions/{folder}", (
        f"template.yaml: add the function {_pascal(folder)} with CodeUri functions/{folder}, or remove the folder"
    )
    assert _pascal(folder) in read_loaded(), (
        f"tests/e2e/loaded_modules.json: list what {_pascal(folder)} loads; `python -m tests.e2e.loaded` writes it anew"
    )
