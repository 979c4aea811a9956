import itertools
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.logs import LogLine, find_operation, follow, show, tell

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MILLISECONDS = int(AT.timestamp() * 1000)


class Logs:
    """A log group that has more to say at each look; the paginator of boto3 is all that is used."""

    def __init__(self, *looks: list[tuple[str, str]]) -> None:
        self.looks = iter(looks)
        self.asked: dict[str, object] = {}

    def get_paginator(self, _: str) -> "Logs":
        return self

    def paginate(self, **asked: object) -> list[dict[str, Any]]:
        self.asked = asked
        events = [
            {"logStreamName": stream, "timestamp": MILLISECONDS, "message": text} for stream, text in next(self.looks)
        ]
        return [{"events": events[:1]}, {"events": events[1:]}]


def message(operation: str, text: str, **more: object) -> str:
    return json.dumps({"level": "INFO", "message": text, "operation": operation, "service": "direct-debit", **more})


def test_a_function_is_named_as_in_the_template_or_as_its_folder() -> None:
    assert {find_operation(name) for name in ("MakePayment", "make_payment", "make-payment")} == {"make_payment"}
    with pytest.raises(
        LocalCloudError, match=r"FN=Pay is no function; there are AuthoriseCall, BindAccount, .*VerifyPaymentOtp"
    ):
        find_operation("Pay")


def test_lines_are_shown_once_with_what_a_person_wants() -> None:
    first = [
        ("a", "START RequestId: 1 Version: 1"),
        ("a", message("make_payment", "answered", status=201, xray_trace_id="1-2")),
        ("a", json.dumps({"_aws": {}, "Paid": [1]})),
        ("b", message("get_payment", "answered", status=200)),
    ]
    second = [*first, ("c", message("make_payment", "failed", kind="Timeout")), ("c", "Traceback (most recent call):")]
    shown: list[str] = []
    lines = follow(Logs(first, second, second), "stack", since=AT, pause=lambda: None)  # type: ignore[arg-type]  # as much of a client as is asked
    show(itertools.islice(lines, 6), shown.append, "make_payment")
    assert shown == [
        "09:00:00  make_payment                  INFO     answered  status=201",
        "09:00:00  make_payment                  INFO     failed  kind=Timeout",
        "09:00:00  make_payment                  Traceback (most recent call):",
    ]


def test_once_ends_with_what_is_there_from_the_moment_on() -> None:
    logs = Logs([("a", message("pay", "x"))])
    (line,) = follow(logs, "stack", since=AT, once=True)  # type: ignore[arg-type]  # as much of a client as is asked
    assert line.operation == "pay"
    assert logs.asked == {"logGroupName": "/aws/lambda/stack", "startTime": MILLISECONDS}


@pytest.mark.parametrize("text", ["END RequestId: 1", "REPORT RequestId: 1", "", "  "])
def test_what_is_no_message_is_left_out(text: str) -> None:
    assert tell(LogLine(AT, "pay", None, text)) is None
