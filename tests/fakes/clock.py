"""A clock that stands still until somebody moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from direct_debit.application.ports.time_and_chance import Clock

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class FakeClock:
    """Implements `Clock`: sleeping takes no time but moves the clock on."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        """Return the current time."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move the clock on, and note it."""
        self.slept.append(seconds)
        self.tick(seconds)

    def tick(self, seconds: float) -> None:
        """Let time pass."""
        self._now += timedelta(seconds=seconds)

    def set(self, now: datetime) -> None:
        """Jump, backwards too."""
        self._now = now


_: Clock = FakeClock()
