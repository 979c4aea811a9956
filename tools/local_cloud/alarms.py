"""Evaluates the alarms of a local stack as CloudWatch does, at a given moment, and has the emulator say the outcome.

The emulator itself takes every metric of an alarm's name, whatever its dimensions, looks only when a figure comes, and
never at what is missing: a misspelt dimension rings there and not on AWS, and silence rings on AWS and not there. So
the launcher turns that off. Here the moment is given: whoever asks about a later one sees minutes of silence.

Not reproduced: CloudWatch looks at a few older periods where the newest have no data yet.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from tools.local_cloud.aws import Cloud
from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.resources import StackResources

if TYPE_CHECKING:
    from tools.local_cloud.cloudwatch import CloudWatch, MetricAlarm

type State = Literal["OK", "ALARM"]

_PAGE = 100
_COMBINE: Mapping[str, Callable[[Sequence[float]], float]] = {"Sum": sum, "Maximum": max}


def decide(alarm: "MetricAlarm", periods: Sequence[float | None]) -> State:
    """The state of an alarm from the statistic of each of its periods; None where a period has no data.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    Raises LocalCloudError for what no alarm of ours uses.
    """
    breaching = sum(_breaches(alarm, value) for value in periods)
    return "ALARM" if breaching >= alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]) else "OK"


def _breaches(alarm: "MetricAlarm", value: float | None) -> bool:
    if value is None:
        missing = alarm["TreatMissingData"]
        if missing not in {"breaching", "notBreaching"}:
            raise LocalCloudError(f"{alarm['AlarmName']}: what {missing} means is not known here")
        return missing == "breaching"
    match alarm["ComparisonOperator"]:
        case "GreaterThanOrEqualToThreshold":
            return value >= alarm["Threshold"]
        case "LessThanThreshold":
            return value < alarm["Threshold"]
        case other:
            raise LocalCloudError(f"{alarm['AlarmName']}: what {other} means is not known here")


class Alarms:
    """The alarms of one stack."""

    def __init__(self, cloud: Cloud, resources: StackResources) -> None:
        self._cloudwatch = cloud.cloudwatch()
        self._logical = {name: key for key, name in resources.physical_ids("AWS::CloudWatch::Alarm").items()}

    def describe(self) -> "Mapping[str, MetricAlarm]":
        """The alarms as they are deployed, by the template's names."""
        found: dict[str, MetricAlarm] = {}
        page = self._cloudwatch.describe_alarms(MaxRecords=_PAGE)
        while True:
            for alarm in page["MetricAlarms"]:
                if alarm["AlarmName"] in self._logical:
                    found[self._logical[alarm["AlarmName"]]] = alarm
            if "NextToken" not in page:
                return found
            page = self._cloudwatch.describe_alarms(MaxRecords=_PAGE, NextToken=page["NextToken"])

    def evaluate(self, now: datetime) -> Mapping[str, str]:
        """Evaluate every alarm at this moment; returns what DescribeAlarms then says, by the template's names."""
        for alarm in self.describe().values():
            state = decide(alarm, _statistics(self._cloudwatch, alarm, now))
            if state != alarm["StateValue"]:
                reason = f"evaluated as of {now:%H:%M:%S}"
                self._cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue=state, StateReason=reason)
        return {name: alarm["StateValue"] for name, alarm in self.describe().items()}


def _statistics(cloudwatch: "CloudWatch", alarm: "MetricAlarm", now: datetime) -> list[float | None]:
    """The statistic of each period, the oldest first."""
    if alarm["Statistic"] not in _COMBINE:
        raise LocalCloudError(f"{alarm['AlarmName']}: the statistic {alarm['Statistic']} is not known here")
    length = timedelta(seconds=alarm["Period"])
    ends = [now - number * length for number in reversed(range(alarm["EvaluationPeriods"]))]
    return [_statistic(cloudwatch, alarm, end - length, end) for end in ends]


def _statistic(cloudwatch: "CloudWatch", alarm: "MetricAlarm", start: datetime, end: datetime) -> float | None:
    answer = cloudwatch.get_metric_statistics(
        Namespace=alarm["Namespace"],
        MetricName=alarm["MetricName"],
        Dimensions=alarm["Dimensions"],
        StartTime=start,
        EndTime=end,
        # Seconds, put together here: a longer period would begin where the clock says, not where the alarm's does.
        Period=1,
        Statistics=[alarm["Statistic"]],
    )
    values = [float(point[alarm["Statistic"]]) for point in answer["Datapoints"]]
    return _COMBINE[alarm["Statistic"]](values) if values else None
