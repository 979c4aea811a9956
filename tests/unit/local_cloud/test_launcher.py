import io
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS
from tools.local_cloud import launcher
from tools.local_cloud.launcher import (
    WORKERS,
    beside,
    exception_class,
    scope_fault,
    with_bounded_workers,
    with_checked_scope,
    with_empty_secrets,
    with_evaluated_timeout,
    with_exception_class,
    with_failing_callback,
    with_gateway_responses,
    with_numeric_concurrency,
    with_shared_layers,
)

TRACE = """START RequestId
Traceback (most recent call last):
  File "handler.py", line 9, in handler
    raise OutcomeUnknown("x")
direct_debit.application.errors.OutcomeUnknown: the answer was lost
"""


@pytest.mark.parametrize(
    ("log", "name"),
    [
        (TRACE, "OutcomeUnknown"),
        (TRACE + "\n" + TRACE.replace("OutcomeUnknown", "Conflict"), "Conflict"),
        ("Traceback (most recent call last):\n  File x\nKeyError", "KeyError"),
        ("no trace here: nothing", None),
        ("", None),
    ],
)
def test_the_class_is_the_last_tracebacks(log: str, name: str | None) -> None:
    assert exception_class(log) == name


def test_a_failed_function_reports_its_class() -> None:
    def execute(*_: object) -> dict[str, Any]:
        return {"error": True, "log": TRACE, "body": {"errorType": "Runtime.HandlerError", "errorMessage": "x"}}

    assert with_exception_class(execute)("function")["body"]["errorType"] == "OutcomeUnknown"


@pytest.mark.parametrize(
    "result",
    [
        {"body": {"errorType": "Runtime.HandlerError"}, "log": TRACE},
        {"error": True, "body": {"errorType": "Sandbox.Timedout"}, "log": TRACE},
        {"error": True, "body": "text", "log": TRACE},
    ],
)
def test_other_results_pass_unchanged(result: dict[str, Any]) -> None:
    assert with_exception_class(lambda: dict(result))() == result


def test_a_limit_given_as_text_counts() -> None:
    limit = with_numeric_concurrency(lambda mapping: (mapping["ScalingConfig"] or {}).get("MaximumConcurrency", 9))
    assert limit({"ScalingConfig": {"MaximumConcurrency": "5"}}) == 5
    assert limit({"ScalingConfig": None}) == 9


def test_a_timeout_that_is_an_expression_becomes_its_number() -> None:
    seen: list[object] = []
    execute = with_evaluated_timeout(lambda state, *_: seen.append(state["TimeoutSeconds"]), lambda *_: 7)
    execute({"TimeoutSeconds": "{% $wait %}"}, {}, {}, {})
    execute({"TimeoutSeconds": 5}, {}, {}, {})
    assert seen == [7, 5]


class FunctionFailed(Exception):
    error = "NotDone"
    cause = "{}"


def test_a_functions_error_ends_the_wait_for_its_token() -> None:
    told, other = threading.Event(), threading.Event()
    waits: dict[str, dict[str, Any]] = {
        "token": {"event": told, "error": None},
        "other": {"event": other, "error": None},
    }

    def fail(function: str, event: object) -> None:
        raise FunctionFailed

    with pytest.raises(FunctionFailed):
        with_failing_callback(fail, waits.get)("f", {"taskToken": "token", "amount": {"value": "1.00"}})
    assert waits["token"]["error"] == {"Error": "NotDone", "Cause": "{}"}
    assert told.is_set()
    assert not other.is_set()


def test_a_function_that_answers_leaves_the_wait_alone() -> None:
    wait: dict[str, object] = {"event": threading.Event(), "error": None}
    assert with_failing_callback(lambda *_: "done", lambda _: wait)("f", {"taskToken": "token"}) == "done"
    assert wait["error"] is None


def test_a_secret_without_a_value_has_no_version() -> None:
    secrets: dict[str, dict[str, Any]] = {}

    def create(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
        secrets[logical_id] = {"Versions": {"1": {"SecretString": properties.get("SecretString", "")}}}
        return logical_id, {"Id": "arn"}

    mended = with_empty_secrets(create, secrets)
    assert mended("empty", {"Description": "x"}, "stack") == ("empty", {"Id": "arn"})
    assert secrets["empty"]["Versions"] == {}
    mended("filled", {"SecretString": "x"}, "stack")
    mended("generated", {"GenerateSecretString": {}}, "stack")
    assert secrets["filled"]["Versions"]
    assert secrets["generated"]["Versions"]


def test_a_function_runs_on_a_few_workers_and_the_others_wait_for_their_turn() -> None:
    lock, running, most = threading.Lock(), [0], [0]
    full, go_on = threading.Semaphore(0), threading.Event()

    def execute(function: dict[str, Any], event: int, request: str) -> dict[str, Any]:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        full.release()
        assert go_on.wait(PATIENCE_SECONDS)
        with lock:
            running[0] -= 1
        return {"body": (function["config"]["FunctionName"], event, request)}

    call = with_bounded_workers(execute, lambda name: {"throttle": name})
    function = {"config": {"FunctionName": "f"}}
    with ThreadPoolExecutor(3 * WORKERS + 1) as pool:
        calls = [pool.submit(call, function, number, "r") for number in range(3 * WORKERS)]
        for _ in range(WORKERS):
            assert full.acquire(timeout=PATIENCE_SECONDS)
        # Another function has workers of its own.
        other = pool.submit(call, {"FunctionName": "g", "config": {"FunctionName": "g"}}, 0, "r")
        assert full.acquire(timeout=PATIENCE_SECONDS)
        go_on.set()
        assert [one.result(PATIENCE_SECONDS)["body"] for one in calls] == [("f", n, "r") for n in range(3 * WORKERS)]
        assert other.result(PATIENCE_SECONDS)["body"][0] == "g"
    assert most[0] == WORKERS + 1


def test_who_waits_too_long_for_a_worker_is_throttled_and_a_failed_call_frees_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(launcher, "WORKERS", 1)
    monkeypatch.setattr(launcher, "LONGEST_TURN_SECONDS", 0.01)
    inner: list[dict[str, Any]] = []

    def execute(function: dict[str, Any], event: str) -> dict[str, Any]:
        inner.append(call(function, event) if event == "outer" else {})
        raise KeyError(event)

    call = with_bounded_workers(execute, lambda name: {"throttle": name})
    for _ in range(2):
        with pytest.raises(KeyError):
            call({"FunctionName": "f"}, "outer")
    assert inner == [{"throttle": "f"}] * 2


def test_the_gateways_own_answers_are_those_of_the_description() -> None:
    put: list[tuple[str, str, dict[str, Any]]] = []
    mended = with_gateway_responses(lambda *_: "api", lambda *answer: put.append(answer))
    answers = {"DEFAULT_4XX": {"responseTemplates": {}}, "THROTTLED": {"statusCode": 429}}
    assert mended({"x-amazon-apigateway-gateway-responses": answers}, {"name": "x"}) == "api"
    assert put == [("api", kind, answer) for kind, answer in answers.items()]
    assert mended({}) == "api"
    assert len(put) == 2


SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/20260302/{}/{}/aws4_request, SignedHeaders=host, Signature=00"


@pytest.mark.parametrize(
    ("authorization", "fault"),
    [
        (SIGNED.format("ap-southeast-3", "execute-api"), None),
        (SIGNED.format("ap-southeast-3", "lambda"), "correct service: 'execute-api'"),
        (SIGNED.format("us-east-1", "execute-api"), "a valid region, not 'us-east-1'"),
        ("Bearer token", None),
        ("", None),
    ],
)
def test_a_signature_for_another_service_or_region_is_refused(authorization: str, fault: str | None) -> None:
    told = scope_fault(authorization, "ap-southeast-3")
    assert (told is None) == (fault is None)
    assert fault is None or fault in str(told)


def test_only_routes_that_are_authorised_by_iam_read_the_signature() -> None:
    seen: list[str] = []

    def enforce(*call: object, iam_action: str = "") -> str:
        seen.append(str(call[3]) + iam_action)
        return "passed"

    mended = with_checked_scope(
        enforce,
        lambda *call: call[3] != "/public",
        lambda api: None if api == "another kind" else "ap-southeast-3",
        lambda *call: call[2],
    )
    wrong = {"authorization": SIGNED.format("ap-southeast-3", "lambda")}
    assert "correct service" in mended("api", "v1", "GET", "/private", wrong, {})
    assert mended("api", "v1", "GET", "/public", wrong, {}) == "passed"
    assert mended("another kind", "v1", "GET", "/private", wrong, {}, iam_action="x") == "passed"
    assert mended("api", "v1", "GET", "/private", {}, {}) == "passed"
    assert seen == ["/public", "/privatex", "/private"]


# What the emulator's worker does with a layer's archive.
WORKER = """
import os, site, sys, zipfile
folder = sys.argv[1]
zipfile.ZipFile(folder + ".zip").extractall(folder)
sys.path.insert(0, os.path.join(folder, "python"))
for version in os.listdir(os.path.join(folder, "python", "lib")):
    site.addsitedir(os.path.join(folder, "python", "lib", version, "site-packages"))
import shared, pydantic
print(shared.__file__, pydantic.__file__)
"""


def test_workers_share_one_unpacked_layer_which_comes_before_other_packages(tmp_path: Path) -> None:
    layer = io.BytesIO()
    with zipfile.ZipFile(layer, "w") as content:
        content.writestr("python/shared.py", "")
        content.writestr("python/pydantic.py", "")  # installed here too
    resolve = with_shared_layers(lambda attachment: layer.getvalue() if attachment == "ours" else None, tmp_path)
    assert resolve("other") is None
    imported = []
    for name in ("one", "two"):
        (tmp_path / f"{name}.zip").write_bytes(resolve("ours") or b"")
        command = [sys.executable, "-c", WORKER, str(tmp_path / name)]
        ended = subprocess.run(command, env={}, check=True, capture_output=True, text=True)
        imported.append(ended.stdout.split())
    assert imported[0] == imported[1]
    (unpacked,) = {Path(file).parent for file in imported[0]}
    assert unpacked.is_relative_to(tmp_path)
    assert list((unpacked / "__pycache__").glob("shared.*.pyc"))


def test_a_source_whose_consumer_works_holds_nobody_up() -> None:
    entered, go_on, polls = threading.Semaphore(0), threading.Semaphore(0), []

    def poll() -> bool:
        polls.append(threading.current_thread())
        entered.release()
        go_on.acquire()
        return len(polls) == 1  # found something at first, nothing afterwards

    ask = beside(poll)
    assert ask() is False
    assert entered.acquire(timeout=PATIENCE_SECONDS)
    assert ask() is False, "asked while the source's consumer works"
    for _ in range(2):  # what was found is followed by another look; and what was asked meanwhile is looked at
        go_on.release()
        assert entered.acquire(timeout=PATIENCE_SECONDS)
    assert len(set(polls)) == 1
    assert threading.current_thread() not in polls
    go_on.release()


def test_a_source_that_failed_is_polled_again_when_asked(caplog: pytest.LogCaptureFixture) -> None:
    polled: list[int] = []
    done = threading.Semaphore(0)

    def poll() -> bool:
        polled.append(len(polled))
        done.release()
        if len(polled) == 1:
            raise KeyError("a table that went away")
        return False

    ask = beside(poll)
    ask()
    assert done.acquire(timeout=PATIENCE_SECONDS)
    ask()
    assert done.acquire(timeout=PATIENCE_SECONDS)
    assert "could not be polled" in caplog.text
