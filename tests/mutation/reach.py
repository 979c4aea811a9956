"""Which lines of the product each test and each history of the simulation runs: who could notice a change at all."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import CodeType
from typing import Self

_TOOL = sys.monitoring.COVERAGE_ID

type Line = tuple[str, int]  # a file's path and a line of it


class LineRecorder:
    """Notes which lines of some files run while it is open; each line is noted once, so that it costs little."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = frozenset(paths)
        self._lines: set[Line] = set()

    def __enter__(self) -> Self:
        monitoring = sys.monitoring
        monitoring.use_tool_id(_TOOL, "mutation")
        monitoring.register_callback(_TOOL, monitoring.events.LINE, self._note)
        monitoring.set_events(_TOOL, monitoring.events.LINE)
        return self

    def __exit__(self, *_: object) -> None:
        sys.monitoring.set_events(_TOOL, sys.monitoring.events.NO_EVENTS)
        sys.monitoring.register_callback(_TOOL, sys.monitoring.events.LINE, None)
        sys.monitoring.free_tool_id(_TOOL)

    def record(self, act: Callable[[], object]) -> set[Line]:
        """Return the lines that run during an act."""
        self._lines = set()
        sys.monitoring.restart_events()
        act()
        return self._lines

    def _note(self, code: CodeType, line: int) -> object:
        if code.co_filename in self._paths:
            self._lines.add((code.co_filename, line))
        return sys.monitoring.DISABLE


@dataclass(slots=True)
class Reach:
    """Who runs a line, and how long each takes, in seconds of the processor."""

    tests: dict[str, float] = field(default_factory=dict)
    seeds: dict[int, float] = field(default_factory=dict)
    tests_of: defaultdict[Line, set[str]] = field(default_factory=lambda: defaultdict(set))
    seeds_of: defaultdict[Line, set[int]] = field(default_factory=lambda: defaultdict(set))

    def add_test(self, test: str, seconds: float, lines: Iterable[Line]) -> None:
        """Note what a test runs."""
        self.tests[test] = seconds
        for line in lines:
            self.tests_of[line].add(test)

    def add_seed(self, seed: int, seconds: float, lines: Iterable[Line]) -> None:
        """Note what a history runs."""
        self.seeds[seed] = seconds
        for line in lines:
            self.seeds_of[line].add(seed)

    def tests_for(self, lines: Iterable[Line] | None) -> set[str]:
        """Return the tests that run one of these lines; all when it is not known which lines matter."""
        if lines is None:
            return set(self.tests)
        return {test for line in lines for test in self.tests_of.get(line, ())}

    def seeds_for(self, lines: Iterable[Line] | None) -> list[int]:
        """Return the seeds whose histories run one of these lines: the others do not change with them."""
        if lines is None:
            return sorted(self.seeds)
        return sorted({seed for line in lines for seed in self.seeds_of.get(line, ())})
