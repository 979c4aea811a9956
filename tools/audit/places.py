"""Where the scans' own environments and their memory are."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

from tools.local_cloud.checkout import ROOT

MEMORY = ROOT / ".audit_cache"
_HERE = Path(__file__).parent


class ScanFailed(Exception):
    """A scan did not come to an end; the text is what it said."""


def build_environment(name: str) -> None:
    """Build .tools/NAME from requirements/NAME.txt, where that was not done yet. Raises ScanFailed."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "bootstrap.py"), name], check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode != 0:
        raise ScanFailed(f".tools/{name} can not be built from requirements/{name}.txt")


def python_of(environment: str) -> Path:
    """The interpreter of .tools/NAME."""
    return ROOT / ".tools" / environment / "bin" / "python"


def run_inside(environment: str, script: str, arguments: Sequence[str], said: str = "") -> object:
    """Run tools/audit/inside/SCRIPT in .tools/ENVIRONMENT; returns the JSON that it prints. Raises ScanFailed."""
    done = subprocess.run(
        [str(python_of(environment)), str(_HERE / "inside" / script), *arguments],
        cwd=ROOT,
        input=said,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ScanFailed(f"{script} ended with {done.returncode}:\n{done.stderr.strip()}")
    return cast("object", json.loads(done.stdout))


def digest_of(*paths: Path) -> str:
    """The SHA-256 of these files' content, one after the other."""
    whole = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        whole.update(f"{len(content)}:".encode() + content)
    return whole.hexdigest()


def tool_digest(environment: str, script: str) -> str:
    """What a scan's findings depend on besides what it looks at: the versions of its packages, and how we call it."""
    return digest_of(ROOT / "requirements" / f"{environment}.txt", _HERE / "inside" / script)


def recall(name: str) -> dict[str, object]:
    """What was found the last time; empty where nothing is remembered, or the memory can not be read."""
    try:
        known = json.loads((MEMORY / f"{name}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def remember(name: str, found: dict[str, object]) -> None:
    """Keep what was found, for the next time."""
    MEMORY.mkdir(exist_ok=True)
    (MEMORY / f"{name}.json").write_text(json.dumps(found), "utf-8")


def tracked_files() -> tuple[str, ...]:
    """The files that git knows or would take, by their path in the repository; not those that it ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return _existing(listed.stdout.split("\0"))


def _existing(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in names if name and (ROOT / name).is_file()))
