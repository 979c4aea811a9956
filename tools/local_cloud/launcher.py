"""Starts MiniStack (run by the Python of `.tools/ministack`), mended where it differs from AWS in what we rely on.

Two differences, seen with the pinned version:
- every exception of a function is reported as `Runtime.HandlerError`; AWS reports the exception's class, which is what
  `Retry` and `Catch` of a state machine match. The class is the last line of the traceback in the log;
- an event source's `MaximumConcurrency` that comes from a template parameter is text, and stops the poller.
"""

import re
from collections.abc import Callable
from typing import Any

# "module.ClassName: message" or "ClassName", as the last line of a traceback begins.
_EXCEPTION_LINE = re.compile(r"^(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*)(?::\s.*)?$")


def exception_class(log: str) -> str | None:
    """The class named by the last traceback of a log; None without a traceback."""
    _, found, traceback = log.rpartition("Traceback (most recent call last):")
    if not found:
        return None
    names = [match.group(1) for line in traceback.splitlines() if (match := _EXCEPTION_LINE.match(line))]
    return names[-1] if names else None


def with_exception_class(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Wrap the execution of a function so that a failure carries the exception's class."""

    def wrapped(*arguments: object, **options: object) -> dict[str, Any]:
        result = execute(*arguments, **options)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and body.get("errorType") == "Runtime.HandlerError":
            name = exception_class(str(result.get("log", "")))
            if name:
                body["errorType"] = name
        return result

    return wrapped


def with_numeric_concurrency(limit: Callable[..., int]) -> Callable[..., int]:
    """Wrap the concurrency of queue workers so that a limit given as text counts."""

    def wrapped(mapping: dict[str, Any], *arguments: object) -> int:
        scaling = {name: int(value) for name, value in (mapping.get("ScalingConfig") or {}).items()}
        return limit(mapping | {"ScalingConfig": scaling}, *arguments)

    return wrapped


def main() -> None:
    """Mend the emulator and run it until it is told to end."""
    from ministack import app  # noqa: PLC0415 - exists in its own environment only; the functions above are tested in ours
    from ministack.services import lambda_svc  # noqa: PLC0415 - as above

    lambda_svc._execute_function_warm = with_exception_class(lambda_svc._execute_function_warm)  # noqa: SLF001 - no public hook
    lambda_svc._sqs_esm_concurrency = with_numeric_concurrency(lambda_svc._sqs_esm_concurrency)  # noqa: SLF001 - as above
    app.main()


if __name__ == "__main__":
    main()
