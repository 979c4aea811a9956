"""The time budget of one request: all calls to DOKU share it (design section 3)."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment (UTC) at which the function must have answered."""

    at: datetime

    def remaining(self, now: datetime) -> float:
        """Seconds left, never negative."""
        return max(0.0, (self.at - now) / timedelta(seconds=1))
