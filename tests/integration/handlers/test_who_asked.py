"""Who asked for a refund or an unlinking stands in the record: money and links are given back on somebody's word."""

import json

import pytest

from tests.integration.handlers.house import House, binding_body, payment_body
from tools.doku_simulator.magic_values import RIGHT_OTP

ARN = "arn:aws:sts::123456789012:assumed-role/shop/backend-7"
BY_IAM = {"identity": {"userArn": ARN, "sourceIp": "203.0.113.9"}}
BY_TOKEN = {"authorizer": {"principalId": "backoffice|4711"}}
REF = "INV000000001"


def refunded_by(house: House) -> str | None:
    payment = house.ports.payments.get(REF)
    assert payment is not None
    assert payment.refund is not None
    return payment.refund.requested_by


def pay(house: House) -> str:
    binding = house.link()
    house.call("make_payment", payment_body(binding, partnerReferenceNo=REF))
    house.call("verify_payment_otp", {"otp": RIGHT_OTP}, path={"ref": REF})
    house.world.run_for(120)
    return binding


@pytest.mark.parametrize(("identity", "who"), [(BY_IAM, ARN), (BY_TOKEN, "backoffice|4711"), ({}, None)])
def test_a_refund_keeps_who_asked_first(house: House, identity: dict[str, object], who: str | None) -> None:
    pay(house)
    assert house.call("refund_payment", path={"ref": REF}, identity=identity).status == 202
    assert refunded_by(house) == who
    again = {"identity": {"userArn": "arn:aws:iam::123456789012:user/another"}}
    assert house.call("refund_payment", path={"ref": REF}, identity=again).status in (200, 202)
    assert refunded_by(house) == who


def test_a_plain_command_has_no_caller(house: House) -> None:
    pay(house)
    house.invoke("refund_payment", {"partnerReferenceNo": REF})
    assert refunded_by(house) is None


def test_an_unlinking_keeps_who_asked_for_it(house: House) -> None:
    binding_id = house.link()
    house.call("unbind_account", path={"id": binding_id}, identity=BY_IAM)
    asked = house.ports.bindings.get(binding_id)
    assert asked is not None
    assert asked.unbind_requested_by == ARN
    house.call("confirm_unbinding", {"otp": RIGHT_OTP}, path={"id": binding_id})
    unlinked = house.ports.bindings.get(binding_id)
    assert unlinked is not None
    assert (unlinked.state, unlinked.unbind_requested_by) == ("UNBOUND", ARN)


def test_a_link_that_is_given_up_keeps_it_too(house: House) -> None:
    binding_id = house.call("bind_account", binding_body()).json["bindingId"]
    assert house.call("unbind_account", path={"id": binding_id}, identity=BY_TOKEN).status == 200
    given_up = house.ports.bindings.get(binding_id)
    assert given_up is not None
    assert given_up.unbind_requested_by == "backoffice|4711"


def test_what_came_is_kept_in_a_form_that_harms_no_terminal(house: House) -> None:
    pay(house)
    house.call("refund_payment", path={"ref": REF}, identity={"authorizer": {"principalId": "a\x1b[31m" + "b" * 500}})
    assert refunded_by(house) == "a[31m" + "b" * 251


def test_no_caller_is_logged_or_shown(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    pay(house)
    answer = house.call("refund_payment", path={"ref": REF}, identity=BY_IAM)
    assert ARN not in answer.text
    assert ARN not in json.dumps(answer.json)
    assert ARN not in house.log.getvalue() + capsys.readouterr().out
