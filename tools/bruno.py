"""Runs the Bruno collection's journey by Bruno's own command line: `make bruno`.

The collection takes the stack's address and keys from variables, which are those that a shell has after
`. .local/env` beside `make run`.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.npm_tools import ROOT, run_tool, without_proxies

COLLECTION = ROOT / "clients" / "bruno"
NEEDED = ("API", "SIMULATOR", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_SESSION_TOKEN = "AWS_SESSION_TOKEN"  # noqa: S105 - a variable's name


def run_journey(variables: Mapping[str, str], report: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the journey, and return how it ended and what it said; a report is written as JSON.

    Raises ValueError for a missing variable.
    """
    missing = [name for name in NEEDED if not variables.get(name)]
    if missing:
        raise ValueError(f"{', '.join(missing)}: not set. `make run` in another terminal prints where the stack is.")
    chosen = {name: variables.get(name, "") for name in (*NEEDED, _SESSION_TOKEN)}
    arguments: list[str | Path] = ["run", "journey", "--env", "local", "--bail"]
    if report is not None:
        arguments += ["--reporter-json", report]
    variables = {**without_proxies(), **chosen}
    return run_tool("bruno", "@usebruno/cli/bin/bru.js", arguments, folder=COLLECTION, variables=variables)


def main() -> int:
    """Run it against the stack that the variables name; returns the exit status."""
    try:
        done = run_journey(os.environ)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(done.stdout + done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
