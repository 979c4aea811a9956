import asyncio
import io
import json
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS
from tools.local_cloud.launcher import (
    beside,
    exception_class,
    with_counted_runs,
    with_counted_server_errors,
    with_counted_throttles,
    with_evaluated_timeout,
    with_exception_class,
    with_failing_callback,
    with_given_back_records,
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


# --- streams ---------------------------------------------------------------------------------------------------------


class Stream:
    """The emulator's poll, reduced: one batch, on behind it unless the function failed."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.seen: list[list[str]] = []
        self.position = 0
        self.poll, self.execute = with_given_back_records(self._poll, self._execute)

    def _poll(self) -> bool:
        records = [
            {"eventSourceARN": "stream", "dynamodb": {"SequenceNumber": str(number)}}
            for number in range(self.position, 3)
        ]
        if self.execute("function", {"Records": records}).get("error"):
            return False
        self.position = 3
        return True

    def _execute(self, _function: object, event: dict[str, Any]) -> dict[str, Any]:
        self.seen.append([record["dynamodb"]["SequenceNumber"] for record in event["Records"]])
        return self.answers.pop(0)


def giving_back(*sequences: str) -> dict[str, Any]:
    """A function's answer."""
    return {"body": {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in sequences]}}


def test_what_a_function_gives_back_of_a_batch_comes_again_from_there_on() -> None:
    stream = Stream(giving_back("1"), giving_back("2", "1"), giving_back("2"), giving_back())
    assert [stream.poll() for _ in range(4)] == [False, False, False, True]
    assert stream.seen == [["0", "1", "2"], ["1", "2"], ["1", "2"], ["2"]]
    assert stream.position == 3


def test_a_function_that_dies_gets_what_it_had() -> None:
    stream = Stream(giving_back("1"), {"error": True, "body": {}}, {"body": json.dumps({"batchItemFailures": []})})
    assert [stream.poll() for _ in range(3)] == [False, False, True]
    assert stream.seen == [["0", "1", "2"], ["1", "2"], ["1", "2"]]


def test_a_function_that_is_called_otherwise_is_left_alone() -> None:
    stream = Stream(giving_back("1"))
    event = {"Records": [{"eventSourceARN": "stream", "dynamodb": {"SequenceNumber": "1"}}]}
    assert stream.execute("function", event) == giving_back("1")


class Figures:
    """What was counted."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, str, float, dict[str, str]]] = []

    def record(self, namespace: str, metric: str, value: float, unit: str, dimensions: dict[str, str]) -> None:
        assert unit == "Count"
        self.noted.append((namespace, metric, value, dimensions))


MINE = {"FunctionName": "mine"}


@pytest.mark.parametrize(("result", "errors"), [({"body": {}}, 0), ({"body": {}, "error": True}, 1)])
def test_each_run_of_a_function_counts_and_each_failed_one_twice(result: dict[str, Any], errors: int) -> None:
    figures = Figures()
    run = with_counted_runs(lambda *_: result, figures.record)
    assert run({}, MINE, {}, "request", 0.0) is result
    assert figures.noted == [("AWS/Lambda", "Invocations", 1, MINE), ("AWS/Lambda", "Errors", errors, MINE)]


def test_a_run_that_the_emulator_itself_could_not_make_has_failed() -> None:
    def run(*_: object) -> dict[str, Any]:
        raise OSError

    figures = Figures()
    with pytest.raises(OSError):  # noqa: PT011 - it has no text
        with_counted_runs(run, figures.record)({}, MINE, {})
    assert ("AWS/Lambda", "Errors", 1, MINE) in figures.noted


def test_only_a_run_that_was_refused_is_throttled() -> None:
    figures = Figures()
    assert with_counted_throttles(lambda *_: ("slot", None), figures.record)({}, MINE) == ("slot", None)
    assert figures.noted == []
    assert with_counted_throttles(lambda *_: (None, "function"), figures.record)({}, MINE) == (None, "function")
    assert figures.noted == [("AWS/Lambda", "Throttles", 1, MINE)]


@pytest.mark.parametrize(("status", "errors"), [(200, 0), (429, 0), (500, 1), (503, 1)])
def test_each_answer_of_the_api_says_whether_it_was_a_server_error(status: int, errors: int) -> None:
    async def execute(*_: object) -> tuple[int, object, object]:
        return status, {}, b""

    figures = Figures()
    answer = with_counted_server_errors(execute, lambda api: f"name of {api}", figures.record)
    assert asyncio.run(answer("a1", "v1", "GET", "/")) == (status, {}, b"")
    dimensions = {"ApiName": "name of a1", "Stage": "v1"}
    assert figures.noted == [("AWS/ApiGateway", "5XXError", errors, dimensions)]
