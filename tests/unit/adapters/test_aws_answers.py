"""Answers of AWS's that no one would write: each ends in an error that callers handle (found by tests/fuzz)."""

import json
from collections.abc import Callable

import pytest

from direct_debit.application.errors import DirectDebitError, StoreUnavailable
from tests.fuzz.targets import aws_answers

GET, QUERY, PUT, UPDATE, TRANSACT, EVENTS, SECRET = (
    aws_answers._ASKS[name][0]
    for name in (
        "get-item",
        "query",
        "put-item",
        "update-item",
        "transact-write-items",
        "put-events",
        "get-secret-value",
    )
)
KEY = {"pk": {"S": "PAYMENT#r1"}, "sk": {"S": "PAYMENT"}}
REFUSED = {"__type": "ConditionalCheckFailedException"}
CANCELLED = {"__type": "TransactionCanceledException"}
LEVELS = 5_000


def answer(ask: Callable[[], None], body: bytes, status: int = 200) -> None:
    aws_answers._WIRE.say(f"{status}\n".encode() + body)
    ask()


@pytest.mark.parametrize(
    ("ask", "status", "body"),
    [
        (GET, 200, {"Item": []}),
        (GET, 200, {"Item": {"pk": "PAYMENT#r1"}}),
        (GET, 200, {"Item": {"pk": {"S": 5}}}),
        (GET, 200, {"Item": {"metadata": {"M": []}}}),
        (GET, 200, {"Item": {"pk": {"S": "\ud800"}}}),
        (QUERY, 200, {}),
        (QUERY, 200, {"Items": {}}),
        (QUERY, 200, {"Items": [5]}),
        (QUERY, 200, {"Items": [], "LastEvaluatedKey": 5}),
        (QUERY, 200, {"Items": [], "LastEvaluatedKey": KEY}),  # for ever
        (PUT, 400, {**REFUSED, "Item": [{}]}),
        (UPDATE, 200, {}),
        (UPDATE, 200, {"Attributes": None}),
        (TRANSACT, 400, CANCELLED),
        (TRANSACT, 400, {**CANCELLED, "CancellationReasons": "ConditionalCheckFailed"}),
        (TRANSACT, 400, {**CANCELLED, "CancellationReasons": [{"Code": "ConditionalCheckFailed"}]}),
        (TRANSACT, 400, {**CANCELLED, "CancellationReasons": [{"Code": ["ConditionalCheckFailed"]}, 5]}),
        (EVENTS, 200, {}),
        (EVENTS, 200, {"FailedEntryCount": "0"}),
        (EVENTS, 200, {"FailedEntryCount": 1, "Entries": [{}, {}, {}]}),
        (EVENTS, 200, {"FailedEntryCount": 1, "Entries": 5}),
        (SECRET, 200, {"SecretString": 5}),
        (SECRET, 200, {"SecretString": "{}", "CreatedDate": "yesterday"}),
        (SECRET, 200, {"SecretString": "{}", "CreatedDate": 1e12}),
        (SECRET, 200, {"SecretString": "{}", "CreatedDate": float("inf")}),
    ],
)
def test_an_answer_of_another_shape_is_no_answer(ask: Callable[[], None], status: int, body: object) -> None:
    with pytest.raises(StoreUnavailable):
        answer(ask, json.dumps(body).encode(), status)


@pytest.mark.parametrize("ask", [GET, QUERY, UPDATE, TRANSACT, EVENTS, SECRET])
@pytest.mark.parametrize("body", [b"[" * LEVELS, b'{"a":' * LEVELS, b"NaN", b"\xff", b"null", b"[]"])
def test_what_is_no_json_object_is_no_answer(ask: Callable[[], None], body: bytes) -> None:
    with pytest.raises(StoreUnavailable):
        answer(ask, body)


def test_an_attribute_that_is_nested_deeper_than_the_store_s_is_none() -> None:
    levels = b'{"L":[' * 200 + b'{"S":"x"}' + b"]}" * 200
    with pytest.raises(StoreUnavailable):
        answer(GET, b'{"Item":{"pk":' + levels + b"}}")


@pytest.mark.parametrize("told", ["a name with blanks", "", "x" * 101, "ends.\n"])
def test_a_code_that_is_no_name_is_the_status(told: str) -> None:
    with pytest.raises(DirectDebitError) as error:
        answer(GET, json.dumps({"__type": told}).encode(), 400)
    assert isinstance(error.value, StoreUnavailable)
    assert error.value.store_code == "400"
