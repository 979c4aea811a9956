"""`make bench` fails on a missed goal, and on one that could not be measured."""

import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.benchmarks.speed import __main__ as bench
from tests.benchmarks.speed import peer
from tests.benchmarks.speed.row import Row, describe
from tests.benchmarks.speed.samples import Samples
from tools.local_cloud import sam

MET = Row(measure="P1", what="met", goal="<= 4", met=True)
MISSED = Row(measure="P1", what="missed", goal="<= 4", met=False)
UNMEASURED = Row(measure="P1", what="not measured", goal="<= 4")
WITHOUT_A_GOAL = Row(measure="P1", what="without a goal", ours=1)


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, measure: object) -> int:
    """Run the program with one measure, without a build and a stage."""
    monkeypatch.setattr(sam, "build", lambda _: folder)
    monkeypatch.setattr(bench, "running_stage", lambda _: nullcontext())
    monkeypatch.setattr(bench, "Bench", lambda *_: None)
    monkeypatch.setattr(bench, "MEASURES", {"P1": [measure]})
    monkeypatch.setattr(bench, "RESULT", folder / "bench.json")
    monkeypatch.setattr(sys, "argv", ["bench", "--only", "P1"])
    return bench.main()


@pytest.mark.parametrize(
    ("rows", "status"),
    [([MET, WITHOUT_A_GOAL], 0), ([WITHOUT_A_GOAL], 0), ([MET, MISSED], 1), ([MET, UNMEASURED], 1)],
)
def test_the_exit_status_says_whether_every_goal_was_met(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rows: Sequence[Row], status: int
) -> None:
    assert run(monkeypatch, tmp_path, lambda _: rows) == status
    assert len(json.loads((tmp_path / "bench.json").read_text())) == len(rows)


def test_a_library_of_dokus_that_could_not_be_installed_fails_the_bench(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peer, "_install", lambda: "its packages could not be installed (no network)")

    def measure(samples: Samples) -> Sequence[Row]:
        return list(peer.measure_peer(samples))

    assert run(monkeypatch, tmp_path, measure) == 1
    assert "FAIL  not measured: its packages could not be installed (no network)" in capsys.readouterr().out


def test_the_table_says_so_of_each_row() -> None:
    lines = describe([MET, MISSED, UNMEASURED, WITHOUT_A_GOAL]).splitlines()[1:]
    assert [line.split()[-1] for line in lines] == ["pass", "FAIL", "FAIL", "1"]
