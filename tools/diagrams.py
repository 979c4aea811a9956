"""Draw the state machines from their tables: `python -m tools.diagrams` writes docs/states.md, `--check` compares."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path

from direct_debit.domain.binding import BINDING_TRANSITIONS
from direct_debit.domain.payment import PAYMENT_TRANSITIONS, PaymentEvent
from direct_debit.domain.refund import REFUND_TRANSITIONS
from direct_debit.domain.transitions import TransitionTable
from tools.ends import BINDING_ENDS, PAYMENT_ENDS, REFUND_ENDS, Rests, Waits, tell

PAGE = Path(__file__).parent.parent / "docs" / "states.md"

_HEAD = """# States

Generated from the transition tables by `make diagrams`; `make test` fails when this page and the tables differ.

An event that a table does not name changes nothing when it is a fact told by DOKU (late, repeated and reordered facts
are harmless), and is refused with a conflict when it is a command.

Below each diagram: who ends each unfinished state, and by when whatever happens. Times are those of the standard
settings, from the last sending of a payment or its code, from a refund's request or redrive, from the start of a link
or an unlinking; the look itself may come minutes later. Then, for each state at rest, what can still be done, by whom.
"""


def draw() -> str:
    """Return the page: one Mermaid diagram for each machine, with the ends of its states."""
    sections = (
        _section(PAYMENT_TRANSITIONS, PAYMENT_ENDS),
        _section(REFUND_TRANSITIONS, REFUND_ENDS),
        _section(BINDING_TRANSITIONS, BINDING_ENDS),
    )
    return "\n".join((_HEAD, *sections))


def _section[S: StrEnum, E: StrEnum](table: TransitionTable[S, E], ends: Mapping[S, Waits | Rests]) -> str:
    arrows: dict[tuple[str, str], list[str]] = {}
    for situation, event, following in table:
        arrows.setdefault((situation, following), []).append(event)
    lines = [f"    [*] --> {_node(table.initial)}"]
    lines += [f"    {_node(start)} --> {_node(end)}: {', '.join(events)}" for (start, end), events in arrows.items()]
    names = sorted({name for pair in arrows for name in pair if _node(name) != name})
    aliases = [f'    state "{name}" as {_node(name)}' for name in names]
    commands = ", ".join(f"`{event}`" for event in sorted(table.commands))
    diagram = _fenced(f"{table.machine.capitalize()} (commands: {commands})", [*aliases, *lines])
    return "\n".join([diagram, *_unfinished(ends), "", *_at_rest(table, ends), ""])


def _unfinished[S: StrEnum](ends: Mapping[S, Waits | Rests]) -> Iterator[str]:
    yield "| Unfinished | Ended by | Otherwise | At the latest |"
    yield "|---|---|---|---|"
    for state, end in ends.items():
        if isinstance(end, Waits):
            limit = "" if end.bound is None else f"after {tell(end.bound)}: "
            yield f"| `{state}` | {end.mover} | {end.net} | {limit}{end.then} |"


def _at_rest[S: StrEnum, E: StrEnum](table: TransitionTable[S, E], ends: Mapping[S, Waits | Rests]) -> Iterator[str]:
    yield "| At rest | Customer | Merchant | Operator | DOKU may still say |"
    yield "|---|---|---|---|---|"
    for state, end in ends.items():
        if isinstance(end, Rests):
            facts: dict[str, list[str]] = {}
            for situation, event, following in table:
                if situation == state and event not in table.commands and event != PaymentEvent.REFUND_COMPLETED:
                    facts.setdefault(following, []).append(event)
            told = "; ".join(f"{', '.join(events)}: `{following}`" for following, events in facts.items())
            yield f"| `{state}` | {end.customer} | {end.merchant} | {end.operator} | {told or 'nothing'} |"


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
