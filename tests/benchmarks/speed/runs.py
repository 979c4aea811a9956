"""Runs of the driver and of the stage: the processes, their environment, and what they report."""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import requests

from tests.benchmarks.speed.events import Event
from tests.benchmarks.speed.merchant import authoriser_environment, webhook_environment
from tests.benchmarks.speed.recording import Call, read_calls
from tests.benchmarks.speed.tls import trust
from tests.fakes.environment import COMPLETE
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tests.fakes.world import PUBLIC_URL
from tools.local_cloud.checkout import ROOT

HERE = Path(__file__).parent
LAYERS = ("DependenciesLayer", "DokuSnapLayer", "DirectDebitLayer")
# What Lambda's runtime for Python has beside the standard library: boto3 and what it needs.
_SDK = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
_SCRIPTS = ("floor.py", "peer_ours.py", "peer_theirs.py")  # what else the driver loads; with bytecode, as the build
_CPU = max(os.sched_getaffinity(0))  # of the stage, and of what is measured: driver.py says why
# As a stack has them where SecretLayout is its default; what takes notifications seals with keys of the inbound one.
_SECRETS = {"INBOUND_SECRET_ID": "inbound", "SIGNING_SECRET_ID": "signing", "DATA_SECRET_ID": "data"}
_RECEIVERS = frozenset({"ReceivePaymentNotification", "ReceiveBindingNotification"})
_PATIENCE_SECONDS = 300  # to store a million payments takes 40
_SOURCES = ("layers/doku_snap/python", "layers/direct_debit/python")


@dataclass(frozen=True, slots=True)
class Report:
    """What the driver says of one environment (driver.py has the units)."""

    start: float
    init: float
    requests: Sequence[float]
    began: Sequence[float]
    ended: Sequence[float]
    first_kib: int
    peak_kib: int
    ours: Sequence[str]
    ours_later: Sequence[str]
    modules: int
    compiled: Sequence[str]
    answers: Sequence[Mapping[str, Any]]

    @property
    def cold(self) -> float:
        """CPU seconds from nothing, not even an interpreter, to the first answer."""
        return self.init + self.requests[0]


def _find_sdk() -> list[str]:
    """Return the folders and files of the SDK that Lambda's runtime brings; here it is this environment's."""
    files = [Path(str(importlib.import_module(name).__file__)) for name in _SDK]
    return [str(path.parent if path.name == "__init__.py" else path) for path in files]


def _compile(folders: Sequence[str]) -> None:
    """Put bytecode beside sources that have none, as Lambda's runtime has it."""
    subprocess.run([sys.executable, "-m", "compileall", "-q", *folders], check=True)


@dataclass(frozen=True, slots=True)
class _Job:
    """What the driver is told (driver.py)."""

    paths: Sequence[str]
    module: str
    events: Sequence[Mapping[str, object]]
    worlds: Sequence[str] = ()
    function: str = ""


@dataclass(frozen=True, slots=True)
class Sampled:
    """A report, and the stacks with their times (sampler.py)."""

    report: Report
    stacks: Sequence[tuple[float, str]]


class Stage:
    """The other process (stage.py)."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self.aws, self.doku = places["aws"], places["doku"]
        self.authority = Path(places["authority"])
        self._session = requests.Session()
        self._session.trust_env = False

    def prepare(self, function: str, count: int, *, stored: int = 0, keep: str = "", moto: str = "") -> Sequence[Event]:
        """Play a new world in which a function may be invoked; return the events. See stage.py."""
        asked = {"function": function, "count": count, "stored": stored, "keep": keep, "moto": moto}
        return cast("Sequence[Event]", self._direct("prepare", asked))

    def recording(self) -> Sequence[Call]:
        """Return what was asked since the scene was prepared; a replay names a call by its place here."""
        return read_calls(cast("Sequence[Mapping[str, Any]]", self._direct("recording", {})))

    def _direct(self, action: str, document: Mapping[str, object]) -> object:
        answer = self._session.post(f"{self.aws}/control/{action}", json=document, timeout=_PATIENCE_SECONDS)
        if answer.status_code != 200:
            raise RuntimeError(f"the stage could not {action}: {answer.json()}")
        return answer.json()


@contextmanager
def running_stage(folder: Path) -> Iterator[Stage]:
    """Run a stage until the block ends."""
    paths = os.pathsep.join(str(ROOT / name) for name in (".", *_SOURCES))
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.speed.stage", str(folder), str(_CPU)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield Stage(json.loads(process.stdout.readline()))
        finally:
            process.communicate()


class Bench:
    """The built application, the floor, and the places where both find AWS and DOKU."""

    def __init__(self, build: Path, stage: Stage, folder: Path) -> None:
        self.build = build
        self.stage = stage
        self._folder = folder
        trusting = folder / "trusting"
        self._bundle = trust(build / LAYERS[0] / "python", stage.authority, trusting)
        self._layers = [str(build / layer / "python") for layer in LAYERS]
        self._trusting = str(trusting)
        self._scripts = folder / "scripts"
        self._scripts.mkdir()
        for name in _SCRIPTS:
            (self._scripts / name).write_bytes((HERE / name).read_bytes())
        self._runtime = folder / "runtime"
        self._runtime.mkdir()
        for place in _find_sdk():
            (self._runtime / Path(place).name).symlink_to(place)
        _compile([str(self._scripts), str(self._runtime), *_find_sdk()])

    def run_ours(self, function: str, events: Sequence[Event], worlds: Sequence[str] = ()) -> Report:
        """Start a function of the build and hand it the events, each in its world (names that were kept)."""
        paths = [self._trusting, str(self.build / function), *self._layers]
        return Report(**self._drive_ours("driver.py", _Job(paths, "handler", events, worlds, function)))

    def run_floor(self, scripts: Sequence[Mapping[str, object]]) -> Report:
        """Start the floor and hand it the scripts."""
        job = _Job([str(self._scripts), self._layers[0]], "floor", scripts)
        return Report(**self._drive_ours("driver.py", job))

    def run_signing_layer(self, events: Sequence[Event]) -> Report:
        """Let the built signing layer make payments at DOKU, and nothing else."""
        job = _Job([self._trusting, str(self._scripts), *self._layers], "peer_ours", events)
        return Report(**self._drive_ours("driver.py", job))

    def run_peer(self, python: Path, events: Sequence[Event]) -> Report:
        """Let DOKU's own library make the same payments, in its environment."""
        job = _Job([self._trusting, str(self._scripts)], "peer_theirs", events)
        return Report(**self._drive(str(python), "driver.py", job))

    def sample(self, function: str, events: Sequence[Event]) -> Sampled:
        """Do what `run_ours` does, with stacks: slower, so that its times mean nothing."""
        paths = [self._trusting, str(self.build / function), *self._layers]
        document = self._drive_ours("sampler.py", _Job(paths, "handler", events, function=function))
        stacks = [(float(at), str(stack)) for at, stack in document.pop("stacks")]
        return Sampled(Report(**document), stacks)

    def _drive_ours(self, script: str, job: _Job) -> dict[str, Any]:
        """Drive with no other packages than the layers' and those of Lambda's runtime, which come last."""
        return self._drive(sys.executable, script, replace(job, paths=[*job.paths, str(self._runtime)]), "-S")

    def _drive(self, python: str, script: str, job: _Job, *flags: str) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            given, report = Path(folder) / "job.json", Path(folder) / "report.json"
            given.write_text(json.dumps({**asdict(job), "cpu": _CPU}))
            done = subprocess.run(
                [python, "-B", *flags, str(HERE / script), str(given), str(report)],
                env=self.environment(job.function),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise RuntimeError(f"the driver of {job.module} failed\n{done.stderr}")
            document: dict[str, Any] = json.loads(report.read_text())
            return document

    def environment(self, function: str) -> dict[str, str]:
        """Return the variables of a function in Lambda, by its name in the template; of "" what all have."""
        own = {
            "AuthoriseCall": authoriser_environment(self.stage.aws),
            "DeliverWebhook": webhook_environment(self.stage.doku, str(self._bundle)),
            **{name: {"DATA_SECRET_ID": "inbound"} for name in _RECEIVERS},
        }
        return {
            **COMPLETE,
            **_SECRETS,
            **own.get(function, {}),
            "BINDINGS_TABLE": BINDINGS,
            "TRANSACTIONS_TABLE": TRANSACTIONS,
            "DOKU_BASE_URL": self.stage.doku,
            "PUBLIC_BASE_URL": PUBLIC_URL,
            "DEFAULT_SUCCESS_URL": "https://shop.example/ok",
            "DEFAULT_FAILED_URL": "https://shop.example/no",
            "POWERTOOLS_SERVICE_NAME": "direct-debit",
            "POWERTOOLS_METRICS_NAMESPACE": "DirectDebit",
            "AWS_ENDPOINT_URL": self.stage.aws,
            "AWS_REGION": "ap-southeast-3",
            "AWS_DEFAULT_REGION": "ap-southeast-3",
            "AWS_ACCESS_KEY_ID": "ASIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "AWS_SESSION_TOKEN": "IQoJb3JpZ2luX2VjEXAMPLETOKEN" * 20,
            "AWS_LAMBDA_FUNCTION_NAME": "measured",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "LANG": "en_US.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "TZ": ":UTC",
            "FLOOR_TRUSTS": str(self._bundle),
        }
