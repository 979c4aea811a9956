"""P8: whether an operation gets dearer with the number of payments stored: its own CPU time, and its calls."""

import statistics
import tempfile
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

from tests.benchmarks.speed.goals import GROWTH
from tests.benchmarks.speed.recording import count_letters
from tests.benchmarks.speed.row import Row
from tests.benchmarks.speed.runs import Bench, running_stage
from tests.benchmarks.speed.samples import QUICK, Effort, calls_of

_STORED = {
    "MakePayment": (1_000, 100_000, 1_000_000),
    "GetPayment": (1_000, 100_000),
    "ReceivePaymentNotification": (1_000, 100_000),
    "ResolvePending": (1_000, 100_000),
}
_QUICK_STORED = {name: sizes[:2] for name, sizes in _STORED.items() if name != "ResolvePending"}
_RUNS = 3
_SETTLING = 3


def measure_growth(build: Path, effort: Effort) -> Iterator[Row]:
    """Return a row for each operation and size, beside the smallest."""
    with tempfile.TemporaryDirectory() as folder, running_stage(Path(folder)) as stage:
        bench = Bench(build, stage, Path(folder))
        for function, sizes in (_QUICK_STORED if effort == QUICK else _STORED).items():
            yield from _measure(bench, function, sizes, effort.events)


def _measure(bench: Bench, function: str, stored: Sequence[int], count: int) -> Iterator[Row]:
    """Run in one environment after the other; in each, events of the sizes take turns.

    The merchant's token of one world is good in all of them (Stage.direct).
    """
    names = [str(number) for number in stored]
    events = [
        bench.stage.prepare(function, count * _RUNS, stored=number, keep=name)
        for number, name in zip(stored, names, strict=True)
    ]
    times: list[list[float]] = [[] for _ in stored]
    calls = [""] * len(stored)
    for run in range(_RUNS):
        turns = list(product(range(run * count, (run + 1) * count), range(len(stored))))
        worlds = [names[size] for _, size in turns]
        report = bench.run_ours(function, [events[size][number] for number, size in turns], worlds)
        for position, (_, size) in enumerate(turns):
            if position >= _SETTLING * len(stored):
                times[size].append(report.requests[position])
        recording = bench.stage.recording()
        calls = [count_letters(calls_of(report, recording, size - len(stored))) for size in range(len(stored))]
    least = statistics.median(times[0])
    for number, mine, letters in zip(stored[1:], times[1:], calls[1:], strict=True):
        median = statistics.median(mine)
        yield Row(
            measure="P8",
            what=f"{function} with {number:,} payments stored",
            ours=median * 1e3,
            other=least * 1e3,
            ratio=median / least,
            unit="CPU ms",
            goal=f"<= {1 + GROWTH:g}, same calls",
            met=median / least <= 1 + GROWTH and letters == calls[0],
            note=f"{letters}; beside {stored[0]:,}: {calls[0]}",
        )
