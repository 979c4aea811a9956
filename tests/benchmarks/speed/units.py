"""P11: DynamoDB's write units of a paid order, with history, events and indexes (tests/benchmarks/cost.py counts)."""

from collections.abc import Iterator

from tests.benchmarks.cost import ORDER, measure
from tests.benchmarks.speed.goals import WRITE_UNITS
from tests.benchmarks.speed.row import Row


def measure_write_units() -> Iterator[Row]:
    """Return the row."""
    steps = {one.name: one.written for one in measure() if one.name in ORDER}
    total = sum(steps.values())
    yield Row(
        measure="P11",
        what="write units per paid order",
        ours=total,
        unit="units",
        goal=f"<= {WRITE_UNITS}",
        met=total <= WRITE_UNITS,
        note=", ".join(f"{name} {written}" for name, written in steps.items()),
    )
