"""What the platform does by itself: SQS, the tables' streams, the minute's sweep; and the operator's redrive.

SQS delivers at least once and gives up after five times; a stream batch comes again when its function dies.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, cast

from direct_debit.adapters.dynamodb.keys import REVIEW_KIND
from direct_debit.application.errors import StoreUnavailable
from direct_debit.application.inquire_status import inquire_status
from direct_debit.application.process_notification import process_notification
from direct_debit.application.process_refund import process_refund
from direct_debit.application.record_change import record_binding_change, record_payment_change
from direct_debit.application.resolve_pending import resolve_pending
from tests.simulation.facts import BINDINGS, TRANSACTIONS, WORKER_SECONDS
from tests.simulation.kernel import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from direct_debit.adapters.dynamodb.items import Item
    from direct_debit.application.deadline import Deadline
    from direct_debit.application.ports import Ports
    from tests.fakes.in_memory_dynamodb import StreamRecord
    from tests.fakes.queues import Message
    from tests.simulation.kernel import Outcome
    from tests.simulation.universe import Environment, Universe

_MAX_RECEIVES = 5
_VISIBILITY = 360.0
_LONGEST_DELAY = 900.0
_STREAM_BATCH = 10
_SWEEP_LIMIT = 200
_NEWS = ("PAYMENT", "BINDING")  # the sort keys that the template's stream filters let through


class Platform:
    """Delivers messages and stream records, and ticks each minute."""

    def __init__(self, universe: Universe) -> None:
        self._u = universe
        self.dead_letters: list[Message] = []
        self.put_aside: list[tuple[str, StreamRecord]] = []
        self._news: dict[str, list[StreamRecord]] = {BINDINGS: [], TRANSACTIONS: []}
        self._streamed = dict.fromkeys((BINDINGS, TRANSACTIONS), 0)
        self._streaming = dict.fromkeys((BINDINGS, TRANSACTIONS), False)
        self._last_tick = -1
        self._due: int | None = None
        self._due_known_at = -1  # how many writes there were when it was looked up

    def take_news(self, table: str, record: StreamRecord) -> None:
        """Take a write into its table's stream, if the template's filter lets it through."""
        if record.keys["sk"]["S"] in _NEWS:
            self._news[table].append(record)

    # --- what is due -------------------------------------------------------------------------------------------------

    def next_due(self) -> int | None:
        """Return when the surroundings want something next."""
        if self._has_records(BINDINGS) or self._has_records(TRANSACTIONS):
            return self._u.kernel.t
        due = self._next_tick()
        at = self._u.simulator.next_event_at()
        if at is None:
            return due
        event = self._u.kernel.instant(at)
        return event if due is None or event < due else due

    def _has_records(self, table: str) -> bool:
        return not self._streaming[table] and self._streamed[table] < len(self._news[table])

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
        for table in (BINDINGS, TRANSACTIONS):
            if self._has_records(table):
                self._start_stream(table)
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

    def _start_stream(self, table: str) -> None:
        self._streaming[table] = True
        delay = 0.2 if self._u.calm else self._u.rng.choice((0.0, 0.1, 0.5, 1.0))
        if self._u.chance(self._u.plan.message_trouble / 4):
            self._u.happens("stream late")
            delay = self._u.rng.choice((5.0, 120.0, 3_600.0)) * self._u.rng.random()
        self._u.kernel.after(delay, lambda: self._consume(table))

    def _consume(self, table: str) -> None:
        begin = self._streamed[table]
        batch = self._news[table][begin : begin + _STREAM_BATCH]

        def ended(outcome: Outcome) -> None:
            self._streaming[table] = False
            if not outcome.crashed and outcome.error is None:
                self._streamed[table] = begin + len(batch)
            else:
                self._u.happens("stream record repeated")  # the whole batch comes again

        if self._u.chance(self._u.plan.lost_records):
            # Put aside and forgotten, or older than a day before anybody came to them.
            self._u.happens("stream records lost")
            self._u.had_gaps = True
            self._streaming[table] = False
            self._streamed[table] = begin + len(batch)
            return
        actor = self._u.invoke("publish_events", lambda env, _: self._publish(table, batch, env.ports), WORKER_SECONDS)
        actor.ended.append(ended)

    def _publish(self, table: str, batch: Sequence[StreamRecord], ports: Ports) -> None:
        for record in batch:
            for remaining in (2, 1, 0):
                try:
                    self._publish_record(record, ports)
                except StoreUnavailable:
                    if remaining == 0:
                        self._u.happens("stream record put aside")
                        self._u.had_gaps = True
                        self.put_aside.append((table, record))
                        break
                    ports.clock.sleep(0.2 * (1 + ports.ids.jitter()))
                else:
                    break

    def _publish_record(self, record: StreamRecord, ports: Ports) -> None:
        """Handle one record as the stream's door does."""
        if record.new is None:
            return
        kind = record.new.get("kind", {}).get("S")
        new, old = cast("Item", record.new), cast("Item | None", record.old)
        if kind == "payment":
            before = None if old is None else self._u.images.payment(old)
            record_payment_change(before, self._u.images.payment(new), ports)
        elif kind == "binding":
            earlier = None if old is None else self._u.images.binding(old)
            record_binding_change(earlier, self._u.images.binding(new), ports)

    # --- queues ------------------------------------------------------------------------------------------------------

    def post(self, message: Message, receives: int = 0) -> None:
        """Put a message on its way."""
        delay = min(message.delay, _LONGEST_DELAY)
        if self._u.chance(self._u.plan.message_trouble):
            self._u.happens("message delayed")
            delay += self._u.rng.choice((5.0, 120.0, 1_200.0, 7_200.0)) * self._u.rng.random()
        self._u.kernel.after(delay, lambda: self._hand_out(message, receives))
        if self._u.chance(self._u.plan.message_trouble):
            self._u.happens("message duplicated")
            again = delay + self._u.rng.choice((0.0, 0.0, 1.0, 400.0)) * self._u.rng.random()
            self._u.kernel.after(again, lambda: self._hand_out(message, receives))

    def _hand_out(self, message: Message, receives: int) -> None:
        def work(environment: Environment, deadline: Deadline) -> None:
            ports = environment.ports
            if message.queue == "notification":
                process_notification(message.subject, ports, deadline)
            elif message.queue == "inquiry":
                inquire_status(message.subject, ports, deadline)
            else:
                step = process_refund(message.subject, ports, deadline)
                if step.retry_after is not None and step.retry_after <= _LONGEST_DELAY:
                    ports.queues.send_refund(message.subject, message.attempt + 1, step.retry_after)

        def ended(outcome: Outcome) -> None:
            if outcome.error is None:
                return
            if receives + 1 >= _MAX_RECEIVES:
                self._u.happens("message to the dead letters")
                self.dead_letters.append(message)
            else:
                self._u.kernel.after(_VISIBILITY, lambda: self._hand_out(message, receives + 1))

        kind = {"notification": "process_notification", "inquiry": "inquire_status", "refund": "process_refund"}
        actor = self._u.invoke(kind[message.queue], work, WORKER_SECONDS, subject=message.subject)
        actor.ended.append(ended)

    def redrive(self) -> None:
        """Do what an operator does: give the dead letters and the stream's failures back (invariant O1)."""
        letters, self.dead_letters = self.dead_letters, []
        records, self.put_aside = self.put_aside, []
        if letters or records:
            self._u.happens("dead letters redriven")
        for message in letters:
            self.post(replace(message, delay=0.0))
        for table, record in records:
            self._repeat_record(table, record)

    def _repeat_record(self, table: str, record: StreamRecord) -> None:
        def ended(outcome: Outcome) -> None:
            if outcome.error is not None:
                self.put_aside.append((table, record))  # the operator's command keeps the message until it has worked

        actor = self._u.invoke(
            "publish_events", lambda env, _: self._publish(table, [record], env.ports), WORKER_SECONDS
        )
        actor.ended.append(ended)


def _sweep(environment: Environment, deadline: Deadline) -> object:
    return resolve_pending(_SWEEP_LIMIT, environment.ports, deadline)
