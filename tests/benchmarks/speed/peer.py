"""P4: a call to DOKU by this project's signing layer, beside the same by DOKU's own library."""

import hashlib
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.speed.goals import PEER_CALLS, PEER_CALLS_AIM
from tests.benchmarks.speed.row import Row
from tests.benchmarks.speed.runs import HERE, Report
from tests.benchmarks.speed.samples import Samples
from tests.benchmarks.speed.scenes import DOKU_CALL
from tools.local_cloud.checkout import ROOT

_ENVIRONMENT = ROOT / ".tools" / "peers"
_LOCK = HERE / "peers.txt"
_OTP_PENDING = "4035413"  # CIMB's normal answer to a payment
_WHAT = "payments at DOKU in the time of one by its own library"
_SETTLING = 3


def measure_peer(samples: Samples) -> Iterator[Row]:
    """Return the row."""
    goal = f">= {PEER_CALLS:g} (aim {PEER_CALLS_AIM:g})"
    problem = _install()
    if problem:
        yield Row(measure="P4", what=_WHAT, goal=goal, note=f"not measured: {problem}")
        return
    bench, effort = samples.bench, samples.effort
    ours: list[float] = []
    theirs: list[float] = []
    requests = 0
    for _ in range(effort.warm_pairs):
        ours += _times(bench.run_signing_layer(bench.stage.prepare(DOKU_CALL, effort.events)))
        events = bench.stage.prepare(DOKU_CALL, effort.events)
        theirs += _times(bench.run_peer(_ENVIRONMENT / "bin" / "python", events))
        requests += len(bench.stage.recording())
    ratio = statistics.median(theirs) / statistics.median(ours)
    yield Row(
        measure="P4",
        what=_WHAT,
        ours=statistics.median(ours) * 1e3,
        other=statistics.median(theirs) * 1e3,
        ratio=ratio,
        unit="CPU ms",
        goal=goal,
        met=ratio >= PEER_CALLS,
        note=f"{requests / effort.warm_pairs / effort.events:.1f} requests each by the library, over new connections",
    )


def _times(report: Report) -> list[float]:
    for answer in report.answers:
        if answer["code"] != _OTP_PENDING:
            raise RuntimeError(f"DOKU answered {answer}")
    return list(report.requests[_SETTLING:])


def _install() -> str:
    """Make the library's environment what the lock file says; return why that could not be done, nothing if it was."""
    stamp = _ENVIRONMENT / ".locked"
    wanted = hashlib.sha256(_LOCK.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return ""
    found = _run([sys.executable, str(ROOT / "tools" / "bootstrap.py"), "--uv"])
    uv = found.stdout.strip()
    python = _ENVIRONMENT / "bin" / "python"
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(_ENVIRONMENT)],
        [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(_LOCK)],
    ):
        done = _run(command)
        if done.returncode != 0:
            return f"its packages could not be installed ({(done.stderr.strip().splitlines() or ['?'])[-1]})"
    stamp.write_text(wanted)
    return ""


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    return subprocess.run(command, env=environment, cwd=Path(ROOT), capture_output=True, text=True, check=False)
