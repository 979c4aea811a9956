"""Faults at every side effect: before it, after it, or instead of its answer; and the death of the process around it.

Everything that reaches out of a process (store, queues, bus, DOKU) calls `Weather.effect` with its name. The default
weather is fair. A test plans one fault; the simulation draws them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Crash(BaseException):
    """The process dies here. Not an Exception, so that no handler of the application can catch it."""


class Fault(StrEnum):
    """What may happen to one side effect."""

    NONE = "none"
    CRASH_BEFORE = "crash_before"
    CRASH_AFTER = "crash_after"
    FAIL = "fail"  # the effect does not happen, and the caller is told so
    LOSE = "lose"  # the effect happens, and its answer is lost


@dataclass(frozen=True, slots=True)
class Failures:
    """How a kind of side effect fails: what the caller sees when it did not happen, and when the answer is lost."""

    failed: Callable[[], Exception]
    lost: Callable[[], Exception]


class Weather:
    """Fair weather: every effect happens, and everybody hears of it."""

    def draw(self, name: str) -> Fault:  # noqa: ARG002 - other weathers decide by the name
        """Return what happens to the effect that is about to take place."""
        return Fault.NONE

    def effect[T](self, name: str, run: Callable[[], T], failures: Failures) -> T:
        """Let the effect happen, or not, as drawn."""
        fault = self.draw(name)
        if fault is Fault.NONE:
            return run()
        if fault is Fault.CRASH_BEFORE:
            raise Crash
        if fault is Fault.FAIL:
            raise failures.failed()
        answer = run()
        if fault is Fault.CRASH_AFTER:
            raise Crash
        del answer
        raise failures.lost()


@dataclass(slots=True)
class PlannedWeather(Weather):
    """One fault at the effect number `position` (from 0), fair weather otherwise. `names` are the effects so far."""

    position: int
    fault: Fault
    names: list[str] = field(default_factory=list)

    def draw(self, name: str) -> Fault:
        """Return the planned fault when its effect has come."""
        self.names.append(name)
        return self.fault if len(self.names) - 1 == self.position else Fault.NONE

    @property
    def struck(self) -> bool:
        """Whether the planned effect took place."""
        return len(self.names) > self.position
