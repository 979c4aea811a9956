"""Items as records, each read once: the stream's consumer and the judge look at the same images again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.binding_item import read_binding
from direct_debit.adapters.dynamodb.payment_item import read_payment

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.items import Item
    from direct_debit.domain.binding import Binding
    from direct_debit.domain.payment import Payment


class Images:
    """Reads items that stay alive and are never changed, as those of the in-memory store's stream: an id is enough."""

    def __init__(self) -> None:
        self._payments: dict[int, Payment] = {}
        self._bindings: dict[int, Binding] = {}

    def payment(self, item: Item) -> Payment:
        """Return the payment of an item."""
        found = self._payments.get(id(item))
        if found is None:
            found = self._payments[id(item)] = read_payment(item)
        return found

    def binding(self, item: Item) -> Binding:
        """Return the binding of an item."""
        found = self._bindings.get(id(item))
        if found is None:
            found = self._bindings[id(item)] = read_binding(item)
        return found
