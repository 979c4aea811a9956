"""Money: Decimal in the program, a string on the wire, never a float."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

_SEN = Decimal("0.01")
_LARGEST = Decimal("9999999999999999.99")


def write_amount(amount: Decimal | int | str) -> dict[str, str]:
    """Return rupiah as the API takes it: `Decimal("10000")`, `10000` and `"10000"` become `"10000.00"`.

    Raises TypeError for a float, which is not exact; ValueError for what is no amount of whole sen above zero.
    """
    if isinstance(amount, bool) or not isinstance(amount, (Decimal, int, str)):
        raise TypeError(f'give the amount as a Decimal, e.g. Decimal("10000.00"), not as {type(amount).__name__}')
    try:
        value = Decimal(amount)
    except InvalidOperation:
        raise ValueError('give the amount in plain digits, e.g. "10000.00"') from None
    if not value.is_finite() or not 0 < value <= _LARGEST:
        raise ValueError("an amount is greater than zero and has at most 16 digits before the point")
    if value != value.quantize(_SEN):
        raise ValueError("an amount has at most two decimals")
    return {"value": f"{value:.2f}", "currency": "IDR"}
