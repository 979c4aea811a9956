"""A function without a container: AWS's runtime interface client under the runtime interface emulator that SAM ships.

What is the same as in Lambda: the handler, its layers, its variables, the JSON in and out, the log, the time limit.
What is not: the operating system, the memory limit, the role (the emulator's root key is used).
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from tools.invoke.dependencies import build_dependencies
from tools.invoke.functions import Function
from tools.invoke.running_stack import RunningStack
from tools.local_cloud import sam
from tools.local_cloud.checkout import ROOT
from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.processes import free_port, server

ENVIRONMENT = ROOT / ".tools" / "lambda"
_PATH = "/2015-03-31/functions/function/invocations"
_DEBUG_SECONDS = 3600  # nobody is hurried through a breakpoint


def prepare() -> None:
    """Build the environment with the runtime interface client, from its locked file. Raises LocalCloudError."""
    command = [sys.executable, str(ROOT / "tools" / "bootstrap.py"), "lambda"]
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise LocalCloudError("requirements/lambda.txt could not be installed")


def invoke(function: Function, stack: RunningStack, event: bytes, log: Path, debug_port: int | None) -> bytes:
    """Invoke the function once and return its answer (JSON, also for an error); its log is in `log`.

    With a debug port the function waits for a debugger to attach. Raises LocalCloudError.
    """
    packages = build_dependencies()
    with (
        running(function, packages, stack.variables_of(function.name), log, debug_port) as url,
        requests.Session() as session,
    ):
        session.trust_env = False
        limit = _DEBUG_SECONDS if debug_port else function.timeout
        answer = session.post(url, data=event, timeout=limit + 30)
    return answer.content


@contextmanager
def running(
    function: Function, packages: Path, variables: Mapping[str, str], log: Path, debug_port: int | None = None
) -> Iterator[str]:
    """Keep a function ready, with third-party `packages` and its variables; yields the URL that takes events (POST).

    One event at a time, as in Lambda. Raises LocalCloudError.
    """
    port, api_port = free_port(), free_port()
    debugger = ["-m", "debugpy", "--listen", f"127.0.0.1:{debug_port}", "--wait-for-client"] if debug_port else []
    python = [str(ENVIRONMENT / "bin" / "python"), *debugger, "-m", "awslambdaric", function.handler]
    addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    addresses += ["--runtime-api-address", f"127.0.0.1:{api_port}"]
    command = [str(_rie()), "--log-level", "warn", *addresses, *python]
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        # The packages are used again: with bytecode in them, they would be others.
        "PYTHONDONTWRITEBYTECODE": "1",
        # As in Lambda: the function's own code first, then its layers; all as they are in this checkout now.
        "PYTHONPATH": os.pathsep.join(map(str, (function.code, *function.layers, packages))),
        "LAMBDA_TASK_ROOT": str(function.code),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(_DEBUG_SECONDS if debug_port else function.timeout),
        **variables,
    }

    def ready() -> bool:
        return _listens(port)

    with server(
        "the runtime interface emulator", command, environment=environment, folder=function.code, log=log, ready=ready
    ):
        yield f"http://127.0.0.1:{port}{_PATH}"


def _listens(port: int) -> bool:
    # Any answer will do; the emulator knows no other path than the one of invocations.
    try:
        with requests.Session() as session:
            session.trust_env = False
            session.get(f"http://127.0.0.1:{port}/", timeout=2)
    except requests.RequestException:
        return False
    return True


def _rie() -> Path:
    found = sorted(
        (ROOT / ".tools" / "sam").glob(
            f"lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{sam.ARCHITECTURE}"
        )
    )
    if not found:
        raise LocalCloudError("aws-sam-cli brings no runtime interface emulator for this processor")
    # Packages carry no executable bit.
    found[0].chmod(0o755)
    return found[0]
