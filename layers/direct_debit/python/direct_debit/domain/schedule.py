"""When to ask again: schedules are data, jitter only ever delays (design section 7)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

MAX_JITTER = 0.1  # of the step: spreads a burst without making anybody wait noticeably longer
MAX_JITTER_SECONDS = 30.0


def next_due(origin: datetime, now: datetime, steps: Sequence[int], done: int, jitter: float) -> datetime | None:
    """Return when step number `done` of a schedule falls due; None when the schedule is exhausted.

    `steps` are seconds after `origin`, ascending. `jitter` is between 0 and 1 and is applied upwards. A step whose
    time has passed already falls due a second from now, so that an outage is not answered with a burst of questions.
    """
    if done >= len(steps):
        return None
    step = steps[done]
    gap = step - (steps[done - 1] if done else 0)
    due = origin + timedelta(seconds=step + min(gap * MAX_JITTER, MAX_JITTER_SECONDS) * jitter)
    return max(due, now + timedelta(seconds=1))
