"""One folder per run under `.local/runs`, removed at the end; what a killed run left is removed by the next one."""

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from tools.local_cloud.checkout import LOCAL

_RUNS = LOCAL / "runs"
LAST_FAILURE = LOCAL / "last-failure"


@contextlib.contextmanager
def run_folder() -> Iterator[Path]:
    """Give a new folder to this run; its logs are kept as `.local/last-failure` when the run ends by an error."""
    _RUNS.mkdir(parents=True, exist_ok=True)
    _sweep()
    # Short, since sockets and MiniStack's own paths lie below it.
    folder = _RUNS / f"{os.getpid()}-{secrets.token_hex(2)}"
    folder.mkdir()
    with _alive(folder).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder
        except Exception:
            _keep_logs(folder)
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            _alive(folder).unlink(missing_ok=True)


def _alive(folder: Path) -> Path:
    """The file whose lock says that the run lives."""
    return folder.with_suffix(".alive")


def _sweep() -> None:
    for lock_file in _RUNS.glob("*.alive"):
        with lock_file.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue  # that run is alive
            shutil.rmtree(lock_file.with_suffix(""), ignore_errors=True)
            lock_file.unlink(missing_ok=True)


def _keep_logs(folder: Path) -> None:
    LAST_FAILURE.mkdir(parents=True, exist_ok=True)
    for log in folder.glob("*.log"):
        shutil.copy(log, LAST_FAILURE / log.name)
