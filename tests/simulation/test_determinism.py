"""One seed is one history: in this process, in another, whatever the hash seed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.coverage import Coverage
from tests.simulation.history import run_history
from tests.simulation.search import run_chunk, search

ROOT = Path(__file__).parents[2]
SEEDS = (3, 17, 42)
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
    path = os.pathsep.join([str(ROOT), str(ROOT / "layers/doku_snap/python"), str(ROOT / "layers/direct_debit/python")])
    answer = subprocess.run(
        [sys.executable, "-c", _PRINT, *map(str, SEEDS)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path},
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


def test_a_state_of_another_search_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    search(0, 1, state=state)
    with pytest.raises(SystemExit, match="started at 0"):
        search(5, 1, state=state)
