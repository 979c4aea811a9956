import json

import pytest

from direct_debit.adapters.dynamodb.keys import binding_key, payment_key
from direct_debit.entrypoint.queue import MAX_RECEIVES
from tests.template.translation import Json, functions, resources, source, translated

WORK_QUEUES = ["NotificationQueue", "RefundRetryQueue", "StatusInquiryQueue"]
# Its message is the only copy of its errand, and its worker puts it aside by itself (test_webhooks.py).
WEBHOOK_QUEUE = "WebhookQueue"
FOURTEEN_DAYS = 14 * 24 * 3600


def seconds(value: int | dict[str, str]) -> int:
    """A number of the template; that of the parameter's default where it refers to one."""
    return int(value if isinstance(value, int) else source()["Parameters"][value["Ref"]]["Default"])


def queue_mappings() -> dict[str, Json]:
    """Queue's logical id → its event source mapping."""
    mappings = resources("AWS::Lambda::EventSourceMapping").values()
    names = {
        name: mapping
        for mapping in mappings
        for name in (*WORK_QUEUES, WEBHOOK_QUEUE)
        if f'"{name}"' in json.dumps(mapping["EventSourceArn"])
    }
    assert sorted(names) == [*WORK_QUEUES, WEBHOOK_QUEUE]
    return names


def target(mapping: Json) -> str:
    """Logical id of the function behind an event source mapping, which must be its alias."""
    alias: str = mapping["FunctionName"]["Ref"]
    assert alias.endswith("Aliaslive")
    return alias.removesuffix("Aliaslive")


@pytest.mark.parametrize("name", [*WORK_QUEUES, WEBHOOK_QUEUE])
def test_a_message_stays_hidden_six_times_as_long_as_its_worker_may_run(name: str) -> None:
    timeout = functions()[target(queue_mappings()[name])]["Timeout"]
    assert seconds(resources("AWS::SQS::Queue")[name]["VisibilityTimeout"]) >= 6 * timeout


@pytest.mark.parametrize("name", [*WORK_QUEUES, WEBHOOK_QUEUE])
def test_no_message_waits_in_a_batch_for_others_while_its_delivery_counts(name: str) -> None:
    """A record may take as long as its function may live: its deadline is all that ends its calls to DOKU."""
    mapping = queue_mappings()[name]
    timeout = functions()[target(mapping)]["Timeout"]
    longest_record = timeout
    assert mapping["BatchSize"] * longest_record <= timeout
    # Lambda would hold a message back, delivered, until others come.
    assert mapping.get("MaximumBatchingWindowInSeconds", 0) == 0


@pytest.mark.parametrize("name", WORK_QUEUES)
def test_a_worker_reports_single_failures_and_is_bounded(name: str) -> None:
    mapping = queue_mappings()[name]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "WorkerConcurrency"}}


@pytest.mark.parametrize("name", WORK_QUEUES)
def test_five_crashes_put_a_message_aside_for_fourteen_days(name: str) -> None:
    queues = resources("AWS::SQS::Queue")
    redrive = queues[name]["RedrivePolicy"]
    assert redrive["maxReceiveCount"] == MAX_RECEIVES  # by which the door knows a last delivery
    assert MAX_RECEIVES >= 5
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": [f"{name}Dead", "Arn"]}
    assert queues[f"{name}Dead"]["MessageRetentionPeriod"] == FOURTEEN_DAYS


def test_each_queue_is_a_dead_letter_queue_or_has_one_and_is_encrypted() -> None:
    queues = resources("AWS::SQS::Queue")
    without = [name for name, queue in queues.items() if "RedrivePolicy" not in queue]
    assert sorted(without) == sorted([*(f"{name}Dead" for name in (*WORK_QUEUES, WEBHOOK_QUEUE)), "StreamFailureQueue"])
    assert [queue["MessageRetentionPeriod"] for queue in queues.values()] == [FOURTEEN_DAYS] * len(queues)
    assert [queue["SqsManagedSseEnabled"] for queue in queues.values()] == [True] * len(queues)


def test_a_real_loop_is_still_cut() -> None:
    """Our chains end by themselves (test_chains.py); so nobody has switched off what ends the others."""
    assert {function.get("RecursiveLoop", "Terminate") for function in functions().values()} == {"Terminate"}


def stream_mappings() -> dict[str, Json]:
    """Table's logical id → the event source mapping of its stream."""
    mappings = resources("AWS::Lambda::EventSourceMapping").values()
    found = {m["EventSourceArn"]["Fn::GetAtt"][0]: m for m in mappings if "StreamArn" in str(m["EventSourceArn"])}
    assert sorted(found) == ["Bindings", "Transactions"]
    return found


@pytest.mark.parametrize("table", ["Bindings", "Transactions"])
def test_what_a_stream_can_not_tell_now_is_given_again_for_as_long_as_it_is_kept(table: str) -> None:
    """-1 is for ever (AWS::Lambda::EventSourceMapping): Lambda gives up on no record of its own accord."""
    mapping = stream_mappings()[table]
    assert (mapping["MaximumRetryAttempts"], mapping["MaximumRecordAgeInSeconds"]) == (-1, -1)
    # Lambda gives again from the first failed record on; where the function dies, it narrows it down by halves.
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True


@pytest.mark.parametrize("table", ["Bindings", "Transactions"])
def test_a_shard_is_read_by_ten_functions_at_once(table: str) -> None:
    assert stream_mappings()[table]["ParallelizationFactor"] == 10


def test_both_streams_carry_records_only_not_their_history_and_have_a_failure_queue() -> None:
    mappings = [
        m for m in resources("AWS::Lambda::EventSourceMapping").values() if "StreamArn" in str(m["EventSourceArn"])
    ]
    sort_keys = {}
    for mapping in mappings:
        assert target(mapping) == "PublishEvents"
        (pattern,) = mapping["FilterCriteria"]["Filters"]
        sort_keys[mapping["EventSourceArn"]["Fn::GetAtt"][0]] = json.loads(pattern["Pattern"])["dynamodb"]["Keys"]["sk"]
        destination = mapping["DestinationConfig"]["OnFailure"]["Destination"]
        assert destination == {"Fn::GetAtt": ["StreamFailureQueue", "Arn"]}
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    # Those of the repositories' keys, so that a renamed key is noticed here.
    assert sort_keys == {
        "Bindings": {"S": [binding_key("x")["sk"]["S"]]},
        "Transactions": {"S": [payment_key("x")["sk"]["S"]]},
    }


def test_the_resolver_runs_each_minute_through_its_alias() -> None:
    rule = resources("AWS::Events::Rule")["ResolvePendingEachMinute"]
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert rule["Targets"][0]["Arn"] == {"Ref": "ResolvePendingAliaslive"}
    assert rule["Targets"][0]["Input"] == {"Fn::Sub": '{"workers": ${WorkerConcurrency}}'}
    assert functions()["ResolvePending"]["Timeout"] <= 60


def test_every_alarm_is_heard_by_whoever_subscribed() -> None:
    alarms = resources("AWS::CloudWatch::Alarm").values()
    assert all(alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}] for alarm in alarms)
    assert translated()["Resources"]["AlarmSubscription"]["Condition"] == "HasAlarmEmail"
