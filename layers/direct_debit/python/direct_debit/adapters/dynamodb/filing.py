"""When a payment may stay where it is in the `due` index although its time has become a later one (decision 0035).

An entry that moves costs two writes, and most payments end within minutes: their due time moves with each step and is
never met. So an entry may stand earlier than its record's due time, never later. Who visits the record in vain files it
again, at its due time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.items import Item
    from direct_debit.domain.payment import Payment

_KEPT = frozenset({"dueAt"})


def keep_earlier_filing(before: Payment, after: Payment, old: Item, new: Item) -> frozenset[str]:
    """Return the attributes that stay as they are stored when `before` becomes `after`; the items are their forms.

    What is stored is never later than when the work on `before` was due: news that is told or put off meanwhile, which
    changes no version, moves the entry that far at most. So the entry stays where the new time is not before that. It
    moves all the same if that time had come: it would only be visited once more.
    """
    if new.get("dueShard") != old.get("dueShard") or after.first_due is None or before.work_due is None:
        return frozenset()
    was_due = before.work_due <= after.updated_at
    return _KEPT if after.first_due >= before.work_due and not was_due else frozenset()
