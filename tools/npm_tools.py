"""Command line tools of npm's, each with its lock in requirements/NAME, installed once into .tools/NAME."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.node import find_node, install_packages, with_node

ROOT = Path(__file__).parent.parent


def install_tool(name: str) -> Path:
    """Install what requirements/NAME locks, where that was not done yet; returns the folder.

    Raises CalledProcessError after npm's words.
    """
    folder = ROOT / ".tools" / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for file in ("package.json", "package-lock.json"):
            shutil.copyfile(ROOT / "requirements" / name / file, folder / file)
        install_packages(folder)
    return folder


def run_tool(
    name: str,
    script: str,
    arguments: Sequence[str | Path],
    *,
    folder: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a script of an installed tool, by its path in node_modules, and return how it ended and what it said."""
    return subprocess.run(
        [find_node(), install_tool(name) / "node_modules" / script, *arguments],
        cwd=folder or ROOT,
        env={**with_node(), **(variables or {})},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def without_proxies() -> Mapping[str, str]:
    """Return variables that keep a tool from going to this machine's own addresses through a proxy."""
    names = [name for name in os.environ if name.lower() in ("http_proxy", "https_proxy", "all_proxy")]
    return {**dict.fromkeys(names, ""), "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
