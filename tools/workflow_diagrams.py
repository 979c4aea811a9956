"""Draw the workflows from their definitions: `python -m tools.workflow_diagrams` writes the pictures into
docs/workflows.md, `--check` compares. What stands outside the marked places is written by hand and kept.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from tools.marked_places import fill

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "workflows.md"
WORKFLOWS = ("link_account", "collect_payment")
# Errors that lead to the same state are one arrow, named by what they mean here.
_MANY = 2


class Branch(TypedDict, total=False):
    """A rule of a choice, or a catcher: what leads on to another state."""

    Comment: str
    Next: str
    ErrorEquals: Sequence[str]


class State(TypedDict, total=False):
    """What a picture needs of a state."""

    Type: str
    Comment: str
    Next: str
    Default: str
    Choices: Sequence[Branch]
    Catch: Sequence[Branch]
    Retry: Sequence[Branch]


class Definition(TypedDict):
    """What a picture needs of a definition."""

    Comment: str
    StartAt: str
    States: Mapping[str, State]


def read(name: str) -> Definition:
    """The definition `workflows/<name>.asl.json`."""
    definition: Definition = json.loads((ROOT / "workflows" / f"{name}.asl.json").read_text())
    return definition


def draw(name: str) -> str:
    """The picture and the table of states of one workflow, as Markdown."""
    definition = read(name)
    states = definition["States"]
    lines = ["```mermaid", "flowchart TD", f"    start([start]) --> {definition['StartAt']}"]
    lines += [f"    {state}{_shape(state, body)}" for state, body in states.items()]
    lines += [arrow for state, body in states.items() for arrow in _arrows(state, body)]
    failing = [state for state, body in states.items() if body["Type"] == "Fail"]
    lines += ["    classDef fail stroke-dasharray: 4", f"    class {','.join(failing)} fail", "```", ""]
    lines += ["| State | What it does |", "|---|---|"]
    lines += [f"| `{state}` | {body['Comment']} |" for state, body in states.items()]
    return "\n".join(lines)


def _shape(name: str, state: State) -> str:
    match state["Type"]:
        case "Choice":
            return f"{{{name}}}"
        case "Succeed" | "Fail":
            return f"([{name}])"
        case "Wait":
            return f"[/{name}/]"
        case _:
            return f"[{name}]"


def _arrows(name: str, state: State) -> Iterator[str]:
    for rule in state.get("Choices", ()):
        yield f'    {name} -- "{rule["Comment"]}" --> {rule["Next"]}'
    if "Default" in state:
        yield f'    {name} -- "else" --> {state["Default"]}'
    if "Next" in state:
        yield f"    {name} --> {state['Next']}"
    caught: dict[str, list[str]] = {}
    for catcher in state.get("Catch", ()):
        caught.setdefault(catcher["Next"], []).append(_errors(catcher["ErrorEquals"]))
    for target, errors in caught.items():
        yield f'    {name} -. "{", ".join(errors)}" .-> {target}'
    if state.get("Retry"):
        yield f'    {name} -. "again on transient errors" .-> {name}'


def _errors(names: Sequence[str]) -> str:
    words = ["any other error" if name == "States.ALL" else name.removeprefix("States.") for name in names]
    return ", ".join(words) if len(words) <= _MANY else f"{words[0]}, … {words[-1]}"


def fill_page(page: str) -> str:
    """The page with every picture drawn anew. Raises ValueError when a workflow has no place."""
    return fill(page, {name: draw(name) for name in WORKFLOWS})


def main() -> int:
    """Write the page, or with `--check` say whether it is up to date (exit status 1 when not)."""
    page = PAGE.read_text()
    filled = fill_page(page)
    if "--check" in sys.argv[1:]:
        if page == filled:
            return 0
        print(f"{PAGE} differs from workflows/*.asl.json: run `make diagrams`", file=sys.stderr)
        return 1
    PAGE.write_text(filled)
    return 0


if __name__ == "__main__":
    sys.exit(main())
