"""`sam build`, `sam validate` and any other command of SAM as functions."""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
from pathlib import Path

from tools.deploy.target import read_target
from tools.local_cloud import bytecode, compiling, pruning
from tools.local_cloud.bytecode import compile_build
from tools.local_cloud.checkout import LOCAL, ROOT, SAM_BIN, SAM_CONFIG, TEMPLATE
from tools.local_cloud.compiling import compile_ahead
from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.processes import run_command, tail
from tools.local_cloud.pruning import prune

_BUILDS = LOCAL / "builds"
# As many builds stay as two branches with two runs each need.
_KEPT_BUILDS = 4
_TIMEOUT_SECONDS = 1800
_IGNORED = frozenset({"__pycache__", ".mypy_cache", ".ruff_cache"})

# What Lambda calls this machine's processor.
ARCHITECTURE = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"


def build(log: Path, architecture: str = ARCHITECTURE) -> Path:
    """Build the template and return the folder; one that was built from the same content is used again."""
    return build_once(_BUILDS / _content(architecture), log, architecture)


def build_once(folder: Path, log: Path, architecture: str, *only: str) -> Path:
    """Build the template, or `only` one resource of it, into a folder that is named by its content, unless it is there.

    Of the folders beside it the newest stay. Raises LocalCloudError.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        # Two runs of one checkout build one after the other; the second finds the first one's result.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "template.yaml").exists():
            os.utime(folder)
            return folder
        unfinished = folder.parent / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        run_sam(
            "build",
            *only,
            *("--parallel", "--cached", "--cache-dir", str(LOCAL / "sam-cache"), "--build-dir", str(unfinished)),
            *("--template-file", str(TEMPLATE), "--parameter-overrides", f"Architecture={architecture}"),
            environment={"AWS_DEFAULT_REGION": read_target(SAM_CONFIG, "local").region},
            log=log,
        )
        if (layer := unfinished / "DependenciesLayer" / "python").is_dir():
            prune(layer)
        compile_ahead(unfinished)
        compile_build(unfinished)
        unfinished.rename(folder)
        _prune(folder.parent)
    return folder


def is_valid(built: Path) -> bool:
    """Whether the template of a build passes `sam validate --lint`; asked once per build."""
    passed = built / ".validated"
    if not passed.exists():
        if validate() != 0:
            return False
        passed.touch()
    return True


def validate() -> int:
    """Run `sam validate --lint`; its words go to the terminal."""
    command = [str(SAM_BIN / "sam"), "validate", "--lint", "--template-file", str(TEMPLATE)]
    environment = _environment({"AWS_DEFAULT_REGION": read_target(SAM_CONFIG, "local").region})
    return subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False).returncode


def run_sam(*arguments: str, environment: dict[str, str], log: Path) -> None:
    """Run SAM with these variables besides the shell's own. Raises LocalCloudError with its last words."""
    try:
        status = run_command(
            [SAM_BIN / "sam", *arguments],
            environment=_environment(environment),
            folder=ROOT,
            log=log,
            timeout_seconds=_TIMEOUT_SECONDS,
        )
    except TimeoutError as error:
        raise LocalCloudError(f"sam {arguments[0]} took over {_TIMEOUT_SECONDS} s\n{tail(log)}") from error
    if status != 0:
        raise LocalCloudError(f"sam {arguments[0]} failed (status {status})\n{tail(log)}")


def _environment(extra: dict[str, str]) -> dict[str, str]:
    """This shell's variables without AWS's and Python's own, SAM's Python (with pip) first on PATH."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "SAM_", "PYTHON", "VIRTUAL_ENV"))
    }
    application = LOCAL / "sam"
    application.mkdir(parents=True, exist_ok=True)
    return (
        kept
        | {
            "PATH": f"{SAM_BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "SAM_CLI_TELEMETRY": "0",
            # SAM's notes about itself belong under the checkout too.
            "__SAM_CLI_APP_DIR": str(application),
        }
        | extra
    )


def _content(architecture: str) -> str:
    """A hash of all that goes into a build."""
    digest = hashlib.sha256(architecture.encode())
    sources = [TEMPLATE, *sorted((ROOT / "layers").rglob("*")), *sorted((ROOT / "functions").rglob("*"))]
    sources += sorted((ROOT / "workflows").rglob("*"))
    sources += [
        Path(bytecode.__file__),
        Path(compiling.__file__),
        compiling.RECORDER,
        Path(pruning.__file__),
    ]  # what is done to the finished build
    for path in sources:
        if path.is_file() and not _IGNORED.intersection(path.parts):
            digest.update(f"{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _prune(folder: Path) -> None:
    builds = [path for path in folder.iterdir() if path.is_dir()]
    for old in sorted(builds, key=lambda path: path.stat().st_mtime, reverse=True)[_KEPT_BUILDS:]:
        shutil.rmtree(old, ignore_errors=True)
