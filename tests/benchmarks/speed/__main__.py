"""python -m tests.benchmarks.speed [--only P1,P3] [--quick]

Prints the measures of issue 12 with their goals, and writes build/bench.json; exit status 1 when a goal is missed or
could not be measured.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.speed.cold import measure_compiled, measure_first_payment, measure_memory, measure_modules
from tests.benchmarks.speed.flame import draw_flames
from tests.benchmarks.speed.fleet import measure_fleet
from tests.benchmarks.speed.growth import measure_growth
from tests.benchmarks.speed.peer import measure_peer
from tests.benchmarks.speed.row import Row, describe
from tests.benchmarks.speed.runs import Bench, running_stage
from tests.benchmarks.speed.samples import QUICK, Effort, Samples
from tests.benchmarks.speed.size import measure_size
from tests.benchmarks.speed.then import measure_payment_then
from tests.benchmarks.speed.units import measure_write_units
from tests.benchmarks.speed.warm import measure_functions, measure_notifications
from tools.local_cloud import sam
from tools.local_cloud.checkout import ROOT

RESULT = ROOT / "build" / "bench.json"

type Measures = Mapping[str, Iterable[Callable[[Samples], Iterable[Row]]]]

MEASURES: Measures = {
    "P1": [measure_first_payment],
    "P2": [measure_compiled],
    "P3": [measure_functions, measure_payment_then],
    "P4": [measure_peer],
    "P6": [measure_notifications],
    "P7": [measure_memory, lambda samples: measure_size(samples.bench.build)],
    "P8": [lambda samples: measure_growth(samples.bench.build, samples.effort)],
    "P9": [lambda _: measure_fleet()],
    "P10": [measure_modules],
    "P11": [lambda _: measure_write_units()],
    "flame": [lambda samples: draw_flames(samples, RESULT.parent)],
}


def main() -> int:
    """Measure, print, write, and say by the exit status whether the goals were met."""
    parser = argparse.ArgumentParser(description="How fast the built application is.")
    parser.add_argument("--only", default=",".join(MEASURES), help="some measures, separated by commas")
    parser.add_argument("--quick", action="store_true", help="fewer runs: for a look, not for a record")
    given = parser.parse_args()
    chosen = given.only.split(",")
    unknown = sorted(set(chosen) - set(MEASURES))
    if unknown:
        parser.error(f"no such measure: {', '.join(unknown)}; there are {', '.join(MEASURES)}")
    began = time.monotonic()
    rows: list[Row] = []
    RESULT.parent.mkdir(exist_ok=True)
    with ExitStack() as resources:
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory()))
        build = sam.build(folder / "build.log").resolve()
        stage = resources.enter_context(running_stage(folder))
        samples = Samples(Bench(build, stage, folder), QUICK if given.quick else Effort())
        for name in MEASURES:
            if name in chosen:
                for measure in MEASURES[name]:
                    rows.extend(measure(samples))
    sys.stdout.write(describe(rows))
    sys.stdout.write(f"{time.monotonic() - began:.0f} s, build {build.name}\n")
    RESULT.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    return 1 if any(row.is_missed for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
