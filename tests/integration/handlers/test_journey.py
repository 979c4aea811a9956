"""One customer's whole life through the handlers, with every status of the design's results table."""

import base64
import hashlib
import re

import pytest

from direct_debit.application.errors import Conflict, CustomerActionRequired, InvalidRequest, NotFound
from tests.fakes.weather import Fault, Weather
from tests.integration.handlers.house import House, binding_body, payment_body
from tests.unit.application.support import Strike

REF = {"ref": "INV000000001"}


class DokuDown(Weather):
    """Nobody answers at DOKU."""

    def draw(self, name: str) -> Fault:
        return Fault.FAIL if name.startswith("doku.") else Fault.NONE


def test_linking(house: House) -> None:
    linked = house.call("bind_account", binding_body(metadata={"segment": "gold"}))
    assert linked.status == 201
    assert linked.headers["Content-Type"] == "application/json"
    assert linked.headers["X-Request-Id"] == "request-1"
    assert linked.headers["Cache-Control"] == "no-store"
    assert linked.json["state"] == "PENDING"
    assert linked.json["phoneHint"] == "077"
    assert linked.json["metadata"] == {"segment": "gold"}
    again = house.call("bind_account", binding_body(metadata={"segment": "gold"}))
    assert (again.status, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert again.json["redirectUrl"] == linked.json["redirectUrl"]

    code = linked.json["redirectUrl"].rsplit("/", 1)[1]
    page = house.world.simulator.customer.complete(code)
    assert page.redirect_url is not None
    state, outcome = page.redirect_url.rsplit("/", 2)[1:]
    back = house.call("return_from_binding", path={"state": state, "outcome": outcome}, query={"utm": "x"})
    assert back.status == 302
    assert back.headers["Location"].startswith("https://shop.example/linked?bindingId=")
    path = {"id": linked.json["bindingId"]}
    binding = house.call("get_binding", path=path).json
    assert binding["state"] == "ACTIVE"
    assert "redirectUrl" not in binding
    listed = house.call("list_bindings", query={"customerId": "CUST-1"})
    assert [one["bindingId"] for one in listed.json["bindings"]] == [path["id"]]
    assert house.call("list_bindings", query={"customerId": "NOBODY"}).json == {"bindings": []}
    balance = house.call("get_balance", path=path)
    assert balance.status == 200
    assert balance.json["balances"][0]["amount"]["currency"] == "IDR"


def test_paying(house: House) -> None:
    path = {"id": house.link()}
    paid = house.call("make_payment", payment_body(path["id"], metadata={"orderId": "4711"}))
    assert (paid.status, paid.json["state"], paid.json["responseCode"]) == (201, "OTP_PENDING", "4035413")
    assert paid.json["links"]["otp"] == "/payments/INV000000001/otp"
    replayed = house.call("make_payment", payment_body(path["id"], metadata={"orderId": "4711"}))
    assert (replayed.status, replayed.headers["Idempotency-Replayed"]) == (200, "true")
    wrong = house.call("verify_payment_otp", {"otp": "000000"}, path=REF)
    assert wrong.status == 422
    assert wrong.headers["Content-Type"] == "application/problem+json"
    assert (wrong.json["type"], wrong.json["responseCode"]) == ("/problems/otp-wrong", "4040415")
    assert house.call("unbind_account", path=path).status == 409  # a payment is open
    verified = house.call("verify_payment_otp", {"otp": "123456"}, path=REF)
    assert (verified.status, verified.json["state"]) == (200, "PROCESSING")
    again = house.call("verify_payment_otp", {"otp": "123456"}, path=REF)
    assert (again.status, again.headers["Idempotency-Replayed"], again.json["state"]) == (200, "true", "PROCESSING")
    house.world.run_for(180)
    shown = house.call("get_payment", path=REF, query={"refresh": "true"}).json
    assert shown["state"] == "PAID"
    assert shown["metadata"] == {"orderId": "4711"}
    assert shown["remarks"] == "Order 4711"
    assert shown["dokuReference"]
    assert next(step["state"] for step in shown["history"]) == "REQUESTED"
    assert house.call("get_refund", path=REF).status == 404


def test_refunding_and_unlinking(house: House) -> None:
    path = {"id": house.link()}
    house.call("make_payment", payment_body(path["id"]))
    house.call("verify_payment_otp", {"otp": "123456"}, path=REF)
    house.world.run_for(180)
    refund = {"partnerRefundNo": "RFD000000001", "reason": "Customer complain"}
    refunded = house.call("refund_payment", refund, path=REF)
    assert (refunded.status, refunded.json["state"]) == (202, "REQUESTED")
    assert house.call("refund_payment", refund, path=REF).headers["Idempotency-Replayed"] == "true"
    assert house.call("refund_payment", {"partnerRefundNo": "RFD000000002"}, path=REF).status == 409
    house.world.run_for(120)
    done = house.call("get_refund", path=REF)
    assert (done.status, done.json["state"], done.json["partnerRefundNo"]) == (200, "REFUNDED", "RFD000000001")
    assert house.call("refund_payment", refund, path=REF).status == 200

    unlinking = house.call("unbind_account", path=path)
    assert (unlinking.status, unlinking.json["state"]) == (202, "UNBIND_OTP_PENDING")
    assert house.call("confirm_unbinding", {"otp": "000000"}, path=path).json["type"] == "/problems/otp-wrong"
    unlinked = house.call("confirm_unbinding", {"otp": "123456"}, path=path)
    assert (unlinked.status, unlinked.json["state"]) == (200, "UNBOUND")
    assert house.call("unbind_account", path=path).status == 200
    assert house.world.debits("INV000000001") == 1
    assert house.world.refunds("INV000000001") == 1


def test_the_same_life_through_plain_commands(house: House) -> None:
    linked = house.invoke("bind_account", binding_body())
    assert linked["state"] == "PENDING"
    assert house.world.simulator.customer.complete(linked["redirectUrl"].rsplit("/", 1)[1]).linked
    house.world.run_for(60)
    binding = {"bindingId": linked["bindingId"]}
    assert house.invoke("get_binding", binding)["state"] == "ACTIVE"
    assert house.invoke("get_balance", binding)["balances"]
    ref = {"partnerReferenceNo": "INV000000001"}
    assert house.invoke("make_payment", payment_body(binding["bindingId"]))["state"] == "OTP_PENDING"
    with pytest.raises(CustomerActionRequired):
        house.invoke("verify_payment_otp", {**ref, "otp": "000000"})
    assert house.invoke("verify_payment_otp", {**ref, "otp": "123456"})["state"] == "PROCESSING"
    house.world.run_for(180)
    assert house.invoke("get_payment", {**ref, "refresh": True})["state"] == "PAID"
    assert house.invoke("refund_payment", ref)["state"] == "REQUESTED"
    house.world.run_for(120)
    assert house.invoke("get_refund", ref)["state"] == "REFUNDED"


def test_a_declined_payment_is_created_and_failed(house: House) -> None:
    binding_id = house.link()
    body = payment_body(binding_id, amount={"value": "10014.00", "currency": "IDR"})
    declined = house.call("make_payment", body)
    assert (declined.status, declined.json["state"]) == (201, "FAILED")
    assert declined.json["failure"] == {
        "reason": "declined",
        "cause": "insufficient_funds",
        "mendedBy": "customer",
        "customerMessage": {
            "id": "Saldo rekening Anda tidak mencukupi. Silakan isi saldo, lalu coba lagi.",
            "en": "Your balance is too low. Please top up your account and try again.",
        },
        "responseCode": "4035414",
    }


def test_a_lost_answer_is_accepted_and_resolved(house: House) -> None:
    binding_id = house.link()
    body = payment_body(binding_id, amount={"value": "10504.00", "currency": "IDR"})
    lost = house.call("make_payment", body)
    assert (lost.status, lost.json["state"]) == (202, "UNKNOWN")
    assert lost.json["links"]["self"] == "/payments/INV000000001"
    again = house.call("make_payment", body)
    assert (again.status, again.headers["Idempotency-Replayed"]) == (202, "true")
    plain = house.invoke("make_payment", body)
    assert plain["state"] == "UNKNOWN"  # a result at every door, never an error
    house.world.run_for(180)
    assert house.call("get_payment", path=REF).json["state"] == "PAID"
    assert house.world.debits("INV000000001") == 1


def test_the_idempotency_key_makes_the_reference(house: House) -> None:
    binding_id = house.link()
    body = payment_body(binding_id, partnerReferenceNo=None)
    first = house.call("make_payment", body, headers={"Idempotency-Key": "basket-7"})
    again = house.call("make_payment", body, headers={"IDEMPOTENCY-KEY": "basket-7"})
    assert (first.status, again.status) == (201, 200)
    assert first.json["partnerReferenceNo"] == again.json["partnerReferenceNo"]
    other = house.call("make_payment", {**body, "remarks": "Other"}, headers={"Idempotency-Key": "basket-7"})
    assert (other.status, other.json["type"]) == (409, "/problems/conflict")


@pytest.mark.parametrize("door", ["api", "command"])
def test_a_key_beside_a_reference_is_heard(house: House, door: str) -> None:
    binding_id = house.link()
    first = payment_body(binding_id, partnerReferenceNo="ORDER7-TRY1")
    second = payment_body(binding_id, partnerReferenceNo="ORDER7-TRY2")
    alone = payment_body(binding_id, partnerReferenceNo=None)
    if door == "api":
        key = {"Idempotency-Key": "order-7"}
        assert house.call("make_payment", first, headers=key).status == 201
        refused = house.call("make_payment", second, headers=key)
        assert (refused.status, refused.json["type"]) == (409, "/problems/conflict")
        assert "ORDER7-TRY1" in refused.json["detail"]
        again = house.call("make_payment", alone, headers=key)
        assert (again.status, again.json["partnerReferenceNo"]) == (200, "ORDER7-TRY1")
        assert house.call("make_payment", {**alone, "remarks": "Other"}, headers=key).status == 409
    else:
        house.invoke("make_payment", {**first, "idempotencyKey": "order-7"})
        with pytest.raises(Conflict, match="ORDER7-TRY1"):
            house.invoke("make_payment", {**second, "idempotencyKey": "order-7"})
        again_plain = house.invoke("make_payment", {**alone, "idempotencyKey": "order-7"})
        assert again_plain["partnerReferenceNo"] == "ORDER7-TRY1"
    assert [one.operation for one in house.world.simulator.requests].count("payment") == 1


def test_an_account_belongs_to_one_customer(house: House) -> None:
    house.link()
    taken = house.call("bind_account", binding_body(customerId="CUST-2"))
    assert taken.status == 409


@pytest.mark.parametrize(
    ("name", "command", "error"),
    [
        ("get_binding", {"bindingId": "0" * 32}, NotFound),
        ("get_payment", {"partnerReferenceNo": "NONE"}, NotFound),
        ("get_payment", {}, InvalidRequest),
        ("get_payment", {"partnerReferenceNo": "NONE", "colour": "red"}, InvalidRequest),
        ("get_payment", ["NONE"], InvalidRequest),
        ("get_payment", None, InvalidRequest),
        ("make_payment", payment_body("0" * 32), NotFound),
        ("bind_account", binding_body(phone="0811"), InvalidRequest),
    ],
)
def test_plain_commands_raise_named_errors(house: House, name: str, command: object, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        house.invoke(name, command)
    assert type(caught.value) is error  # Step Functions matches the class's name, not its parents


def test_a_conflict_is_named_to_plain_commands(house: House) -> None:
    binding_id = house.link()
    house.invoke("make_payment", payment_body(binding_id))
    with pytest.raises(Conflict):
        house.invoke("make_payment", payment_body(binding_id, remarks="Other"))


def test_doku_out_of_reach_is_503_and_repeatable(house: House) -> None:
    binding_id = house.link()
    house.world.clock.tick(20000)  # the B2B token is old
    house.world.weather = DokuDown()
    down = house.call("make_payment", payment_body(binding_id))
    assert (down.status, down.json["type"]) == (503, "/problems/not-done")
    assert int(down.headers["Retry-After"]) >= 1


BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize("state", ["x" * 32, "../etc", "<script>alert(1)</script>"])
def test_a_browser_with_a_link_that_is_none_gets_a_page(house: House, state: str) -> None:
    path = {"state": state, "outcome": "success"}
    page = house.call("return_from_binding", path=path, headers=BROWSER)
    assert page.status in (404, 422)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "Silakan mulai lagi dari toko." in page.text
    assert 'lang="en"' in page.text
    assert state not in page.text
    assert page.headers["X-Request-Id"] in page.text
    program = house.call("return_from_binding", path=path)
    assert (program.status, program.headers["Content-Type"]) == (page.status, "application/problem+json")


def test_the_browser_takes_the_pages_own_style_and_nothing_else(house: House) -> None:
    page = house.call("return_from_binding", path={"state": "x" * 32, "outcome": "success"}, headers=BROWSER)
    (style,) = re.findall("<style>(.*?)</style>", page.text)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = page.headers["Content-Security-Policy"]
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'"


def test_a_browser_in_an_outage_is_told_to_come_again(house: House) -> None:
    house.world.weather = Strike("store.get_item", Fault.FAIL, count=100)
    page = house.call("return_from_binding", path={"state": "x" * 32, "outcome": "success"}, headers=BROWSER)
    assert page.status == 503
    assert "Silakan muat ulang halaman ini sebentar lagi." in page.text
    assert int(page.headers["Retry-After"]) >= 1


def test_a_merchants_program_gets_json_whatever_it_accepts(house: House) -> None:
    missing = house.call("get_payment", path={"ref": "NONE"}, headers=BROWSER)
    assert missing.headers["Content-Type"] == "application/problem+json"
