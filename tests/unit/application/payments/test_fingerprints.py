"""What a request's fingerprint is made of, written out: a changed text would tell an old caller to pay again.

The literals are not computed, so that no change of the code can change them unnoticed. "Before" is the text of the
releases that wrote absent members as null; their records are in the tables.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace

import pytest

from direct_debit.application.bindings import bind_account
from direct_debit.application.bindings.bind_account import BindAccount
from direct_debit.application.errors import Conflict
from direct_debit.application.payments import make_payment
from direct_debit.application.payments.make_payment import MakePayment
from direct_debit.application.references import (
    canonical,
    canonical_with_absent,
    derive_reference,
    make_external_id,
)
from direct_debit.application.refunds import refund_payment
from direct_debit.application.refunds.refund_payment import RefundPayment
from direct_debit.domain.money import Amount
from tests.fakes.clock import FakeClock
from tests.fakes.ids import SeededIds
from tests.fakes.journey import REF
from tests.fakes.records import with_fields
from tests.unit.application.support import linked, requests

PEPPER = b"p" * 32

MINIMAL_PAYMENT = MakePayment(
    binding_id="6f1d2c3b4a5968778695a4b3c2d1e0f0",
    amount=Amount.parse("10000.00"),
    remarks="Order 4711",
    partner_reference_no="INV000000001",
)
FULL_PAYMENT = MakePayment(
    binding_id="6f1d2c3b4a5968778695a4b3c2d1e0f0",
    amount=Amount.parse("25000.50"),
    remarks="Order 4712",
    partner_reference_no="INV000000002",
    idempotency_key="basket-7",
    success_url="https://shop.example/paid",
    failed_url="https://shop.example/not-paid",
    device_id="a1b2c3d4e5",
    ip_address="203.0.113.7",
    metadata={"orderId": "4712", "note": "Kopi Tubruk é"},
    task_token="t",
)
FULL_BINDING = BindAccount(
    customer_id="CUST-1001",
    phone="62857957868761",
    success_url="https://shop.example/linked",
    failed_url="https://shop.example/not-linked",
    customer_name="Siti Rahma",
    metadata={"segment": "gold"},
)
FULL_REFUND = RefundPayment(ref="INV000000001", partner_refund_no="RFD000000001", reason="Customer complain")
BINDING = BindAccount(
    customer_id="CUST-1001",
    phone="62857957868761",
    success_url="https://shop.example/linked",
    failed_url="https://shop.example/not-linked",
)

_LATEST = "a customer has one link, and the latest request says it"
_SENT = "only sent to DOKU, with each page that is asked for"
# What does not make two requests different ones, each with the reason.
NOT_IN_THE_FINGERPRINT: Mapping[type, Mapping[str, str]] = {
    MakePayment: {
        "partner_reference_no": "the payment's name",
        "idempotency_key": "the payment's other name",
        "task_token": "a workflow's retry has another one",
        "customer_id": "a guard",
    },
    BindAccount: {
        **dict.fromkeys(("success_url", "failed_url", "metadata"), _LATEST),
        **dict.fromkeys(("customer_name", "email", "id_card", "country", "address", "date_of_birth"), _SENT),
        **dict.fromkeys(("device_id", "ip_address"), _SENT),
        "task_token": "a workflow's retry has another one",
    },
    RefundPayment: {"requested_by": "who asks, and not for what"},
}
FILES: Mapping[type, str] = {
    MakePayment: "application/payments/make_payment.py, _content",
    BindAccount: "application/bindings/bind_account.py, _content",
    RefundPayment: "application/refunds/refund_payment.py, describe_content",
}

FULL_TEXT = (
    'payment:{"amount":"25000.50","bindingId":"6f1d2c3b4a5968778695a4b3c2d1e0f0","deviceId":"a1b2c3d4e5",'
    '"failedUrl":"https://shop.example/not-paid","ipAddress":"203.0.113.7",'
    '"metadata":{"note":"Kopi Tubruk é","orderId":"4712"},"remarks":"Order 4712",'
    '"successUrl":"https://shop.example/paid"}'
)
FULL_FINGERPRINT = "aff1d2580284dbcf1a31b71d858b7f8dd864f1f1afa1dca03a7a23ee177a86b4"
REFUND_WITH_REASON = 'refund:{"number":"RFD000000001","reason":"Customer complain","ref":"INV000000001"}'

GOLDEN = [
    (
        make_payment.describe_content(MINIMAL_PAYMENT),
        'payment:{"amount":"10000.00","bindingId":"6f1d2c3b4a5968778695a4b3c2d1e0f0","remarks":"Order 4711"}',
        "092e4b2174a917fff4ddc82a14f0499707375b6629c5e4acf63ccffe05f3d5bf",
    ),
    (
        make_payment.describe_content_as_before(MINIMAL_PAYMENT),
        (
            'payment:{"amount":"10000.00","bindingId":"6f1d2c3b4a5968778695a4b3c2d1e0f0","deviceId":null,'
            '"failedUrl":null,"ipAddress":null,"metadata":{},"remarks":"Order 4711","successUrl":null}'
        ),
        "7c8056975a6271fc29c9b2a4f703cf752b60ea7e4623c41606d46a3d93e08917",
    ),
    (make_payment.describe_content(FULL_PAYMENT), FULL_TEXT, FULL_FINGERPRINT),
    (make_payment.describe_content_as_before(FULL_PAYMENT), FULL_TEXT, FULL_FINGERPRINT),
    (
        refund_payment.describe_content("INV000000001", "RFD000000001", None),
        'refund:{"number":"RFD000000001","ref":"INV000000001"}',
        "bc9008639dee486b38a8ee149a5ab7ecc72a4a6462baa8266485ae6be91795b0",
    ),
    (
        refund_payment.describe_content_as_before("INV000000001", "RFD000000001", None),
        'refund:{"number":"RFD000000001","reason":null,"ref":"INV000000001"}',
        "408b9d504acd1f1462be986831fcee062439bb77aae94a697dac0b110a74e719",
    ),
    (
        refund_payment.describe_content("INV000000001", "RFD000000001", "Customer complain"),
        REFUND_WITH_REASON,
        "3d66fdc709d1fce22d506759e4fd6d5dbf9b33ddc2a2d0be55ad6977ffbaa60a",
    ),
    (
        refund_payment.describe_content_as_before("INV000000001", "RFD000000001", "Customer complain"),
        REFUND_WITH_REASON,
        "3d66fdc709d1fce22d506759e4fd6d5dbf9b33ddc2a2d0be55ad6977ffbaa60a",
    ),
    (
        bind_account._content(BINDING),
        'binding:{"customerId":"CUST-1001","phone":"62857957868761"}',
        "d8f14dc1e6f02f6feeb3892c6ed8a8f968a275be1982f17146418374366b724b",
    ),
]


@pytest.mark.parametrize(("text", "literal", "fingerprint"), GOLDEN)
def test_the_text_and_its_fingerprint_are_these(text: str | None, literal: str, fingerprint: str) -> None:
    assert text == literal
    assert hmac.digest(PEPPER, literal.encode(), "sha256").hex() == fingerprint


@pytest.mark.parametrize(
    ("key", "reference"), [("payment:cart-7", "WWGR0UF2QRA8"), ("refund:INV000000001", "M4M84GCNPEFZ")]
)
def test_the_reference_that_a_key_stands_for_is_this_one(key: str, reference: str) -> None:
    """Another one would be another payment, made a second time by the same key."""
    assert derive_reference(key) == reference


def test_a_request_id_is_the_time_to_the_second_and_twelve_digits() -> None:
    ids = SeededIds()
    made = {make_external_id(FakeClock(), ids) for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(r"20260302090000\d{12}", one) for one in made)


def test_a_field_that_a_later_release_adds_changes_nothing_where_it_is_absent() -> None:
    content = make_payment._content(MINIMAL_PAYMENT)
    earlier = make_payment._EARLIER_MEMBERS
    assert canonical({**content, "shippingAddress": None}) == canonical(content)
    assert canonical({**content, "labels": {}}) == canonical(content)
    assert canonical_with_absent({**content, "shippingAddress": None}, earlier) == canonical_with_absent(
        content, earlier
    )


def test_a_field_that_a_later_release_adds_counts_where_it_is_sent() -> None:
    content = make_payment._content(MINIMAL_PAYMENT)
    with_address = {**content, "shippingAddress": "Jalan Sudirman 1"}
    assert canonical(with_address) != canonical(content)
    assert canonical_with_absent(with_address, make_payment._EARLIER_MEMBERS) is None  # no earlier release knew it


def fingerprint_text(command: object) -> str:
    """The text of which a command's fingerprint is made, by its use case."""
    match command:
        case MakePayment():
            return make_payment.describe_content(command)
        case BindAccount():
            return bind_account._content(command)
        case RefundPayment():
            return refund_payment.describe_content(command.ref, str(command.partner_refund_no), command.reason)
    pytest.fail(f"say here what the fingerprint of {type(command).__name__} is made of")


@pytest.mark.parametrize("command", [FULL_PAYMENT, FULL_BINDING, FULL_REFUND], ids=lambda one: type(one).__name__)
def test_every_field_of_a_command_counts_or_it_is_known_why_not(command: object) -> None:
    kind = type(command)
    other = {"amount": Amount.parse("1.00"), "metadata": {"orderId": "1"}}
    text = fingerprint_text(command)
    assert is_dataclass(command)
    for field in fields(command):
        changed = with_fields(command, **{field.name: other.get(field.name, "x")})
        counts = fingerprint_text(changed) != text
        assert counts != (field.name in NOT_IN_THE_FINGERPRINT[kind]), (
            f"{FILES[kind]}: {kind.__name__}.{field.name} {'counts' if counts else 'does not count'} when two requests "
            "are compared: with it in the text of the fingerprint a repeat with another value is refused, without it "
            "that is a replay; where that is meant, say why in NOT_IN_THE_FINGERPRINT of test_fingerprints.py"
        )


def test_a_repeat_of_a_payment_that_an_earlier_release_made_is_a_replay() -> None:
    merchant = linked()
    made = merchant.pay().payment
    command = MakePayment(
        binding_id=made.binding_id, amount=made.amount, remarks=made.remarks, partner_reference_no=REF
    )
    ports = merchant.world.process()
    text = make_payment.describe_content_as_before(command)
    assert text is not None
    assert made.request_hash != ports.vault.fingerprint(text)
    ports.payments.save(made, replace(made.noted(made.updated_at), request_hash=ports.vault.fingerprint(text)))
    assert merchant.pay().replayed
    with pytest.raises(Conflict):
        merchant.pay(amount="20000.00")
    with pytest.raises(Conflict):
        merchant.pay(device_id="a1b2c3")
    assert requests(merchant.world, "payment") == 1


def test_a_repeat_of_a_refund_that_an_earlier_release_recorded_is_a_replay() -> None:
    merchant = linked()
    merchant.pay_to_the_end()
    made = merchant.refund(number="RFD000000001").payment
    ports = merchant.world.process()
    text = refund_payment.describe_content_as_before(REF, "RFD000000001", None)
    assert text is not None
    assert made.refund is not None
    assert made.refund.request_hash != ports.vault.fingerprint(text)
    older = replace(made.refund, request_hash=ports.vault.fingerprint(text))
    ports.payments.save(made, replace(made.noted(made.updated_at), refund=older))
    assert merchant.refund(number="RFD000000001").replayed
    with pytest.raises(Conflict):
        merchant.refund(number="RFD000000001", reason="another")
