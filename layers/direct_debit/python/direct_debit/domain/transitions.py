"""A state machine as data: one table that the code obeys, the tests walk and the documentation draws."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class TransitionRefused(Exception):
    """A command does not fit the state it meets. Evidence from DOKU is never refused, only ignored."""

    def __init__(self, machine: str, situation: str, event: str) -> None:
        super().__init__(f"{machine}: {event} is not possible in {situation}")
        self.machine = machine
        self.situation = situation
        self.event = event


@dataclass(frozen=True, slots=True)
class TransitionTable[S: StrEnum, E: StrEnum]:
    """All moves of one machine.

    `moves` maps (situation, event) to the next situation. `commands` are the events that somebody asks for: outside
    the table they are refused. Every other event is evidence: outside the table it changes nothing, so that late,
    repeated and reordered facts are harmless (invariant 5).
    """

    machine: str
    initial: S
    moves: Mapping[tuple[S, E], S]
    commands: frozenset[E]

    def decide(self, situation: S, event: E) -> S | None:
        """Return the next situation, or None when the event changes nothing.

        Raises TransitionRefused when a command does not fit.
        """
        following = self.moves.get((situation, event))
        if following is None and event in self.commands:
            raise TransitionRefused(self.machine, situation, event)
        return following

    def __iter__(self) -> Iterator[tuple[S, E, S]]:
        for (situation, event), following in self.moves.items():
            yield situation, event, following
