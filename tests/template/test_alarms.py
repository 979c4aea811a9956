"""Each alarm watches what is there, under the names that AWS documents, and each is rung in an end-to-end test."""

import copy
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from direct_debit.adapters.sqs import MAX_DELAY_SECONDS
from direct_debit.domain.move import PATIENCE
from tests.e2e.test_alarms import CAUSES, LIVE_QUEUES, OVER_TIME
from tests.template.alarm_rules import DOCUMENTED, find_faults
from tests.template.routes import ROUTES
from tests.template.test_messaging import WEBHOOK_QUEUE, WORK_QUEUES, queue_mappings, seconds, target
from tests.template.translation import Json, functions, resources, translated

ALARMS = resources("AWS::CloudWatch::Alarm")
# Messages for these may be held back by as much as SQS allows; a notification is due at once.
DELAYED = {"RefundRetryQueue", "StatusInquiryQueue"}


def watching(metric: str) -> dict[str, Json]:
    """The only dimension's reference → the alarm, of all that watch this metric of AWS's."""
    found = [alarm for alarm in ALARMS.values() if alarm["MetricName"] == metric]
    values = [alarm["Dimensions"][0]["Value"] for alarm in found]
    names = [value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0] for value in values]
    assert len(set(names)) == len(names)
    return dict(zip(names, found, strict=True))


def test_the_alarms_keep_the_rules() -> None:
    assert find_faults(translated()) == []


def misspelt(alarm: Json) -> None:
    alarm["MetricName"] = "AsyncEventDropped"


def of_another_service(alarm: Json) -> None:
    alarm["Namespace"] = "AWS/Events"


def no_dimension(alarm: Json) -> None:
    alarm["Dimensions"] = []


def misspelt_dimension(alarm: Json) -> None:
    alarm["Dimensions"][0]["Name"] = "Function"


def one_dimension_more(alarm: Json) -> None:
    alarm["Dimensions"].append({"Name": "Resource", "Value": {"Ref": "ResolvePending"}})


def of_nothing(alarm: Json) -> None:
    alarm["Dimensions"][0]["Value"] = {"Ref": "ResolvePendingAliaslive"}


def written_out(alarm: Json) -> None:
    alarm["Dimensions"][0]["Value"] = "direct-debit-resolve-pending"


def average(alarm: Json) -> None:
    alarm["Statistic"] = "Average"


def calm_when_missing(alarm: Json) -> None:
    alarm["TreatMissingData"] = "notBreaching"


def undecided_when_missing(alarm: Json) -> None:
    del alarm["TreatMissingData"]


def too_long(alarm: Json) -> None:
    alarm["EvaluationPeriods"] = 300


def unheard(alarm: Json) -> None:
    alarm["AlarmActions"] = []


PLANTED: tuple[tuple[Callable[[Json], None], str], ...] = (
    (misspelt, "not documented"),
    (of_another_service, "not documented"),
    (no_dimension, "other dimensions"),
    (misspelt_dimension, "other dimensions"),
    (one_dimension_more, "other dimensions"),
    (of_nothing, "nothing of this template"),
    (written_out, "nothing of this template"),
    (average, "takes the Average"),
    (calm_when_missing, "missing data"),
    (undecided_when_missing, "missing data"),
    (too_long, "a period"),
    (unheard, "heard by nobody"),
)


@pytest.mark.parametrize(("plant", "words"), PLANTED, ids=lambda part: getattr(part, "__name__", ""))
def test_a_planted_fault_is_found(plant: Callable[[Json], None], words: str) -> None:
    template = copy.deepcopy(translated())
    plant(template["Resources"]["ResolvePendingSilentAlarm"]["Properties"])
    faults = find_faults(template)
    assert any(fault.startswith("ResolvePendingSilentAlarm") and words in fault for fault in faults)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NotificationQueueAgeAlarm", {"Fn::GetAtt": ["NotificationQueue", "Arn"]}),
        ("NotificationQueueAgeAlarm", {"Fn::GetAtt": ["Transactions", "QueueName"]}),
        ("CollectPaymentAbortedAlarm", {"Ref": "CollectPaymentRole"}),
        ("ResolvePendingNotCalledAlarm", {"Ref": "EachMinute"}),
        ("ApiServerErrorAlarm", {"Ref": "Api"}),
        ("NewsLateAlarm", "directdebit"),
    ],
)
def test_a_dimension_of_another_thing_is_found(name: str, value: object) -> None:
    template = copy.deepcopy(translated())
    template["Resources"][name]["Properties"]["Dimensions"][0]["Value"] = value
    assert any(fault.startswith(name) and "nothing of this template" in fault for fault in find_faults(template))


def test_every_documented_metric_of_aws_says_where() -> None:
    assert all(
        entry.source.startswith("https://docs.aws.amazon.com/")
        for (namespace, _), entry in DOCUMENTED.items()
        if namespace.startswith("AWS/")
    )


def test_every_alarm_is_rung_by_one_end_to_end_test() -> None:
    rung = Counter([*OVER_TIME, *(name for cause in CAUSES for name in cause.alarms)])
    assert set(rung) == set(ALARMS)
    assert [name for name, times in rung.items() if times > 1] == []


def test_silence_of_the_sweep_rings_after_minutes_and_not_after_one() -> None:
    alarm = ALARMS["ResolvePendingSilentAlarm"]
    rule = resources("AWS::Events::Rule")["ResolvePendingEachMinute"]
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert (alarm["Statistic"], alarm["Threshold"], alarm["EvaluationPeriods"]) == ("Sum", 1, 1)
    # Lambda's figures may come minutes late themselves.
    assert 180 <= alarm["Period"] <= 300


def test_whoever_works_unasked_or_for_doku_is_watched_for_throttles() -> None:
    unasked = {target(mapping) for mapping in resources("AWS::Lambda::EventSourceMapping").values()}
    for_doku = {function for (_, path), function in ROUTES.items() if path.startswith("/doku/")}
    assert set(watching("Throttles")) == {*unasked, *for_doku, "ResolvePending"}
    assert unasked | for_doku | {"ResolvePending"} <= set(functions())


def test_whoever_works_unasked_is_watched_for_errors() -> None:
    unasked = {target(mapping) for mapping in resources("AWS::Lambda::EventSourceMapping").values()}
    assert set(watching("Errors")) == {*unasked, "ResolvePending"}


@pytest.mark.parametrize("queue", [*WORK_QUEUES, WEBHOOK_QUEUE])
def test_a_message_is_called_old_only_when_no_delay_and_no_two_deaths_explain_it(queue: str) -> None:
    alarm = watching("ApproximateAgeOfOldestMessage")[queue]
    hidden = seconds(resources("AWS::SQS::Queue")[queue]["VisibilityTimeout"])
    running = functions()[target(queue_mappings()[queue])]["Timeout"]
    # One that was received three times is not counted any more.
    assert alarm["Threshold"] > 2 * hidden + running + (MAX_DELAY_SECONDS if queue in DELAYED else 0)


def test_every_queue_with_a_worker_is_watched_for_age_and_every_other_one_for_depth() -> None:
    queues = set(resources("AWS::SQS::Queue"))
    assert set(watching("ApproximateAgeOfOldestMessage")) == {*WORK_QUEUES, WEBHOOK_QUEUE} == set(LIVE_QUEUES)
    assert set(watching("ApproximateNumberOfMessagesVisible")) == queues - {*WORK_QUEUES, WEBHOOK_QUEUE}


def test_a_stream_is_called_late_before_the_sweep_tells_in_its_place() -> None:
    threshold = timedelta(milliseconds=watching("IteratorAge")["PublishEvents"]["Threshold"])
    assert timedelta(seconds=functions()["PublishEvents"]["Timeout"]) < threshold < PATIENCE


def test_every_workflow_is_watched_for_ends_that_it_did_not_decide() -> None:
    machines = set(resources("AWS::StepFunctions::StateMachine"))
    assert set(watching("ExecutionsTimedOut")) == set(watching("ExecutionsAborted")) == machines


@pytest.mark.parametrize("name", ["NotificationRefusedAlarm", "TokenRequestRefusedAlarm"])
def test_refusals_at_open_doors_are_counted_over_an_hour(name: str) -> None:
    # DOKU repeats a refused notification after half an hour: within minutes, its few calls would never add up.
    assert ALARMS[name]["Period"] == 3600
    assert ALARMS[name]["Threshold"] >= 5


def test_a_replaced_key_in_use_rings_at_once() -> None:
    alarm = ALARMS["NotificationByReplacedKeyAlarm"]
    assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 1)


@pytest.mark.parametrize("metric", ["MerchantCallRefused", "DokuAddressRefused"])
@pytest.mark.parametrize("changed", ["MetricName", "MetricNamespace"])
def test_an_alarm_on_what_no_filter_counts_is_found(metric: str, changed: str) -> None:
    template = copy.deepcopy(translated())
    (transformation,) = template["Resources"][f"{metric}Filter"]["Properties"]["MetricTransformations"]
    transformation[changed] = "another"
    assert [fault.split()[0] for fault in find_faults(template)] == [f"{metric}Alarm"]
