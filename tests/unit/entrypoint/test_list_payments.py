"""The pages of a customer's payments at the door: their marks, and what is refused."""

import json
from datetime import timedelta

import pytest

from direct_debit.application.errors import InvalidRequest
from direct_debit.application.ports.payments import PageMark
from direct_debit.entrypoint.doors import Call
from direct_debit.entrypoint.events import ApiRequest
from direct_debit.entrypoint.operations.list_payments import ROUTE, operate, read_mark, write_mark
from direct_debit.entrypoint.parsing import read_command, read_request
from tests.fakes.clock import START
from tests.fakes.journey import Merchant
from tests.unit.application.support import linked


def request(**query: str) -> ApiRequest:
    return ApiRequest(
        request_id="r",
        path=ROUTE.path,
        headers={},
        path_parameters={"customerId": "CUST-1"},
        query=query,
        raw_body=None,
        query_pairs=tuple(query.items()),
    )


def ask(merchant: Merchant, **query: str) -> dict[str, object]:
    ports = merchant.world.process()
    given = read_request(ROUTE, request(**query), ports.settings)
    return operate(given, Call(ports, merchant.world.deadline())).view.to_json()


def test_all_pages_together_are_all_payments_each_once() -> None:
    merchant = linked()
    for number in range(5):
        merchant.pay(f"INV-{number}")
        merchant.world.clock.tick(60)
    found: list[object] = []
    page = ask(merchant, limit="2")
    while True:
        assert isinstance(page["payments"], list)
        found += [payment["partnerReferenceNo"] for payment in page["payments"]]
        if "next" not in page:
            break
        page = ask(merchant, limit="2", after=str(page["next"]))
    assert found == [f"INV-{number}" for number in reversed(range(5))]


def test_a_payment_in_a_list_shows_what_it_shows_by_itself_but_its_history() -> None:
    merchant = linked()
    merchant.pay("INV-1")
    (shown,) = json.loads(json.dumps(ask(merchant)["payments"]))
    assert (shown["state"], shown["remarks"]) == ("OTP_PENDING", "Order 1")
    assert "history" not in shown


@pytest.mark.parametrize("limit", ["0", "101", "-1", "two", "1.5", "\u0663"])
def test_a_limit_that_is_none_is_refused(limit: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_request(ROUTE, request(limit=limit), linked().world.settings)
    assert refused.value.field == "limit"


@pytest.mark.parametrize("after", ["", "x", "%%%", "MjAyNg", "fA", write_mark(PageMark(START, "r"))[:-4]])
def test_a_mark_that_is_none_is_refused(after: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_request(ROUTE, request(after=after), linked().world.settings)
    assert refused.value.field == "after"


def test_a_mark_is_read_as_it_was_written() -> None:
    for mark in (PageMark(START, "INV-1"), PageMark(START + timedelta(microseconds=1), "a.b_c-d")):
        assert read_mark(write_mark(mark)) == mark


def test_a_plain_command_gives_a_number() -> None:
    settings = linked().world.settings
    assert read_command(ROUTE, {"customerId": "C1", "limit": 7}, settings).limit == 7
    assert read_command(ROUTE, {"customerId": "C1"}, settings).limit == 20
