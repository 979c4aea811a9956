"""Programs that end with us, however we end: servers that live as long as a block, and commands."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from tools.local_cloud.failure import LocalCloudError

LOOPBACK = "127.0.0.1"
_GUARD = Path(__file__).with_name("guard.py")
_LOG_LINES_IN_ERRORS = 30


@contextlib.contextmanager
def server(
    name: str,
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    folder: Path,
    log: Path,
    ready: Callable[[], bool],
    patience_seconds: float = 600.0,
    kill: bool = False,
    grace_seconds: float | None = None,
) -> Iterator[None]:
    """Run a server until the block ends; enter the block once `ready` says yes.

    `kill`: it keeps nothing, so that it is not asked to end. `grace_seconds`: how long it may take once it is asked.
    Raises LocalCloudError with the end of its log when the server ends early or is not ready in time.
    """
    with log.open("wb") as output:
        ending = ["--at-once"] if kill else [] if grace_seconds is None else [f"--grace={grace_seconds}"]
        guard = _start_guarded([*ending, *command], environment, folder, output)
        try:
            deadline = time.monotonic() + patience_seconds
            while not ready():
                if guard.poll() is not None:
                    raise LocalCloudError(f"{name} ended at once (status {guard.returncode})\n{tail(log)}")
                if time.monotonic() > deadline:
                    raise LocalCloudError(f"{name} was not ready after {patience_seconds:.0f} s\n{tail(log)}")
                time.sleep(0.05)
            yield
        finally:
            _end(guard)


def run_command(
    command: Sequence[str | Path], *, environment: Mapping[str, str], folder: Path, log: Path, timeout_seconds: float
) -> int:
    """Run a command to its end and return its status; it ends with us when we are ended. Raises TimeoutError."""
    with log.open("wb") as output:
        guard = _start_guarded(command, environment, folder, output)
        try:
            return guard.wait(timeout_seconds)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError from error
        finally:
            _end(guard)


def _start_guarded(
    command: Sequence[str | Path], environment: Mapping[str, str], folder: Path, output: IO[bytes]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(_GUARD), *map(str, command)],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        # Away from the terminal's group: Ctrl-C is for us, and the guard hears of our end by the closed pipe.
        start_new_session=True,
    )


def _end(guard: subprocess.Popen[bytes]) -> None:
    if guard.stdin is not None:
        guard.stdin.close()
    guard.wait()


def free_port(*preferred: int) -> int:
    """A TCP port of the loopback that is free now: the first of the preferred ones that is, else any."""
    for wanted in preferred:
        with socket.socket() as probe:
            # What a server may do that begins where another has just ended.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((LOOPBACK, wanted))
                return wanted
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def tail(log: Path) -> str:
    """The last lines of a log, indented."""
    if not log.exists():
        return "  (no log)"
    lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES_IN_ERRORS:]
    return "\n".join("  | " + line for line in lines) or "  (empty log)"
