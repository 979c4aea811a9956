"""Waiting for a state: growing intervals, a limit, and what is waited out."""

from __future__ import annotations

from itertools import islice

import httpx
import pytest

from clients.python.tests.stage import LOST, Played, Stage, binding, payment, problem
from direct_debit_client import NotFound, Pace, PaymentState, StillOpen


def test_it_looks_less_and_less_often(stage: Stage) -> None:
    answers = [payment("PROCESSING"), payment("UNKNOWN"), payment("OTP_PENDING"), payment("PAID")]
    paid = stage.call(answers, lambda client: client.wait_until_final("INV1", timeout=60))
    assert paid.state is PaymentState.PAID
    assert stage.pauses == [1, 1.5, 2.25]


def test_the_pace() -> None:
    assert list(islice(Pace(first=1, factor=3, longest=10).intervals(), 5)) == [1, 3, 9, 10, 10]


@pytest.mark.parametrize("state", ["PAID", "FAILED", "REFUNDED", "NEEDS_REVIEW"])
def test_final_states_end_it(stage: Stage, state: str) -> None:
    assert stage.call([payment(state)], lambda client: client.wait_until_final("INV1", timeout=60)).state == state
    assert stage.pauses == []


def test_when_the_time_is_over_it_says_what_was_seen(stage: Stage) -> None:
    with pytest.raises(StillOpen, match="still UNKNOWN after 2 s") as caught:
        stage.call([payment("UNKNOWN")] * 3, lambda client: client.wait_until_final("INV1", timeout=2))
    assert stage.pauses == [1, 1]  # the last look is at the end of the time, not after it
    assert getattr(caught.value.last, "state", None) == "UNKNOWN"


def test_no_time_is_one_look(stage: Stage) -> None:
    with pytest.raises(StillOpen):
        stage.call([payment("UNKNOWN")], lambda client: client.wait_until_final("INV1", timeout=0))


def test_an_outage_is_waited_out(stage: Stage) -> None:
    answers: list[Played] = [
        LOST,
        problem(503, "store-unavailable", retry_after=5),
        httpx.Response(502),
        payment("PAID"),
    ]
    stage.call(answers, lambda client: client.wait_until_final("INV1", timeout=60))
    assert stage.pauses == [1, 5, 2.25]


def test_an_outage_that_lasts(stage: Stage) -> None:
    with pytest.raises(StillOpen, match="the last look failed") as caught:
        stage.call([LOST] * 2, lambda client: client.wait_until_final("INV1", timeout=1))
    assert caught.value.last is None


def test_what_does_not_pass_is_told_at_once(stage: Stage) -> None:
    with pytest.raises(NotFound):
        stage.call([problem(404, "not-found")], lambda client: client.wait_until_final("INV1", timeout=60))


@pytest.mark.parametrize("state", ["ACTIVE", "FAILED", "RELINK_REQUIRED", "UNBOUND"])
def test_a_link(stage: Stage, state: str) -> None:
    answers = [binding("REQUESTED"), binding("PENDING"), binding(state)]
    assert stage.call(answers, lambda client: client.wait_until_linked("b1", timeout=60)).state == state


@pytest.mark.parametrize("state", ["REFUNDED", "FAILED", "NEEDS_REVIEW"])
def test_a_refund(stage: Stage, state: str) -> None:
    def refund(now: str) -> httpx.Response:
        body = {
            "partnerRefundNo": "R1",
            "state": now,
            "amount": {"value": "10000.00"},
            "automatic": False,
            "requestedAt": "2026-08-01T07:15:00.000Z",
            "partnerReferenceNo": "INV1",
            "links": {},
        }
        return httpx.Response(200, json=body)

    answers = [refund("REQUESTED"), refund("SENDING"), refund("RETRYING"), refund("UNKNOWN"), refund(state)]
    assert stage.call(answers, lambda client: client.wait_until_refunded("INV1", timeout=60)).state == state
