"""Build the checkout's own environments: `.venv`, `.tools/ministack`, `.tools/sam`, and on demand `.tools/lambda`,
`.tools/checkov`, `.tools/audit`, `.tools/fuzz`.

Runs under any Python from 3.8 on that has venv or pip, and needs nothing else: Python 3.13 is found (PATH, then pyenv)
or fetched by uv; uv itself is installed under `.tools/uv` when the machine has none. Every package is installed from a
hash-locked file. A second run with unchanged locks does nothing; two runs at once wait for each other.

    python3 tools/bootstrap.py            all environments that every target needs
    python3 tools/bootstrap.py dev sam    only these
    python3 tools/bootstrap.py --uv       print the path of a working uv (used by `make lock`)
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WANTED = (3, 13)
# environment name -> (folder, lock file)
ENVIRONMENTS = {
    "dev": (ROOT / ".venv", ROOT / "requirements" / "dev.txt"),
    "ministack": (ROOT / ".tools" / "ministack", ROOT / "requirements" / "ministack.txt"),
    "sam": (ROOT / ".tools" / "sam", ROOT / "requirements" / "sam.txt"),
    "lambda": (ROOT / ".tools" / "lambda", ROOT / "requirements" / "lambda.txt"),
    "checkov": (ROOT / ".tools" / "checkov", ROOT / "requirements" / "checkov.txt"),
    "audit": (ROOT / ".tools" / "audit", ROOT / "requirements" / "audit.txt"),
    "fuzz": (ROOT / ".tools" / "fuzz", ROOT / "requirements" / "fuzz.txt"),
}
# Built only when they are named: `make invoke` without Docker; the scans of `make check` (tools/audit); `make fuzz`.
ON_DEMAND = {"lambda", "checkov", "audit", "fuzz"}


def main(arguments: list[str]) -> int:
    """Build the named environments (all without names); returns the exit status."""
    if arguments == ["--uv"]:
        with locked():
            print(find_uv())
        return 0
    unknown = [name for name in arguments if name not in ENVIRONMENTS]
    if unknown:
        print("unknown environment: " + ", ".join(unknown), file=sys.stderr)
        return 2
    names = arguments or [name for name in ENVIRONMENTS if name not in ON_DEMAND]
    stale = [name for name in names if not is_current(name)]
    if not stale:
        return 0
    with locked():
        for name in stale:
            if not is_current(name):  # another run may have built it while we waited for the lock
                build(name)
    return 0


@contextlib.contextmanager
def locked():  # type: ignore[no-untyped-def]  # noqa: ANN201 - this file runs on Python 3.8 without typing imports
    """Hold the checkout's set-up lock; the kernel drops it when the process dies."""
    (ROOT / ".tools").mkdir(exist_ok=True)
    with (ROOT / ".tools" / "setup.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("waiting for another set-up of this checkout")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def is_current(name: str) -> bool:
    """Whether the environment was built from exactly this lock file and its interpreter still starts."""
    folder, lock = ENVIRONMENTS[name]
    stamp = folder / ".locked"
    return stamp.is_file() and stamp.read_text() == digest(lock) and (folder / "bin" / "python").exists()


def digest(lock: Path) -> str:
    """The stamp of a lock file."""
    return hashlib.sha256(lock.read_bytes()).hexdigest() + "\n"


def build(name: str) -> None:
    """Create the environment if it is missing and make its packages exactly those of the lock file."""
    folder, lock = ENVIRONMENTS[name]
    uv = find_uv()
    say(f"installing {folder.relative_to(ROOT)} from requirements/{lock.name}")
    stamp = folder / ".locked"
    if stamp.exists():
        stamp.unlink()  # a run that dies half-way must not look finished
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
    environment["UV_PYTHON_INSTALL_DIR"] = str(ROOT / ".tools" / "python")
    if not runs_wanted(str(folder / "bin" / "python")):
        if folder.exists():
            shutil.rmtree(str(folder))
        run([uv, "venv", "--quiet", "--python", find_python(), str(folder)], environment)
    python = str(folder / "bin" / "python")
    run([uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, str(lock)], environment)
    stamp.write_text(digest(lock))


def find_python() -> str:
    """A working Python 3.13: this one, one on PATH, one of pyenv's, else the version number (uv then fetches it)."""
    candidates = [sys.executable or "", shutil.which("python3.13") or "", shutil.which("python3") or ""]
    pyenv = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv")))
    candidates += [str(path) for path in sorted(pyenv.glob("versions/3.13*/bin/python3.13"), reverse=True)]
    for candidate in candidates:
        # A pyenv shim exists on PATH also where it can start nothing, so each candidate is run.
        if candidate and runs_wanted(candidate):
            return candidate
    say("no Python 3.13 found: uv fetches one into .tools/python")
    return "{}.{}".format(*WANTED)


def runs_wanted(python: str) -> bool:
    """Whether this interpreter starts and is the wanted version."""
    probe = f"import sys; print(sys.version_info[:2] == {WANTED!r})"
    return succeeds([python, "-c", probe], "True")


def find_uv() -> str:
    """A working uv: the machine's, else one installed under `.tools/uv` from its own locked file."""
    on_path = shutil.which("uv")
    if on_path and succeeds([on_path, "--version"], "uv "):
        return on_path
    folder = ROOT / ".tools" / "uv"
    own = folder / "bin" / "uv"
    if succeeds([str(own), "--version"], "uv "):
        return str(own)
    say("installing uv into .tools/uv")
    if folder.exists():
        shutil.rmtree(str(folder))
    lock = ["--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(ROOT / "requirements" / "uv.txt")]
    if succeeds([sys.executable, "-m", "pip", "--version"], "pip "):
        run([sys.executable, "-m", "pip", "install", "--target", str(folder), *lock], dict(os.environ))
    else:
        run([sys.executable, "-m", "venv", str(folder)], dict(os.environ))
        run([str(folder / "bin" / "python"), "-m", "pip", "install", *lock], dict(os.environ))
    return str(own)


def succeeds(command: list[str], expected_start: str) -> bool:
    """Whether the command exits with 0 and prints something that begins so."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
        )
    except OSError:
        return False
    return done.returncode == 0 and done.stdout.decode("utf-8", "replace").startswith(expected_start)


def run(command: list[str], environment: dict[str, str]) -> None:
    """Run a command that must succeed; its own words are the error message."""
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise SystemExit(f"set-up failed: {command[0]} ended with {done.returncode}")


def say(text: str) -> None:
    """One progress line."""
    print("setup: " + text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
