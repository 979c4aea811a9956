"""Alarms as CloudWatch evaluates them: their own dimensions, their own periods, and what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from tools.local_cloud.alarms import Alarms, decide
from tools.local_cloud.aws import Cloud
from tools.local_cloud.cloudwatch import CloudWatch, DescribedAlarms, MetricAlarm, MetricData, MetricQuery
from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.resources import StackResources

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINE = (("FunctionName", "mine"),)


def alarm(name: str = "stack-Errors-1", **changes: object) -> MetricAlarm:
    usual: MetricAlarm = {
        "AlarmName": name,
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "FunctionName", "Value": "mine"}],
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 2.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "StateValue": "INSUFFICIENT_DATA",
    }
    return {**usual, **changes}  # type: ignore[typeddict-item]  # the changes are of its fields


SILENT = alarm(ComparisonOperator="LessThanThreshold", Threshold=1.0, TreatMissingData="breaching")


@pytest.mark.parametrize(
    ("watched", "periods", "state"),
    [
        (alarm(), [2.0], "ALARM"),
        (alarm(), [1.9], "OK"),
        (alarm(), [None], "OK"),
        (SILENT, [None], "ALARM"),
        (SILENT, [0.0], "ALARM"),
        (SILENT, [1.0], "OK"),
        (alarm(EvaluationPeriods=3), [2.0, 2.0, 2.0], "ALARM"),
        (alarm(EvaluationPeriods=3), [2.0, None, 2.0], "OK"),
        (alarm(EvaluationPeriods=3, DatapointsToAlarm=2), [2.0, None, 2.0], "ALARM"),
    ],
)
def test_a_state_follows_from_the_periods(watched: MetricAlarm, periods: list[float | None], state: str) -> None:
    assert decide(watched, periods) == state


@pytest.mark.parametrize(
    ("watched", "periods"),
    [(alarm(TreatMissingData="ignore"), [None]), (alarm(ComparisonOperator="GreaterThanThreshold"), [1.0])],
)
def test_what_is_not_known_here_is_not_guessed(watched: MetricAlarm, periods: list[float | None]) -> None:
    with pytest.raises(LocalCloudError, match="not known here"):
        decide(watched, periods)


@dataclass
class Board:
    """A CloudWatch with these alarms and points, which describes one alarm a page."""

    alarms: dict[str, MetricAlarm]
    points: list[tuple[tuple[tuple[str, str], ...], datetime, float]] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)

    def put_metric_data(self, *, Namespace: str, MetricData: Sequence[Mapping[str, object]]) -> object:  # noqa: N803 - AWS's names
        raise NotImplementedError

    def get_metric_data(
        self,
        *,
        MetricDataQueries: Sequence[MetricQuery],  # noqa: N803 - AWS's names
        StartTime: datetime,  # noqa: N803 - as above
        EndTime: datetime,  # noqa: N803 - as above
    ) -> MetricData:
        def values(query: MetricQuery) -> list[float]:
            wanted = tuple((one["Name"], one["Value"]) for one in query["MetricStat"]["Metric"]["Dimensions"])
            return [value for named, at, value in self.points if named == wanted and StartTime <= at < EndTime]

        return {"MetricDataResults": [{"Id": query["Id"], "Values": values(query)} for query in MetricDataQueries]}

    def describe_alarms(self, *, NextToken: str = "0") -> DescribedAlarms:  # noqa: N803 - as above
        names, number = list(self.alarms), int(NextToken)
        page: DescribedAlarms = {"MetricAlarms": [self.alarms[names[number]]]}
        return page if number + 1 == len(names) else {**page, "NextToken": str(number + 1)}

    def set_alarm_state(self, *, AlarmName: str, StateValue: str, StateReason: str) -> object:  # noqa: N803 - as above
        assert StateReason
        self.told.append((AlarmName, StateValue))
        self.alarms[AlarmName] = {**self.alarms[AlarmName], "StateValue": StateValue}
        return None


@dataclass(frozen=True)
class BoardCloud(Cloud):
    """An emulator of which there is only that."""

    board: Board = field(default_factory=lambda: Board({}))

    def cloudwatch(self) -> CloudWatch:
        return self.board


def alarms(board: Board) -> Alarms:
    """The alarms of a stack: Errors, Silent; another stack's alarm is on the board, too."""
    names = {"ErrorsAlarm": "stack-Errors-1", "SilentAlarm": "stack-Silent-1"}
    resources = StackResources({"AWS::CloudWatch::Alarm": names})
    return Alarms(BoardCloud("http://nowhere", "here", board), resources, NOW - timedelta(seconds=800))


@pytest.fixture
def board() -> Board:
    silent: MetricAlarm = {**SILENT, "AlarmName": "stack-Silent-1", "MetricName": "Invocations"}
    every = [alarm(), alarm("another-stacks"), silent]
    return Board({one["AlarmName"]: one for one in every})


def test_an_alarm_looks_at_its_own_dimensions_only(board: Board) -> None:
    board.points = [((("FunctionName", "another"),), NOW - timedelta(seconds=1), 9.0)]
    assert alarms(board).evaluate(NOW)["ErrorsAlarm"] == "OK"
    board.points.append((MINE, NOW - timedelta(seconds=1), 9.0))
    assert alarms(board).evaluate(NOW)["ErrorsAlarm"] == "ALARM"


def test_the_period_ends_at_the_moment_that_is_asked_about(board: Board) -> None:
    board.points = [(MINE, NOW - timedelta(seconds=200), 1.0), (MINE, NOW - timedelta(seconds=100), 1.0)]
    watched = alarms(board)
    assert watched.evaluate(NOW)["ErrorsAlarm"] == "ALARM"
    assert watched.evaluate(NOW + timedelta(seconds=99))["ErrorsAlarm"] == "ALARM"
    assert watched.evaluate(NOW + timedelta(seconds=101))["ErrorsAlarm"] == "OK"
    assert watched.evaluate(NOW - timedelta(seconds=101))["ErrorsAlarm"] == "OK"


def test_what_was_before_the_alarms_does_not_count(board: Board) -> None:
    board.alarms["stack-Errors-1"] = alarm(Period=3600)
    board.points = [(MINE, NOW - timedelta(seconds=801), 9.0)]
    assert alarms(board).evaluate(NOW)["ErrorsAlarm"] == "OK"
    assert alarms(board).evaluate(NOW - timedelta(seconds=800))["ErrorsAlarm"] == "OK"
    board.points = [(MINE, NOW - timedelta(seconds=800), 9.0)]
    assert alarms(board).evaluate(NOW)["ErrorsAlarm"] == "ALARM"


def test_each_of_several_periods_has_its_own_value(board: Board) -> None:
    board.alarms["stack-Errors-1"] = alarm(EvaluationPeriods=2)
    board.points = [(MINE, NOW - timedelta(seconds=1), 5.0)]
    assert alarms(board).evaluate(NOW)["ErrorsAlarm"] == "OK"
    board.points.append((MINE, NOW - timedelta(seconds=301), 5.0))
    assert alarms(board).evaluate(NOW)["ErrorsAlarm"] == "ALARM"


def test_the_maximum_is_no_sum(board: Board) -> None:
    board.alarms["stack-Errors-1"] = alarm(Statistic="Maximum")
    board.points = [(MINE, NOW - timedelta(seconds=1), 1.0)] * 5
    assert alarms(board).evaluate(NOW)["ErrorsAlarm"] == "OK"
    board.alarms["stack-Errors-1"] = alarm(Statistic="p99")
    with pytest.raises(LocalCloudError, match="p99"):
        alarms(board).evaluate(NOW)


def test_silence_rings_without_any_figure_and_only_changes_are_told(board: Board) -> None:
    watched = alarms(board)
    assert watched.evaluate(NOW) == {"ErrorsAlarm": "OK", "SilentAlarm": "ALARM"}
    watched.evaluate(NOW)
    assert sorted(board.told) == [("stack-Errors-1", "OK"), ("stack-Silent-1", "ALARM")]
