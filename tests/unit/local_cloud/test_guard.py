import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS
from tools.local_cloud import processes
from tools.local_cloud.executions import poll_until
from tools.local_cloud.failure import LocalCloudError

GUARD = Path(processes.__file__).with_name("guard.py")
# Prints its own process id and that of a child in the same group, then waits for ever; TERM is refused when asked.
SERVER = """
import os, signal, subprocess, sys
if sys.argv[1:] == ["stubborn"]:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print(os.getpid(), child.pid, flush=True)
signal.pause()
"""
# Starts the guard as `processes.server` does, hands on what the server prints, and waits to be killed.
STARTER = f"""
import signal, subprocess, sys
guard = subprocess.Popen([sys.executable, {str(GUARD)!r}, sys.executable, "-c", {SERVER!r}], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, start_new_session=True)
print(guard.pid, guard.stdout.readline().decode(), flush=True)
signal.pause()
"""


def ended(pidfd: int, patience_seconds: float = PATIENCE_SECONDS) -> bool:
    """Wait until a process is gone; False when it outlives the patience."""
    return bool(select.select([pidfd], [], [], patience_seconds)[0])


def start(*command: str) -> tuple[subprocess.Popen[bytes], list[int]]:
    """Run a program that prints process ids; returns it and handles of those processes."""
    process = subprocess.Popen([sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    return process, [os.pidfd_open(int(number)) for number in process.stdout.readline().split()]


def finish(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    process.wait()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_a_killed_starter(number: signal.Signals) -> None:
    starter, everything = start("-c", STARTER)
    assert len(everything) == 3
    starter.send_signal(number)
    assert [ended(pidfd) for pidfd in everything] == [True] * 3
    finish(starter)


@pytest.mark.parametrize("argument", [[], ["stubborn"]])
def test_closing_the_pipe_ends_the_server_and_its_children(argument: list[str]) -> None:
    process, everything = start(str(GUARD), sys.executable, "-c", SERVER, *argument)
    assert len(everything) == 2
    finish(process)
    assert [ended(pidfd) for pidfd in everything] == [True, True]


@pytest.mark.parametrize("kill", [False, True])
def test_a_server_that_keeps_nothing_is_not_asked_to_end(tmp_path: Path, kill: bool) -> None:
    log = tmp_path / "log"
    source = """
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("asked", flush=True)))
print(os.getpid(), flush=True)
while True:
    signal.pause()
"""
    with processes.server(
        "a server",
        [sys.executable, "-c", source],
        environment=os.environ,
        folder=tmp_path,
        log=log,
        ready=lambda: "\n" in log.read_text(),
        kill=kill,
    ):
        number = int(log.read_text())
    assert ("asked" in log.read_text()) is not kill
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_a_server_that_keeps_something_gets_the_time_it_needs(tmp_path: Path) -> None:
    log, release = tmp_path / "log", tmp_path / "release"
    os.mkfifo(release)
    source = f"""
import signal, sys
def end(*_):
    print("asked", flush=True)
    open({str(release)!r}).read()
    sys.exit(print("kept", flush=True))
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while True:
    signal.pause()
"""

    def let_go() -> None:
        poll_until("the question", lambda: "asked" in log.read_text(), PATIENCE_SECONDS)
        release.write_text("")

    helper = threading.Thread(target=let_go)
    with processes.server(
        "a server",
        [sys.executable, "-c", source],
        environment=os.environ,
        folder=tmp_path,
        log=log,
        ready=lambda: "ready" in log.read_text(),
        grace_seconds=PATIENCE_SECONDS,
    ):
        helper.start()
    helper.join()
    assert log.read_text().split() == ["ready", "asked", "kept"]


def test_a_server_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no such port'); raise SystemExit(3)"]
    server = processes.server(
        "a server", command, environment=os.environ, folder=tmp_path, log=tmp_path / "log", ready=lambda: False
    )
    with pytest.raises(LocalCloudError, match=r"a server ended at once \(status 3\)\n  \| no such port"), server:
        pytest.fail("the block must not be entered")


def test_a_server_that_never_gets_ready_is_ended(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-c", "import os, signal; print(os.getpid(), flush=True); signal.pause()"]
    pidfds: list[int] = []

    def never() -> bool:
        if not pidfds:
            poll_until("the server's first word", lambda: "\n" in log.read_text(), PATIENCE_SECONDS)
            pidfds.append(os.pidfd_open(int(log.read_text())))
        return False

    server = processes.server(
        "a server", command, environment=os.environ, folder=tmp_path, log=log, ready=never, patience_seconds=2
    )
    with pytest.raises(LocalCloudError, match="was not ready after 2 s"), server:
        pytest.fail("the block must not be entered")
    assert [ended(pidfd) for pidfd in pidfds] == [True]


def test_a_command_gives_its_status_and_its_words(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-c", "print('done'); raise SystemExit(4)"]
    status = processes.run_command(
        command, environment=os.environ, folder=tmp_path, log=log, timeout_seconds=PATIENCE_SECONDS
    )
    assert (status, log.read_text()) == (4, "done\n")


def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-c", "import os, signal; print(os.getpid(), flush=True); signal.pause()"]
    for seconds in (1, 8, 64, PATIENCE_SECONDS):
        with pytest.raises(TimeoutError):
            processes.run_command(command, environment=os.environ, folder=tmp_path, log=log, timeout_seconds=seconds)
        if "\n" in log.read_text():
            break  # this machine started it in time: it lived, and was ended
    with pytest.raises(ProcessLookupError):
        os.kill(int(log.read_text()), 0)
