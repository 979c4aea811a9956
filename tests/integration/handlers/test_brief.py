"""What a workflow's functions answer it: ids and states, since AWS keeps the history for 90 days."""

from collections.abc import Mapping

import pytest

from direct_debit.application.ports.doku_reads import Balance
from direct_debit.domain.binding import Binding
from direct_debit.entrypoint.operations.get_balance import show_cover
from direct_debit.entrypoint.values import AmountBody
from tests.integration.handlers.house import House, binding_body, payment_body
from tests.unit.application.support import linked

REF = "INV000000001"


def test_a_workflow_is_answered_ids_and_states_alone(house: House) -> None:
    binding = house.link()
    link = {"bindingId": binding, "state": "ACTIVE"}
    assert house.invoke("get_binding", {"bindingId": binding, "brief": True}) == link
    assert house.invoke("list_bindings", {"customerId": "CUST-1", "brief": True}) == {"bindings": [link]}
    amount = {"value": "10000.00", "currency": "IDR"}
    asked = {"bindingId": binding, "covers": amount, "brief": True}
    assert house.invoke("get_balance", asked) == {"bindingId": binding, "covers": True}
    order = payment_body(binding, metadata={"who": "canary"}, taskToken="token")
    assert house.invoke("make_payment", order) == {"partnerReferenceNo": REF, "state": "OTP_PENDING"}
    house.invoke("verify_payment_otp", {"partnerReferenceNo": REF, "otp": "123456"})
    house.world.run_for(120)
    read = {"partnerReferenceNo": REF, "refresh": True, "brief": True}
    assert house.invoke("get_payment", read) == {"partnerReferenceNo": REF, "state": "PAID"}
    refund = {"partnerReferenceNo": REF, "reason": "canary", "partnerRefundNo": "RFD1", "brief": True}
    told = house.invoke("refund_payment", refund)
    assert told == {"partnerReferenceNo": REF, "partnerRefundNo": "RFD1", "state": "REQUESTED"}
    house.world.run_for(120)
    told = house.invoke("get_refund", {"partnerReferenceNo": REF, "brief": True})
    assert told == {"partnerReferenceNo": REF, "partnerRefundNo": "RFD1", "state": "REFUNDED"}


def test_of_a_payment_that_failed_the_reason_is_told(house: House) -> None:
    binding = house.link()
    house.invoke("make_payment", payment_body(binding, amount={"value": "10014.00", "currency": "IDR"}))
    told = house.invoke("get_payment", {"partnerReferenceNo": REF, "brief": True})
    shown = house.invoke("get_payment", {"partnerReferenceNo": REF})
    assert told["state"] == shown["state"] == "FAILED"
    assert told["failure"] == {"reason": shown["failure"]["reason"]}


def test_a_link_that_a_workflow_waits_for_shows_it_no_page(house: House) -> None:
    """The page's address ends in DOKU's auth code."""
    answer = house.invoke("bind_account", binding_body(taskToken="token", metadata={"who": "canary"}))
    assert set(answer) == {"bindingId", "state"}


@pytest.mark.parametrize("brief", [False, "true", 1, None])
def test_whoever_does_not_ask_for_it_gets_the_whole_or_is_refused(house: House, brief: object) -> None:
    binding = house.link()
    with pytest.raises(Exception, match="brief"):
        house.invoke("get_binding", {"bindingId": binding, "brief": brief})
    assert "customerId" in house.invoke("get_binding", {"bindingId": binding})


def test_the_api_knows_neither_word(house: House) -> None:
    binding = house.link()
    body = {**payment_body(binding), "brief": True}
    assert house.call("make_payment", body).status == 422
    assert house.call("get_balance", path={"id": binding}, query={"covers": "1.00"}).status == 422


@pytest.mark.parametrize(
    ("needed", "balances", "covers"),
    [
        ("10000.00", ["10000.00"], True),
        ("10000.00", ["9999.99"], False),
        # 16 digits and a sen: two numbers that floating point takes for one.
        ("9007199254740993.01", ["9007199254740993.00"], False),
        ("10000.00", ["1.00", "10000.01"], True),
        ("10000.00", [], True),  # left to the bank
    ],
)
def test_whether_a_balance_covers_an_amount(needed: str, balances: list[str], covers: bool) -> None:
    binding: Binding = linked().binding()
    lines = [Balance(type=None, amount=value, currency="IDR") for value in balances]
    amount: Mapping[str, str] = {"value": needed, "currency": "IDR"}
    assert show_cover(binding, lines, AmountBody.model_validate(amount)).covers is covers
