"""Chance from a seed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from direct_debit.application.ports.time_and_chance import Ids


class SeededIds:
    """Implements `Ids`: the same seed gives the same run."""

    def __init__(self, source: random.Random | None = None) -> None:
        self._random = source or random.Random(0)  # noqa: S311 - a test's chance has to repeat

    def new_id(self) -> str:
        """Return 128 bits as 32 lower-case hex digits."""
        return f"{self._random.getrandbits(128):032x}"

    def digits(self, count: int) -> str:
        """Return `count` decimal digits."""
        return f"{self._random.randrange(10**count):0{count}d}"

    def jitter(self) -> float:
        """Return a number in [0, 1)."""
        return self._random.random()

    def entropy(self, count: int) -> bytes:
        """Return `count` bytes."""
        return self._random.randbytes(count)


_: Ids = SeededIds()
