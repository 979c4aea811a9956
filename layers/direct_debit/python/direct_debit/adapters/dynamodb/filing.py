"""When a payment may stay where it is in the `due` index although its time has become a later one (decision 0035).

An entry that moves costs two writes, and most payments end within minutes: their due time moves with each step and is
never met. So an entry may stand earlier than its record's due time, never later. Who visits the record in vain files it
again, at its due time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from direct_debit.domain.move import PATIENCE

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.items import Item
    from direct_debit.domain.payment import Payment

_AHEAD_OF_THE_SWEEP = PATIENCE / 2
_KEPT = frozenset({"dueAt"})


def keep_earlier_filing(before: Payment, after: Payment, old: Item, new: Item) -> frozenset[str]:
    """Return the attributes that stay as they are stored when `before` becomes `after`; the items are their forms.

    The entry stays unless it has to be earlier, in another partition, or gone. What was due already moves: it would
    only be visited once more. So does what has news that the sweep may be telling: the sweep puts it off without
    changing the version, so that `old` may not be what is stored.
    """
    if new.get("dueShard") != old.get("dueShard") or after.first_due is None or before.first_due is None:
        return frozenset()
    was_due = before.first_due <= after.updated_at
    is_being_told = before.tell_by is not None and before.tell_by <= after.updated_at + _AHEAD_OF_THE_SWEEP
    return _KEPT if after.first_due >= before.first_due and not was_due and not is_being_told else frozenset()
