"""Log lines and metrics: only named fields are ever written, so no secret can slip in with an object.

There is no function here that logs an event, a request, an exception's text or an arbitrary mapping.
"""

import json
import logging
import sys
import traceback
from typing import TextIO

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from direct_debit.application.ports.telemetry import Metric
from direct_debit.entrypoint.errors import ERRORS_FOR_OPERATORS

_FRAMES = 6  # of the traceback, the innermost
_FIELDS = "fields"  # the one attribute of a record that is written


class _Lines(LambdaPowertoolsFormatter):
    """Powertools' lines, of the fields that are handed over and of nothing else that a record may have.

    Its own search of each record for such fields, and for messages that are JSON, takes twice as long as the rest.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            **self.log_format,
            "level": record.levelname,
            "location": f"{record.funcName}:{record.lineno}",
            "message": record.msg,
            "timestamp": self.formatTime(record),
            **getattr(record, _FIELDS, {}),
            "xray_trace_id": self._get_latest_trace_id(),
        }
        return self.serialize({name: value for name, value in line.items() if value is not None})


class Observability:
    """The Telemetry port, and the doors' own log lines. One JSON object per line on standard output."""

    def __init__(self, *, service: str, level: str, namespace: str, stream: TextIO | None = None) -> None:
        encoder = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
        lines = _Lines(json_serializer=encoder.encode, utc=True, service=service)
        self._logger = Logger(service=service, level=level, stream=stream or sys.stdout, logger_formatter=lines)
        self._service = service
        self._namespace = namespace

    def begin(self, *, operation: str, request_id: str) -> None:
        """Put the names of this invocation on every following line, and on no line of an earlier one."""
        lines = self._logger.registered_formatter
        lines.clear_state()
        lines.append_keys(operation=operation, requestId=request_id)

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
        self._logger.info(message, extra={_FIELDS: fields})

    def answered(self, *, door: str, status: int, problem: str | None = None) -> None:
        """Write the one line that each request ends with."""
        fields = {"door": door, "status": status, "problem": problem}
        self._logger.info("answered", extra={_FIELDS: fields})

    def failed(self, message: str, error: BaseException, *, item: str | None = None) -> None:
        """Write where an unforeseen error came from: its class and place; its text only if that is harmless."""
        places = [f"{frame.name} ({frame.lineno})" for frame in traceback.extract_tb(error.__traceback__)]
        fields = {"error": type(error).__name__, "place": " > ".join(places[-_FRAMES:]), "item": item}
        if isinstance(error, ERRORS_FOR_OPERATORS):
            fields["reason"] = str(error)
        self._logger.error(message, extra={_FIELDS: fields})
