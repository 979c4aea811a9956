"""Runs one command and ends it, with all its children, when the starter is gone.

    python guard.py [--at-once | --grace=SECONDS] COMMAND...

Standard input is a pipe that the starter holds open: its end closes with the starter, however that dies (also by
SIGKILL), and then this program ends the command's process group: asked first and given `--grace` (5 s), or `--at-once`
without a question.
Needs the standard library only.
"""

import os
import select
import signal
import subprocess
import sys
import time

_GRACE_SECONDS = 5.0
_POLL_SECONDS = 0.2


def main(command: list[str], *, grace_seconds: float) -> int:
    """Run the command until it or the starter ends; returns its status. No grace: it is not asked to end."""
    # Ctrl-C reaches the whole terminal group; ending in order is the starter's business, so it is ignored here.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_default_signals)  # noqa: PLW1509 - no threads here
    starter_lives = True
    while starter_lives and child.poll() is None:
        readable, _, _ = select.select([sys.stdin], [], [], _POLL_SECONDS)
        starter_lives = not readable or os.read(sys.stdin.fileno(), 1) != b""
    if grace_seconds:
        _ask_to_end(child, grace_seconds)
    _signal_group(child.pid, signal.SIGKILL)
    child.wait()
    return child.returncode


def _default_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _ask_to_end(child: subprocess.Popen[bytes], grace_seconds: float) -> None:
    """Ask the command and whatever it left in its process group, and give the command a little time."""
    _signal_group(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS / 4)


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    arguments = sys.argv[1:]
    option, _, value = arguments[0].partition("=")
    grace = {"--at-once": 0.0, "--grace": float(value or 0)}.get(option)
    if grace is None:
        sys.exit(main(arguments, grace_seconds=_GRACE_SECONDS))
    sys.exit(main(arguments[1:], grace_seconds=grace))
