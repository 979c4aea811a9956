"""One virtual clock, one chance, and actors that hand over at every side effect.

An actor is a greenlet: synchronous code of the application, a customer, a client. Only one runs at a time. Who runs
next is drawn among those that can; time moves only when nobody can, and then straight to the next event.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from greenlet import GreenletExit, getcurrent, greenlet

from tests.fakes.weather import Crash

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECOND = 1_000_000  # the kernel's unit is a microsecond: integers, so that no run differs in the last bit
_TICK = timedelta(microseconds=1)
_SHORT = 0.05  # seconds; in longer pauses the surroundings are asked whether something is due


@dataclass(slots=True)
class Outcome:
    """How an actor ended: with a value, with an error, or killed."""

    value: object = None
    error: BaseException | None = None

    @property
    def crashed(self) -> bool:
        """Whether the process died."""
        return isinstance(self.error, Crash)


@dataclass(slots=True, eq=False)
class Actor:
    """One thread of control. `dies_at` is when its function's time is over; `kind` names what it does."""

    number: int
    kind: str
    subject: str
    dies_at: int | None
    run: Callable[[], object]
    thread: greenlet
    outcome: Outcome | None = None
    ended: list[Callable[[Outcome], None]] = field(default_factory=list)
    waits: int = 0  # grows with each wake-up, so that an old alarm can not wake a later wait
    name: str = field(init=False)  # what the trace calls it

    def __post_init__(self) -> None:
        """Name it once: it is asked for with each line of the trace."""
        self.name = f"{self.kind}#{self.number}"


class Kernel:
    """The scheduler. `rng` is the only chance of a whole history."""

    def __init__(self, rng: Random, *, keep_trace: bool = False) -> None:
        self.rng = rng
        self.t = 0
        self.hub = getcurrent()
        self.current: Actor | None = None
        self.actors: dict[int, Actor] = {}
        self.began_at: dict[str, int] = {}  # all actors there ever were, by name
        self.idle: Callable[[], int | None] = lambda: None  # when the surroundings want something next
        self.serve: Callable[[], None] = lambda: None  # let the surroundings do what is due
        self.steps = 0
        self.stopped = False  # set to end the run early
        self.timeouts = 0
        self._ready: list[Actor] = []
        self._resting: list[greenlet] = []
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count(1)
        self._order = count()
        self._notes: list[str] = []
        self.trace: list[str] | None = [] if keep_trace else None
        self._now = START
        self._now_t = 0

    # --- time --------------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Return the true time."""
        if self._now_t != self.t:
            self._now, self._now_t = START + self.t * _TICK, self.t
        return self._now

    def instant(self, moment: datetime) -> int:
        """Return a time of the world as the kernel counts it."""
        return (moment - START) // _TICK

    def at(self, when: int, action: Callable[[], None]) -> None:
        """Let `action` happen at a time; it runs outside of all actors and may not wait."""
        heapq.heappush(self._events, (max(when, self.t), next(self._order), action))

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Let `action` happen in so many seconds."""
        self.at(self.t + int(seconds * SECOND), action)

    # --- the record --------------------------------------------------------------------------------------------------

    def note(self, text: str) -> None:
        """Write a line of the trace; its hash identifies the run."""
        who = "" if self.current is None else self.current.name
        self._notes.append(f"{self.t}|{who}|{text}")
        if self.trace is not None:
            self.trace.append(f"{_clock(self.t)} {who:<28} {text}")

    def tell(self, text: str) -> None:
        """Write a line for the reader only; it is no part of the hash, which does not depend on being read."""
        if self.trace is not None:
            who = "" if self.current is None else self.current.name
            self.trace.append(f"{_clock(self.t)} {who:<28} {text}")

    def digest(self) -> str:
        """Return the hash of everything noted so far."""
        return hashlib.blake2b("\n".join(self._notes).encode(), digest_size=16).hexdigest()

    # --- actors ------------------------------------------------------------------------------------------------------

    def spawn(self, kind: str, run: Callable[[], object], *, subject: str = "", lifetime: float | None = None) -> Actor:
        """Start an actor; after `lifetime` seconds it is killed, as a function whose time is over."""
        dies_at = None if lifetime is None else self.t + int(lifetime * SECOND)
        thread = self._resting.pop() if self._resting else greenlet(self._work, self.hub)
        actor = Actor(next(self._numbers), kind, subject, dies_at, run, thread)
        self.actors[actor.number] = actor
        self.began_at[actor.name] = self.t
        self._ready.append(actor)
        return actor

    def _work(self) -> None:
        """Run one actor after the other: a new greenlet's stack is new memory, which costs more than a switch."""
        while self.current is not None:
            self._live(self.current)
            self._resting.append(getcurrent())
            self.hub.switch()

    def _live(self, actor: Actor) -> None:
        outcome = Outcome()
        try:
            outcome.value = actor.run()
        except (Exception, Crash) as error:  # noqa: BLE001 - whoever waits for the actor judges its error
            outcome.error = error
        self._end(actor, outcome)

    def _end(self, actor: Actor, outcome: Outcome) -> None:
        error = outcome.error
        self.note("ends" if error is None else f"ends: {type(error).__name__} {error}")
        actor.outcome = outcome
        del self.actors[actor.number]
        for action in actor.ended:
            action(outcome)
        # What it held is let go of here: to find it later, among all that is held in circles, takes far longer.
        actor.ended.clear()
        actor.run = _nothing
        while error is not None:
            error.__traceback__, error = None, error.__context__

    def pause(self, seconds: float = 0.0) -> None:
        """Let time pass for the current actor, and let others run; it dies here if its time is over meanwhile."""
        self.steps += 1
        actor = self.current
        if actor is None:
            return
        wake = self.t + int(seconds * SECOND)
        dies = actor.dies_at is not None and wake >= actor.dies_at
        if dies and actor.dies_at is not None:
            wake = max(self.t, actor.dies_at)
        if wake == self.t:
            if self._ready:
                self._ready.append(actor)
                self._leave(actor)
        elif seconds < _SHORT and not self._ready and (not self._events or self._events[0][0] > wake):
            self.t = wake  # nobody else could run: the same as handing over, but quicker
        else:
            self.at(wake, self._waker(actor))
            self._leave(actor)
        if dies:
            self.timeouts += 1
            self.note("killed: its time is over")
            raise Crash

    def wait(self, other: Actor, seconds: float) -> Outcome | None:
        """Wait for another actor to end; None when it has not after so many seconds."""
        actor = self.current
        if actor is None:
            raise RuntimeError("only actors wait")
        if other.outcome is None:
            wake = self._waker(actor)
            other.ended.append(lambda _: wake())
            self.after(seconds, wake)
            self._leave(actor)
        return other.outcome

    def _waker(self, actor: Actor) -> Callable[[], None]:
        turn = actor.waits

        def wake() -> None:
            if actor.waits == turn and actor.outcome is None:
                actor.waits += 1
                self._ready.append(actor)

        return wake

    def _leave(self, actor: Actor) -> None:
        self.current = None
        self.hub.switch()
        self.current = actor

    # --- the loop ----------------------------------------------------------------------------------------------------

    def run(self, until: int, done: Callable[[], bool] = lambda: False) -> None:
        """Let everything happen until a time, or until nothing is left, or `done` says so (asked when time moves)."""
        ready, events, rng = self._ready, self._events, self.rng
        while not self.stopped:
            if ready:
                position = int(rng.random() * len(ready)) if len(ready) > 1 else 0
                actor = ready[position]
                ready[position] = ready[-1]
                ready.pop()
                self.current = actor
                actor.thread.switch()
                self.current = None
                continue
            if done():
                return
            due = following = self.idle()
            if events and (following is None or events[0][0] < following):
                following = events[0][0]
            if following is None:
                return
            if following > until:
                self.t = max(self.t, until)
                return
            self.t = max(self.t, following)
            while events and events[0][0] <= self.t:
                heapq.heappop(events)[2]()
            if due is not None and due <= self.t:
                self.serve()

    def close(self) -> None:
        """End the actors that still wait."""
        for thread in [*(actor.thread for actor in self.actors.values()), *self._resting]:
            if thread:
                thread.throw(GreenletExit)
        self.actors.clear()
        self._resting.clear()
        self._ready.clear()
        self._events.clear()


def _nothing() -> None:
    """What an actor that has ended would do."""


def _clock(t: int) -> str:
    days, rest = divmod(t, 86_400 * SECOND)
    hours, rest = divmod(rest, 3_600 * SECOND)
    minutes, rest = divmod(rest, 60 * SECOND)
    return f"{days}d {hours:02}:{minutes:02}:{rest / SECOND:06.3f}"
