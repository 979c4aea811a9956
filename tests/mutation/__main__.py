"""`python -m tests.mutation`: change the source of domain and application, one place at a time; who notices?"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pytest

from tests.mutation.mutants import ROOT
from tests.mutation.run import Run, Wish

TESTS = ("tests/unit/domain", "tests/unit/application", "tests/unit/adapters", "tests/unit/test_hidden_fields.py")
_INTERRUPTED = 130
# pytest-randomly would draw the order, xdist would hand the tests out, and the cache is of no use here.
_PYTEST = ("-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider", "-s", "-q", "--no-header", "--no-summary")
_PLACE = ("--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"))


def main() -> int:
    """Return 0 when every mutant was found or is accepted."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--only", default="", help="mutants whose name contains this")
    parser.add_argument("--sample", type=int, help="how many, drawn; without it all")
    parser.add_argument("--seed", type=int, default=0, help="which sample")
    parser.add_argument(
        "--seeds", type=int, default=300, help="histories of the simulation for what the tests let live"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--state", type=Path, help="a file to go on from, after an interruption")
    parser.add_argument("--tests", nargs="*", default=TESTS, help="where the tests are")
    given = parser.parse_args()
    # Property tests draw the same examples each time: a verdict may not depend on chance.
    os.environ["CI"] = "true"
    wish = Wish(given.only, given.sample, given.seed, given.seeds, given.jobs, given.state)
    terminal = os.dup(1)

    def say(line: str) -> None:
        os.write(terminal, f"{line}\n".encode())

    run = Run(wish, say)
    # pytest's own words are about tests that are not run here.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        status = pytest.main([*_PYTEST, *_PLACE, *given.tests], plugins=[run])
    finally:
        os.dup2(terminal, 1)
    if status == pytest.ExitCode.INTERRUPTED:
        say(
            "interrupted; "
            + ("the same command goes on from here" if given.state else "with STATE=file it could go on")
        )
        return _INTERRUPTED
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        say(f"pytest ended with {status!r}: a test can not be collected, or fails without any mutant; see `make test`")
        return 2
    return 1 if run.problems else 0


if __name__ == "__main__":
    sys.exit(main())
