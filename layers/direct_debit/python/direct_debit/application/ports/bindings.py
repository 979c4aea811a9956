"""The bindings in their table, and what its conditions refuse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from direct_debit.domain.binding import Binding

if TYPE_CHECKING:
    from direct_debit.application.ports.history import HistoryEntry
    from direct_debit.application.ports.pages import Page, PageMark, Selection


@dataclass(frozen=True, slots=True)
class AccountTaken:
    """The account, or the customer's one place for a link, is held by another binding."""

    holder: Binding | None  # None when the holder could not be read any more


@dataclass(frozen=True, slots=True)
class CustomerBindings:
    """The bindings of a customer, newest first, and the ids of those that this code can not read."""

    bindings: Sequence[Binding]
    unreadable: Sequence[str] = ()


class Bindings(Protocol):
    """The bindings table. Every write is one conditional request; StoreUnavailable when the store fails."""

    def create(self, binding: Binding, now: datetime, *, replacing: Sequence[str] = ()) -> AccountTaken | None:
        """Write the binding and claim account, customer and return state, all or nothing.

        A claim whose lease ended before `now` may be taken over, and one of the links named in `replacing` while the
        bank has not confirmed it. The page that it asks for is counted as one of its customer's day, and it goes on
        with the counts of the customer's links before. Raises PagesUsedUp.
        """
        ...

    def get(self, binding_id: str) -> Binding | None:
        """Read consistently."""
        ...

    def find_by_return_state(self, return_state_hash: str) -> Binding | None:
        """Return the binding that handed out this return state."""
        ...

    def find_by_customer(self, customer_id: str) -> Binding | None:
        """Return the binding that holds the customer's one place, if any."""
        ...

    def list_by_customer(self, customer_id: str) -> CustomerBindings:
        """Return all bindings of a customer (eventually consistent)."""
        ...

    def list_page(self, selection: Selection, limit: int, after: PageMark | None) -> Page[Binding]:
        """Return a page of a list (eventually consistent), each binding as it is now."""
        ...

    def save(self, before: Binding, after: Binding) -> Binding:
        """Write `after` if the record is still `before` (by version); keeps concurrent changes of `open_payments`.

        A binding that becomes ACTIVE makes its claims permanent, whoever else has not been confirmed, and one that ends
        gives them up, in the same write. So is a page counted that it asks for, or taken back that was never asked for.
        Raises BindingChanged; AccountClaimLost when a claim is another binding's; PagesUsedUp.
        """
        ...

    def save_when_settled(self, before: Binding, after: Binding) -> Binding:
        """Like `save`, on the further condition that no payment is open on the binding.

        Raises BindingChanged; its `current.open_payments` says whether payments were the reason.
        """
        ...

    def confirm_told(self, binding: Binding) -> None:
        """Let a binding that is still as it was read carry its untold moves no longer; otherwise do nothing."""
        ...

    def put_off_news(self, binding: Binding, until: datetime) -> bool:
        """Let the moves of a binding that is still as it was read be told after `until`; False when it has changed."""
        ...

    def history(self, binding_id: str) -> Sequence[HistoryEntry]:
        """Return the recorded steps, oldest first (written off the hot path, so the newest may be missing)."""
        ...

    def add_history(self, binding_id: str, entry: HistoryEntry) -> bool:
        """Write one step; False when it was written before."""
        ...

    def list_due(self, now: datetime, limit: int) -> Sequence[str]:
        """Return ids of bindings whose due time has come (eventually consistent, oldest first)."""
        ...


class PagesUsedUp(Exception):
    """The customer has been given the most pages of the bank's that one may have in a day, over all links."""


class AccountClaimLost(Exception):
    """The account or the customer of this binding is linked by another one."""
