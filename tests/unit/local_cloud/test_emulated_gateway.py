"""The emulator's secrets, workers and gateway, mended."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS
from tools.local_cloud import launcher
from tools.local_cloud.launcher import (
    WORKERS,
    scope_fault,
    with_bounded_workers,
    with_checked_scope,
    with_empty_secrets,
    with_gateway_responses,
    with_resource_policy,
    with_transform_parameters,
)


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


def test_an_apis_policy_is_taken_from_its_description() -> None:
    made: list[dict[str, Any]] = []

    def make(_: dict[str, Any], given: dict[str, Any]) -> str:
        made.append(given)
        return "api"

    mended = with_resource_policy(make)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/v1/*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    assert mended({"x-amazon-apigateway-policy": policy}, {"name": "shop", "policy": None}) == "api"
    assert made.pop() == {"name": "shop", "policy": json.dumps(policy)}
    assert mended({"paths": {}}, {"name": "shop"}) == "api"
    assert made.pop() == {"name": "shop"}


def test_the_gateways_own_answers_are_those_of_the_description() -> None:
    put: list[tuple[str, str, dict[str, Any]]] = []
    mended = with_gateway_responses(lambda *_: "api", lambda *answer: put.append(answer))
    answers = {"DEFAULT_4XX": {"responseTemplates": {}}, "THROTTLED": {"statusCode": 429}}
    assert mended({"x-amazon-apigateway-gateway-responses": answers}, {"name": "x"}) == "api"
    assert put == [("api", kind, answer) for kind, answer in answers.items()]
    assert mended({}) == "api"
    assert len(put) == 2


def test_the_transform_reads_the_parameters_that_are_given_and_leaves_their_definitions() -> None:
    template = {
        "Parameters": {"Mode": {"Type": "String", "Default": "a"}, "Other": {"Type": "String"}},
        "Resources": {},
    }
    seen: list[dict[str, Any]] = []

    def apply(given: dict[str, Any], *more: object) -> dict[str, Any]:
        seen.append(given["Parameters"])
        assert more == ([{"Key": "Mode", "Value": "b"}], {"Other": "c"})
        return given | {"Resources": {"made": given["Parameters"]["Mode"]["Default"]}}

    mended = with_transform_parameters(apply, lambda *_: {"Mode": "b"})
    done = mended(template, [{"Key": "Mode", "Value": "b"}], {"Other": "c"})
    assert done == template | {"Resources": {"made": "b"}}
    assert seen == [{"Mode": {"Type": "String", "Default": "b"}, "Other": {"Type": "String"}}]
    assert with_transform_parameters(lambda given, *_: given, lambda *_: {})({"Resources": {}}) == {"Resources": {}}


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
