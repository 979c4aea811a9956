"""Items as records, each read once: the application, the stream's consumer and the judge look at the same items again
and again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.binding_item import read_binding
from direct_debit.adapters.dynamodb.items import is_item
from direct_debit.adapters.dynamodb.payment_item import read_payment

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.items import Item
    from direct_debit.domain.binding import Binding
    from direct_debit.domain.payment import Payment


class Images:
    """Reads items and remembers what came of each. It keeps them, so that an id stays theirs; nobody changes them."""

    def __init__(self) -> None:
        self._payments: dict[int, tuple[Item, Payment]] = {}
        self._bindings: dict[int, tuple[Item, Binding]] = {}
        self._items: dict[int, object] = {}

    def is_item(self, value: object) -> bool:
        """Whether a value is an item; of one that was, it is known."""
        if id(value) in self._items:
            return True
        if not is_item(value):
            return False
        self._items[id(value)] = value
        return True

    def payment(self, item: Item) -> Payment:
        """Return the payment of an item."""
        found = self._payments.get(id(item))
        if found is None:
            found = self._payments[id(item)] = (item, read_payment(item))
        return found[1]

    def binding(self, item: Item) -> Binding:
        """Return the binding of an item."""
        found = self._bindings.get(id(item))
        if found is None:
            found = self._bindings[id(item)] = (item, read_binding(item))
        return found[1]
