"""Who repeats a payment with something else is told what differs: by name, where the record has it."""

from dataclasses import fields, replace

import pytest
from pydantic.alias_generators import to_camel

from direct_debit.application.payments import make_payment
from direct_debit.application.payments.make_payment import MakePayment
from direct_debit.domain.money import Amount
from direct_debit.domain.payment import Payment
from tests.fakes.records import with_fields
from tests.integration.adapters.records import a_payment
from tests.unit.application.payments.test_fingerprints import FULL_PAYMENT, NOT_IN_THE_FINGERPRINT

FILE = "application/payments/make_payment.py"
KEPT = {one.name for one in fields(Payment)}
COUNTS = [one.name for one in fields(MakePayment) if one.name not in NOT_IN_THE_FINGERPRINT[MakePayment]]
OTHER = {"amount": Amount.parse("1.00"), "metadata": {"orderId": "1"}}


@pytest.mark.parametrize("name", COUNTS)
def test_a_field_that_makes_two_payments_differ_is_named(name: str) -> None:
    kept = {one: getattr(FULL_PAYMENT, one) for one in COUNTS if one in KEPT}
    other = with_fields(FULL_PAYMENT, **{name: OTHER.get(name, "other")})
    named = list(make_payment._name_differences(with_fields(a_payment(), **kept), other))
    if name in KEPT:
        assert named == [to_camel(name)], f"{FILE}, _name_differences: compare the record's {name} with the command's"
    else:
        assert named == []
        assert to_camel(name) in make_payment._NOT_KEPT, f"{FILE}, _NOT_KEPT: name {to_camel(name)}: no record has it"


def test_of_the_same_request_nothing_is_named() -> None:
    kept = {one: getattr(FULL_PAYMENT, one) for one in COUNTS if one in KEPT}
    assert list(make_payment._name_differences(with_fields(a_payment(), **kept), replace(FULL_PAYMENT))) == []
