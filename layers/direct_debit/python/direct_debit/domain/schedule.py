"""When to ask again: schedules are data, jitter only ever delays (design section 7)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zlib import crc32

MAX_JITTER = 0.05  # of the gap to the step before: 3 s for the first question, whose median has to stay below 65 s
MAX_JITTER_SECONDS = 30.0


def next_due(origin: datetime, now: datetime, steps: Sequence[int], jitter: float) -> datetime | None:
    """Return the first step of a schedule that lies after `now`; None when all have passed.

    `steps` are seconds after `origin`, ascending. `jitter` is in [0, 1) and is applied upwards. Steps that passed
    unused (an outage of ours) are not made up for: one question answers for all of them.
    """
    before = 0
    for step in steps:
        if origin + timedelta(seconds=step) > now:
            spread = min((step - before) * MAX_JITTER, MAX_JITTER_SECONDS)
            return origin + timedelta(seconds=step + spread * jitter)
        before = step
    return None


def spread_of(record_id: str) -> float:
    """Return the jitter that a record keeps, in [0, 1): planned again, a step falls on the same moment."""
    return crc32(record_id.encode()) / 2**32
