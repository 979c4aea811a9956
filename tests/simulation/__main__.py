"""`python -m tests.simulation`: search, replay a seed, try the mutants, or live through a month."""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path

from tests.simulation.coverage import Coverage, find_gaps
from tests.simulation.history import run_history
from tests.simulation.search import Finding, Report, commit, say, search

ENOUGH_FOR_GAPS = 8_000  # histories; with fewer a rare event may be missing by chance
SHOWN = 10
SHOWN_LINES = 60
_INTERRUPTED = 130  # what a shell says of a command that Ctrl-C has ended
TOLD = Path(__file__).parents[2] / ".local" / "simulation"
_NAMES = re.compile(r"\b(?:ORDER\d{7}|[A-Z0-9]{12}|C\d+|[0-9a-f]{32})\b")  # references, customers, bindings


def main() -> int:
    """Return 0 when nothing was found, 130 when it was interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000, help="how many histories")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--state", type=Path, help="a file to go on from, after an interruption")
    parser.add_argument("--replay", type=int, metavar="SEED", help="print one history, line by line")
    parser.add_argument("--mutants", action="store_true", help="try the deliberate bugs instead")
    parser.add_argument("--only", default="", help="mutants whose name contains this")
    parser.add_argument("--month", action="store_true", help="a month of 1,000 customers, for its speed")
    arguments = parser.parse_args()
    try:
        return _do(arguments)
    except KeyboardInterrupt:
        kept = "the same command goes on from here" if arguments.state else "with STATE=file it could go on"
        say("", f"interrupted; {kept}")
        return _INTERRUPTED


def _do(arguments: argparse.Namespace) -> int:
    if arguments.replay is not None:
        return _replay(arguments.replay)
    if arguments.mutants:
        from tests.simulation.mutants import run_mutants  # noqa: PLC0415 - it patches the product

        return run_mutants(arguments.jobs, only=arguments.only)
    if arguments.month:
        from tests.simulation.month import run_month  # noqa: PLC0415 - one command needs it

        return run_month()
    return _search(arguments.start, arguments.seeds, arguments.jobs, arguments.state)


def _replay(seed: int) -> int:
    history = run_history(seed, Coverage(), keep_trace=True)
    say(*history.trace)
    say(f"seed={seed} commit={commit()} digest={history.digest}")
    say(str(history.plan))
    for violation in history.violations or ["no violation"]:
        say(violation)
    return 1 if history.violations else 0


def _search(start: int, seeds: int, jobs: int, state: Path | None) -> int:
    shown = 0
    last = time.monotonic()

    def progress(report: Report) -> None:
        nonlocal shown, last
        for finding in report.findings[shown:]:
            if shown < SHOWN:
                say(f"seed={finding.seed} commit={commit()} layer=simulation {finding.violations[0]}")
            shown += 1
        if time.monotonic() - last > 30:
            last = time.monotonic()
            say(f"... next seed {report.following}: {report.summary()}")

    report = search(start, seeds, jobs=jobs, state=state, progress=progress)
    say(report.summary())
    ends = report.coverage.ends.most_common()
    say("ends: " + ", ".join(f"{name} {count}" for name, count in ends))
    failed = bool(report.findings)
    if report.coverage.totals["histories"] >= ENOUGH_FOR_GAPS:
        gaps = find_gaps(report.coverage)
        say(*gaps)
        failed = failed or bool(gaps)
        say(f"{len(gaps)} gaps in what was exercised")
    if report.findings:
        tell(report.findings[0])
    return 1 if failed else 0


def tell(finding: Finding) -> None:
    """Live through a found history again: all of it into a file, what its violation is about onto the screen."""
    history = run_history(finding.seed, Coverage(), keep_trace=True)
    TOLD.mkdir(parents=True, exist_ok=True)
    file = TOLD / f"seed-{finding.seed}.txt"
    file.write_text("\n".join([*history.trace, str(history.plan), *history.violations, ""]))
    about = set(_NAMES.findall(" ".join(history.violations)))
    lines = [line for line in history.trace if not about or any(name in line for name in about)]
    say("", f"seed {finding.seed}, what concerns {', '.join(sorted(about)) or 'it'}:", *lines[-SHOWN_LINES:])
    say(*history.violations, f"the whole history: {file}; again: make simulate REPLAY={finding.seed}")


if __name__ == "__main__":
    sys.exit(main())
