"""Plays the newcomer: an empty clone, `make run`, then docs/integrate.md to its last command; tells how long it took.

    make five-minutes                     clone this checkout's last commit
    make five-minutes ARGS="--keep-clone" and leave the clone where it is

Not part of `make test`: a new clone builds its environments. With warm package caches it must end within five minutes.
"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

from tools.documents import Reader, compare, read_blocks
from tools.local_cloud.checkout import ROOT

type Say = Callable[[str], None]

_GOAL_SECONDS = 300
_SERVES = "Ctrl-C ends it."


def main() -> int:
    """Run it; returns 0 when the customer was refunded and unlinked within the goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep-clone", action="store_true", help="leave the clone where it is")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="five-minutes-"))
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {text}", flush=True)

    try:
        clone = folder / "clone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        say(f"cloned to {clone}")
        environment = _newcomer()
        with _make_run(clone, environment, say):
            say("make run serves")
            _follow(clone, environment, say)
            taken = time.monotonic() - started
            say(f"refunded and unlinked; the goal is {_GOAL_SECONDS} s")
        say("and everything ended in order")
    except AssertionError as error:
        say(f"stumbled: {error}")
        return 1
    finally:
        if not options.keep_clone:
            shutil.rmtree(folder, ignore_errors=True)
    return 0 if taken <= _GOAL_SECONDS else 1


def _newcomer() -> dict[str, str]:
    """This shell without anything of this checkout's, of Python's or of AWS's."""
    own = str(ROOT / ".venv")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON", "VIRTUAL_ENV"))}
    path = os.pathsep.join(part for part in kept["PATH"].split(os.pathsep) if not part.startswith(own))
    return kept | {"PATH": path}


@contextlib.contextmanager
def _make_run(clone: Path, environment: dict[str, str], say: Say) -> Iterator[None]:
    """Have `make run` serve until the block ends, as in another terminal."""
    process = subprocess.Popen(
        ["make", "run"],
        cwd=clone,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    words = cast("IO[str]", process.stdout)
    try:
        for line in words:
            say(f"| {line.rstrip()}")
            if _SERVES in line:
                break
        else:
            raise AssertionError(f"`make run` ended with status {process.wait()}")
        yield
    finally:
        os.killpg(process.pid, signal.SIGINT)  # Ctrl-C
        words.read()
        process.wait()


def _follow(clone: Path, environment: dict[str, str], say: Say) -> None:
    reader = Reader(clone, environment)
    try:
        heading = ""
        for block in read_blocks((clone / "docs/integrate.md").read_text("utf-8")):
            if block.heading != heading:
                heading = block.heading
                say(heading)
            compare(block, reader.run(block))
    finally:
        reader.close()


if __name__ == "__main__":
    sys.exit(main())
