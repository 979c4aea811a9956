"""What was tried so far, so that a run goes on where the one before ended: a folder with counts and inputs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

_FILE = "counts.json"


@dataclass
class Count:
    """How much was tried of one thing, in how many runs."""

    cases: int = 0
    runs: int = 0


@dataclass
class State:
    """The counts of a folder."""

    folder: Path
    _counts: dict[str, Count] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / _FILE
        if file.is_file():
            self._counts = {name: Count(**count) for name, count in json.loads(file.read_text()).items()}

    def next_seed(self, name: str, first: int) -> int:
        """Return the seed of the next run: no run repeats the one before."""
        return first + self._counts.get(name, Count()).runs

    def add(self, name: str, cases: int) -> int:
        """Note that a run tried so many; return how many all runs tried."""
        with self._lock:
            count = self._counts.setdefault(name, Count())
            count.cases += cases
            count.runs += 1
            (self.folder / _FILE).write_text(
                json.dumps({key: vars(one) for key, one in self._counts.items()}, indent=1)
            )
            return count.cases

    def __iter__(self) -> Iterator[tuple[str, Count]]:
        return iter(sorted(self._counts.items()))
