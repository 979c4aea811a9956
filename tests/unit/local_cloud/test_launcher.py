from typing import Any

import pytest

from tools.local_cloud.launcher import (
    exception_class,
    excluded_prefix,
    with_exception_class,
    with_numeric_concurrency,
    with_prefix_exclusion,
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


HISTORY = {"dynamodb": {"Keys": {"sk": {"S": [{"anything-but": {"prefix": "HISTORY"}}]}}}}


def plain(record: dict[str, Any], pattern: dict[str, Any]) -> bool:
    """As the emulator does: nested dicts recurse through the mended function, lists hold allowed values."""
    return all(
        mended(record[key], inner) if isinstance(inner, dict) else record[key] in inner
        for key, inner in pattern.items()
    )


mended = with_prefix_exclusion(plain)


@pytest.mark.parametrize(("sort_key", "passes"), [("PAYMENT", True), ("HISTORY#0001", False), ("HISTOR", True)])
def test_history_is_filtered_out(sort_key: str, passes: bool) -> None:
    assert mended({"dynamodb": {"Keys": {"sk": {"S": sort_key}}}}, HISTORY) is passes


def test_an_absent_field_does_not_pass_and_plain_conditions_still_count() -> None:
    assert excluded_prefix([{"anything-but": ["A"]}]) is None
    assert not mended({"a": 1}, {"sk": [{"anything-but": {"prefix": "H"}}]})
    assert mended({"sk": "X", "kind": "p"}, {"sk": [{"anything-but": {"prefix": "H"}}], "kind": ["p"]})
    assert not mended({"sk": "X", "kind": "q"}, {"sk": [{"anything-but": {"prefix": "H"}}], "kind": ["p"]})


def test_a_limit_given_as_text_counts() -> None:
    limit = with_numeric_concurrency(lambda mapping: (mapping["ScalingConfig"] or {}).get("MaximumConcurrency", 9))
    assert limit({"ScalingConfig": {"MaximumConcurrency": "5"}}) == 5
    assert limit({"ScalingConfig": None}) == 9
