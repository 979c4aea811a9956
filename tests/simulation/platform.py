"""What the platform does by itself: SQS, the tables' streams, the minute's sweep; and the operator's redrive.

SQS delivers at least once and gives up after five times; a chain of messages, each sent by the worker of the one
before, is cut after sixteen. A stream is read by several functions at once, each record's changes by one of them and in
order; a batch comes again when its function dies, and from where it says that something failed, more and more slowly.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.keys import REVIEW_KIND
from direct_debit.application.chains import continue_chain
from direct_debit.application.errors import NotDone
from direct_debit.application.resolve_pending import resolve_pending
from direct_debit.entrypoint.queue import is_last_delivery
from direct_debit.entrypoint.stream import consume
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tests.fakes.queues import RECURSION_LIMIT
from tests.fakes.streams import write_record
from tests.fakes.weather import Crash
from tests.fakes.workers import handle_message
from tests.simulation.facts import WORKER_SECONDS
from tests.simulation.kernel import SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from direct_debit.application.deadline import Deadline
    from tests.fakes.in_memory_dynamodb import StreamRecord
    from tests.fakes.queues import Message
    from tests.simulation.kernel import Outcome
    from tests.simulation.universe import Environment, Universe

_VISIBILITY = 360.0
_LONGEST_DELAY = 900.0
_STREAM_BATCH = 10
_SWEEP_LIMIT = 200
_LANES = 2  # of a stream; AWS allows ten
_LONGEST_BACKOFF = 60.0
_LAST_START = 10.0
_NEWS = ("PAYMENT", "BINDING")  # the sort keys that the template's stream filters let through


class Platform:
    """Delivers messages and stream records, and ticks each minute."""

    def __init__(self, universe: Universe) -> None:
        self._u = universe
        self.dead_letters: list[Message] = []
        self.put_aside: list[Mapping[str, object]] = []
        self._lineages: dict[int, int] = {}  # of the workers that run, by their actor's number
        self._lanes = [_Lane(table, number) for table in (BINDINGS, TRANSACTIONS) for number in range(_LANES)]
        self._last_tick = -1
        self._due: int | None = None
        self._due_known_at = -1  # how many writes there were when it was looked up

    def take_news(self, table: str, record: StreamRecord) -> None:
        """Take a write into its table's stream, if the template's filter lets it through."""
        if record.keys["sk"]["S"] in _NEWS:
            lanes = 1 if self._u.plan.slow_streams else _LANES
            number = zlib.crc32(str(record.keys["pk"]["S"]).encode()) % lanes
            created_at = self._u.kernel.now().timestamp()
            lane = next(one for one in self._lanes if (one.table, one.number) == (table, number))
            lane.records.append(write_record(table, record, created_at))

    # --- what is due -------------------------------------------------------------------------------------------------

    def next_due(self) -> int | None:
        """Return when the surroundings want something next."""
        for lane in self._lanes:
            if lane.is_due:
                return self._u.kernel.t
        due = self._next_tick()
        at = self._u.simulator.next_event_at()
        if at is None:
            return due
        event = self._u.kernel.instant(at)
        return event if due is None or event < due else due

    def _next_tick(self) -> int | None:
        """Return the minute at which the next sweep finds something; the minutes between are not worth living."""
        first = self._first_due()
        if first is None:
            return None
        minute = 60 * SECOND
        return -(-max(first, self._last_tick + 1, 0) // minute) * minute

    def _first_due(self) -> int | None:
        """Return when the first record is due; looked up again only after a write."""
        if self._due_known_at != len(self._u.journal):
            self._due_known_at, self._due = len(self._u.journal), self._find_first_due()
        return self._due

    def _find_first_due(self) -> int | None:
        first: str | None = None
        for table in (BINDINGS, TRANSACTIONS):
            for shard, partition in self._u.store._tables[table].indexes["due"].items():
                if partition.order and not str(shard).startswith(REVIEW_KIND):
                    at = partition.order[0][0]
                    if first is None or at < first:
                        first = at
        return None if first is None else self._u.kernel.instant(datetime.fromisoformat(first))

    def serve(self) -> None:
        """Start what is due now."""
        now = self._u.kernel.t
        for lane in self._lanes:
            if lane.is_due:
                self._start_stream(lane)
        due = self._next_tick()
        if due is not None and due <= now:
            self._last_tick = now
            if self._u.chance(self._u.plan.tick_skips):
                self._u.happens("tick skipped")
            else:
                self._u.invoke("resolve_pending", _sweep, WORKER_SECONDS)
        at = self._u.simulator.next_event_at()
        if at is not None and self._u.kernel.instant(at) <= now:
            self._u.notices.deliver()

    # --- streams -----------------------------------------------------------------------------------------------------

    def _start_stream(self, lane: _Lane) -> None:
        lane.busy = True
        delay = 0.2 if self._u.calm else self._u.rng.choice((0.0, 0.1, 0.5, 1.0))
        if self._u.plan.slow_streams and not self._u.calm:
            delay = self._u.rng.choice((60.0, 600.0, 1_800.0)) * self._u.rng.random()
        elif self._u.chance(self._u.plan.message_trouble / 4):
            self._u.happens("stream late")
            delay = self._u.rng.choice((5.0, 120.0, 3_600.0)) * self._u.rng.random()
        self._u.kernel.after(delay, lambda: self._consume(lane))

    def _consume(self, lane: _Lane) -> None:
        batch = lane.records[lane.told : lane.told + _STREAM_BATCH]

        def ended(outcome: Outcome) -> None:
            left = batch[0] if outcome.error is not None else outcome.value
            if left is None:
                lane.go_on(len(batch))
                return
            if outcome.error is not None:
                self._u.happens("stream record repeated")  # the whole batch comes again
            else:
                self._u.happens("stream record given back")
            lane.told += next(number for number, one in enumerate(batch) if one is left)
            lane.failures += 1
            self._u.kernel.after(min(2.0**lane.failures, _LONGEST_BACKOFF), lane.release)

        if self._u.chance(self._u.plan.lost_records):
            # Older than a day before anybody came to them.
            self._u.happens("stream records lost")
            self._u.had_gaps = True
            lane.go_on(len(batch))
            return
        actor = self._u.invoke("publish_events", lambda env, until: self._publish(batch, env, until), WORKER_SECONDS)
        actor.ended.append(ended)

    def _publish(
        self, batch: Sequence[Mapping[str, object]], environment: Environment, deadline: Deadline
    ) -> Mapping[str, object] | None:
        ports = environment.ports
        return consume(
            batch,
            ports,
            has_time=lambda: deadline.remaining(ports.clock.now()) >= _LAST_START,
            put_aside=self._put_aside,
        )

    def _put_aside(self, record: Mapping[str, object], error: Exception) -> bool:
        if self._u.chance(self._u.plan.port_faults):
            return False
        if isinstance(error, NotDone):
            self._u.blame("O5", f"a record of the stream was put aside for what passes: {error}")
        self._u.happens("stream record put aside")
        self._u.had_gaps = True
        self.put_aside.append(record)
        return True

    # --- queues ------------------------------------------------------------------------------------------------------

    def lineage(self) -> int:
        """Return how many workers, each by its message, led to what the current actor does: what AWS counts."""
        actor = self._u.kernel.current
        return 0 if actor is None else self._lineages.get(actor.number, 0)

    def post(self, message: Message, receives: int = 0) -> None:
        """Put a message on its way."""
        delay = min(message.delay, _LONGEST_DELAY)
        if self._u.chance(self._u.plan.message_trouble):
            self._u.happens("message delayed")
            delay += self._u.rng.choice((5.0, 120.0, 1_200.0, 7_200.0)) * self._u.rng.random()
        deadly = self._u.chance(self._u.plan.message_trouble / 20)
        self._u.kernel.after(delay, lambda: self._hand_out(message, receives, deadly=deadly))
        if self._u.chance(self._u.plan.message_trouble):
            self._u.happens("message duplicated")
            again = delay + self._u.rng.choice((0.0, 0.0, 1.0, 400.0)) * self._u.rng.random()
            self._u.kernel.after(again, lambda: self._hand_out(message, receives))

    def _hand_out(self, message: Message, receives: int, *, deadly: bool = False) -> None:
        """Deliver a message; the worker of a deadly one dies each time, until somebody has mended why."""
        if message.lineage >= RECURSION_LIMIT:
            self._u.blame("O4", f"a chain of messages was cut at {message.queue} {message.subject}")
            self.dead_letters.append(message)
            return

        def work(environment: Environment, deadline: Deadline) -> None:
            if deadly and not self._u.calm:
                raise Crash
            handle_message(message, continue_chain(environment.ports, message.chain), deadline)

        def ended(outcome: Outcome) -> None:
            self._lineages.pop(actor.number, None)
            if outcome.error is None:
                return
            if not is_last_delivery(receives + 1):
                self._u.kernel.after(_VISIBILITY, lambda: self._hand_out(message, receives + 1, deadly=deadly))
            elif isinstance(outcome.error, NotDone):
                self._u.happens("message let go")  # trouble that passes: the sweep sends a new one
            else:
                self._u.happens("message to the dead letters")
                self.dead_letters.append(message)

        kind = {"notification": "process_notification", "inquiry": "inquire_status", "refund": "process_refund"}
        actor = self._u.invoke(kind[message.queue], work, WORKER_SECONDS, subject=message.subject)
        self._lineages[actor.number] = message.lineage + 1
        actor.ended.append(ended)

    def redrive(self) -> None:
        """Do what an operator does: give the dead letters and the stream's failures back (invariant O1)."""
        letters, self.dead_letters = self.dead_letters, []
        records, self.put_aside = self.put_aside, []
        if letters or records:
            self._u.happens("dead letters redriven")
        for message in letters:
            self.post(replace(message, delay=0.0, lineage=0))
        for record in records:
            self._repeat_record(record)

    def _repeat_record(self, record: Mapping[str, object]) -> None:
        def ended(outcome: Outcome) -> None:
            if outcome.error is not None or outcome.value is not None:
                self.put_aside.append(record)  # the operator's command keeps the message until it has worked

        actor = self._u.invoke("publish_events", lambda env, until: self._publish([record], env, until), WORKER_SECONDS)
        actor.ended.append(ended)


@dataclass(slots=True, eq=False)
class _Lane:
    """The records of a stream that are read one after the other, and how far they are told."""

    table: str
    number: int
    records: list[Mapping[str, object]] = field(default_factory=list)
    told: int = 0
    failures: int = 0
    busy: bool = False

    @property
    def is_due(self) -> bool:
        """Whether there are records that nobody reads now."""
        return not self.busy and self.told < len(self.records)

    def go_on(self, count: int) -> None:
        """Let the next records come."""
        self.told += count
        self.failures = 0
        self.busy = False

    def release(self) -> None:
        """Let the same records come again."""
        self.busy = False


def _sweep(environment: Environment, deadline: Deadline) -> object:
    return resolve_pending(_SWEEP_LIMIT, environment.ports, deadline)
