"""What is known about the stack that `make run` holds up in another terminal."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from tools.local_cloud.env_file import ENV_FILE
from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.processes import LOOPBACK

# What leads a function to the emulator and to the simulator; every other URL is for browsers, on this machine.
_AWS, _DOKU, _PUBLIC = "AWS_ENDPOINT_URL", "DOKU_BASE_URL", "PUBLIC_BASE_URL"


@dataclass(frozen=True, slots=True)
class RunningStack:
    """The variables with which a function finds the running stack: those of all, and those of one function only."""

    variables: dict[str, str]
    own: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def variables_of(self, function: str) -> dict[str, str]:
        """The variables of one function, by its name in the template."""
        return {**self.variables, **self.own.get(function, {})}

    @property
    def ports(self) -> tuple[int, ...]:
        """Where emulator and simulator listen on the loopback."""
        found = (urlsplit(self.variables[name]).port for name in (_AWS, _DOKU))
        return tuple(port for port in found if port is not None)

    @property
    def simulator_url(self) -> str:
        """The DOKU simulator, for who is on this machine."""
        return self.variables[_DOKU]

    @property
    def public_base_url(self) -> str:
        """Where DOKU and browsers find the API."""
        return self.variables[_PUBLIC]

    def seen_from(self, host: str) -> "RunningStack":
        """The stack for a function that finds this machine at `host`."""
        moved = {name: self.variables[name].replace(f"//{LOOPBACK}:", f"//{host}:") for name in (_AWS, _DOKU)}
        return replace(self, variables=self.variables | moved)

    def published_at(self, url: str) -> "RunningStack":
        """The stack for functions that DOKU and browsers find at another address."""
        return replace(self, variables=self.variables | {_PUBLIC: url})


def read_running_stack(path: Path = ENV_FILE) -> RunningStack:
    """Read the file that the running stack has written. Raises LocalCloudError when none runs."""
    if not path.exists():
        raise LocalCloudError("no local stack runs: start one with `make run` in another terminal")
    groups: dict[str, dict[str, str]] = json.loads(path.read_text())
    return RunningStack(groups.pop("Parameters"), groups)
