from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from direct_debit_client.amounts import write_amount


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (Decimal(10000), "10000.00"),
        (Decimal("10000.5"), "10000.50"),
        (Decimal("1E+4"), "10000.00"),
        (Decimal("0.01"), "0.01"),
        (Decimal("9999999999999999.99"), "9999999999999999.99"),
        (10000, "10000.00"),
        ("10000", "10000.00"),
        ("10000.00", "10000.00"),
        ("10000.000", "10000.00"),
    ],
)
def test_rupiah_with_two_decimals(amount: Decimal | int | str, written: str) -> None:
    assert write_amount(amount) == {"value": written, "currency": "IDR"}


@pytest.mark.parametrize("amount", [10000.0, 0.1, True, None, b"1", [1]])
def test_what_is_not_exact_is_refused(amount: Any) -> None:  # noqa: ANN401 - what a caller without types gives
    with pytest.raises(TypeError, match="Decimal"):
        write_amount(amount)


@pytest.mark.parametrize(
    "amount", ["0", "-1", "0.001", "10.000,00", "Rp10000", "", "NaN", "Infinity", "1E+16", Decimal(10000000000000000)]
)
def test_what_is_no_amount_is_refused(amount: Decimal | str) -> None:
    with pytest.raises(ValueError, match=r"amount"):
        write_amount(amount)
