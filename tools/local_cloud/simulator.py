"""The DOKU simulator beside the emulator, and its control interface."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tools.local_cloud.checkout import ROOT
from tools.local_cloud.credentials import Credentials
from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.processes import LOOPBACK, server

_TIMEOUT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Simulator:
    """A running simulator."""

    url: str

    def control(self, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 - JSON
        """GET (without a body) or POST `/_control/<path>`; returns the JSON answer, None for an empty one."""
        address = f"{self.url}/_control/{path}"
        with requests.Session() as session:
            session.trust_env = False
            answer = (
                session.get(address, timeout=_TIMEOUT_SECONDS)
                if body is None
                else session.post(address, json=body, timeout=_TIMEOUT_SECONDS)
            )
        if not answer.ok:
            raise LocalCloudError(f"the simulator answered {answer.status_code} to {path}: {answer.text[:300]}")
        return answer.json() if answer.content else None

    def register_merchant(self, public_base_url: str) -> None:
        """Tell DOKU where the merchant is, as one would in its back office."""
        self.control(
            "merchant",
            {
                "tokenUrl": f"{public_base_url}/doku/authorization/v1/access-token/b2b",
                "notifyUrl": f"{public_base_url}/doku/v1.0/debit/notify",
                "bindingNotifyUrl": f"{public_base_url}/doku/v1.0/registration-account-binding/notify",
            },
        )


@contextlib.contextmanager
def simulator(
    folder: Path, credentials: Credentials, *, port: int = 0, memory: Path | None = None
) -> Iterator[Simulator]:
    """Run the simulator on this port (0: one of its own choice), knowing these credentials.

    `memory`: a file in which it keeps what DOKU and the bank know, from one run to the next.
    """
    config, port_file = folder / "simulator.json", folder / "simulator.port"
    config.touch(mode=0o600)
    config.write_text(
        json.dumps(
            {
                "clientId": credentials.client_id,
                "secretKey": credentials.secret_key,
                "merchantPublicKey": credentials.merchant_public_key,
                "dokuPrivateKey": credentials.doku_private_key,
                "dokuClientKey": credentials.client_id,
            }
        )
    )
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "tools.doku_simulator",
        "--host",
        LOOPBACK,
        "--port",
        str(port),
        "--config",
        config,
        "--port-file",
        port_file,
    ]
    if memory is not None:
        command += ["--memory", memory]
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "LANG": "C.UTF-8",
    }

    with server(
        "the simulator",
        command,
        environment=environment,
        folder=ROOT,
        log=folder / "simulator.log",
        ready=lambda: port_file.exists() and port_file.read_text().strip().isdigit(),
    ):
        yield Simulator(f"http://{LOOPBACK}:{int(port_file.read_text())}")
