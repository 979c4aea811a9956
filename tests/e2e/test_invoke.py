"""`make invoke … DOCKER=no`: the handler under AWS's own runtime client, against the deployed stack."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.debugger import connect
from tools.invoke import with_sam, without_docker
from tools.invoke.dependencies import build_dependencies
from tools.invoke.functions import read_functions
from tools.invoke.running_stack import read_running_stack
from tools.local_cloud.checkout import ROOT
from tools.local_cloud.env_file import env_file
from tools.local_cloud.processes import free_port
from tools.local_cloud.stack import LocalStack

pytestmark = pytest.mark.e2e

EVENTS = ROOT / "events"


def invoke(stack: LocalStack, function: str, event: str, folder: Path) -> tuple[Any, str]:
    """Returns the answer and the log."""
    without_docker.prepare()
    log = folder / "invoke.log"
    with env_file(stack, folder / "env.json") as path:
        body = (EVENTS / f"{event}.json").read_bytes()
        answer = without_docker.invoke(read_functions().find(function), read_running_stack(path), body, log, None)
    assert not path.exists()
    return json.loads(answer), log.read_text()


def test_an_api_event_reaches_doku_and_the_tables(stack: LocalStack, tmp_path: Path) -> None:
    answer, log = invoke(stack, "BindAccount", "bind_account", tmp_path)
    assert answer["statusCode"] in {200, 201}
    stored = stack.signed().call("GET", f"/bindings/{json.loads(answer['body'])['bindingId']}")
    assert (stored.status, stored.body["state"]) == (200, "PENDING")
    assert '"operation":"bind_account"' in log
    assert json.loads((EVENTS / "bind_account_direct.json").read_text())["phone"] not in log


def test_who_takes_notifications_is_given_its_own_secret(stack: LocalStack, tmp_path: Path) -> None:
    """It seals with keys that stand beside those that verify, and no other function does."""
    with env_file(stack, tmp_path / "env.json") as path:
        running = read_running_stack(path)
    secrets = {
        name: [running.variables_of(name)[f"{part}_SECRET_ID"] for part in ("INBOUND", "SIGNING", "DATA")]
        for name in ("ReceivePaymentNotification", "ReceiveBindingNotification", "MakePayment")
    }
    inbound, signing, data = stack.secret_ids
    assert secrets == {
        "ReceivePaymentNotification": [inbound, signing, inbound],
        "ReceiveBindingNotification": [inbound, signing, inbound],
        "MakePayment": [inbound, signing, data],
    }


def test_what_was_run_leaves_no_trace_in_the_packages(stack: LocalStack, tmp_path: Path) -> None:
    """They are used again, as they were built."""
    before = set(build_dependencies().rglob("*"))
    invoke(stack, "GetRefund", "get_refund_direct", tmp_path)
    assert set(build_dependencies().rglob("*")) == before


def line_of(path: Path, text: str) -> int:
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if text in line)


def test_a_breakpoint_stops_in_the_function_and_in_each_layer(stack: LocalStack, tmp_path: Path) -> None:
    layers = ROOT / "layers"
    places = {
        ROOT / "functions/bind_account/handler.py": "handler = open_doors(",
        layers / "direct_debit/python/direct_debit/application/bindings/bind_account.py": "now = ports.clock.now()",
        layers / "doku_snap/python/doku_snap/client.py": "sent_bytes = serialize(body)",
    }
    breakpoints = {path: [line_of(path, text)] for path, text in places.items()}
    body = (EVENTS / "bind_account.json").read_bytes().replace(b"CUST-1001", b"CUST-1002").replace(b"628", b"627")
    without_docker.prepare()
    port = free_port()
    with env_file(stack, tmp_path / "env.json") as path, ThreadPoolExecutor() as pool:
        function, running = read_functions().find("BindAccount"), read_running_stack(path)
        answer = pool.submit(without_docker.invoke, function, running, body, tmp_path / "invoke.log", port)
        with connect(port) as debugger:
            debugger.attach([], breakpoints)
            stops = [debugger.next_stop() for _ in places]
        assert json.loads(answer.result())["statusCode"] == 201
    assert stops == [(str(path), lines[0]) for path, lines in breakpoints.items()]


def test_a_plain_command_raises_by_name(stack: LocalStack, tmp_path: Path) -> None:
    answer, _ = invoke(stack, "GetPayment", "get_payment_direct", tmp_path)
    assert answer["errorType"] == "NotFound"
    assert answer["errorMessage"].startswith("there is no such payment: ")


# --- in its container ------------------------------------------------------------------------------------------------


def containers_and_networks() -> set[str]:
    commands = (["docker", "ps", "--all", "--quiet"], ["docker", "network", "ls", "--quiet"])
    listed = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for command in commands]
    return set("".join(listed).split())


def test_a_function_in_its_container_finds_the_stack_and_leaves_nothing(
    stack: LocalStack, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if not with_sam.engine_answers():
        pytest.skip("no Docker engine answers; docs/local-invoke.md says how to get one")
    before = containers_and_networks()
    with env_file(stack, tmp_path / "env.json") as path:
        event = EVENTS / "get_payment_direct.json"
        assert with_sam.invoke(read_functions(), read_running_stack(path), "GetPayment", event, None) == 0
    assert '"errorMessage": "there is no such payment: ' in capfd.readouterr().out
    assert containers_and_networks() == before
