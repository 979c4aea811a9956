"""Copies what happens on a local stack into the emulator's CloudWatch, under the names and dimensions that AWS uses.

MiniStack has no metrics of SQS and Step Functions and does not read EMF lines. Those of Lambda and API Gateway are
counted where they arise (launcher.py). What it can not show at all is listed in docs/decisions/0032.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import requests

from tools.local_cloud.aws import Cloud
from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.resources import StackResources

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.literals import ExecutionStatusType

_TIMEOUT_SECONDS = 60
# PutMetricData takes so many at once.
_BATCH = 1000
# SQS leaves a message out of its queue's age once it was received so often (source: see oldest_age).
_RECEIVED_TOO_OFTEN = 3
_OUTCOMES: "Mapping[ExecutionStatusType, str]" = {
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One value of a metric at a moment."""

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    value: float
    at: datetime
    unit: str = "Count"


def read_emf(line: str) -> list[Figure]:
    """The figures of a log line in CloudWatch's embedded metric format; none when it is any other line.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    try:
        document: object = json.loads(line)
    except ValueError:
        return []
    if not isinstance(document, dict) or not isinstance(head := document.get("_aws"), dict):
        return []
    at = datetime.fromtimestamp(head["Timestamp"] / 1000, UTC)
    return [
        Figure(
            namespace=directive["Namespace"],
            metric=metric["Name"],
            dimensions=tuple((name, str(document[name])) for name in names),
            value=float(value),
            at=at,
            unit=metric.get("Unit", "None"),
        )
        for directive in head["CloudWatchMetrics"]
        for names in directive["Dimensions"]
        for metric in directive["Metrics"]
        for value in _as_list(document[metric["Name"]])
    ]


def oldest_age(messages: Sequence[Mapping[str, object]], now: datetime) -> float | None:
    """The age in seconds of a queue's oldest message as SQS measures it; None when the queue has none.

    `messages` as the emulator lists them. One that was received three times and is still there does not count.
    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """
    sent = [
        cast("int", message["SentTimestamp"])
        for message in messages
        if cast("int", message["ReceiveCount"]) < _RECEIVED_TOO_OFTEN
    ]
    return max(0.0, now.timestamp() - min(sent)) if sent else None


class MetricsBridge:
    """The bridge of one stack. What it has copied once it does not copy again; the moment is given by whoever asks."""

    def __init__(self, cloud: Cloud, resources: StackResources) -> None:
        self._endpoint = cloud.endpoint
        self._resources = resources
        self._cloudwatch, self._logs = cloud.cloudwatch(), cloud.logs()
        self._stepfunctions, self._sqs = cloud.stepfunctions(), cloud.sqs()
        self._lines: Counter[tuple[str, int, str]] = Counter()
        self._executions: set[str] = set()

    def copy(self, now: datetime) -> list[Figure]:
        """Copy what happened since the last time, and how the queues are at this moment; returns what was copied.

        Raises LocalCloudError when the emulator does not say.
        """
        figures = [*self._counted_by_functions(), *self._ends_of_executions(), *self._states_of_queues(now)]
        self.put(figures)
        return figures

    def skip(self) -> None:
        """Leave out what has happened until now, as somebody's who came before."""
        list(self._counted_by_functions())
        list(self._ends_of_executions())

    def put(self, figures: Sequence[Figure]) -> None:
        """Put figures into the emulator's CloudWatch, also those of a cause that it can not have."""
        for namespace in sorted({figure.namespace for figure in figures}):
            data = [
                {
                    "MetricName": figure.metric,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in figure.dimensions],
                    "Timestamp": figure.at,
                    "Value": figure.value,
                    "Unit": figure.unit,
                }
                for figure in figures
                if figure.namespace == namespace
            ]
            for start in range(0, len(data), _BATCH):
                self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[start : start + _BATCH])

    def _counted_by_functions(self) -> Iterator[Figure]:
        group = self._resources.physical_ids("AWS::Logs::LogGroup")["FunctionLogs"]
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, filterPattern="CloudWatchMetrics"
        )
        # The emulator's events have no ids, and two may be alike: each counts as often as it stands there.
        lines = Counter(
            (event["logStreamName"], event["timestamp"], event["message"]) for page in pages for event in page["events"]
        )
        for line in (lines - self._lines).elements():
            yield from read_emf(line[-1])
        self._lines |= lines

    def _ends_of_executions(self) -> Iterator[Figure]:
        for machine in self._resources.physical_ids("AWS::StepFunctions::StateMachine").values():
            for status, metric in _OUTCOMES.items():
                pages = self._stepfunctions.get_paginator("list_executions").paginate(
                    stateMachineArn=machine, statusFilter=status
                )
                for execution in (execution for page in pages for execution in page["executions"]):
                    if execution["executionArn"] not in self._executions:
                        self._executions.add(execution["executionArn"])
                        dimensions = (("StateMachineArn", machine),)
                        yield Figure("AWS/States", metric, dimensions, 1, execution["stopDate"])

    def _states_of_queues(self, now: datetime) -> Iterator[Figure]:
        for url in self._resources.physical_ids("AWS::SQS::Queue").values():
            dimensions = (("QueueName", url.rsplit("/", 1)[1]),)
            attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
            visible = float(attributes["Attributes"]["ApproximateNumberOfMessages"])
            yield Figure("AWS/SQS", "ApproximateNumberOfMessagesVisible", dimensions, visible, now)
            age = oldest_age(self._messages(url), now)
            if age is not None:
                yield Figure("AWS/SQS", "ApproximateAgeOfOldestMessage", dimensions, age, now, "Seconds")

    def _messages(self, url: str) -> list[Mapping[str, object]]:
        """A queue's messages, which nobody receives by this."""
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(
                f"{self._endpoint}/_ministack/sqs/messages", params={"QueueUrl": url}, timeout=_TIMEOUT_SECONDS
            )
        if not answer.ok:
            raise LocalCloudError(f"the emulator answered {answer.status_code} to a look into {url}")
        return [
            message
            for regions in answer.json()["messages"].values()
            for queues in regions.values()
            for messages in queues.values()
            for message in messages
        ]


def _as_list(value: object) -> list[float]:
    return value if isinstance(value, list) else [cast("float", value)]
