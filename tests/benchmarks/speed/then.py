"""P3, for comparison: today's payment beside a floor that makes the calls of the day when the goals were set.

The trial behind the goals measured all its steps beside that one floor (1D 5r 2w), so calls that were saved counted as
speed. Beside a floor with the same calls they do not count, on either side.
"""

import statistics
from collections.abc import Iterator

from tests.benchmarks.speed.row import Row
from tests.benchmarks.speed.samples import Samples, record
from tests.benchmarks.speed.scripts import Script

_FUNCTION = "MakePayment"
_READS_THEN = 5
_SETTLING = 3


def measure_payment_then(samples: Samples) -> Iterator[Row]:
    """Return the row; it has no goal."""
    ours: list[float] = []
    floor: list[float] = []
    for _ in range(samples.effort.warm_pairs):
        report, _, scripts = record(samples.bench, _FUNCTION, samples.effort.events)
        ours += report.requests[_SETTLING:]
        floor += samples.bench.run_floor([_with_reads(one) for one in scripts]).requests[_SETTLING:]
    mine, other = statistics.median(ours), statistics.median(floor)
    yield Row(
        measure="P3",
        what=f"warm {_FUNCTION}, floor with then's calls",
        ours=mine * 1e3,
        other=other * 1e3,
        ratio=mine / other,
        unit="CPU ms",
        note=f"the floor reads {_READS_THEN} times, as the payment did when the goals were set",
    )


def _with_reads(script: Script) -> Script:
    """Repeat the script's first read until there are so many."""
    calls = list(script["calls"])
    read = next(call for call in calls if call["target"].endswith(".GetItem"))
    missing = _READS_THEN - sum(1 for call in calls if call["target"].endswith(".GetItem"))
    return {**script, "calls": [*[read] * missing, *calls]}
