"""Money: rupiah with exactly two decimals, as DOKU writes it (contract section 7, "Amounts")."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from direct_debit.domain.values import AMOUNT

CURRENCY = "IDR"
_WIRE_FORM = re.compile(AMOUNT)


@dataclass(frozen=True, slots=True, order=True)
class Amount:
    """An amount of rupiah greater than zero, at most 16 integer digits, two decimals.

    Equality is that of decimals. `str()` gives the wire form, for example `10000.00`.
    """

    value: Decimal

    @classmethod
    def parse(cls, text: str, currency: str = CURRENCY) -> Self:
        """Read the wire form.

        Raises ValueError, whose text says what is wanted and never repeats the input.
        """
        if currency != CURRENCY:
            raise ValueError("the currency must be IDR")
        if _WIRE_FORM.fullmatch(text) is None:
            raise ValueError('write the amount as a string with exactly two decimals, for example "10000.00"')
        value = Decimal(text)
        if value <= 0:
            raise ValueError("the amount must be greater than zero")
        return cls(value)

    def __str__(self) -> str:
        return f"{self.value:.2f}"
