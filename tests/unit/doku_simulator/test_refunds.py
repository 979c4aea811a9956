"""Refunds: full, once, and only of money that was paid."""

import pytest

from tests.unit.doku_simulator.merchant import PHONE, merchant, parsed


def test_a_refund_gives_the_money_back_once() -> None:
    sender = merchant()
    token = sender.link()
    before = sender.simulator.bank.balance(PHONE)
    sender.paid(token)
    answer = sender.refund(token)
    assert (answer.status, answer.code) == (200, "2005800")
    again = sender.refund(token)
    assert again.body == answer.body
    assert [(e.kind, e.partner_refund_no, e.amount) for e in sender.simulator.bank.ledger] == [
        ("debit", None, 1_000_000),
        ("refund", "RF0000000001", 1_000_000),
    ]
    assert sender.simulator.bank.balance(PHONE) == before
    status = parsed(sender.status())
    assert status["latestTransactionStatus"] == "04"
    (line,) = status["refundHistory"]
    assert (line["partnerRefundNo"], line["refundStatus"]) == ("RF0000000001", "00")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": "5000.00"}, "4045813"),
        ({"amount": "10000.01"}, "4045813"),
        ({"reference": "NOTHING"}, "4045801"),
        ({"originalExternalId": "123"}, "4045801"),
    ],
)
def test_refunds_that_do_not_fit(change: dict[str, str], code: str) -> None:
    sender = merchant()
    token = sender.link()
    sender.paid(token)
    assert sender.refund(token, **change).code == code
    assert len(sender.simulator.bank.ledger) == 1


def test_a_second_refund_number_is_refused() -> None:
    sender = merchant()
    token = sender.link()
    sender.paid(token)
    sender.refund(token)
    assert sender.refund(token, "RF0000000002").code == "4045800"
    assert len(sender.simulator.bank.ledger) == 2


@pytest.mark.parametrize("otp", [None, "999999"])
def test_only_paid_payments_are_refunded(otp: str | None) -> None:
    sender = merchant()
    token = sender.link()
    sender.pay(token)
    if otp:
        sender.verify(token, otp=otp)
    assert sender.refund(token).code == "4045800"
    assert sender.simulator.bank.ledger == []


def test_a_refund_number_belongs_to_one_payment_and_one_content() -> None:
    sender = merchant()
    token = sender.link()
    sender.paid(token, "A")
    sender.paid(token, "B")
    assert sender.refund(token, reference="A").code == "2005800"
    assert sender.refund(token, reference="B").code == "4045818"
    assert sender.refund(token, reference="A", reason="something else").code == "4045818"
    assert len(sender.simulator.bank.ledger) == 3


def test_a_refund_needs_the_token_of_the_customer_who_paid() -> None:
    sender = merchant()
    token, other = sender.link(), sender.link("CUST-2", "62811111111111")
    sender.paid(token)
    assert sender.refund(other).code == "4045801"
    assert sender.refund("").code == "4015804"
    assert sender.refund("stranger").code == "4015802"


def test_refunds_without_customer_token_where_doku_needs_none() -> None:
    sender = merchant(refund_needs_customer_token=False)
    token = sender.link()
    sender.paid(token)
    sender.simulator.unlink_customer("CUST-1")
    assert sender.refund("").code == "2005800"


def test_a_pending_refund_is_done_later() -> None:
    sender = merchant({"refund_outcome": "pending", "refund_delay": (100.0, 100.0)})
    token = sender.link()
    sender.paid(token)
    assert sender.refund(token).code == "2025800"
    assert sender.refund(token).code == "2025800"
    assert sender.refund(token, "RF0000000002").code == "4045800"
    assert parsed(sender.status())["refundHistory"][0]["refundStatus"] == "03"
    assert len(sender.simulator.bank.ledger) == 1
    sender.clock.forward(100)
    assert parsed(sender.status())["refundHistory"][0]["refundStatus"] == "00"
    assert len(sender.simulator.bank.ledger) == 2


def test_an_accepted_refund_may_fail_and_be_tried_again_under_its_number() -> None:
    sender = merchant({"refund_outcome": "accepted_then_failed", "refund_delay": (100.0, 100.0)})
    token = sender.link()
    sender.paid(token)
    assert sender.refund(token).code == "2005800"
    sender.clock.forward(100)
    status = parsed(sender.status())
    assert (status["latestTransactionStatus"], status["refundHistory"][0]["refundStatus"]) == ("00", "06")
    assert len(sender.simulator.bank.ledger) == 1
    assert sender.refund(token).code == "2005800"
    assert parsed(sender.status())["refundHistory"][0]["refundStatus"] == "03"


def test_a_pending_refund_may_fail() -> None:
    sender = merchant({"refund_outcome": "pending_then_failed", "refund_delay": (100.0, 100.0)})
    token = sender.link()
    sender.paid(token)
    assert sender.refund(token).code == "2025800"
    sender.clock.forward(100)
    assert parsed(sender.status())["refundHistory"][0]["refundStatus"] == "06"
    assert len(sender.simulator.bank.ledger) == 1


@pytest.mark.parametrize(
    ("repeat", "code", "entries"),
    [
        ("replay", "2005800", 2),
        ("wrong_state", "4045800", 2),
        ("inconsistent", "4045818", 2),
        ("execute", "2005800", 3),
    ],
)
def test_what_a_provider_does_with_a_repeated_refund(repeat: str, code: str, entries: int) -> None:
    sender = merchant({"refund_repeat": repeat})
    token = sender.link()
    sender.paid(token)
    sender.refund(token)
    assert sender.refund(token).code == code
    assert len(sender.simulator.bank.ledger) == entries


def test_the_success_code_of_the_sdk_fixtures() -> None:
    sender = merchant({"refund_success_code": "2000700"})
    token = sender.link()
    sender.paid(token)
    assert sender.refund(token).code == "2000700"
