"""What checkov refuses needs a reason, and a reason needs something that is refused."""

import pytest

from tools.audit.template_scan import REASONS, Reason, Refusal, Scan, judge, line_of, read_reasons

QUEUE = Refusal("CKV_AWS_27", "Ensure the queue is encrypted", "AWS::SQS::Queue.Work", 7)
TOPIC = Refusal("CKV_AWS_26", "Ensure the topic is encrypted", "AWS::SNS::Topic.Alarms", 9)
QUEUES = Reason("CKV_AWS_27", ("AWS::SQS::Queue.*",), "wrong", "SqsManagedSseEnabled")


def scan(*refusals: Refusal) -> Scan:
    return Scan(passed=3, resources=2, refusals=refusals)


def test_what_has_a_reason_passes_and_is_counted_by_its_kind() -> None:
    verdict = judge(scan(QUEUE), [QUEUES])
    assert verdict.faults == ()
    assert "3 passed, 1 refused with a reason (the rule is wrong: 1, decided otherwise: 0, open: 0)" in verdict.summary


def test_what_has_none_is_told_with_its_place() -> None:
    (fault,) = judge(scan(QUEUE, TOPIC), [QUEUES]).faults
    assert fault.startswith("template.yaml:9: CKV_AWS_26 AWS::SNS::Topic.Alarms: Ensure the topic is encrypted")


@pytest.mark.parametrize(
    "other",
    [
        Reason("CKV_AWS_28", ("AWS::SQS::Queue.*",), "wrong", "of another rule"),
        Reason("CKV_AWS_27", ("AWS::SQS::Queue.Other", "AWS::SNS::*"), "wrong", "of other resources"),
    ],
)
def test_a_reason_speaks_of_its_rule_and_resources_only(other: Reason) -> None:
    assert any("CKV_AWS_27 AWS::SQS::Queue.Work" in fault for fault in judge(scan(QUEUE), [other]).faults)


def test_a_reason_that_speaks_of_nothing_any_more_is_a_fault() -> None:
    (fault,) = judge(scan(), [QUEUES]).faults
    assert "CKV_AWS_27 AWS::SQS::Queue.* is refused no more" in fault


@pytest.mark.parametrize(("kind", "reason"), [("fine", "because"), ("open", " ")])
def test_a_reason_has_a_kind_and_words(kind: str, reason: str) -> None:
    text = f'[[accepted]]\ncheck = "CKV_AWS_1"\nresources = ["*"]\nkind = "{kind}"\nreason = "{reason}"\n'
    with pytest.raises(ValueError, match="CKV_AWS_1"):
        read_reasons(text)


@pytest.mark.parametrize(
    ("resource", "line"),
    [("AWS::SQS::Queue.Work", 2), ("AWS::SNS::Topic.Alarms", 4), ("AWS::IAM::Role.MadeBySam", 1)],
)
def test_a_place_is_where_the_resource_begins_in_the_template(resource: str, line: int) -> None:
    assert line_of(resource, "Resources:\n  Work:\n    Alarms: [Work]\n  Alarms:\n    Type: x\n") == line


def test_each_reason_of_ours_is_long_enough_to_be_one() -> None:
    assert [one.check for one in read_reasons(REASONS.read_text("utf-8")) if len(one.reason.split()) < 8] == []
