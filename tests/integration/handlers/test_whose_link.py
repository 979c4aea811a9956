"""A call by binding may name the customer: then it never reaches another one's account (findings/security.md, S6)."""

from collections.abc import Callable

import pytest

from tests.integration.handlers.house import House, Response, payment_body

type Ask = Callable[[House, str, dict[str, str]], Response]

ASKS: dict[str, Ask] = {
    "get_binding": lambda house, link, who: house.call("get_binding", path={"id": link}, query=who),
    "get_balance": lambda house, link, who: house.call("get_balance", path={"id": link}, query=who),
    "unbind_account": lambda house, link, who: house.call("unbind_account", path={"id": link}, query=who),
    "make_payment": lambda house, link, who: house.call("make_payment", payment_body(link, **who)),
}
DONE = {"get_binding": 200, "get_balance": 200, "unbind_account": 202, "make_payment": 201}


@pytest.mark.parametrize("operation", ASKS)
def test_the_customer_that_is_named_has_to_be_the_links(operation: str, house: House) -> None:
    link = house.link()
    written, sent = house.written, house.sent
    refused = ASKS[operation](house, link, {"customerId": "CUST-2"})
    unknown = ASKS[operation](house, "0" * 32, {"customerId": "CUST-2"})
    assert (refused.status, unknown.status) == (404, 404)
    assert refused.json["detail"] == unknown.json["detail"]  # whether it is another one's is not told
    assert "this customer has no such binding" in refused.json["detail"]
    assert (house.written, house.sent) == (written, sent)
    assert ASKS[operation](house, link, {"customerId": "CUST-1"}).status == DONE[operation]


def test_a_code_reaches_the_unlinking_of_its_own_customer_alone(house: House) -> None:
    link = house.link()
    assert house.call("unbind_account", path={"id": link}).status == 202
    sent = house.sent
    body = {"otp": "123456", "customerId": "CUST-2"}
    assert house.call("confirm_unbinding", body, path={"id": link}).status == 404
    assert house.sent == sent
    assert house.call("confirm_unbinding", {**body, "customerId": "CUST-1"}, path={"id": link}).status == 200


def test_a_repeat_that_names_another_customer_is_shown_nothing(house: House) -> None:
    body = payment_body(house.link())
    assert house.call("make_payment", body).status == 201
    assert house.call("make_payment", {**body, "customerId": "CUST-2"}).status == 404
    repeated = house.call("make_payment", {**body, "customerId": "CUST-1"})  # no other request than the one without
    assert (repeated.status, repeated.headers["Idempotency-Replayed"]) == (200, "true")
