"""CIMB: accounts and the ledger of the money that really moved.

The ledger is the oracle of every test: it is written when money moves, never when an answer is given.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One movement. `amount` is integer sen; `partner_refund_no` is set for refunds only."""

    sequence: int
    kind: Literal["debit", "refund"]
    reference: str
    partner_refund_no: str | None
    amount: int
    currency: str
    customer: str
    at: datetime

    @property
    def value(self) -> str:
        """The amount as on the wire, e.g. `10000.00`."""
        return wire_amount(self.amount)


class InsufficientFundsError(Exception):
    """The account holds less than the amount."""


class Bank:
    """Accounts by phone number, and `ledger`, to which entries are only ever appended."""

    def __init__(self, opening_balance: int) -> None:
        self.ledger: list[LedgerEntry] = []
        self._opening_balance = opening_balance
        self._balances: dict[str, int] = {}

    def balance(self, phone: str) -> int:
        """Return the account's balance in sen; an account exists as soon as one asks for it."""
        return self._balances.get(phone, self._opening_balance)

    def set_balance(self, phone: str, amount: int) -> None:
        """Set the account's balance in sen."""
        self._balances[phone] = amount

    def debit(self, phone: str, *, reference: str, customer: str, amount: int, currency: str, at: datetime) -> None:
        """Take `amount` sen from the account and write it down; InsufficientFundsError changes nothing."""
        left = self.balance(phone) - amount
        if left < 0:
            raise InsufficientFundsError
        self._balances[phone] = left
        self.ledger.append(LedgerEntry(len(self.ledger) + 1, "debit", reference, None, amount, currency, customer, at))

    def refund(
        self, phone: str, *, reference: str, refund_no: str, customer: str, amount: int, currency: str, at: datetime
    ) -> None:
        """Give `amount` sen back to the account and write it down."""
        self._balances[phone] = self.balance(phone) + amount
        self.ledger.append(
            LedgerEntry(len(self.ledger) + 1, "refund", reference, refund_no, amount, currency, customer, at)
        )


def wire_amount(amount: int) -> str:
    """Return integer sen as the wire's decimal string: `1000000` gives `10000.00`."""
    return f"{amount // 100}.{amount % 100:02d}"


def sen(value: str) -> int:
    """Return a validated wire amount (`10000.00`) as integer sen."""
    return int(value.replace(".", ""))
