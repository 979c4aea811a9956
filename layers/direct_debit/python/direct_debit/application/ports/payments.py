"""The payments in their table, their keys, and what its conditions refuse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from direct_debit.domain.binding import Binding
from direct_debit.domain.payment import Payment

if TYPE_CHECKING:
    from direct_debit.application.ports.history import HistoryEntry
    from direct_debit.application.ports.pages import Page, PageMark, Selection
    from direct_debit.domain.values import DayCount


@dataclass(frozen=True, slots=True)
class PaymentExists:
    """There is a payment with this reference."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class BindingUnusable:
    """The binding is not ACTIVE, belongs to someone else, or has too many payments: open ones, or new ones today."""

    binding: Binding | None


@dataclass(frozen=True, slots=True)
class PaymentKey:
    """An idempotency key as it may be stored: its fingerprint, and the reference that is made from it.

    Releases before keys were recorded kept nothing of a key but the payment under `own_ref`, made with the key alone.
    """

    fingerprint: str
    own_ref: str


@dataclass(frozen=True, slots=True)
class KeyTaken:
    """The key names the payment `ref`, which is another one."""

    ref: str


class Payments(Protocol):
    """The payments in the transactions table. Every write is one conditional request; StoreUnavailable on failure."""

    def create(
        self, payment: Payment, key: PaymentKey | None = None, charges: DayCount | None = None
    ) -> PaymentExists | KeyTaken | BindingUnusable | None:
        """Write the payment and note it as open on its binding, if the reference is new and the binding is ACTIVE.

        It is counted as one of its day; `charges` is the binding's count as it was read. The binding is unusable, too,
        where the day has had its most.

        From the same write on the key names this payment; nothing is written when it names another one.
        """
        ...

    def bind_key(self, key: PaymentKey, ref: str) -> KeyTaken | None:
        """Let a key name a payment that exists, for ever, unless it names another one. Harmless when repeated."""
        ...

    def find_key(self, key: PaymentKey) -> str | None:
        """Return the reference of the payment that the key was recorded with. Read consistently."""
        ...

    def get(self, ref: str) -> Payment | None:
        """Read consistently."""
        ...

    def get_with_history(self, ref: str) -> tuple[Payment, Sequence[HistoryEntry]] | None:
        """Read a payment and its recorded steps together, consistently; see `history`."""
        ...

    def save(self, before: Payment, after: Payment) -> Payment:
        """Write `after` if the record is still `before` (by version). Raises PaymentChanged."""
        ...

    def reclaim(self, before: Payment, after: Payment) -> BindingUnusable | Payment:
        """Like `save` for a payment that is about to be sent (again): the binding must be ACTIVE in the same write."""
        ...

    def hold_account(self, before: Payment, after: Payment) -> BindingUnusable | Payment:
        """Like `save` for a payment whose refund begins: from this write on its account can not be unlinked.

        The binding must be linked: ACTIVE, RELINK_REQUIRED or UNBIND_OTP_PENDING (its code is then refused meanwhile).
        """
        ...

    def release_account(self, binding_id: str, ref: str, settled: Payment | None, *, told: bool = False) -> None:
        """Let the account of a payment go that is still as it was read; None when there was none.

        `told`: all its moves are told, and it no longer carries them. Harmless when repeated. Raises PaymentChanged.
        """
        ...

    def confirm_told(self, payment: Payment) -> None:
        """Let an open payment that is still as it was read carry its moves no longer; otherwise do nothing."""
        ...

    def put_off_news(self, payment: Payment, until: datetime) -> bool:
        """Let the moves of a payment that is still as it was read be told after `until`; False when it has changed."""
        ...

    def file_again(self, payment: Payment) -> None:
        """Let a payment that is still as it was read be listed as due from its due time on, no earlier."""
        ...

    def list_due(self, now: datetime, limit: int) -> Sequence[str]:
        """Return references of payments whose due time has come (eventually consistent, oldest first).

        One that was due before it moved on may be among them: see `file_again`.
        """
        ...

    def list_page(self, selection: Selection, limit: int, after: PageMark | None) -> Page[Payment]:
        """Return a page of a list (eventually consistent), each payment as it is now."""
        ...

    def find_by_doku_reference(self, doku_reference: str) -> Page[Payment]:
        """Return the payments that DOKU named so: one, as long as DOKU gives each its own (eventually consistent)."""
        ...

    def history(self, ref: str) -> Sequence[HistoryEntry]:
        """Return the recorded steps, oldest first (written off the hot path, so the newest may be missing)."""
        ...

    def add_history(self, ref: str, entry: HistoryEntry) -> bool:
        """Write one step; False when it was written before."""
        ...
