"""P7: how large a function is unzipped, with its layers and the bytecode, without the SDK that Lambda brings."""

from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.speed.goals import UNZIPPED_MIB
from tests.benchmarks.speed.row import Row
from tests.benchmarks.speed.runs import LAYERS


def measure_size(build: Path) -> Iterator[Row]:
    """Return the row."""
    sizes = {name: _size(build / name) / 2**20 for name in (*LAYERS, "MakePayment")}
    total = sum(sizes.values())
    yield Row(
        measure="P7",
        what="layers and function, unzipped",
        ours=total,
        unit="MiB",
        goal=f"<= {UNZIPPED_MIB:g}",
        met=total <= UNZIPPED_MIB,
        note=", ".join(f"{name} {size:.1f}" for name, size in sizes.items()),
    )


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
