"""P1, P2, P10 and P7's memory: what a start takes, in time, modules and memory."""

import statistics
from collections.abc import Iterator

from tests.benchmarks.speed.goals import COLD, COLD_AIM, COMPILED, MEMORY_MIB
from tests.benchmarks.speed.row import Row
from tests.benchmarks.speed.samples import Samples
from tests.benchmarks.speed.scenes import SCENES
from tests.e2e.loaded import read_loaded

_PAYMENT = "MakePayment"


def measure_first_payment(samples: Samples) -> Iterator[Row]:
    """P1: from nothing to the first payment's answer."""
    sample = samples.cold(_PAYMENT)
    ours, floor = sample.cold
    ratio = ours / floor
    without = (ours - sample.start) / (floor - sample.start)
    yield Row(
        measure="P1",
        what="init and first payment",
        ours=ours * 1e3,
        other=floor * 1e3,
        ratio=ratio,
        unit="CPU ms",
        goal=f"<= {COLD:g} (aim {COLD_AIM:g})",
        met=ratio <= COLD,
        note=f"{sample.letters()}; {sample.cold_spread}; "
        f"{without:.2f} without the interpreter's own {sample.start * 1e3:.0f} ms",
    )


def measure_compiled(samples: Samples) -> Iterator[Row]:
    """P2: modules without bytecode, of all functions, to the end of their run."""
    compiled = {name: samples.warm(name).pairs[0].ours.compiled for name in sorted(SCENES)}
    count = max(map(len, compiled.values()))
    worst = max(compiled, key=lambda name: len(compiled[name]))
    yield Row(
        measure="P2",
        what="modules compiled, of any function",
        ours=count,
        unit="modules",
        goal=f"<= {COMPILED}",
        met=count <= COMPILED,
        note=f"{worst}: {compiled[worst][0]} ..." if count else "",
    )


def measure_memory(samples: Samples) -> Iterator[Row]:
    """P7: memory after the first payment."""
    pairs = samples.cold(_PAYMENT).pairs
    ours = statistics.median(pair.ours.first_kib for pair in pairs) / 1024
    yield Row(
        measure="P7",
        what="memory after the first payment",
        ours=ours,
        other=statistics.median(pair.floor.first_kib for pair in pairs) / 1024,
        unit="MiB",
        goal=f"<= {MEMORY_MIB:g}",
        met=ours <= MEMORY_MIB,
        note=f"at most {max(pair.ours.peak_kib for pair in pairs) / 1024:.1f}",
    )


def measure_modules(samples: Samples) -> Iterator[Row]:
    """P10: modules of ours that a function loads at its start, against tests/e2e/loaded_modules.json."""
    listed = read_loaded()
    for name in sorted(SCENES):
        report = samples.warm(name).pairs[0].ours
        loaded = len(report.ours)
        yield Row(
            measure="P10",
            what=f"modules of {name}",
            ours=loaded,
            unit="modules",
            goal=f"<= {len(listed[name])}",
            met=loaded <= len(listed[name]),
            note=f"of {report.modules} in all; {len(report.ours_later)} after the requests",
        )
