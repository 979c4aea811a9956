"""What is known about the stack that `make run` holds up in another terminal."""

import json
from dataclasses import dataclass
from pathlib import Path

from tools.local_cloud.env_file import ENV_FILE
from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.processes import DOCKER_BRIDGE


@dataclass(frozen=True, slots=True)
class RunningStack:
    """The variables with which a function finds the running stack."""

    variables: dict[str, str]

    @property
    def reachable_from_containers(self) -> bool:
        """Whether emulator and simulator listen where containers look for their host."""
        return f"//{DOCKER_BRIDGE}:" in self.variables["AWS_ENDPOINT_URL"]


def read_running_stack(path: Path = ENV_FILE) -> RunningStack:
    """Read the file that the running stack has written. Raises LocalCloudError when none runs."""
    if not path.exists():
        raise LocalCloudError("no local stack runs: start one with `make run` (or `make run BIND=docker`) elsewhere")
    return RunningStack(json.loads(path.read_text())["Parameters"])
