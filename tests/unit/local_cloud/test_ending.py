"""Ctrl-C at `make run`: the end of what it was for, and in order, however often it is pressed."""

import os
import signal
import subprocess
import sys
from typing import IO, cast

from tools.local_cloud.checkout import ROOT

_SERVE = """
import signal
from tools.local_cloud.__main__ import interrupt_once, wait_for_the_end

signal.signal(signal.SIGINT, interrupt_once)
wait_for_the_end()
print("ending", flush=True)
input()
print("ended in order")
"""


def test_the_first_ctrl_c_ends_and_the_second_does_not_disturb_the_ending() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _SERVE], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        says, hears = cast("IO[str]", process.stdout), cast("IO[str]", process.stdin)
        assert says.readline() == "Ctrl-C ends it.\n"
        os.kill(process.pid, signal.SIGINT)
        assert says.readline() == "ending\n"
        os.kill(process.pid, signal.SIGINT)
        hears.write("\n")
        hears.flush()
        assert says.read() == "ended in order\n"
    assert process.returncode == 0
