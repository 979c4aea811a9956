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


class Metric(TypedDict):
    """Which metric is meant."""

    Namespace: str
    MetricName: str
    Dimensions: Sequence[Dimension]


class MetricStat(TypedDict):
    """A statistic of a metric, per period of so many seconds."""

    Metric: Metric
    Period: int
    Stat: str


class MetricQuery(TypedDict):
    """One question of several."""

    Id: str
    MetricStat: MetricStat


class MetricResult(TypedDict):
    """The answer to one of them: a value for each period that has data."""

    Id: str
    Values: list[float]


class MetricData(TypedDict):
    """The answers."""

    MetricDataResults: list[MetricResult]


class CloudWatch(Protocol):
    """The calls that are made."""

    def put_metric_data(self, *, Namespace: str, MetricData: Sequence[Mapping[str, object]]) -> object:  # noqa: N803 - AWS's names
        """Put points of metrics of one namespace."""
        ...

    def get_metric_data(
        self,
        *,
        MetricDataQueries: Sequence[MetricQuery],  # noqa: N803 - as above
        StartTime: datetime,  # noqa: N803 - as above
        EndTime: datetime,  # noqa: N803 - as above
    ) -> MetricData:
        """Read statistics of metrics, each with exactly its dimensions."""
        ...

    def describe_alarms(self, *, NextToken: str = ...) -> DescribedAlarms:  # noqa: N803 - as above
        """Read the alarms."""
        ...

    def set_alarm_state(self, *, AlarmName: str, StateValue: str, StateReason: str) -> object:  # noqa: N803 - as above
        """Say the state of an alarm; who is subscribed hears of it."""
        ...
