"""The bridge: what functions, queues and executions show becomes figures under AWS's names, each once."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from direct_debit.application.ports.telemetry import Metric
from direct_debit.entrypoint.observability import Observability
from tools.local_cloud.aws import Cloud
from tools.local_cloud.metrics_bridge import Figure, MetricsBridge, oldest_age, read_emf
from tools.local_cloud.resources import StackResources

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MACHINE = "arn:aws:states:here:0:stateMachine:pay"


def counted(capsys: pytest.CaptureFixture[str], amount: int = 1) -> str:
    """The line that the application writes when it counts."""
    observability = Observability(service="direct-debit", level="INFO", namespace="DirectDebit/stack")
    observability.count(Metric.TOKEN_REQUEST_REFUSED, amount)
    line: str = capsys.readouterr().out
    return line


def test_what_the_application_counts_is_read_as_cloudwatch_reads_it(capsys: pytest.CaptureFixture[str]) -> None:
    line = counted(capsys, 3)
    (figure,) = read_emf(line)
    assert (figure.namespace, figure.metric) == ("DirectDebit/stack", "TokenRequestRefused")
    assert (figure.dimensions, figure.value, figure.unit) == ((("service", "direct-debit"),), 3.0, "Count")
    assert figure.at.timestamp() * 1000 == pytest.approx(json.loads(line)["_aws"]["Timestamp"])


def test_a_line_may_hold_several_metrics_values_and_sets_of_dimensions() -> None:
    directive = {
        "Namespace": "N",
        "Dimensions": [["a"], ["a", "b"]],
        "Metrics": [{"Name": "One", "Unit": "Count"}, {"Name": "Two"}],
    }
    head = {"Timestamp": 1000, "CloudWatchMetrics": [directive]}
    line = json.dumps({"_aws": head, "a": "x", "b": "y", "One": [1, 2], "Two": 3})
    figures = read_emf(line)
    assert [(one.metric, one.value, one.unit) for one in figures[:3]] == [
        ("One", 1.0, "Count"),
        ("One", 2.0, "Count"),
        ("Two", 3.0, "None"),
    ]
    assert {one.dimensions for one in figures} == {(("a", "x"),), (("a", "x"), ("b", "y"))}


@pytest.mark.parametrize(
    "line", ["", "START RequestId: CloudWatchMetrics", "[1]", '{"message": "answered"}', '{"_aws": 1}']
)
def test_any_other_line_counts_nothing(line: str) -> None:
    assert read_emf(line) == []


def message(age: float, received: int = 0) -> dict[str, object]:
    return {"SentTimestamp": int(NOW.timestamp() - age), "ReceiveCount": received}


def test_a_queue_is_as_old_as_its_oldest_message_that_was_not_received_too_often() -> None:
    assert oldest_age([], NOW) is None
    assert oldest_age([message(10), message(900), message(20)], NOW) == 900
    assert oldest_age([message(900, received=3), message(20, received=2)], NOW) == 20
    assert oldest_age([message(900, received=3)], NOW) is None


@dataclass
class Pages:
    """A client's paginators: operation → what it finds, by the arguments that matter."""

    found: Mapping[str, Any]

    def get_paginator(self, operation: str) -> Any:  # noqa: ANN401 - a stand-in for one of boto3's
        def paginate(**arguments: str) -> Iterator[Any]:
            yield self.found[operation](arguments)

        return SimpleNamespace(paginate=paginate)


@dataclass(frozen=True)
class Happenings(Cloud):
    """An emulator with the functions' log, one workflow's executions and an empty queue."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    executions: list[dict[str, Any]] = field(default_factory=list)
    put: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def logs(self) -> Any:  # noqa: ANN401 - as above
        return Pages({"filter_log_events": lambda _: {"events": self.lines}})

    def stepfunctions(self) -> Any:  # noqa: ANN401 - as above
        def ended(arguments: Mapping[str, str]) -> dict[str, Any]:
            return {"executions": [one for one in self.executions if one["status"] == arguments["statusFilter"]]}

        return Pages({"list_executions": ended})

    def sqs(self) -> Any:  # noqa: ANN401 - as above
        return None

    def cloudwatch(self) -> Any:  # noqa: ANN401 - as above
        def put(**arguments: Any) -> None:  # noqa: ANN401 - as above
            self.put.extend((arguments["Namespace"], datum) for datum in arguments["MetricData"])

        return SimpleNamespace(put_metric_data=put)


def test_each_happening_is_copied_once_and_alike_ones_each(capsys: pytest.CaptureFixture[str]) -> None:
    line = {"logStreamName": "s", "timestamp": 1, "message": counted(capsys)}
    stopped_at = NOW - timedelta(seconds=5)
    aborted = {"executionArn": f"{MACHINE}:1", "status": "ABORTED", "stopDate": stopped_at}
    succeeded = {"executionArn": f"{MACHINE}:2", "status": "SUCCEEDED", "stopDate": NOW}
    cloud = Happenings("http://nowhere", "here", [line, line], [aborted, succeeded])
    bridge = MetricsBridge(
        cloud,
        StackResources(
            {"AWS::Logs::LogGroup": {"FunctionLogs": "f"}, "AWS::StepFunctions::StateMachine": {"Pay": MACHINE}}
        ),
    )
    refused, alike, stopped = bridge.copy(NOW)
    assert refused == alike
    assert stopped == Figure("AWS/States", "ExecutionsAborted", (("StateMachineArn", MACHINE),), 1, stopped_at)
    assert bridge.copy(NOW) == []
    cloud.lines.append(line)
    assert bridge.copy(NOW) == [alike]
    cloud.lines.append(line)
    bridge.skip()
    assert bridge.copy(NOW) == []
    namespaces = [namespace for namespace, _ in cloud.put]
    assert sorted(namespaces) == ["AWS/States", *["DirectDebit/stack"] * 3]
    (execution,) = [datum for namespace, datum in cloud.put if namespace == "AWS/States"]
    assert execution == {
        "MetricName": "ExecutionsAborted",
        "Dimensions": [{"Name": "StateMachineArn", "Value": MACHINE}],
        "Timestamp": stopped_at,
        "Value": 1,
        "Unit": "Count",
    }
