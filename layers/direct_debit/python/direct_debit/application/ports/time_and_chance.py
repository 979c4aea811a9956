"""Time and chance: what makes one run different from another."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The time. UTC, aware."""

    def now(self) -> datetime:
        """Return the current time."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; only for the short waits of a single-flight follower."""
        ...


class Ids(Protocol):
    """Everything random or unique."""

    def new_id(self) -> str:
        """Return 128 random bits as 32 lower-case hex digits."""
        ...

    def digits(self, count: int) -> str:
        """Return `count` random decimal digits."""
        ...

    def jitter(self) -> float:
        """Return a number in [0, 1)."""
        ...

    def entropy(self, count: int) -> bytes:
        """Return `count` random bytes, for nonces."""
        ...
