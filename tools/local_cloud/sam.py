"""`sam build`, `sam deploy` and `sam validate` as functions."""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, cast

from tools.local_cloud.aws import Cloud
from tools.local_cloud.checkout import LOCAL, ROOT, SAM_BIN, SAM_CONFIG, TEMPLATE
from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.processes import run_command, tail

if TYPE_CHECKING:
    from mypy_boto3_s3.literals import BucketLocationConstraintType

_BUILDS = LOCAL / "builds"
# As many builds stay as two branches with two runs each need.
_KEPT_BUILDS = 4
_TIMEOUT_SECONDS = 1800
_IGNORED = frozenset({"__pycache__", ".mypy_cache", ".ruff_cache"})

# What Lambda calls this machine's processor.
ARCHITECTURE = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"


class DeployParameters(TypedDict):
    """`[local.deploy.parameters]` of samconfig.toml."""

    stack_name: str
    region: str
    capabilities: str
    parameter_overrides: list[str]


def local_parameters() -> DeployParameters:
    """The local environment of samconfig.toml."""
    config = tomllib.loads(SAM_CONFIG.read_text())
    return cast("DeployParameters", config["local"]["deploy"]["parameters"])


def build(log: Path) -> Path:
    """Build the template and return the folder; one that was built from the same content is used again."""
    _BUILDS.mkdir(parents=True, exist_ok=True)
    folder = _BUILDS / _content()
    with (_BUILDS / "lock").open("w") as lock:
        # Two runs of one checkout build one after the other; the second finds the first one's result.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "template.yaml").exists():
            os.utime(folder)
            return folder
        unfinished = _BUILDS / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        _sam(
            "build",
            *("--parallel", "--cached", "--cache-dir", str(LOCAL / "sam-cache"), "--build-dir", str(unfinished)),
            *("--template-file", str(TEMPLATE), "--parameter-overrides", f"Architecture={ARCHITECTURE}"),
            environment={"AWS_DEFAULT_REGION": local_parameters()["region"]},
            log=log,
        )
        unfinished.rename(folder)
        _prune()
    return folder


def deploy(cloud: Cloud, built: Path, *, api_id: str, parameters: dict[str, str], log: Path) -> None:
    """Deploy a build to the emulator with the local environment's parameters, overridden by these."""
    settings = local_parameters()
    overrides = dict(item.split("=", 1) for item in settings["parameter_overrides"]) | parameters
    bucket = "deployments"
    region = cast("BucketLocationConstraintType", cloud.region)
    cloud.s3().create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    _sam(
        "deploy",
        *("--config-file", str(SAM_CONFIG), "--config-env", "local"),
        *("--template-file", str(built / "template.yaml"), "--s3-bucket", bucket, "--no-progressbar"),
        *("--no-confirm-changeset", "--no-fail-on-empty-changeset"),
        # The emulator takes the API's id from this tag, so that its URL is known before.
        *("--tags", f"ms-custom-id={api_id}"),
        *("--parameter-overrides", *(f"{name}={value}" for name, value in overrides.items())),
        environment=cloud.environment(),
        log=log,
    )


def validate() -> int:
    """Run `sam validate --lint`; its words go to the terminal."""
    command = [str(SAM_BIN / "sam"), "validate", "--lint", "--template-file", str(TEMPLATE)]
    environment = _environment({"AWS_DEFAULT_REGION": local_parameters()["region"]})
    return subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False).returncode


def _sam(*arguments: str, environment: dict[str, str], log: Path) -> None:
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
            # Seconds between two looks at a stack; the usual five suit AWS, the emulator is ready at once.
            "SAM_CLI_POLL_DELAY": "0.2",
            # SAM's notes about itself belong under the checkout too.
            "__SAM_CLI_APP_DIR": str(application),
        }
        | extra
    )


def _content() -> str:
    """A hash of all that goes into a build."""
    digest = hashlib.sha256(ARCHITECTURE.encode())
    sources = [TEMPLATE, *sorted((ROOT / "layers").rglob("*")), *sorted((ROOT / "functions").rglob("*"))]
    sources += sorted((ROOT / "workflows").rglob("*"))
    for path in sources:
        if path.is_file() and not _IGNORED.intersection(path.parts):
            digest.update(f"{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _prune() -> None:
    builds = [path for path in _BUILDS.iterdir() if path.is_dir()]
    for old in sorted(builds, key=lambda path: path.stat().st_mtime, reverse=True)[_KEPT_BUILDS:]:
        shutil.rmtree(old, ignore_errors=True)
