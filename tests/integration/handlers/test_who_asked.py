"""Who asked for a refund or an unlinking stands in the record: money and links are given back on somebody's word."""

import json

import pytest

from direct_debit.application.bindings.unbinding import end_unbinding
from direct_debit.domain.binding import BindingEvent
from direct_debit.domain.evidence import Evidence, EvidenceSource
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


def steps_of_link(house: House, binding_id: str) -> list[tuple[str, str, str | None]]:
    history = house.ports.bindings.history(binding_id)
    return [(one.state, one.source, one.requested_by) for one in history]


def test_the_history_names_who_asked_for_the_refund_at_that_step_alone(house: House) -> None:
    pay(house)
    house.call("refund_payment", path={"ref": REF}, identity=BY_IAM)
    house.world.run_for(120)
    asked = [(one.refund_state, one.requested_by) for one in house.ports.payments.history(REF) if one.refund_state]
    assert asked == [("REQUESTED", ARN), ("SENDING", None), ("REFUNDED", None)]


def test_the_history_of_a_link_names_who_began_each_unlinking(house: House) -> None:
    binding_id = house.link()
    house.call("unbind_account", path={"id": binding_id}, identity=BY_IAM)
    house.world.run_for(7 * 86400)  # no code is given: the link lives on
    house.call("unbind_account", path={"id": binding_id}, identity=BY_TOKEN)
    house.world.run_for(60)
    house.call("confirm_unbinding", {"otp": RIGHT_OTP}, path={"id": binding_id})
    house.world.run_for(60)
    assert steps_of_link(house, binding_id) == [
        ("ACTIVE", "answer", None),
        ("UNBIND_OTP_PENDING", "caller", ARN),
        ("ACTIVE", "probe", None),
        ("UNBIND_OTP_PENDING", "caller", "backoffice|4711"),
        ("UNBOUND", "answer", None),
    ]


def test_the_history_of_a_link_that_is_given_up_names_who_did(house: House) -> None:
    binding_id = house.call("bind_account", binding_body()).json["bindingId"]
    house.call("unbind_account", path={"id": binding_id}, identity=BY_TOKEN)
    house.world.run_for(60)
    assert steps_of_link(house, binding_id) == [("FAILED", "caller", "backoffice|4711")]


def test_an_unlinking_whose_news_were_lost_is_in_the_history_when_it_has_ended(house: House) -> None:
    binding_id = house.link()
    house.world.run_for(60)
    house.world.loses = lambda record: record.keys["sk"].get("S") == "BINDING"
    house.call("unbind_account", path={"id": binding_id}, identity=BY_IAM)
    house.world.run_for(60)
    assert [state for state, *_ in steps_of_link(house, binding_id)] == ["ACTIVE"]
    pending = house.ports.bindings.get(binding_id)
    assert pending is not None
    assert pending.tell_by is None, "what is for the history alone wakes nobody"
    house.call("confirm_unbinding", {"otp": RIGHT_OTP}, path={"id": binding_id})
    house.world.run_for(1200)
    assert steps_of_link(house, binding_id)[1:] == [
        ("UNBIND_OTP_PENDING", "caller", ARN),
        ("UNBOUND", "answer", None),
    ]


def test_who_began_an_unlinking_is_not_said_of_an_earlier_one(house: House) -> None:
    """Nothing is told of two unlinkings until the second: of the first nobody knows any more who asked."""
    binding_id = house.link()
    house.world.run_for(60)
    house.world.loses = lambda record: record.keys["sk"].get("S") == "BINDING"
    for identity in (BY_IAM, BY_TOKEN):
        house.call("unbind_account", path={"id": binding_id}, identity=identity)
        binding = house.ports.bindings.get(binding_id)
        assert binding is not None
        end_unbinding(
            binding,
            BindingEvent.UNBIND_REFUSED,
            Evidence(EvidenceSource.ANSWER, house.world.clock.now()),
            house.ports,
        )
    house.world.run_for(1200)
    assert [who for state, _, who in steps_of_link(house, binding_id) if state == "UNBIND_OTP_PENDING"] == [
        None,
        "backoffice|4711",
    ]


def test_the_api_shows_the_history_without_who_asked(house: House) -> None:
    """As it does with the record: a caller's role is for the merchant's operators (`./ops explain`)."""
    pay(house)
    house.call("refund_payment", path={"ref": REF}, identity=BY_IAM)
    house.world.run_for(120)
    answer = house.call("get_payment", path={"ref": REF})
    assert "REQUESTED" in [step.get("refundState") for step in answer.json["history"]]
    assert ARN not in answer.text


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
