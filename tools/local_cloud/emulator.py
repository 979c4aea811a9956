"""MiniStack as the cloud of one run."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import requests

from tools.local_cloud.aws import Cloud
from tools.local_cloud.checkout import MINISTACK_PYTHON
from tools.local_cloud.processes import LOOPBACK, free_port, server

_LAUNCHER = Path(__file__).with_name("launcher.py")


@contextlib.contextmanager
def emulator(folder: Path, region: str) -> Iterator[Cloud]:
    """Run MiniStack with IAM enforced, on this one address only, with all its state below `folder`."""
    port = free_port()
    cloud = Cloud(f"http://{LOOPBACK}:{port}", region)
    for name in ("tmp", "state", "s3"):
        (folder / name).mkdir()
    # Nothing else of this shell: what MiniStack has, the functions inherit, and a variable missing in the template
    # would not be noticed.
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "AUTH": "true",
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": LOOPBACK,
        # Without it, functions look for the emulator on loopback.
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "MINISTACK_REGION": region,
        "LOG_LEVEL": "WARNING",
        "TMPDIR": str(folder / "tmp"),
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        "PYTHONUNBUFFERED": "1",
    }

    def ready() -> bool:
        try:
            return requests.get(f"{cloud.endpoint}/_ministack/health", timeout=2).ok
        except requests.RequestException:
            return False

    with server(
        "MiniStack",
        [MINISTACK_PYTHON, _LAUNCHER],
        environment=environment,
        folder=folder,
        log=folder / "ministack.log",
        ready=ready,
        # Asked to end, it waits for what its functions still do.
        kill=True,
    ):
        yield cloud
