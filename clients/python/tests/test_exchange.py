"""What goes out, how often, and what the caller gets, for both clients."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from clients.python.tests.stage import LOST, PAYMENT, REFUSED, Played, Stage, binding, payment, problem
from direct_debit_client import (
    AnswerLost,
    AsyncClient,
    CircuitOpen,
    Conflict,
    CustomerActionRequired,
    DirectDebitError,
    NotAllowed,
    NotDone,
    PaymentState,
    RetryPolicy,
    StoreUnavailable,
    Throttled,
    UnexpectedAnswer,
)

ORDER = {"binding_id": "b1", "amount": Decimal(10000), "remarks": "Order 1"}


def refuse(stage: Stage, answers: list[Played], **options: object) -> DirectDebitError:
    """Pay, and return the error."""
    with pytest.raises(DirectDebitError) as caught:
        stage.call(answers, lambda client: client.make_payment(partner_reference_no="INV1", **ORDER), **options)
    assert stage.answers == []
    return caught.value


# --- the same again --------------------------------------------------------------------------------------------------


def test_a_lost_answer_is_asked_for_with_the_same_key_and_body(stage: Stage) -> None:
    paid = stage.call([LOST, httpx.Response(504), payment()], lambda client: client.make_payment(**ORDER))
    assert paid.state is PaymentState.PROCESSING
    assert [request.headers["idempotency-key"] for request in stage.requests] == ["key-1"] * 3
    assert len({request.content for request in stage.requests}) == 1
    assert stage.pauses == [0.5, 1.0]


def test_each_payment_has_a_key_of_its_own(stage: Stage) -> None:
    stage.call([payment()], lambda client: client.make_payment(**ORDER))
    stage.call([payment()], lambda client: client.make_payment(**ORDER))
    assert [request.headers["idempotency-key"] for request in stage.requests] == ["key-1", "key-2"]


@pytest.mark.parametrize(
    ("named", "header"),
    [
        ({"partner_reference_no": "INV1"}, None),
        ({"idempotency_key": "order-1"}, "order-1"),
        ({"partner_reference_no": "INV1", "idempotency_key": "order-1"}, "order-1"),
        ({"partner_reference_no": None}, "key-1"),
    ],
)
def test_whoever_names_the_payment_needs_no_key(stage: Stage, named: dict[str, str], header: str | None) -> None:
    stage.call([payment()], lambda client: client.make_payment(**ORDER, **named))
    assert stage.requests[0].headers.get("idempotency-key") == header


def test_no_other_route_sends_a_key(stage: Stage) -> None:
    """The service refuses it there (422)."""
    stage.call([binding("PENDING", 201)], lambda client: client.bind_account(customer_id="C", phone="62811111111"))
    stage.call([binding("UNBOUND")], lambda client: client.unbind_account("b1"))
    stage.call([binding("UNBOUND")], lambda client: client.confirm_unbinding("b1", "123456"))
    stage.call([payment()], lambda client: client.verify_payment_otp("INV1", "123456"))
    assert not any("idempotency-key" in request.headers for request in stage.requests)


def test_unknown_is_an_answer(stage: Stage) -> None:
    paid = stage.call([payment("UNKNOWN", 202)], lambda client: client.make_payment(**ORDER))
    assert paid.state is PaymentState.UNKNOWN
    assert len(stage.requests) == 1


def test_a_declined_payment_is_an_answer(stage: Stage) -> None:
    failure = {
        "reason": "declined",
        "cause": "insufficient_funds",
        "mendedBy": "customer",
        "customerMessage": {"id": "Saldo", "en": "Balance"},
    }
    paid = stage.call([payment("FAILED", 201, failure=failure)], lambda client: client.make_payment(**ORDER))
    assert (paid.failure.cause, paid.failure.customer_message.en) == ("insufficient_funds", "Balance")


def test_retry_after_is_respected(stage: Stage) -> None:
    busy = problem(503, "not-done", retry_after=7)
    stage.call([busy, payment()], lambda client: client.get_payment("INV1"))
    assert stage.pauses == [7]


def test_the_body_is_what_the_api_reads(stage: Stage) -> None:
    stage.call([payment()], lambda client: client.make_payment(**ORDER, metadata={"orderId": "1"}))
    request = stage.requests[0]
    assert (request.method, str(request.url)) == ("POST", "https://pay.example/v1/payments")
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {
        "bindingId": "b1",
        "amount": {"value": "10000.00", "currency": "IDR"},
        "remarks": "Order 1",
        "metadata": {"orderId": "1"},
    }


# --- what the caller is told at the end ------------------------------------------------------------------------------


def test_no_answer_at_all(stage: Stage) -> None:
    error = refuse(stage, [LOST] * 4)
    assert isinstance(error, AnswerLost)
    assert error.maybe_done
    assert error.__cause__ is LOST


def test_nobody_was_reached(stage: Stage) -> None:
    error = refuse(stage, [REFUSED] * 4)
    assert isinstance(error, AnswerLost)
    assert not error.maybe_done


def test_once_maybe_done_stays_maybe_done(stage: Stage) -> None:
    """The first try may have arrived; that the later ones did not says nothing about it."""
    error = refuse(stage, [LOST, REFUSED, REFUSED, problem(503, "not-done", retry_after=1)])
    assert isinstance(error, NotDone)
    assert error.maybe_done


def test_the_key_that_the_client_made_is_told(stage: Stage) -> None:
    with pytest.raises(AnswerLost) as caught:
        stage.call([LOST] * 4, lambda client: client.make_payment(**ORDER))
    assert caught.value.idempotency_key == "key-1"


@pytest.mark.parametrize(
    ("answer", "kind", "maybe_done"),
    [
        (problem(503, "not-done", retry_after=1), NotDone, False),
        (problem(503, "circuit-open", retry_after=1), CircuitOpen, False),
        (problem(503, "store-unavailable", retry_after=1), StoreUnavailable, True),
        (httpx.Response(429, json={"message": "Too Many Requests"}), Throttled, False),
        (httpx.Response(504, json={"message": "Endpoint request timed out"}), AnswerLost, True),
        (httpx.Response(502, html="<h1>Bad Gateway</h1>"), AnswerLost, True),
    ],
)
def test_what_does_not_pass(
    stage: Stage, answer: httpx.Response, kind: type[DirectDebitError], maybe_done: bool
) -> None:
    error = refuse(stage, [answer] * 4)
    assert type(error) is kind
    assert error.maybe_done is maybe_done


def test_tries_are_the_policys(stage: Stage) -> None:
    assert isinstance(refuse(stage, [LOST], retry=RetryPolicy(tries=1)), AnswerLost)


@pytest.mark.parametrize("content", [b"<html>", b"", b"[]", b'{"state": "PAID"}'])
def test_an_answer_of_somebody_else(stage: Stage, content: bytes) -> None:
    error = refuse(stage, [httpx.Response(200, content=content)])
    assert isinstance(error, UnexpectedAnswer)
    assert error.maybe_done


def test_a_redirect_is_not_followed(stage: Stage) -> None:
    elsewhere = httpx.Response(307, headers={"location": "https://elsewhere.example/"})
    assert isinstance(refuse(stage, [elsewhere]), UnexpectedAnswer)
    assert len(stage.requests) == 1


def test_not_allowed_says_what_to_check(stage: Stage) -> None:
    error = refuse(stage, [httpx.Response(403, json={"message": "Missing Authentication Token"})])
    assert isinstance(error, NotAllowed)
    assert "Missing Authentication Token" in str(error)
    assert "execute-api:Invoke" in error.remedy


# --- codes -----------------------------------------------------------------------------------------------------------

TAKEN = problem(409, "conflict", detail="no code is awaited: the payment is PROCESSING")


def test_a_code_whose_answer_was_lost_is_settled_by_a_look(stage: Stage) -> None:
    """Its repeat is refused, since the first one was taken; the payment tells."""
    verified = stage.call(
        [LOST, TAKEN, payment("PROCESSING")], lambda client: client.verify_payment_otp("INV1", "123456")
    )
    assert verified.state is PaymentState.PROCESSING
    assert [(request.method, request.url.path) for request in stage.requests] == [
        ("POST", "/v1/payments/INV1/otp"),
        ("POST", "/v1/payments/INV1/otp"),
        ("GET", "/v1/payments/INV1"),
    ]


def test_the_same_for_an_unlinking(stage: Stage) -> None:
    unlinked = stage.call([LOST, TAKEN, binding("UNBOUND")], lambda client: client.confirm_unbinding("b1", "123456"))
    assert unlinked.state == "UNBOUND"


def test_a_refusal_stands_where_the_code_is_still_awaited(stage: Stage) -> None:
    answers: list[Played] = [LOST, problem(409, "conflict", detail="no more codes"), payment("OTP_PENDING")]
    with pytest.raises(Conflict, match="no more codes") as caught:
        stage.call(answers, lambda client: client.verify_payment_otp("INV1", "123456"))
    assert caught.value.maybe_done


def test_a_refusal_stands_where_nothing_was_lost(stage: Stage) -> None:
    with pytest.raises(Conflict):
        stage.call([TAKEN], lambda client: client.verify_payment_otp("INV1", "123456"))
    assert len(stage.requests) == 1


def test_a_wrong_code_is_not_repeated(stage: Stage) -> None:
    wrong = problem(422, "otp-wrong", responseCode="4040415")
    with pytest.raises(CustomerActionRequired) as caught:
        stage.call([wrong], lambda client: client.verify_payment_otp("INV1", "000000"))
    assert (caught.value.slug, caught.value.response_code) == ("otp-wrong", "4040415")
    assert "4040415" in str(caught.value)
    assert "000000" not in str(caught.value)


OF_A_DAY: dict[str, Any] = {"day": date(2026, 8, 1), "state": PaymentState.PAID, "limit": 2}


# --- lists -----------------------------------------------------------------------------------------------------------


def test_all_payments_page_by_page(stage: Stage) -> None:
    def page(*refs: str, following: str | None = None) -> httpx.Response:
        payments = [json.loads(payment(partnerReferenceNo=ref).content) for ref in refs]
        return httpx.Response(200, json={"payments": payments} | ({"next": following} if following else {}))

    pages: list[Played] = [page("A", "B", following="mark"), page(following="end"), page("C")]
    if stage.is_async:

        async def collect(client: AsyncClient) -> list[str]:
            return [one.partner_reference_no async for one in client.each_payment(**OF_A_DAY)]

        refs = stage.call(pages, collect)
    else:
        refs = stage.call(pages, lambda client: [one.partner_reference_no for one in client.each_payment(**OF_A_DAY)])
    assert refs == ["A", "B", "C"]
    of_a_day = "day=2026-08-01&state=PAID&limit=2"
    assert [request.url.query.decode() for request in stage.requests] == [
        of_a_day,
        of_a_day + "&after=mark",
        of_a_day + "&after=end",
    ]


def test_all_links_from_a_mark_on(stage: Stage) -> None:
    def page(*ids: str, following: str | None = None) -> httpx.Response:
        bindings = [json.loads(binding("ACTIVE").content) | {"bindingId": id_} for id_ in ids]
        return httpx.Response(200, json={"bindings": bindings} | ({"next": following} if following else {}))

    pages: list[Played] = [page("a", following="later"), page("b")]
    query: dict[str, Any] = {"unresolved": True, "after": "mark"}
    if stage.is_async:

        async def collect(client: AsyncClient) -> list[str]:
            return [one.binding_id async for one in client.each_binding(**query)]

        ids = stage.call(pages, collect)
    else:
        ids = stage.call(pages, lambda client: [one.binding_id for one in client.each_binding(**query)])
    assert ids == ["a", "b"]
    assert [request.url.query.decode() for request in stage.requests] == [
        "unresolved=true&after=mark",
        "unresolved=true&after=later",
    ]
    assert query["after"] == "mark"  # what is the caller's stays the caller's


def test_pages_are_asked_for_when_they_are_needed(stage: Stage) -> None:
    first = httpx.Response(200, json={"payments": [PAYMENT], "next": "mark"})
    if stage.is_async:

        async def look(client: AsyncClient) -> object:
            payments = client.each_payment(customer_id="CUST-1")
            return await anext(payments)

        seen = stage.call([first], look)
    else:
        seen = stage.call([first], lambda client: next(client.each_payment(customer_id="CUST-1")))
    assert seen.partner_reference_no == "INV1"


def test_parameters_that_are_not_set_are_not_sent(stage: Stage) -> None:
    empty = httpx.Response(200, json={"bindings": []})
    stage.call([empty], lambda client: client.list_bindings(customer_id="C", unresolved=False, limit=None))
    assert stage.requests[0].url.query == b"customerId=C&unresolved=false"
    with pytest.raises(TypeError, match="unknown: costumer_id; there are: after, customer_id"):
        stage.call([], lambda client: client.list_payments(costumer_id="C"))


def test_the_customer_is_named_where_the_api_reads_it(stage: Stage) -> None:
    balance = httpx.Response(200, json={"bindingId": "b1", "customerId": "CUST-1", "balances": []})
    stage.call([binding("ACTIVE")], lambda client: client.get_binding("b1", customer_id="CUST-1"))
    stage.call([balance], lambda client: client.get_balance("b1", customer_id="CUST-1"))
    stage.call([binding("UNBOUND")], lambda client: client.unbind_account("b1", customer_id="CUST-1"))
    stage.call([binding("UNBOUND")], lambda client: client.confirm_unbinding("b1", "123456", customer_id="CUST-1"))
    *by_query, by_body = stage.requests
    assert [request.url.query for request in by_query] == [b"customerId=CUST-1"] * 3
    assert json.loads(by_body.content) == {"otp": "123456", "customerId": "CUST-1"}
