"""Log lines and metrics: only named fields are ever written, so no secret can slip in with an object.

There is no function here that logs an event, a request, an exception's text or an arbitrary mapping.
"""

import sys
import traceback
from typing import TextIO

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from direct_debit.application.ports.telemetry import Metric
from direct_debit.entrypoint.errors import ERRORS_FOR_OPERATORS

_FRAMES = 6  # of the traceback, the innermost


class Observability:
    """The Telemetry port, and the doors' own log lines. One JSON object per line on standard output."""

    def __init__(self, *, service: str, level: str, namespace: str, stream: TextIO | None = None) -> None:
        self._logger = Logger(service=service, level=level, stream=stream or sys.stdout, utc=True)
        self._service = service
        self._namespace = namespace

    def begin(self, *, operation: str, request_id: str) -> None:
        """Put the names of this invocation on every following line, and on no line of an earlier one."""
        self._logger.clear_state()
        self._logger.append_keys(operation=operation, requestId=request_id)

    def count(self, metric: Metric, amount: int = 1) -> None:
        """Add to a metric. Written at once: a function that dies later has still counted."""
        with single_metric(name=metric.value, unit=MetricUnit.Count, value=amount, namespace=self._namespace) as line:
            line.add_dimension(name="service", value=self._service)

    def note(
        self,
        message: str,
        *,
        ref: str | None = None,
        binding_id: str | None = None,
        state: str | None = None,
        code: str | None = None,
        reason: str | None = None,
        source_address: str | None = None,
    ) -> None:
        """Write one log line."""
        fields = {
            "ref": ref,
            "bindingId": binding_id,
            "state": state,
            "responseCode": code,
            "reason": reason,
            "sourceAddress": source_address,
        }
        self._logger.info(message, extra={name: value for name, value in fields.items() if value is not None})

    def answered(self, *, door: str, status: int, problem: str | None = None) -> None:
        """Write the one line that each request ends with."""
        fields = {"door": door, "status": status, "problem": problem}
        self._logger.info("answered", extra={name: value for name, value in fields.items() if value is not None})

    def failed(self, message: str, error: BaseException, *, item: str | None = None) -> None:
        """Write where an unforeseen error came from: its class and place; its text only if that is harmless."""
        places = [f"{frame.name} ({frame.lineno})" for frame in traceback.extract_tb(error.__traceback__)]
        fields = {"error": type(error).__name__, "place": " > ".join(places[-_FRAMES:]), "item": item}
        if isinstance(error, ERRORS_FOR_OPERATORS):
            fields["reason"] = str(error)
        self._logger.error(message, extra={name: value for name, value in fields.items() if value is not None})
