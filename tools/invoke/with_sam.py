"""`sam local invoke` and `sam local start-api` in containers against the running local stack."""

import os
import subprocess
from pathlib import Path

from tools.invoke.built_template import BuiltTemplate
from tools.invoke.running_stack import RunningStack
from tools.local_cloud import sam
from tools.local_cloud.checkout import ROOT, SAM_BIN
from tools.local_cloud.env_file import ENV_FILE
from tools.local_cloud.failure import LocalCloudError

# An image of one's own instead of the one that SAM pulls, e.g. where no registry is reachable.
IMAGE_VARIABLE = "LAMBDA_IMAGE"
_GRACE_SECONDS = 20
_DEBUGGERS = "/tmp/lambci_debug_files"  # noqa: S108 - a path in the container, fixed by SAM
INSTALL = """No Docker engine answers. `sam local` runs functions in containers, so it needs one:
  Debian, Ubuntu   sudo apt-get install docker.io && sudo usermod -aG docker "$USER"   (then log in again)
  macOS, Windows   Docker Desktop, or Colima, or Podman with its Docker socket (set DOCKER_HOST)"""


def engine_answers() -> bool:
    """Whether a Docker engine can be reached (DOCKER_HOST or the usual socket)."""
    try:
        command = ["docker", "info", "--format", "{{.ServerVersion}}"]
        done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and bool(done.stdout.strip())


def invoke(built: BuiltTemplate, stack: RunningStack, function: str, event: Path, debug_port: int | None) -> int:
    """Run `sam local invoke`; its words go to the terminal. Returns its exit status."""
    built.function(function)
    more = ["--event", str(event)]
    if debug_port is not None:
        # debugpy is not in the image: it comes from the environment of the Docker-free way.
        debugger = next((ROOT / ".tools" / "lambda" / "lib").glob("python3*")) / "site-packages"
        listen = f"{_DEBUGGERS}/debugpy --listen 0.0.0.0:{debug_port} --wait-for-client"
        more += ["--debug-port", str(debug_port), "--debugger-path", str(debugger), "--debug-args", listen]
    return _sam_local(built, stack, "invoke", function, *more)


def start_api(built: BuiltTemplate, stack: RunningStack, port: int) -> int:
    """Run `sam local start-api` until it is ended. Returns its exit status."""
    return _sam_local(built, stack, "start-api", "--port", str(port), "--warm-containers", "LAZY")


def _sam_local(built: BuiltTemplate, stack: RunningStack, command: str, *arguments: str) -> int:
    if not stack.reachable_from_containers:
        raise LocalCloudError(
            "the running stack listens on 127.0.0.1, which a container does not reach: `make run BIND=docker`"
        )
    image = os.environ.get(IMAGE_VARIABLE)
    own_image = ["--invoke-image", image, "--skip-pull-image"] if image else []
    overrides = [
        f"Architecture={sam.ARCHITECTURE}",
        f"PublicBaseUrl={stack.variables['PUBLIC_BASE_URL']}",
        f"AllowedReturnHosts={stack.variables['ALLOWED_RETURN_HOSTS']}",
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "VIRTUAL_ENV"))}
    # The container gets these credentials; the endpoint is for the function, not for SAM itself.
    aws = {name: value for name, value in stack.variables.items() if name.startswith("AWS_")}
    del aws["AWS_ENDPOINT_URL"]
    return _run(
        [
            *(str(SAM_BIN / "sam"), "local", command, *arguments),
            *("--template", str(built.for_sam_local(stack.variables)), "--env-vars", str(ENV_FILE)),
            *("--parameter-overrides", *overrides),
            *("--region", stack.variables["AWS_REGION"], "--layer-cache-basedir", str(ROOT / ".local" / "sam-layers")),
            *own_image,
        ],
        environment | aws | {"SAM_CLI_TELEMETRY": "0", "PATH": f"{SAM_BIN}{os.pathsep}{os.environ['PATH']}"},
    )


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run to the end. When we are told to end, SAM is too, with time to remove its containers."""
    child = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        return child.wait()
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
