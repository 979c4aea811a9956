"""What a request's fingerprint is made of, written out: a changed text would tell an old caller to pay again.

The literals are not computed, so that no change of the code can change them unnoticed. "Before" is the text of the
releases that wrote absent members as null; their records are in the tables.
"""

import hmac
import re
from dataclasses import fields, replace

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
from direct_debit.domain.money import Amount
from tests.fakes.clock import FakeClock
from tests.fakes.ids import SeededIds
from tests.fakes.journey import REF
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
BINDING = BindAccount(
    customer_id="CUST-1001",
    phone="62857957868761",
    success_url="https://shop.example/linked",
    failed_url="https://shop.example/not-linked",
)

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


def test_every_field_of_a_payment_counts_but_its_names_the_waiting_task_and_the_guard() -> None:
    names = {"partner_reference_no", "idempotency_key", "task_token", "customer_id"}
    other = {"amount": Amount.parse("1.00"), "metadata": {"orderId": "1"}}
    for field in fields(MakePayment):
        changed = replace(FULL_PAYMENT, **{field.name: other.get(field.name, "x")})  # type: ignore[arg-type]  # a text, or as `other` says
        same = make_payment.describe_content(changed) == FULL_TEXT
        assert same == (field.name in names), field.name


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
