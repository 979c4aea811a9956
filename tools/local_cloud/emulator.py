"""MiniStack as the cloud of one run."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import requests

from tools.local_cloud.aws import Cloud
from tools.local_cloud.checkout import MINISTACK_PYTHON
from tools.local_cloud.premises import Premises
from tools.local_cloud.processes import LOOPBACK, free_port, server

_LAUNCHER = Path(__file__).with_name("launcher.py")
# Asked to end, it waits for what its functions still do, and then it writes down what is to be kept.
_GRACE_SECONDS = 60.0


@contextlib.contextmanager
def emulator(folder: Path, region: str, premises: Premises) -> Iterator[Cloud]:
    """Run MiniStack with IAM enforced, on this one address only, with all its state below `folder`.

    What the premises keep it reads at the start and writes at the end, and only at an orderly one.
    """
    port = premises.ports["aws"] or free_port()
    cloud = Cloud(f"http://{LOOPBACK}:{port}", region)
    data = folder if premises.data is None else premises.data
    (folder / "tmp").mkdir()
    for name in ("state", "s3"):
        (data / name).mkdir(exist_ok=True)
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
        "STATE_DIR": str(data / "state"),
        "S3_DATA_DIR": str(data / "s3"),
        "PYTHONUNBUFFERED": "1",
        "CALLER_KEY": f"{premises.caller_key.key_id}:{premises.caller_key.secret}",
    }
    if premises.sources is not None:
        environment["LIVE_SOURCES"] = str(premises.sources)
    if premises.data is not None:
        environment |= {"PERSIST_STATE": "1", "S3_PERSIST": "1"}

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
        kill=premises.data is None,
        grace_seconds=_GRACE_SECONDS,
    ):
        yield cloud
