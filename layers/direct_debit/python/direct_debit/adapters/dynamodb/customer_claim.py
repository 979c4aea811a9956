"""A customer's claim on the one place for a link, and how often the customer was asked for something today.

The item outlives its link, without a hold on anybody: what is counted of a day would begin anew with each link
otherwise (decision 0055). It is written where a link is begun, resumed or ended, in the transaction that does so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.binding_item import CHARGES, PAGES, UNLINKINGS, read_count, write_count
from direct_debit.adapters.dynamodb.conditions import Condition
from direct_debit.adapters.dynamodb.items import instant, number, read_instant_or_none, read_text, text
from direct_debit.application.ports.bindings import PagesUsedUp

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.items import AttributeValue, Item
    from direct_debit.domain.binding import Binding
    from direct_debit.domain.values import DayCount

CUSTOMER_KIND = "customer"
_RELEASED = datetime(1970, 1, 1, tzinfo=UTC)
"""The end of a released claim's lease: long ago, so that earlier releases take it over as well."""
_COUNTED = tuple(name + suffix for name in (CHARGES, UNLINKINGS, PAGES) for suffix in ("", "Day"))


@dataclass(frozen=True, slots=True)
class CustomerClaim:
    """The claim as it was read; `item` is None where the customer never had one."""

    item: Item | None

    @property
    def holder(self) -> str | None:
        """The link that holds the place; None where none does."""
        if self.item is None or read_instant_or_none(self.item, "leaseUntil") == _RELEASED:
            return None
        return read_text(self.item, "bindingId")

    def count(self, name: str) -> DayCount:
        """Return one of its counts."""
        return read_count(self.item or {}, name)

    def carry(self) -> dict[str, AttributeValue]:
        """Return the counts that a new link of the customer goes on with."""
        return {**write_count(CHARGES, self.count(CHARGES)), **write_count(UNLINKINGS, self.count(UNLINKINGS))}

    def count_page(self, day: str, most: int) -> dict[str, AttributeValue]:
        """Return the count with one page more; `most` of a day, 0 for no bound. Raises PagesUsedUp."""
        pages = self.count(PAGES)
        if most and pages.on(day) >= most:
            raise PagesUsedUp
        return write_count(PAGES, pages.once_more(day))

    def take_page_back(self, day: str) -> dict[str, AttributeValue]:
        """Return the count without a page of this day that was never asked for; nothing where the day has passed."""
        pages = self.count(PAGES)
        if pages.on(day) == 0:
            return {}
        less = pages.once_less()
        return {PAGES: number(less.count), PAGES + "Day": text(less.day)}

    def has_same_counts(self, other: Item | None) -> bool:
        """Whether nobody has counted anything between two readings."""
        now, then = other or {}, self.item or {}
        return all(now.get(name) == then.get(name) for name in _COUNTED)

    def is_as_counted(self) -> Condition:
        """Nobody has counted anything since the claim was read: what is written from it loses nothing."""
        item = self.item or {}
        parts = [f"#{name} = :{name}_was" if name in item else f"attribute_not_exists(#{name})" for name in _COUNTED]
        return Condition(
            " AND ".join(parts),
            {"#" + name: name for name in _COUNTED},
            {f":{name}_was": item[name] for name in _COUNTED if name in item},
        )


def release(binding: Binding) -> dict[str, AttributeValue]:
    """Return what a link that has ended leaves in its customer's claim: no hold, and its counts."""
    return {
        "kind": text(CUSTOMER_KIND),
        "bindingId": text(binding.id),
        "leaseUntil": instant(_RELEASED),
        **write_count(CHARGES, binding.charges),
        **write_count(UNLINKINGS, binding.unlinkings),
    }
