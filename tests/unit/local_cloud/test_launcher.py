from typing import Any

import pytest

from tools.local_cloud.launcher import (
    exception_class,
    with_exception_class,
    with_numeric_concurrency,
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
