"""`make invoke … DOCKER=no`: the handler under AWS's own runtime client, against the deployed stack."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools.invoke import without_docker
from tools.invoke.built_template import build
from tools.invoke.running_stack import read_running_stack
from tools.local_cloud.env_file import env_file
from tools.local_cloud.stack import LocalStack

pytestmark = pytest.mark.e2e

EVENTS = Path(__file__).resolve().parents[2] / "events"


def invoke(stack: LocalStack, function: str, event: str, folder: Path) -> tuple[Any, str]:
    """Returns the answer and the log."""
    without_docker.prepare()
    log = folder / "invoke.log"
    with env_file(stack, folder / "env.json") as path:
        body = (EVENTS / f"{event}.json").read_bytes()
        answer = without_docker.invoke(build().function(function), read_running_stack(path), body, log, None)
    assert not path.exists()
    return json.loads(answer), log.read_text()


def test_an_api_event_reaches_doku_and_the_tables(stack: LocalStack, tmp_path: Path) -> None:
    answer, log = invoke(stack, "BindAccount", "bind_account", tmp_path)
    assert answer["statusCode"] in {200, 201}
    stored = stack.signed().call("GET", f"/bindings/{json.loads(answer['body'])['bindingId']}")
    assert (stored.status, stored.body["state"]) == (200, "PENDING")
    assert '"operation":"bind_account"' in log
    assert json.loads((EVENTS / "bind_account_direct.json").read_text())["phone"] not in log


def test_a_build_that_was_run_is_the_build_that_was_made(stack: LocalStack, tmp_path: Path) -> None:
    """Or the next deployment would upload it anew, and publish every function for nothing."""
    before = set(build().folder.resolve().rglob("*"))
    invoke(stack, "GetRefund", "get_refund_direct", tmp_path)
    assert set(build().folder.resolve().rglob("*")) == before


def test_a_plain_command_raises_by_name(stack: LocalStack, tmp_path: Path) -> None:
    answer, _ = invoke(stack, "GetPayment", "get_payment_direct", tmp_path)
    assert (answer["errorType"], answer["errorMessage"]) == ("NotFound", "there is no such payment")
