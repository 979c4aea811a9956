"""P8: whether an operation gets dearer with the number of payments stored: its own CPU time, and its calls.

A hundred thousand lie in moto's tables, beside a thousand there; a million in the memory of the store that the tests
compare with moto call by call, since to fill moto with them would take longer than all measures.
"""

import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from tests.benchmarks.speed.goals import GROWTH
from tests.benchmarks.speed.recording import count_letters
from tests.benchmarks.speed.row import Row
from tests.benchmarks.speed.runs import Bench, running_stage
from tests.benchmarks.speed.samples import QUICK, Effort, calls_of, check_done

_RUNS = 3
_SETTLING = 3
# A region for each number of payments: moto keeps apart what has one.
_REGIONS = ("ap-southeast-1", "ap-southeast-2")


@dataclass(frozen=True, slots=True)
class _Growth:
    """A function, how many payments are stored in the smaller and the larger world, and whether in moto."""

    function: str
    stored: Sequence[int]
    in_moto: bool


_HUNDREDFOLD = (1_000, 100_000)
_GROWTHS = (
    _Growth("MakePayment", (1_000, 1_000_000), in_moto=False),
    _Growth("MakePayment", _HUNDREDFOLD, in_moto=True),
    _Growth("GetPayment", _HUNDREDFOLD, in_moto=True),
    _Growth("ReceivePaymentNotification", _HUNDREDFOLD, in_moto=True),
    _Growth("ListPayments", _HUNDREDFOLD, in_moto=True),
    _Growth("ResolvePending", _HUNDREDFOLD, in_moto=True),
)


def measure_growth(build: Path, effort: Effort) -> Iterator[Row]:
    """Return a row for each operation, beside the smaller number. A quick run leaves out what takes longest."""
    with tempfile.TemporaryDirectory() as folder, running_stage(Path(folder)) as stage:
        bench = Bench(build, stage, Path(folder))
        for growth in _GROWTHS[1:4] if effort == QUICK else _GROWTHS:
            yield _measure(bench, growth, effort.events)


def _measure(bench: Bench, growth: _Growth, count: int) -> Row:
    """Run in one environment after the other; in each, events of the sizes take turns.

    The merchant's token of one world is good in all of them (Stage.direct).
    """
    function, stored = growth.function, growth.stored
    names = [str(number) for number in stored]
    events = [
        bench.stage.prepare(
            function,
            count * _RUNS,
            stored=number,
            keep=name,
            moto=region if growth.in_moto else "",
        )
        for number, name, region in zip(stored, names, _REGIONS, strict=True)
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
        check_done(function, report, recording)
        calls = [count_letters(calls_of(report, recording, size - len(stored))) for size in range(len(stored))]
    least, most = (statistics.median(mine) for mine in times)
    return Row(
        measure="P8",
        what=f"{function} with {stored[1]:,} payments stored {'in moto' if growth.in_moto else 'in memory'}",
        ours=most * 1e3,
        other=least * 1e3,
        ratio=most / least,
        unit="CPU ms",
        goal=f"<= {1 + GROWTH:g}, same calls",
        met=most / least <= 1 + GROWTH and calls[1] == calls[0],
        note=f"{calls[1]}; beside {stored[0]:,}: {calls[0]}",
    )
