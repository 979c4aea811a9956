"""What a record remembers of its moves until the outbox has told them: a lost stream record must lose no news.

A stream keeps its records for a day and may lose them to a bug or a full failure queue. So each write that moves a
record carries the move along, in the record itself; whoever tells the moves (history, events, waiting workflows) takes
them out again. What stays in past its time is told by the sweep, in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

PATIENCE = timedelta(minutes=10)  # what the stream has not told by then, the sweep tells
_AGAIN = timedelta(minutes=2)
_LONGEST_AGAIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move: the record's version and state after it, and what was seen. `at` is UTC.

    `moved` says that the record's own state changed, `refund_moved` that its refund's did. `reason` is that of a failed
    payment, `code` the evidence's, `response_code` DOKU's newest one.
    """

    version: int
    at: datetime
    state: str
    moved: bool = True
    refund_state: str | None = None
    refund_moved: bool = False
    source: str
    code: str | None = None
    reason: str | None = None
    response_code: str | None = None


def tell_again_at(untold: Sequence[Move], now: datetime) -> datetime:
    """Return when to tell moves again, should telling them now fail: the later they are, the less often.

    So what can not be told for hours leaves the sweep's time to others, and costs no minute of theirs.
    """
    late = now - untold[0].at - PATIENCE if untold else timedelta(0)
    return now + min(max(_AGAIN, late), _LONGEST_AGAIN)
