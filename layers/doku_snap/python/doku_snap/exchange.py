"""One request under way: how long it may still take, and what is known of its answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clocks:
    """Two clocks in seconds, one that only goes forward and the wall's. In a frozen environment either may stop."""

    monotonic: Callable[[], float]
    wall: Callable[[], float]


class Exchange:
    """The time limits and the state of one request and its answer; used by one thread.

    `status` is the answer's HTTP status as soon as its status line was read, `sending` is True from just before the
    first byte goes out: while it is False, surely nothing was sent.
    """

    def __init__(self, clocks: Clocks, connect_seconds: float, answer_seconds: float) -> None:
        self._clocks = clocks
        self._answer_seconds = answer_seconds
        self._connect_by = clocks.monotonic() + connect_seconds
        self._answer_by: float | None = None
        self._last_heard = (clocks.monotonic(), clocks.wall())
        self.status: int | None = None
        self.sending = False

    def seconds_to_connect(self) -> float:
        """Seconds left until the connection, TLS included, must be there. Raises TimeoutError when there are none."""
        return self._left(self._connect_by)

    def begin_sending(self) -> None:
        """Note that the connection is there and bytes go out: from now on the answer's time counts."""
        self.sending = True
        if self._answer_by is None:
            self._answer_by = self._clocks.monotonic() + self._answer_seconds

    def seconds_to_answer(self) -> float:
        """Seconds left until the last byte of the answer must be there. Raises TimeoutError when there are none."""
        self.begin_sending()
        return self._left(self._answer_by or 0.0)

    def hear(self) -> None:
        """Note that the peer was heard just now."""
        self._last_heard = (self._clocks.monotonic(), self._clocks.wall())

    def seconds_since_heard(self) -> float:
        """Seconds since the peer was last heard, by the clock that went further; infinite if one of them went back."""
        monotonic, wall = self._last_heard
        passed = (self._clocks.monotonic() - monotonic, self._clocks.wall() - wall)
        return max(passed) if min(passed) >= 0 else float("inf")

    def _left(self, deadline: float) -> float:
        left = deadline - self._clocks.monotonic()
        if left <= 0:
            raise TimeoutError("time is up")
        return left


# The libraries make and choose the connections and hand them nothing of ours.
_CURRENT: ContextVar[Exchange] = ContextVar("exchange")


@contextmanager
def under_way(exchange: Exchange) -> Iterator[None]:
    """Make `exchange` the one that connections of this thread serve."""
    token = _CURRENT.set(exchange)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current_exchange() -> Exchange:
    """The exchange that this thread is in. Raises LookupError outside of `under_way`."""
    return _CURRENT.get()
