"""Where a local stack lives, and what it knows from before: anywhere and nothing (tests), or settled (`make run`).

A settled stack has the same addresses and keys at every start, so that a merchant's configuration stays right. Its
ports are those that this checkout had before, else the usual ones, else any: two checkouts run side by side.
"""

import contextlib
import fcntl
import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tools.local_cloud.caller import AccessKey
from tools.local_cloud.checkout import LOCAL, ROOT
from tools.local_cloud.credentials import Credentials, new_credentials
from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.issuer import new_client_secret
from tools.local_cloud.processes import free_port
from tools.local_cloud.webhook_receiver import new_key

KEPT = LOCAL / "kept"
USUAL_PORTS = {"aws": 8701, "simulator": 8702, "shop": 8703, "webhooks": 8704, "issuer": 8705}


def new_access_key() -> AccessKey:
    """Make an access key as AWS would write one."""
    return AccessKey("AKIA" + secrets.token_hex(8).upper(), secrets.token_hex(20))


@dataclass(frozen=True, slots=True, kw_only=True)
class Premises:
    """What a stack is given. A port of 0 is any; `data` is a folder that outlives the run, None for none.

    `sources`: a checkout whose functions and layers run as they are now, None for those that were built.
    """

    ports: dict[str, int] = field(default_factory=lambda: dict.fromkeys(USUAL_PORTS, 0))
    credentials: Credentials = field(default_factory=new_credentials, repr=False)
    caller_key: AccessKey = field(default_factory=new_access_key)
    webhook_key: str = field(default_factory=new_key, repr=False)
    client_secret: str = field(default_factory=new_client_secret, repr=False)
    api_id: str = field(default_factory=lambda: secrets.token_hex(4))
    data: Path | None = None
    sources: Path | None = None

    @property
    def memory(self) -> Path | None:
        """The file in which the simulated DOKU keeps what it knows."""
        return None if self.data is None else self.data / "simulator"

    @property
    def has_memory(self) -> bool:
        """Whether there are data of an earlier run."""
        return self.memory is not None and self.memory.exists()


@contextlib.contextmanager
def settled(*, keep_data: bool, folder: Path = KEPT, usual: dict[str, int] | None = None) -> Iterator[Premises]:
    """Have the premises that this checkout had before; `keep_data` also keeps what is stored.

    Raises LocalCloudError where another run of this checkout keeps its data there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as resources:
        data = None
        if keep_data:
            data = resources.enter_context(_owned(folder / "data"))
        credentials, key = _read_identity(folder / "identity.json")
        yield Premises(
            ports=_choose_ports(folder / "ports.json", usual or USUAL_PORTS),
            credentials=credentials,
            caller_key=key,
            webhook_key=_read_kept(folder / "webhook-key", new_key),
            client_secret=_read_kept(folder / "client-secret", new_client_secret),
            api_id="directdebit",
            data=data,
            sources=ROOT,
        )


def read_settled_identity(folder: Path = KEPT) -> tuple[Credentials, AccessKey]:
    """Return the keys of this checkout's `make run`: of merchant and DOKU, and of the API's caller."""
    return _read_identity(folder / "identity.json")


def forget_data(folder: Path = KEPT) -> None:
    """Remove what `make run KEEP=1` has kept; raises LocalCloudError while a run keeps it."""
    if (folder / "data").exists():
        with _owned(folder / "data") as data:
            shutil.rmtree(data)


@contextlib.contextmanager
def _owned(folder: Path) -> Iterator[Path]:
    """Hold a folder for one run."""
    folder.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LocalCloudError(
                f"another `make run KEEP=1` of this checkout uses {folder}: end it, or leave KEEP out"
            ) from None
        yield folder


def _choose_ports(file: Path, usual: dict[str, int]) -> dict[str, int]:
    before: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    chosen: dict[str, int] = {}
    for name, port in usual.items():
        chosen[name] = free_port(*(number for number in (before.get(name), port) if number))
    # A second run beside the first has other ports for this once: the first one's are remembered.
    if not file.exists():
        file.write_text(json.dumps(chosen))
    return chosen


def _read_kept(file: Path, make: Callable[[], str]) -> str:
    """Read a secret of this checkout's stacks, or make it."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(make())
    return file.read_text()


def _read_identity(file: Path) -> tuple[Credentials, AccessKey]:
    """Read the keys of this checkout's stacks, or make them. They open an emulator on this machine and nothing else."""
    if file.exists():
        with contextlib.suppress(ValueError, TypeError, KeyError):  # of an older checkout: made anew
            document = json.loads(file.read_text())
            return Credentials(**document["credentials"]), AccessKey(**document["callerKey"])
    credentials, key = new_credentials(), new_access_key()
    file.touch(mode=0o600)
    file.write_text(json.dumps({"credentials": asdict(credentials), "callerKey": asdict(key)}, indent=2))
    return credentials, key
