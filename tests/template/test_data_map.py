"""How long docs/data-map.md says that each place keeps what it has, against the template."""

import re
from collections import Counter
from pathlib import Path

import pytest

from direct_debit.adapters.dynamodb.webhook_log import EXPIRES, KEPT
from tests.template.translation import resources, source, translated

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "data-map.md").read_text("utf-8")

# What AWS keeps without being asked, and where it says so.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
BACKUP_DAYS = 35
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
STREAM_DAYS = 1
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html (standard workflows)
HISTORY_DAYS = 90
SECONDS_A_DAY = 86400

# The kinds of resources in which data is kept, or through which it goes.
KEEPING = {
    "AWS::DynamoDB::Table",
    "AWS::SQS::Queue",
    "AWS::Logs::LogGroup",
    "AWS::StepFunctions::StateMachine",
    "AWS::Events::EventBus",
}
# Kinds in which data could be kept, and nothing is: whoever adds one has to say for how long.
UNKNOWN_HERE = {
    "AWS::S3::Bucket",
    "AWS::RDS::DBInstance",
    "AWS::Events::Archive",
    "AWS::Kinesis::Stream",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::EFS::FileSystem",
}


def how_long(document: str = DOCUMENT) -> dict[tuple[str, str], str]:
    """(Place, "" or what of it) → how long, of each row of the table; a place that is there twice fails."""
    section = document.split("## How long it stays")[1].split("\n## ", maxsplit=1)[0]
    found: dict[tuple[str, str], str] = {}
    for names, what, term in re.findall(r"^\| (`[^|:]*`)(?:: (\w+))? \| ([^|]+?) \|", section, re.MULTILINE):
        for name in re.findall(r"`(\w+)`", names):
            assert (name, what) not in found, f"{name} is there twice"
            found[name, what] = term
    return found


def days(seconds: int) -> str:
    """A time as the table writes it."""
    whole, rest = divmod(seconds, SECONDS_A_DAY)
    assert rest == 0
    return f"{whole} day" if whole == 1 else f"{whole} days"


def test_each_place_of_the_template_is_in_the_table_and_no_other_one() -> None:
    kept = {name for name, one in translated()["Resources"].items() if one["Type"] in KEEPING}
    assert {name for name, _ in how_long()} == kept
    assert {one["Type"] for one in translated()["Resources"].values()} & UNKNOWN_HERE == set()


@pytest.mark.parametrize("name", sorted(resources("AWS::SQS::Queue")))
def test_a_queue_keeps_its_messages_for_as_long_as_is_said(name: str) -> None:
    # SQS's own is four days.
    assert how_long()[name, ""] == days(resources("AWS::SQS::Queue")[name].get("MessageRetentionPeriod", 345600))


@pytest.mark.parametrize("name", sorted(resources("AWS::DynamoDB::Table")))
def test_a_table_keeps_its_items_backups_and_changes_for_as_long_as_is_said(name: str) -> None:
    table = resources("AWS::DynamoDB::Table")[name]
    expiring = table.get("TimeToLiveSpecification")
    if expiring is None:
        assert how_long()[name, ""] == "for ever"
    else:
        assert expiring == {"AttributeName": EXPIRES, "Enabled": True}
        assert how_long()[name, ""] == days(int(KEPT.total_seconds()))
    backups = table["PointInTimeRecoverySpecification"]
    assert backups["PointInTimeRecoveryEnabled"] is True
    kept = backups.get("RecoveryPeriodInDays", BACKUP_DAYS) * SECONDS_A_DAY
    assert how_long()[name, "backups"] == days(kept)
    streamed = days(STREAM_DAYS * SECONDS_A_DAY) if "StreamSpecification" in table else None
    assert how_long().get((name, "streams")) == streamed


@pytest.mark.parametrize("name", sorted(resources("AWS::Logs::LogGroup")))
def test_a_log_is_kept_for_as_long_as_the_parameter_says(name: str) -> None:
    assert resources("AWS::Logs::LogGroup")[name]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert how_long()[name, ""] == f"`LogRetentionDays` ({source()['Parameters']['LogRetentionDays']['Default']} days)"


@pytest.mark.parametrize("name", sorted(resources("AWS::StepFunctions::StateMachine")))
def test_a_workflows_histories_are_kept_as_those_of_standard_ones_are(name: str) -> None:
    machine = resources("AWS::StepFunctions::StateMachine")[name]
    # One of the other type has no history, and its log has everything.
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert how_long()[name, ""] == days(HISTORY_DAYS * SECONDS_A_DAY)


def test_the_bus_keeps_nothing() -> None:
    assert resources("AWS::Events::Archive") == {}
    assert {how_long()[name, ""] for name in resources("AWS::Events::EventBus")} == {"not kept"}


def test_no_other_sentence_of_the_page_has_a_term_of_its_own() -> None:
    """One place for each: the sentence that said four days of the queues stood beside their fields."""
    table = DOCUMENT.split("## How long it stays")[1].split("\n## ")[0]
    assert re.findall(r"\d+ days?\b", DOCUMENT.replace(table, "")) == []


def test_what_is_said_of_forgetting_agrees() -> None:
    """docs/operations.md tells by when what was told before has gone by itself."""
    operations = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text("utf-8")
    (sentence,) = re.findall(r"What was told before goes by itself: (.+?)\.", operations, re.DOTALL)
    said = Counter(int(number) for number in re.findall(r"after (\d+)", sentence))
    assert said == Counter([14, KEPT.days, BACKUP_DAYS, HISTORY_DAYS])
    assert {how_long()[name, ""] for name in resources("AWS::SQS::Queue") if name.endswith("Dead")} == {"14 days"}
