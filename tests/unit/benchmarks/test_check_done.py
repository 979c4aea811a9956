"""What has refused an event, or has not called what it is there for, is not measured."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.benchmarks.speed.recording import Call
from tests.benchmarks.speed.runs import Report
from tests.benchmarks.speed.samples import CALLS, check_done
from tests.benchmarks.speed.scenes import SCENES

PUT = "DynamoDB_20120810.PutItem"
# These answer from what they have, or from what a call long before has brought.
WITHOUT_A_CALL = {"AuthoriseCall", "ExplainProblem", "IssueToken"}


def report(*answers: Mapping[str, Any]) -> Report:
    began = [float(number) for number in range(len(answers))]
    return Report(0, 0, began, began, [at + 0.5 for at in began], 0, 0, (), (), 0, (), answers)


def calls(*when: float) -> Sequence[Call]:
    return [
        call
        for at in when
        for call in (
            Call("merchant", "/webhooks", {}, "{}", 200, {}, "{}", at),
            Call("aws", PUT, {}, "{}", 200, {}, "{}", at),
        )
    ]


def test_what_was_done_passes() -> None:
    check_done("DeliverWebhook", report({"batchItemFailures": []}, {"batchItemFailures": []}), calls(0.1, 1.1))
    check_done("AuthoriseCall", report({"policyDocument": {"Statement": [{"Effect": "Allow"}]}}), [])


@pytest.mark.parametrize(
    ("function", "answer", "made", "told"),
    [
        ("GetPayment", {"statusCode": 404}, [], "answered"),
        ("DeliverWebhook", {"batchItemFailures": [{"itemIdentifier": "1"}]}, calls(0.1), "answered"),
        ("ResolvePending", {"failed": 1}, [], "answered"),
        ("AuthoriseCall", {"policyDocument": {"Statement": [{"Effect": "Deny"}]}}, [], "allowed nothing"),
        ("DeliverWebhook", {"batchItemFailures": []}, [], r"no call of \['M', 'w'\] for its event 0"),
    ],
)
def test_what_was_not_is_told(function: str, answer: Mapping[str, Any], made: Sequence[Call], told: str) -> None:
    with pytest.raises(RuntimeError, match=told):
        check_done(function, report(answer), made)


def test_each_function_says_what_it_is_there_to_call() -> None:
    assert CALLS.keys() | WITHOUT_A_CALL == SCENES.keys()
    assert CALLS.keys().isdisjoint(WITHOUT_A_CALL), "in tests/benchmarks/speed/samples.py"
