"""Let a `World` come to rest: jump from one due moment to the next instead of living through every minute."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from direct_debit.adapters.dynamodb.items import read_instant_or_none, read_text_or_none
from direct_debit.adapters.dynamodb.keys import REVIEW_KIND, due_shards
from tests.fakes.processes import BINDINGS, TRANSACTIONS

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.items import Item
    from tests.fakes.world import World

A_DAY_AND_MORE = 26 * 3600
_MINUTE = timedelta(minutes=1)


def come_to_rest(world: World, seconds: float = A_DAY_AND_MORE) -> None:
    """Let everything happen that is due within `seconds`, in its order; the sweep comes within a minute of its due."""
    end = world.clock.now() + timedelta(seconds=seconds)
    while True:
        world.pump()
        now = world.clock.now()
        due = next_due_at(world)
        if due is not None and due <= now:
            world.tick()
            world.pump()
            due = next_due_at(world)
        following = end if due is None else max(due, now + _MINUTE) if due <= now else due
        if following >= end:
            world.clock.set(end)
            world.pump()
            return
        world.clock.set(following)


def next_due_at(world: World) -> datetime | None:
    """Return the next moment at which anything happens by itself; None when everything is at rest."""
    return min((at for at in (next_arrival_at(world), next_visit_at(world)) if at is not None), default=None)


def next_arrival_at(world: World) -> datetime | None:
    """Return when the next message arrives, or something happens at the bank."""
    moments = [world.queues.waiting[0][0]] if world.queues.waiting else []
    at_bank = world.simulator.next_event_at()
    if at_bank is not None:
        moments.append(at_bank)
    return min(moments, default=None)


def next_visit_at(world: World) -> datetime | None:
    """Return when the next record is due for the sweep, or free to be spoken about again."""
    moments = []
    waits_for_a_person = due_shards(REVIEW_KIND)
    for table in (BINDINGS, TRANSACTIONS):
        for item in world.store.items(table):
            if read_text_or_none(cast("Item", item), "dueShard") in waits_for_a_person:
                continue  # nobody visits it
            for name in ("dueAt", "attemptUntil"):
                at = read_instant_or_none(cast("Item", item), name)
                if at is not None and (name == "dueAt" or at > world.clock.now()):
                    moments.append(at)
    return min(moments, default=None)
