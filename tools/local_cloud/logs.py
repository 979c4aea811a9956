"""Shows what the functions of the running local stack log, as it comes: `make logs`, `make logs FN=MakePayment`."""

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tools.local_cloud.checkout import ROOT
from tools.local_cloud.failure import LocalCloudError

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

_PAUSE_SECONDS = 1.0
_PLATFORM = re.compile(r"(START|END|REPORT|INIT_START) ")
# Shown at the beginning of the line, or the same in every line.
_LEFT_OUT = frozenset({"level", "message", "timestamp", "service", "location", "operation", "xray_trace_id"})


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a function's log: the JSON document that our functions write, or else the text."""

    at: datetime
    operation: str
    document: Mapping[str, object] | None
    text: str


def find_operation(name: str) -> str:
    """Return the folder of functions/ that is meant by `MakePayment`, `make_payment` or `make-payment`.

    Raises LocalCloudError that names all of them when there is none.
    """
    wanted = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("-", "_").lower()
    known = sorted(file.parent.name for file in (ROOT / "functions").glob("*/handler.py"))
    if wanted not in known:
        names = ", ".join("".join(part.capitalize() for part in one.split("_")) for one in known)
        raise LocalCloudError(f"FN={name} is no function; there are {names}")
    return wanted


def follow(
    logs: "CloudWatchLogsClient",
    stack: str,
    *,
    since: datetime,
    once: bool = False,
    pause: Callable[[], None] = lambda: time.sleep(_PAUSE_SECONDS),
) -> Iterator[LogLine]:
    """Yield the lines of all functions of a stack, from a moment on; `once` ends with those that are there.

    A text that is no document of ours (a traceback) belongs to the function of the run's other lines.
    """
    start = int(since.timestamp() * 1000)
    finished: set[str] = set()
    operations: dict[str, str] = {}  # by stream: the emulator gives each run one of its own
    while True:
        new: set[str] = set()
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{stack}", startTime=start)
        for event in (event for page in pages for event in page["events"]):
            stream, text = event["logStreamName"], event["message"]
            # A run writes all its lines at once and in a stream of its own: seen once, it is seen whole.
            if stream in finished:
                continue
            new.add(stream)
            document = _read(text)
            if document is not None and "operation" in document:
                operations[stream] = str(document["operation"])
            at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
            yield LogLine(at, operations.get(stream, ""), document, text)
        finished |= new
        if once:
            return
        pause()


def show(lines: Iterable[LogLine], write: Callable[[str], object], operation: str | None = None) -> None:
    """Write the lines of one function, or of all, as a person reads them."""
    for line in lines:
        if operation in (None, line.operation):
            text = tell(line)
            if text is not None:
                write(text)


def tell(line: LogLine) -> str | None:
    """Return a line as a person reads it: time (UTC), function, level, message, what else it says.

    None for what is no message: Lambda's own lines about each run, and figures in CloudWatch's embedded format.
    """
    head = f"{line.at:%H:%M:%S}  {line.operation:<28}"
    if line.document is None:
        return None if _PLATFORM.match(line.text) or not line.text.strip() else f"{head}  {line.text.rstrip()}"
    if "_aws" in line.document:
        return None
    rest = {name: value for name, value in line.document.items() if name not in _LEFT_OUT}
    shown = " ".join(f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in rest.items())
    return f"{head}  {line.document.get('level', ''):<7}  {line.document.get('message', '')}  {shown}".rstrip()


def _read(text: str) -> Mapping[str, object] | None:
    try:
        document: object = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
