"""`sam local invoke` and `sam local start-api` in containers against the running local stack.

Each has a folder, a network and temporary files of its own: nothing is shared with another checkout, and all of it goes
at the end, with the containers.
"""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.invoke.container_network import CALL_VARIABLE, HOST, ContainerNetwork, container_network
from tools.invoke.dependencies import build_dependencies
from tools.invoke.functions import Functions
from tools.invoke.public_address import published
from tools.invoke.running_stack import RunningStack
from tools.local_cloud import sam
from tools.local_cloud.checkout import ROOT, SAM_BIN
from tools.local_cloud.processes import LOOPBACK
from tools.local_cloud.run_folder import run_folder

# An image of one's own instead of the one that SAM pulls, e.g. where no registry is reachable.
IMAGE_VARIABLE = "LAMBDA_IMAGE"
_GRACE_SECONDS = 20
_DEBUGGERS = "/tmp/lambci_debug_files"  # noqa: S108 - a path in the container, fixed by SAM
INSTALL = """No Docker engine answers. `sam local` runs functions in containers, so it needs one:
  Debian, Ubuntu   sudo apt-get install docker.io && sudo usermod -aG docker "$USER"   (then log in again)
  macOS, Windows   Docker Desktop, or Colima, or Podman with its Docker socket (set DOCKER_HOST)"""


@dataclass(frozen=True, slots=True)
class _Workshop:
    """What one call of `sam local` works with."""

    template: Path
    variables: Path
    folder: Path
    network: ContainerNetwork
    stack: RunningStack


def engine_answers() -> bool:
    """Whether a Docker engine can be reached (DOCKER_HOST or the usual socket)."""
    try:
        command = ["docker", "info", "--format", "{{.ServerVersion}}"]
        done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and bool(done.stdout.strip())


def invoke(functions: Functions, stack: RunningStack, name: str, event: Path, debug_port: int | None) -> int:
    """Run `sam local invoke`; its words go to the terminal. Returns its exit status. Raises LocalCloudError."""
    functions.find(name)
    with _workshop(functions, stack) as workshop:
        return _sam_local(workshop, "invoke", name, "--event", str(event.resolve()), *_debugger(debug_port))


def start_api(functions: Functions, stack: RunningStack, port: int, debug_port: int | None) -> int:
    """Run `sam local start-api` until it is ended, as the merchant's public address. Returns its exit status.

    Each request has a container of its own, so that an edit of the sources shows at the next one.
    """
    url = f"http://{LOOPBACK}:{port}"
    with _workshop(functions, stack.published_at(url)) as workshop, published(stack, url):
        return _sam_local(workshop, "start-api", "--port", str(port), *_debugger(debug_port))


@contextlib.contextmanager
def _workshop(functions: Functions, stack: RunningStack) -> Iterator[_Workshop]:
    packages = build_dependencies()
    with run_folder() as folder, container_network(stack.ports) as network:
        seen = stack.seen_from(HOST)
        template, variables = folder / "template.json", folder / "env.json"
        handed = seen.variables | {CALL_VARIABLE: network.name}
        template.write_text(functions.for_sam_local(packages, handed))
        variables.write_text(json.dumps({"Parameters": handed, **seen.own}))
        (folder / "tmp").mkdir()
        yield _Workshop(template, variables, folder, network, seen)


def _debugger(port: int | None) -> list[str]:
    if port is None:
        return []
    # debugpy is not in the image: it comes from the environment of the Docker-free way.
    debugger = next((ROOT / ".tools" / "lambda" / "lib").glob("python3*")) / "site-packages"
    listen = f"{_DEBUGGERS}/debugpy --listen 0.0.0.0:{port} --wait-for-client"
    return ["--debug-port", str(port), "--debugger-path", str(debugger), "--debug-args", listen]


def _sam_local(workshop: _Workshop, command: str, *arguments: str) -> int:
    variables = workshop.stack.variables
    image = os.environ.get(IMAGE_VARIABLE)
    own_image = ["--invoke-image", image, "--skip-pull-image"] if image else []
    address = workshop.network.address
    way_here = ["--add-host", f"{HOST}:{address}"] if address else []
    overrides = [
        f"Architecture={sam.ARCHITECTURE}",
        f"PublicBaseUrl={variables['PUBLIC_BASE_URL']}",
        f"AllowedReturnHosts={variables['ALLOWED_RETURN_HOSTS']}",
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "VIRTUAL_ENV"))}
    # The container gets these credentials; the endpoint is for the function, not for SAM itself.
    aws = {name: value for name, value in variables.items() if name.startswith("AWS_")}
    del aws["AWS_ENDPOINT_URL"]
    return _run(
        [
            *(str(SAM_BIN / "sam"), "local", command, *arguments),
            *("--template", str(workshop.template), "--env-vars", str(workshop.variables)),
            *("--parameter-overrides", *overrides),
            *("--region", variables["AWS_REGION"], "--docker-network", workshop.network.name),
            *way_here,
            *own_image,
        ],
        environment
        | aws
        | {
            "SAM_CLI_TELEMETRY": "0",
            "PATH": f"{SAM_BIN}{os.pathsep}{os.environ['PATH']}",
            # SAM's locks are here: one that a killed SAM has left would hold up the next call for minutes.
            "TMPDIR": str(workshop.folder / "tmp"),
        },
    )


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run to the end. When we are told to end, SAM is told once, and has time to end what it has begun."""
    # In a session of its own: Ctrl-C reaches us only, and no second signal meets SAM while it cleans up.
    child = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        return child.wait()
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
            try:
                child.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
