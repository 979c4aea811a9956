"""The search: many seeds on several processes, resumable, with its counters added up."""

from __future__ import annotations

import gc
import json
import multiprocessing
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.simulation.coverage import Coverage
from tests.simulation.history import run_history

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 50
MICROSECONDS_A_DAY = 86_400 * 1_000_000


@dataclass(slots=True)
class Finding:
    """A seed whose history broke a promise."""

    seed: int
    violations: list[str]


@dataclass(slots=True)
class Report:
    """What a search has done so far. `following` is the first seed that is not done."""

    start: int
    following: int
    coverage: Coverage = field(default_factory=Coverage)
    findings: list[Finding] = field(default_factory=list)
    simulated_days: float = 0.0
    seconds: float = 0.0

    def summary(self) -> str:
        """Return the totals as one line."""
        totals = self.coverage.totals
        rate = totals["histories"] / self.seconds if self.seconds else 0.0
        return (
            f"{totals['histories']:,} histories, {totals['orders']:,} orders, {totals['requests']:,} requests, "
            f"{totals['effects']:,} side effects, {totals['faults']:,} faults injected, "
            f"{sum(self.coverage.happenings.values()):,} happenings, {self.simulated_days:,.0f} days simulated, "
            f"{self.seconds:.0f} s, {rate:.0f} histories/s, {len(self.findings)} with a violation"
        )


def search(
    start: int,
    count: int,
    *,
    jobs: int = 1,
    state: Path | None = None,
    progress: Callable[[Report], None] = lambda _: None,
) -> Report:
    """Live through `count` seeds from `start` on. With `state` the search goes on where an earlier one has ended."""
    report = _load(state, start) if state is not None else None
    report = report or Report(start, start)
    begun = time.perf_counter() - report.seconds
    for chunk in _run(range(report.following, start + count), jobs):
        report.coverage.add(chunk.coverage)
        report.findings.extend(chunk.findings)
        report.simulated_days += chunk.simulated_days
        report.following = chunk.following
        report.seconds = time.perf_counter() - begun
        if state is not None:
            _save(report, state)
        progress(report)
    return report


def _run(seeds: range, jobs: int) -> Iterator[Report]:
    chunks = [range(begin, min(begin + CHUNK, seeds.stop)) for begin in range(seeds.start, seeds.stop, CHUNK)]
    if jobs <= 1:
        yield from map(run_chunk, chunks)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs, prepare_worker) as pool:
        yield from pool.imap(run_chunk, chunks)


def prepare_worker() -> None:
    """Leave Ctrl-C to the process that started this one, and the collector calm."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    calm_collector()


def calm_collector() -> None:
    """Most garbage of a history dies with it: look for the rest now and then, and not at the modules each time."""
    gc.disable()
    gc.collect()
    gc.freeze()


def run_chunk(seeds: Sequence[int]) -> Report:
    """Live through some seeds."""
    report = Report(seeds[0], seeds[-1] + 1)
    for seed in seeds:
        history = run_history(seed, report.coverage)
        report.simulated_days += history.simulated / MICROSECONDS_A_DAY
        if history.violations:
            report.findings.append(Finding(seed, history.violations))
    gc.collect()
    return report


def say(*lines: str) -> None:
    """Print lines at once, so that a pipe shows them as they come."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def commit() -> str:
    """Return the commit of this checkout, for the line that repeats a finding."""
    answer = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S607 - the developer's git
    return answer.stdout.strip() or "unknown"


def _save(report: Report, path: Path) -> None:
    coverage = {name: list(getattr(report.coverage, name).items()) for name in report.coverage.__slots__}
    document = {
        "commit": commit(),
        "start": report.start,
        "following": report.following,
        "seconds": report.seconds,
        "simulatedDays": report.simulated_days,
        "findings": [[finding.seed, finding.violations] for finding in report.findings],
        "coverage": coverage,
    }
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(document))
    fresh.replace(path)


def _load(path: Path, start: int) -> Report | None:
    if not path.exists():
        return None
    document = json.loads(path.read_text())
    if document["start"] != start:
        raise SystemExit(f"{path} belongs to a search that started at {document['start']}")
    if document["commit"] != commit():
        raise SystemExit(f"{path} belongs to commit {document['commit']}; remove it to begin anew")
    report = Report(start, document["following"])
    report.seconds = document["seconds"]
    report.simulated_days = document["simulatedDays"]
    report.findings = [Finding(seed, violations) for seed, violations in document["findings"]]
    for name, items in document["coverage"].items():
        counter: Counter[object] = getattr(report.coverage, name)
        counter.update({tuple(key) if isinstance(key, list) else key: value for key, value in items})
    return report
