"""One process, one mutant: its tests, then histories of the simulation, until one notices.

The process is forked from one that has imported and collected everything, so that a trial begins at once, and ends
without leaving a trace.
"""

from __future__ import annotations

import gc
import json
import math
import os
import resource
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.mutants import Mutant
from tests.mutation.plant import DoesNotFit, plant
from tests.simulation.coverage import Coverage
from tests.simulation.history import run_history

FOUND, SURVIVED, UNREACHED, UNFIT = "found", "survived", "unreached", "unfit"
ENDLESS = "takes for ever"
_MEMORY = 4 << 30
_TIMES_AS_LONG = 10  # as without the mutant, before a step counts as endless
_AT_LEAST = 10  # seconds of the processor, since many a step takes next to none


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant: found by whom, or why not; and the seconds of the processor that it took."""

    name: str
    outcome: str
    by: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Step:
    """A test or a history: how long it takes without a mutant, and whether it fails now."""

    name: str
    seconds: float
    fails: Callable[[], bool]


@dataclass(slots=True)
class Running:
    """A trial in its own process; what it says comes through the pipe, line by line."""

    mutant: Mutant
    pid: int
    pipe: int
    said: str = ""

    def wait(self) -> Verdict:
        """Wait for the end, and read the last word; the limit of its processor time ends a trial without one."""
        os.close(self.pipe)
        _, status, used = os.wait4(self.pid, 0)
        seconds = used.ru_utime + used.ru_stime
        lines = self.said.splitlines()
        if lines and lines[-1].startswith("{"):
            told = json.loads(lines[-1])
            return Verdict(self.mutant.name, told["outcome"], told["by"], seconds)
        during = lines[-1] if lines else "planting"
        why = ENDLESS if os.WIFSIGNALED(status) else f"ended with status {os.waitstatus_to_exitcode(status)}"
        return Verdict(self.mutant.name, FOUND, f"{why}: {during}", seconds)


def start(mutant: Mutant, steps: Sequence[Step]) -> Running:
    """Fork a process that tries a mutant."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Running(mutant, pid, reading)
    status = 1
    try:
        os.close(reading)
        _silence()
        gc.enable()  # calm for the histories' sake; tests leave garbage
        outcome, by = _try(mutant, steps, lambda line: os.write(writing, f"{line}\n".encode()))
        os.write(writing, (json.dumps({"outcome": outcome, "by": by}) + "\n").encode())
        status = 0
    finally:
        os._exit(status)  # nothing of the process that this one is a copy of may run on, whatever happened


def _silence() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _try(mutant: Mutant, steps: Sequence[Step], say: Callable[[str], object]) -> tuple[str, str]:
    if not steps:
        return UNREACHED, ""
    try:
        plant(mutant)
    except DoesNotFit as error:
        return UNFIT, str(error)
    except Exception as error:  # noqa: BLE001 - what is worked on at import fails in any way, and everybody would notice
        return FOUND, f"import: {type(error).__name__}"
    for step in steps:
        say(step.name)
        _limit(step.seconds)
        if step.fails():
            return FOUND, step.name
    return SURVIVED, ""


def _limit(seconds: float) -> None:
    """Let this process be ended when the next step never ends. Processor time: a busy machine changes nothing."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = math.ceil(used.ru_utime + used.ru_stime + _AT_LEAST + _TIMES_AS_LONG * seconds)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (most, hard))


def run_item(item: pytest.Item, following: pytest.Item | None = None) -> bool:
    """Run a collected test; tell whether it failed."""
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def run_seed(seed: int) -> bool:
    """Live through a history; tell whether it breaks a promise."""
    return bool(run_history(seed, Coverage()).violations)
