"""Every reader, in processes of its own: guided by atheris where it is, else without guidance."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from importlib.util import find_spec

from tests.fuzz.state import State
from tests.fuzz.target import Finding, Target
from tests.fuzz.unguided import run_unguided

CASES = 20_000  # of each reader, for N=1; a hundred times as many are a release's
_FINDING = "finding.json"
_UNITS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_INTERRUPTED = "libFuzzer: run interrupted"
_COVERED = re.compile(r"#\d+\s.*?cov: (\d+)")


@dataclass(frozen=True, slots=True)
class Tried:
    """What a run came to. `covered` are the places of the code that atheris saw; None without it."""

    name: str
    cases: int
    finding: Finding | None
    covered: int | None = None


def fuzz_readers(targets: list[Target], cases: int, seed: int, state: State, jobs: int) -> Iterator[Tried]:
    """Fuzz each target and yield what it came to, as it ends."""
    run = _run_guided if find_spec("atheris") else _run_here
    with ThreadPoolExecutor(jobs) as pool:
        runs = [pool.submit(run, target, cases, state.next_seed(target.name, seed), state) for target in targets]
        for done in as_completed(runs):
            yield done.result()


def _run_here(target: Target, cases: int, seed: int, _: State) -> Tried:
    tried, finding = run_unguided(target, cases, seed)
    return Tried(target.name, tried, finding)


def _run_guided(target: Target, cases: int, seed: int, state: State) -> Tried:
    folder = state.folder / target.name
    command = [sys.executable, "-m", "tests.fuzz.guided", target.name, str(cases), str(seed), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    told = folder / _FINDING
    if told.is_file():
        found = json.loads(told.read_text())
        return Tried(target.name, found["tried"], Finding(target.name, base64.b64decode(found["data"]), found["error"]))
    units = _UNITS.search(done.stderr)
    if units is not None and _INTERRUPTED in done.stderr:
        return Tried(target.name, int(units[1]), None)
    if done.returncode != 0 or units is None:  # it hung, or used too much memory: libFuzzer left the input
        last = "\n".join(done.stderr.splitlines()[-8:])
        files = sorted(folder.glob("[a-z]*-*"), key=lambda file: file.stat().st_mtime)
        data = files[-1].read_bytes() if files else b""
        return Tried(
            target.name, int(units[1]) if units else 0, Finding(target.name, data, f"the process ended: {last}")
        )
    covered = _COVERED.findall(done.stderr)
    return Tried(target.name, int(units[1]), None, int(covered[-1]) if covered else None)
