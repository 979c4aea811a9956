"""A network of our own in the Docker engine: by it containers find this machine, and we find the containers.

Where the engine runs on this machine, the network's gateway is an address of ours, on which a relay listens; where it
runs in a virtual machine (Docker Desktop, Colima, Podman's machine), the engine itself leads to our loopback. Both go
by the same name.
"""

import contextlib
import json
import os
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tools.invoke.relay import relay
from tools.local_cloud.failure import LocalCloudError

_PREFIX = "direct-debit-invoke-"
CALL_VARIABLE = "DIRECT_DEBIT_CALL"
"""The variable that names the network in each of its containers: one that is made as SAM dies is in no network yet."""

HOST = "host.docker.internal"
"""The name by which a container finds this machine's loopback."""

_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ContainerNetwork:
    """A network in the engine; `address` is that of `HOST` for its containers, None where the engine knows it."""

    name: str
    address: str | None


@contextlib.contextmanager
def container_network(ports: Sequence[int]) -> Iterator[ContainerNetwork]:
    """Have a network whose containers reach these ports of ours; at the end it is removed with all its containers.

    What a killed invocation has left is removed first. Raises LocalCloudError.
    """
    _remove_abandoned()
    name = f"{_PREFIX}{os.getpid()}-{secrets.token_hex(2)}"
    _docker("network", "create", name)
    try:
        gateway = _docker("network", "inspect", name, "--format", "{{range .IPAM.Config}}{{.Gateway}} {{end}}").split()
        with contextlib.ExitStack() as resources:
            address = None
            if gateway:
                with contextlib.suppress(OSError):  # it is another machine's
                    resources.enter_context(relay(gateway[0], ports))
                    address = gateway[0]
            yield ContainerNetwork(name, address)
    finally:
        _remove(name)


def _remove_abandoned() -> None:
    networks = _docker("network", "ls", "--filter", f"name={_PREFIX}", "--format", "{{.Name}}").split()
    for name in {*networks, *_find_containers()}:
        pid = name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not _lives(int(pid)):
            _remove(name)


def _remove(name: str) -> None:
    containers = _find_containers().get(name)
    if containers:
        _docker("rm", "--force", *containers)
    if _docker("network", "ls", "--quiet", "--filter", f"name=^{name}$").strip():
        _docker("network", "rm", name)


def _find_containers() -> dict[str, list[str]]:
    """Return the containers of each call of `sam local`, by the name of its network."""
    found: dict[str, list[str]] = {}
    every = _docker("ps", "--all", "--quiet").split()
    if not every:
        return found
    for line in _docker("inspect", "--format", "{{.Id}} {{json .Config.Env}}", *every, partly=True).splitlines():
        container, _, variables = line.partition(" ")
        for variable in json.loads(variables) or []:
            name, _, value = variable.partition("=")
            if name == CALL_VARIABLE and value.startswith(_PREFIX):
                found.setdefault(value, []).append(container)
    return found


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _docker(*arguments: str, partly: bool = False) -> str:
    """Return what a command of Docker says; `partly`: some of what it is asked about may be gone by now."""
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LocalCloudError(f"docker {arguments[0]} did not answer: {error}") from error
    if done.returncode != 0 and not partly:
        raise LocalCloudError(f"docker {' '.join(arguments[:2])} failed: {done.stderr.strip()}")
    return done.stdout
