from pathlib import Path

import pytest

from tools.local_cloud import run_folder
from tools.local_cloud.failure import LocalCloudError


@pytest.fixture(autouse=True)
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The runs of these tests lie elsewhere."""
    folder = tmp_path / "runs"
    monkeypatch.setattr(run_folder, "_RUNS", folder)
    monkeypatch.setattr(run_folder, "LAST_FAILURE", tmp_path / "last-failure")
    return folder


def test_a_folder_lives_as_long_as_its_run(runs: Path) -> None:
    with run_folder.run_folder() as folder:
        (folder / "state").mkdir()
        assert folder.parent == runs
    assert list(runs.iterdir()) == []


def test_two_runs_at_once_do_not_touch_each_other() -> None:
    with run_folder.run_folder() as first, run_folder.run_folder() as second:
        assert first != second
        assert first.is_dir()


def test_what_a_killed_run_left_is_swept(runs: Path) -> None:
    (runs / "1-dead").mkdir(parents=True)
    (runs / "1-dead" / "file").touch()
    (runs / "1-dead.alive").touch()
    with run_folder.run_folder():
        assert not (runs / "1-dead").exists()
        assert not (runs / "1-dead.alive").exists()


def test_logs_of_a_failed_run_are_kept(tmp_path: Path) -> None:
    def fail() -> None:
        with run_folder.run_folder() as folder:
            (folder / "deploy.log").write_text("why")
            raise LocalCloudError("deploy failed")

    with pytest.raises(LocalCloudError):
        fail()
    assert (tmp_path / "last-failure" / "deploy.log").read_text() == "why"
