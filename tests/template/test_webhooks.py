"""The webhooks' part of the template: there where it is wanted, and in nobody's way."""

import json

import pytest

from direct_debit.adapters.dynamodb.webhook_log import EXPIRES
from direct_debit.adapters.eventbridge import SOURCE
from direct_debit.application.webhooks.deliver_webhook import LONGEST_GAP, STANDARD_SCHEDULE
from direct_debit.entrypoint.settings import ConfigurationError
from direct_debit.entrypoint.webhook_settings import read_webhook_environment
from tests.fakes.environment import WEBHOOKS
from tests.template.translation import Json, functions, resources, source, translated


def of_webhooks() -> dict[str, Json]:
    """Every resource by whose name, or by what it watches, it is theirs."""
    found: dict[str, Json] = translated()["Resources"]
    return {name: resource for name, resource in found.items() if "Webhook" in name}


def test_all_of_it_goes_when_no_address_is_given() -> None:
    theirs = of_webhooks()
    assert len(theirs) > 15
    assert {name for name, resource in theirs.items() if resource.get("Condition") != "HasWebhook"} == set()
    outputs = {name: one for name, one in translated()["Outputs"].items() if "Webhook" in name}
    assert {one.get("Condition") for one in outputs.values()} == {"HasWebhook"}
    assert source()["Parameters"]["WebhookUrl"]["Default"] == ""
    assert source()["Conditions"]["HasWebhook"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "WebhookUrl"}, ""]}]}


def test_nothing_else_depends_on_it() -> None:
    """A reference to what is not deployed would stop the deployment."""
    others = {name: one for name, one in translated()["Resources"].items() if name not in of_webhooks()}
    for name, resource in others.items():
        assert "Webhook" not in json.dumps(resource), name


def test_every_event_of_the_bus_and_nothing_else_is_sent() -> None:
    rule = resources("AWS::Events::Rule")["WebhookRule"]
    assert rule["EventBusName"] == {"Ref": "EventBus"}
    assert rule["EventPattern"] == {"source": [SOURCE]}
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": ["WebhookQueue", "Arn"]}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["WebhookQueueDead", "Arn"]}}
    # The worker reads the event as it is.
    assert not {"InputPath", "InputTransformer", "Input"} & set(target)


def test_only_the_rule_may_put_messages_in_from_outside() -> None:
    policy = resources("AWS::SQS::QueuePolicy")["WebhookQueuePolicy"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["WebhookRule", "Arn"]}}}


def test_a_dead_receiver_takes_workers_of_its_own_only() -> None:
    (mapping,) = (
        one for one in resources("AWS::Lambda::EventSourceMapping").values() if "WebhookQueue" in json.dumps(one)
    )
    assert mapping["FunctionName"] == {"Ref": "DeliverWebhookAliaslive"}
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "WebhookConcurrency"}}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_a_message_outlives_its_schedule_and_what_kills_its_worker_does_not_stay_for_ever() -> None:
    queue = resources("AWS::SQS::Queue")["WebhookQueue"]
    assert queue["MessageRetentionPeriod"] > 3 * STANDARD_SCHEDULE[-1]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["WebhookQueueDead", "Arn"]}
    # Each step of the schedule is a delivery, and so is each throttled call.
    assert 3 * len(STANDARD_SCHEDULE) < queue["RedrivePolicy"]["maxReceiveCount"] <= 1000


def test_tries_expire_by_the_attribute_that_the_log_writes() -> None:
    table = resources("AWS::DynamoDB::Table")["WebhookLog"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": EXPIRES, "Enabled": True}
    assert "StreamSpecification" not in table


def test_the_log_can_be_restored_since_the_events_of_links_have_no_other_history() -> None:
    table = resources("AWS::DynamoDB::Table")["WebhookLog"]
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_the_standard_schedule_is_the_parameters_and_outlasts_a_day() -> None:
    default = source()["Parameters"]["WebhookScheduleSeconds"]["Default"]
    assert tuple(map(int, default.split(","))) == STANDARD_SCHEDULE
    assert STANDARD_SCHEDULE[-1] > 24 * 3600
    assert read_webhook_environment(WEBHOOKS).schedule == STANDARD_SCHEDULE


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("WEBHOOK_URL", "", "WEBHOOK_URL is missing"),
        ("WEBHOOK_URL", "http://shop.example/webhooks", "https"),
        ("WEBHOOK_URL", "http://127.0.0.1:8000/", "https"),
        ("WEBHOOK_URL", "https://user@shop.example/", "https"),
        ("WEBHOOK_URL", "ftp://shop.example/", "https"),
        ("WEBHOOK_URL", "https://169.254.169.254/latest/", "public internet"),
        ("WEBHOOK_URL", "https://10.0.0.7/webhooks", "public internet"),
        ("WEBHOOK_URL", "https://localhost:8443/webhooks", "public internet"),
        ("WEBHOOK_URL", "https://[fd00:ec2::254]/", "public internet"),
        ("WEBHOOK_TIMEOUT_SECONDS", "26", "at most 25"),
        ("WEBHOOK_SCHEDULE_SECONDS", "5,40000", f"{LONGEST_GAP} seconds"),
        ("WEBHOOK_SCHEDULE_SECONDS", "5,5", "ascending"),
        ("WEBHOOK_SECRET_ID", "", "WEBHOOK_SECRET_ID is missing"),
    ],
)
def test_a_wrong_setting_is_refused_at_the_start_by_its_name(variable: str, value: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        read_webhook_environment({**WEBHOOKS, variable: value})


@pytest.mark.parametrize("url", ["https://shop.example/a?b=c", "https://8.8.8.8:8443/", "HTTPS://[2606:4700::1111]/"])
def test_a_public_name_or_address_is_taken(url: str) -> None:
    assert read_webhook_environment({**WEBHOOKS, "WEBHOOK_URL": url}).url == url


def test_only_on_a_developers_machine_may_it_be_plain_http_and_private() -> None:
    local = {**WEBHOOKS, "WEBHOOK_URL": "http://127.0.0.1:8000/", "WEBHOOK_PRIVATE_NETWORKS": "true"}
    assert read_webhook_environment(local).private_networks
    own = functions()["DeliverWebhook"]["Environment"]["Variables"]
    assert own["WEBHOOK_PRIVATE_NETWORKS"] == {"Fn::If": ["IsLocal", "true", "false"]}
    assert source()["Conditions"]["IsLocal"] == {"Fn::Equals": [{"Ref": "Environment"}, "local"]}
    with pytest.raises(ConfigurationError):
        read_webhook_environment({**local, "WEBHOOK_URL": "http://shop.example/"})
