from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from direct_debit.domain.money import Amount


@pytest.mark.parametrize("text", ["0.01", "10000.00", "9999999999999999.99"])
def test_reads_and_writes_the_wire_form(text: str) -> None:
    assert str(Amount.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("10000", "10000.0", "10000.000", "1e4", "-1.00", "+1.00", "NaN", "Infinity", "", " 1.00", "1,000.00"),
        *("1.00\n", "12345678901234567.00", "0.00", "0000.00", "\u0661\u0660.\u0660\u0660"),
    ],
)
def test_refuses_every_other_form(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(write the amount as a string|the amount must be greater than zero)"):
        Amount.parse(text)


def test_refuses_other_currencies() -> None:
    with pytest.raises(ValueError, match="IDR"):
        Amount.parse("1.00", "USD")


def test_compares_as_decimals() -> None:
    assert Amount.parse("0010.00") == Amount.parse("10.00")


@given(st.decimals(min_value=Decimal("0.01"), max_value=Decimal("9999999999999999.99"), places=2))
def test_every_amount_survives_the_round_trip(value: Decimal) -> None:
    assert Amount.parse(str(Amount(value))).value == value
