"""Runs the clients' own tests on every version that they declare: Python's, the oldest dependencies, Node's.

make clients-versions    # exit 1 where a version fails; says which it could not try

Not a part of `make test`: it takes the newest dependencies of the day, so that it may fail without a change of ours.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.bootstrap import find_uv
from tools.clients import TYPESCRIPT, build_typescript
from tools.local_cloud.checkout import ROOT
from tools.node import find_node, find_wheel_node

PYTHON = ROOT / "clients" / "python"
_NEWEST = 14  # Python 3.14
_TESTS = ("-m", "pytest", "-q", "-p", "no:cacheprovider")


@dataclass(frozen=True)
class Trial:
    """The tests on one version."""

    name: str
    command: tuple[str, ...] | None  # None: not on this machine
    folder: Path


def list_trials() -> Iterator[Trial]:
    """Return what is to be tried."""
    uv = find_uv()
    oldest = find_oldest_minor()
    for minor in range(oldest, _NEWEST + 1):
        version = f"3.{minor}"
        python = find_python(uv, version)
        yield Trial(f"Python {version}", on_python(uv, python), PYTHON)
        if minor == oldest:
            yield Trial(
                f"Python {version}, the oldest dependencies",
                on_python(uv, python, "--resolution", "lowest-direct"),
                PYTHON,
            )
    suites = sorted(f"dist/test/{path.stem}.js" for path in (TYPESCRIPT / "test").glob("*.test.ts"))
    for node in dict.fromkeys((find_node(), find_wheel_node())):
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        yield Trial(f"Node {version}", (node, "--test", *suites), TYPESCRIPT)


def find_oldest_minor() -> int:
    """Return the oldest Python that pyproject.toml declares: 10 for 3.10."""
    declared = tomllib.loads((PYTHON / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    found = re.fullmatch(r">=3\.(\d+)", declared)
    if found is None:
        raise ValueError(f"clients/python/pyproject.toml: requires-python is {declared!r}, not >=3.N")
    return int(found[1])


def find_python(uv: str, version: str) -> str | None:
    """Return an interpreter: the machine's, pyenv's, else one that uv fetches; None where it can not."""
    pyenv = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv")))
    for found in pyenv.glob(f"versions/{version}.*/bin/python{version}"):
        return str(found)
    environment = {**os.environ, "UV_PYTHON_INSTALL_DIR": str(ROOT / ".tools" / "python")}
    find = [uv, "python", "find", version]
    for command in (find, [uv, "python", "install", "--quiet", version], find):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout:
            return done.stdout.strip()
    return None


def on_python(uv: str, python: str | None, *options: str) -> tuple[str, ...] | None:
    """Return the command that runs the tests with this interpreter, in an environment of their own."""
    if python is None:
        return None
    alone = (uv, "run", "--quiet", "--no-project", "--isolated", "--python", python, *options)
    return (*alone, "--with-editable", str(PYTHON), "--with", "pytest>=8", "--", "python", *_TESTS)


def main() -> int:
    """Try all, one after the other."""
    build_typescript()
    failed = False
    for trial in list_trials():
        if trial.command is None:
            print(f"{trial.name}: not tried, not on this machine and not to be fetched")
            continue
        done = subprocess.run(trial.command, cwd=trial.folder, capture_output=True, text=True, check=False)
        print(f"{trial.name}: {'passed' if done.returncode == 0 else 'FAILED'}", flush=True)
        if done.returncode != 0:
            failed = True
            print(done.stdout + done.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
