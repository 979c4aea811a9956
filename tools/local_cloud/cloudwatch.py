"""The part of CloudWatch's client that the local cloud uses, typed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NotRequired, Protocol, TypedDict


class Dimension(TypedDict):
    """One dimension of a metric."""

    Name: str
    Value: str


class MetricAlarm(TypedDict):
    """An alarm on one metric, as DescribeAlarms shows it."""

    AlarmName: str
    Namespace: str
    MetricName: str
    Dimensions: list[Dimension]
    Statistic: str
    Period: int
    EvaluationPeriods: int
    DatapointsToAlarm: NotRequired[int]
    Threshold: float
    ComparisonOperator: str
    TreatMissingData: str
    StateValue: str


class DescribedAlarms(TypedDict):
    """A page of alarms."""

    MetricAlarms: list[MetricAlarm]
    NextToken: NotRequired[str]


class MetricStatistics(TypedDict):
    """The points of a metric, each with the statistics that were asked for."""

    Datapoints: list[Mapping[str, float]]


class CloudWatch(Protocol):
    """The calls that are made."""

    def put_metric_data(self, *, Namespace: str, MetricData: Sequence[Mapping[str, object]]) -> object:  # noqa: N803 - AWS's names
        """Put points of metrics of one namespace."""
        ...

    def get_metric_statistics(
        self,
        *,
        Namespace: str,  # noqa: N803 - AWS's names
        MetricName: str,  # noqa: N803 - as above
        Dimensions: Sequence[Dimension],  # noqa: N803 - as above
        StartTime: datetime,  # noqa: N803 - as above
        EndTime: datetime,  # noqa: N803 - as above
        Period: int,  # noqa: N803 - as above
        Statistics: Sequence[str],  # noqa: N803 - as above
    ) -> MetricStatistics:
        """Read the points of a metric with exactly these dimensions."""
        ...

    def describe_alarms(self, *, MaxRecords: int, NextToken: str = ...) -> DescribedAlarms:  # noqa: N803 - as above
        """Read the alarms."""
        ...

    def set_alarm_state(self, *, AlarmName: str, StateValue: str, StateReason: str) -> object:  # noqa: N803 - as above
        """Say the state of an alarm; who is subscribed hears of it."""
        ...
