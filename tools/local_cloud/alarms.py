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
    from tools.local_cloud.cloudwatch import MetricAlarm, MetricQuery

type State = Literal["OK", "ALARM"]

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
    """The alarms of one stack, as if they had been deployed at a moment: what was before does not count."""

    def __init__(self, cloud: Cloud, resources: StackResources, since: datetime) -> None:
        self._cloudwatch = cloud.cloudwatch()
        self._since = since
        self._logical = {name: key for key, name in resources.physical_ids("AWS::CloudWatch::Alarm").items()}

    def describe(self) -> "Mapping[str, MetricAlarm]":
        """The alarms as they are deployed, by the template's names."""
        found: dict[str, MetricAlarm] = {}
        page = self._cloudwatch.describe_alarms()
        while True:
            for alarm in page["MetricAlarms"]:
                if alarm["AlarmName"] in self._logical:
                    found[self._logical[alarm["AlarmName"]]] = alarm
            if "NextToken" not in page:
                return found
            page = self._cloudwatch.describe_alarms(NextToken=page["NextToken"])

    def evaluate(self, now: datetime) -> Mapping[str, str]:
        """Evaluate every alarm at this moment; returns what DescribeAlarms then says, by the template's names."""
        alarms = self.describe()
        for length in {alarm["Period"] for alarm in alarms.values()}:
            self._evaluate([alarm for alarm in alarms.values() if alarm["Period"] == length], now)
        return {name: alarm["StateValue"] for name, alarm in self.describe().items()}

    def _evaluate(self, alarms: "Sequence[MetricAlarm]", now: datetime) -> None:
        """Evaluate alarms with periods of one length."""
        length = timedelta(seconds=alarms[0]["Period"])
        most = max(alarm["EvaluationPeriods"] for alarm in alarms)
        periods: list[list[float | None]] = [[] for _ in alarms]
        for end in [now - number * length for number in reversed(range(most))]:
            for values, value in zip(periods, self._read(alarms, end - length, end), strict=True):
                values.append(value)
        for alarm, values in zip(alarms, periods, strict=True):
            state = decide(alarm, values[-alarm["EvaluationPeriods"] :])
            if state != alarm["StateValue"]:
                reason = f"evaluated as of {now:%H:%M:%S}"
                self._cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue=state, StateReason=reason)

    def _read(self, alarms: "Sequence[MetricAlarm]", start: datetime, end: datetime) -> list[float | None]:
        """The statistic of each alarm in one of its periods."""
        queries: list[MetricQuery] = [
            {
                "Id": f"m{number}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": alarm["Namespace"],
                        "MetricName": alarm["MetricName"],
                        "Dimensions": alarm["Dimensions"],
                    },
                    # Seconds, put together here: a longer one would begin where the clock says, not the alarm.
                    "Period": 1,
                    "Stat": alarm["Statistic"],
                },
            }
            for number, alarm in enumerate(alarms)
        ]
        answer = self._cloudwatch.get_metric_data(
            MetricDataQueries=queries, StartTime=max(start, min(self._since, end)), EndTime=end
        )
        found = {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}
        return [_combine(alarm, found[f"m{number}"]) for number, alarm in enumerate(alarms)]


def _combine(alarm: "MetricAlarm", values: Sequence[float]) -> float | None:
    combine = _COMBINE.get(alarm["Statistic"])
    if combine is None:
        raise LocalCloudError(f"{alarm['AlarmName']}: the statistic {alarm['Statistic']} is not known here")
    return combine(values) if values else None
