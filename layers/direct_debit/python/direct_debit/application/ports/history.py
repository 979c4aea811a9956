"""The history of a payment or a link, as the outbox writes it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One step in the life of a payment or a link, as the outbox recorded it.

    `reason` and `response_code` are what its event told; None as well where an older release recorded it.
    `requested_by`: a caller asked for this step, a refund or a link's end, and AWS told who it was (as in the record).
    """

    version: int
    at: datetime
    state: str
    refund_state: str | None
    source: str
    code: str | None
    reason: str | None = None
    response_code: str | None = None
    requested_by: str | None = None
