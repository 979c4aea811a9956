import json
from dataclasses import replace

import pytest

from direct_debit.application.settings import Settings
from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import PaymentSituation, ReviewReason
from direct_debit.domain.refund import RefundState
from tests.integration.adapters.records import a_payment, a_refund
from tests.integration.handlers.house import payment_body
from tests.unit.ops.conftest import PHONE, REF, Desk
from tools.doku_simulator.dials import Dial
from tools.ops.explain_binding import _NOW as BINDING_WORDS
from tools.ops.explain_binding import explain_binding
from tools.ops.explain_payment import explain_payment
from tools.ops.failure import OpsError
from tools.ops.foresee import _NOW, _REFUND_NOW, foresee_payment
from tools.ops.report import NEEDS_A_PERSON, tell_span

SETTINGS = Settings(public_base_url="https://merchant.example")


def test_an_unknown_payment_is_explained(desk: Desk) -> None:
    desk.pay("10504.00")
    report = explain_payment(REF, desk.system)
    text = "\n".join(report.lines)
    assert report.status == 0
    assert f"payment  {REF}  10504.00 IDR  UNKNOWN" in text
    assert "why      no answer, or one that proves nothing" in text
    assert "DOKU is asked for the status at" in text
    assert report.facts["state"] == "UNKNOWN"
    assert [entry["state"] for entry in report.facts["history"]] == ["REQUESTED", "UNKNOWN"]  # type: ignore[attr-defined]  # facts are JSON


def test_a_refunded_payment_shows_its_refund_and_history(desk: Desk) -> None:
    desk.pay("10504.00")
    desk.house.world.run_for(120)
    desk.house.call("refund_payment", {"partnerRefundNo": "RF1", "reason": "private words"}, path={"ref": REF})
    desk.house.world.run_for(120)
    report = explain_payment(REF, desk.system)
    text = "\n".join(report.lines)
    assert "refund   RF1  REFUNDED" in text
    assert "The refund is done." in text
    assert [line.split() for line in text.splitlines() if " REFUNDED" in line and "answer" in line]


def test_a_refund_that_doku_refused_does_not_stand_below_a_promise_of_another(desk: Desk) -> None:
    desk.pay()
    desk.house.call("verify_payment_otp", {"otp": "123456"}, path={"ref": REF})
    desk.house.world.run_for(60)
    desk.house.world.simulator.dials.add(Dial("refund", "code", when="before", code="40301"))
    desk.house.call("refund_payment", {"partnerRefundNo": "RF1"}, path={"ref": REF})
    desk.house.world.run_for(300)
    report = explain_payment(REF, desk.system)
    text = "\n".join(report.lines)
    assert "A PERSON must look: DOKU refused the refund" in text
    assert "may refund it" not in text
    assert "It is paid; what becomes of its refund stands below." in text
    assert report.status == NEEDS_A_PERSON


def test_nothing_personal_is_shown(desk: Desk) -> None:
    binding = desk.house.link(customer="CUST-PRIVATE", phone=PHONE)
    body = payment_body(binding, remarks="Remark-private", metadata={"note": "meta-private"})
    desk.house.call("make_payment", {**body, "successUrl": "https://shop.example/private-page"})
    desk.house.world.pump()
    for report in (explain_payment(REF, desk.system), explain_binding(binding, desk.system)):
        for shown in ("\n".join(report.lines), json.dumps(report.facts)):
            assert "private" not in shown.lower()
            assert PHONE not in shown
            assert "Bearer" not in shown


def test_a_payment_that_is_not_there(desk: Desk) -> None:
    with pytest.raises(OpsError, match="there is no payment NOPE in the stack test"):
        explain_payment("NOPE", desk.system)


def test_a_binding_is_explained(desk: Desk) -> None:
    binding = desk.house.link()
    report = explain_binding(binding, desk.system)
    assert report.facts["state"] == "ACTIVE"
    assert report.facts["hasTokens"] is True
    assert "  Linked. Nothing to do." in report.lines
    with pytest.raises(OpsError, match="there is no binding b"):
        explain_binding("b", desk.system)


def test_who_asked_is_told_of_a_refund_and_of_an_unlinking(desk: Desk) -> None:
    arn = "arn:aws:iam::123456789012:role/backoffice"
    by = {"identity": {"userArn": arn, "sourceIp": "203.0.113.9"}}
    desk.pay()
    binding = desk.house.call("get_payment", path={"ref": REF}).json["bindingId"]
    desk.house.call("verify_payment_otp", {"otp": "123456"}, path={"ref": REF})
    desk.house.world.run_for(120)
    desk.house.call("refund_payment", path={"ref": REF}, identity=by)
    desk.house.world.run_for(120)
    desk.house.call("unbind_account", path={"id": binding}, identity=by)
    desk.house.world.run_for(60)
    payment, link = explain_payment(REF, desk.system), explain_binding(binding, desk.system)
    assert [line.split()[3:] for line in payment.lines if arn in line and "caller" in line] == [
        ["PAID", "REQUESTED", "caller", "-", arn]
    ]
    assert [line.split()[3:] for line in link.lines if arn in line and "caller" in line] == [
        ["UNBIND_OTP_PENDING", "-", "caller", "-", arn]
    ]
    for report in (payment, link):
        history = report.facts["history"]
        assert isinstance(history, list)
        assert [one["requestedBy"] for one in history if one["requestedBy"]] == [arn]


def test_a_started_link_tells_of_its_lease(desk: Desk) -> None:
    body = {"customerId": "C", "phone": PHONE, "successUrl": "https://a.example", "failedUrl": "https://b.example"}
    binding = desk.house.call("bind_account", body).json["bindingId"]
    report = explain_binding(binding, desk.system)
    assert any("Its lease on the account ends at 2026-03-02 09:30:00Z (in 30 min)." in line for line in report.lines)


def test_not_found_is_told_with_its_number_and_what_ends_when(desk: Desk) -> None:
    """DOKU said that it does not know the payment; by minute 15 that ends it, not after a day."""
    world = desk.house.world
    world.simulator.dials.add(Dial("payment", "drop", when="before"))
    desk.pay()
    world.run_for(300)
    text = "\n".join(explain_payment(REF, desk.system).lines)
    assert "unknown  DOKU said 2 times that it does not know it, first at 2026-" in text
    ends = (
        "If DOKU says from 2026-03-02 09:16:00Z (in 10 min) on that it does not know it, it becomes FAILED(not_found)."
    )
    assert ends in text
    assert text.index(ends) < text.index("it becomes NEEDS_REVIEW")
    assert explain_payment(REF, desk.system).facts["notFoundCount"] == 2
    world.run_for(1200)
    assert explain_payment(REF, desk.system).facts["state"] == "FAILED"


def test_every_state_has_its_words() -> None:
    assert set(_NOW) | {PaymentSituation.FAILED_NOT_FOUND} == set(PaymentSituation)
    assert set(_REFUND_NOW) == set(RefundState)
    assert set(BINDING_WORDS) == set(BindingState)


def test_a_review_needs_a_person(desk: Desk) -> None:
    desk.pay("10504.00")
    payment = desk.house.ports.payments.get(REF)
    assert payment is not None
    state = PaymentSituation.NEEDS_REVIEW.state
    desk.house.ports.payments.save(
        payment, replace(payment.noted(payment.updated_at), state=state, review=ReviewReason.EXHAUSTED, due_at=None)
    )
    report = explain_payment(REF, desk.system)
    assert report.status == NEEDS_A_PERSON
    assert any("A PERSON must look" in line for line in report.lines)


def test_a_released_payment_may_be_repeated() -> None:
    payment = replace(a_payment(), released=True)
    assert "may repeat the same request" in foresee_payment(payment, SETTINGS, payment.created_at)[0]


def test_a_refund_of_any_state_is_foreseen() -> None:
    for state in RefundState:
        assert replace(a_refund(), state=state).state in _REFUND_NOW


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (61, "61 s"), (900, "15 min"), (7200, "2 h"), (86400, "24 h"), (259200, "3 d")],
)
def test_spans(seconds: int, text: str) -> None:
    assert tell_span(seconds) == text
