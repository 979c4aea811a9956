"""The smallest input that still fails."""

from __future__ import annotations

from collections.abc import Callable

_MOST_TRIES = 4000


def shrink(data: bytes, fails: Callable[[bytes], bool], *, most: int = _MOST_TRIES) -> bytes:
    """Return an input that fails and does not when any part of it is left out (or what `most` tries came to)."""
    tries = 0
    size = max(1, len(data) // 2)
    while True:
        place, shorter = 0, False
        while place < len(data):
            if tries == most:
                return data
            tries += 1
            without = data[:place] + data[place + size :]
            if fails(without):
                data, shorter = without, True
            else:
                place += size
        if size == 1 and not shorter:
            return data
        size = max(1, size // 2)
