"""One seed is one history: in this process, in another, whatever the hash seed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.coverage import Coverage
from tests.simulation.history import run_history
from tests.simulation.search import run_chunk, search

ROOT = Path(__file__).parents[2]
_PATH = [str(ROOT), str(ROOT / "layers/doku_snap/python"), str(ROOT / "layers/direct_debit/python")]
_ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(_PATH)}
SEEDS = (3, 17, 42)
# Whatever starts the tests may have them ignore Ctrl-C, which children would inherit.
_WITH_CTRL_C = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
_PRINT = """
import sys
from tests.simulation.coverage import Coverage
from tests.simulation.history import run_history
for seed in map(int, sys.argv[1:]):
    print(run_history(seed, Coverage()).digest)
"""


def test_the_same_seed_gives_the_same_history() -> None:
    coverage = Coverage()
    first = [run_history(seed, coverage).digest for seed in SEEDS]
    again = [run_history(seed, coverage, keep_trace=True).digest for seed in reversed(SEEDS)]
    assert first == list(reversed(again))
    assert len(set(first)) == len(SEEDS)


@pytest.mark.parametrize("hash_seed", ["1", "12345"])
def test_the_same_seed_gives_the_same_history_in_every_process(hash_seed: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", _PRINT, *map(str, SEEDS)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**_ENVIRONMENT, "PYTHONHASHSEED": hash_seed},
    )
    assert answer.stdout.split() == [run_history(seed, Coverage()).digest for seed in SEEDS]


def test_an_interrupted_search_goes_on_where_it_ended(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    search(0, 3, state=state)
    resumed = search(0, 6, state=state)
    whole = run_chunk(range(6))
    assert resumed.following == 6
    assert resumed.coverage == whole.coverage
    assert resumed.simulated_days == pytest.approx(whole.simulated_days)


def test_ctrl_c_ends_a_search_without_a_traceback_and_keeps_it(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    search_for_long = ["-m", "tests.simulation", "--seeds", "1000000", "--jobs", "2", "--state", str(state)]
    process = subprocess.Popen(
        [sys.executable, "-c", _WITH_CTRL_C, *search_for_long],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=_ENVIRONMENT,
        start_new_session=True,
    )
    try:
        while not state.exists() and process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers get it too
        shown, complaints = process.communicate()
    finally:
        process.kill()
    assert "the same command goes on from here" in shown
    assert complaints == ""
    assert process.returncode == 130
    assert json.loads(state.read_text())["following"] > 0


def test_a_state_of_another_search_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    search(0, 1, state=state)
    with pytest.raises(SystemExit, match="started at 0"):
        search(5, 1, state=state)
