"""Draw the state machines from their tables: `python -m tools.diagrams` writes docs/states.md, `--check` compares."""

import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from direct_debit.domain.binding import BINDING_TRANSITIONS
from direct_debit.domain.payment import PAYMENT_TRANSITIONS
from direct_debit.domain.refund import REFUND_TRANSITIONS
from direct_debit.domain.transitions import TransitionTable

PAGE = Path(__file__).parent.parent / "docs" / "states.md"

_HEAD = """# States

Generated from the transition tables by `make diagrams`; `make test` fails when this page and the tables differ.

An event that a table does not name changes nothing when it is a fact told by DOKU (late, repeated and reordered facts
are harmless), and is refused with a conflict when it is a command.
"""


def draw() -> str:
    """Return the page: one Mermaid diagram for each machine."""
    sections = (_section(PAYMENT_TRANSITIONS), _section(REFUND_TRANSITIONS), _section(BINDING_TRANSITIONS))
    return "\n".join((_HEAD, *sections))


def _section[S: StrEnum, E: StrEnum](table: TransitionTable[S, E]) -> str:
    arrows: dict[tuple[str, str], list[str]] = {}
    for situation, event, following in table:
        arrows.setdefault((situation, following), []).append(event)
    lines = [f"    [*] --> {_node(table.initial)}"]
    lines += [f"    {_node(start)} --> {_node(end)}: {', '.join(events)}" for (start, end), events in arrows.items()]
    names = sorted({name for pair in arrows for name in pair if _node(name) != name})
    aliases = [f'    state "{name}" as {_node(name)}' for name in names]
    commands = ", ".join(f"`{event}`" for event in sorted(table.commands))
    return _fenced(f"{table.machine.capitalize()} (commands: {commands})", [*aliases, *lines])


def _fenced(title: str, lines: Iterable[str]) -> str:
    return "\n".join([f"## {title}", "", "```mermaid", "stateDiagram-v2", *lines, "```", ""])


def _node(name: str) -> str:
    """Mermaid's names are plain words; `FAILED(not_found)` gets an alias."""
    return name.replace("(", "_").replace(")", "")


def main() -> int:
    """Write the page, or with `--check` say whether it is up to date (exit status 1 when not)."""
    page = draw()
    if "--check" in sys.argv[1:]:
        if PAGE.exists() and PAGE.read_text() == page:
            return 0
        print(f"{PAGE} differs from the transition tables: run `make diagrams`", file=sys.stderr)
        return 1
    PAGE.write_text(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
