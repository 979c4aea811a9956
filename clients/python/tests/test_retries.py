"""When a request is sent again: the whole table."""

from __future__ import annotations

import pytest

from direct_debit_client.retries import RetryPolicy, Try, decide_retry

POLICY = RetryPolicy(tries=4, first_wait=0.5, longest_wait=20)


@pytest.mark.parametrize(
    ("what", "last", "wait"),
    [
        # Nobody knows whether it arrived: the same again finds it.
        ("no answer", Try(1, None), 0.5),
        ("the second lost answer", Try(2, None), 1.0),
        ("the third lost answer", Try(3, None), 2.0),
        ("the last try", Try(4, None), None),
        ("a fault", Try(1, 500, slug="internal-error"), 0.5),
        ("a gateway that got no answer", Try(1, 502), 0.5),
        ("a gateway that waited too long", Try(1, 504), 0.5),
        # Told when to come again: then, and not before.
        ("not done", Try(1, 503, 5, "not-done"), 5),
        ("an open circuit", Try(1, 503, 20, "circuit-open"), 20),
        ("the store", Try(3, 503, 1, "store-unavailable"), 2.0),
        ("throttled", Try(1, 429, 3), 3),
        ("throttled, without a time", Try(2, 429), 1.0),
        ("unavailable, without a time", Try(1, 503), 0.5),
        ("told to come again much later", Try(1, 503, 21, "circuit-open"), None),
        # A person is needed.
        ("not configured", Try(1, 503, 5, "not-configured"), None),
        # Answers: never a reason to send again.
        ("made", Try(1, 201), None),
        ("UNKNOWN or in flight", Try(1, 202), None),
        ("a repeat that was recognised", Try(1, 200), None),
        ("elsewhere", Try(1, 302), None),
        ("malformed", Try(1, 400, slug="malformed-request"), None),
        ("not signed", Try(1, 401), None),
        ("not allowed", Try(1, 403), None),
        ("not found", Try(1, 404, slug="not-found"), None),
        ("conflict", Try(1, 409, slug="conflict"), None),
        ("too large", Try(1, 413, slug="body-too-large"), None),
        ("wrong field", Try(1, 422, slug="invalid-field"), None),
        ("wrong code", Try(1, 422, slug="otp-wrong"), None),
        ("conflict with a Retry-After", Try(1, 409, 1, "conflict"), None),
    ],
)
def test_the_table(what: str, last: Try, wait: float | None) -> None:
    assert decide_retry(POLICY, last, 0.0) == wait


def test_chance_only_makes_it_later() -> None:
    told = Try(1, 503, 10, "not-done")
    assert decide_retry(POLICY, told, 0.0) == 10
    assert decide_retry(POLICY, told, 1.0) == 15


def test_waits_grow_to_the_longest() -> None:
    patient = RetryPolicy(tries=99, first_wait=1, longest_wait=20)
    assert [decide_retry(patient, Try(number, None), 0.0) for number in range(1, 8)] == [1, 2, 4, 8, 16, 20, 20]


def test_one_try_is_one_try() -> None:
    assert decide_retry(RetryPolicy(tries=1), Try(1, None), 0.0) is None
