"""The webhooks' queue in virtual time, its worker as shipped, and a merchant's receiver that does as it is told."""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from random import Random
from typing import TYPE_CHECKING

from direct_debit.application.errors import StoreUnavailable
from direct_debit.application.ports.webhooks import WebhookAnswer, WebhookLog, WebhookTry
from direct_debit.application.webhooks.deliver_webhook import WebhookPorts
from direct_debit.entrypoint import webhooks as door
from direct_debit.entrypoint.observability import Observability
from direct_debit.entrypoint.webhooks import WebhookServices
from tests.fakes.clock import FakeClock
from tests.fakes.ids import SeededIds
from tests.fakes.telemetry import RecordingTelemetry
from tests.integration.handlers.house import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from direct_debit.application.ports.messages import OutboxEvent

KEYS = (b"n" * 32,)
VISIBILITY_SECONDS = 360
MOST_DELIVERIES = 50_000

type Behaviour = Callable[[datetime], WebhookAnswer]

TAKEN = WebhookAnswer(204, None, 12)
DOWN = WebhookAnswer(None, "connect", 3)


@dataclass(slots=True)
class Request:
    """What reached the receiver, or would have."""

    at: datetime
    headers: Mapping[str, str]
    body: bytes
    answer: WebhookAnswer


@dataclass(slots=True)
class MemoryLog:
    """Implements `WebhookLog`."""

    tries: list[WebhookTry] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    broken: bool = False

    def add_try(self, one: WebhookTry) -> None:
        self._work()
        self.tries.append(one)

    def list_tries(self, subject: str) -> Sequence[WebhookTry]:
        return [one for one in self.tries if one.subject == subject]

    def keep_event(self, subject: str, webhook_id: str, name: str, at: str, detail: str) -> None:  # noqa: ARG002 - the port's
        self._work()
        self.kept.setdefault(webhook_id, detail)

    def _work(self) -> None:
        if self.broken:
            raise StoreUnavailable("throttled")


_: WebhookLog = MemoryLog()


@dataclass(slots=True)
class Mailbox:
    """Queue, worker and receiver. `behaves` says what the receiver does at a moment.

    `workers`: how many messages are worked on at once, each for as long as the receiver takes; None: each message is
    delivered at its own time, and that takes no time.
    """

    behaves: Behaviour = lambda _: TAKEN
    keys: Callable[[], Sequence[bytes]] = lambda: KEYS
    clock: FakeClock = field(default_factory=FakeClock)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    log: MemoryLog = field(default_factory=MemoryLog)
    requests: list[Request] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    broken: bool = False  # the queue answers nobody
    workers: int | None = None
    waiting: list[tuple[datetime, int, datetime, str]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)
    _hidden: dict[str, float] = field(default_factory=dict)
    _free: list[datetime] = field(default_factory=list)  # since when each worker is

    def __post_init__(self) -> None:
        self._free = [self.clock.now()] * (self.workers or 0)

    # --- ports -------------------------------------------------------------------------------------------------------

    def post(self, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        answer = self.behaves(self.clock.now())
        self.requests.append(Request(self.clock.now(), headers, body, answer))
        if self.workers is not None:
            self.clock.tick(answer.milliseconds / 1000)
        return answer

    def read(self) -> Sequence[bytes]:
        return self.keys()

    def hide(self, receipt: str, seconds: float) -> None:
        self._work()
        self._hidden[receipt] = seconds

    def put_aside(self, body: str) -> None:
        self._work()
        self.dead.append(body)

    def _work(self) -> None:
        if self.broken:
            raise StoreUnavailable("the queue does not answer")

    # --- the platform ------------------------------------------------------------------------------------------------

    def services(self) -> WebhookServices:
        """Return what the shipped door works with."""
        ports = WebhookPorts(
            clock=self.clock,
            ids=SeededIds(Random(7)),  # noqa: S311 - a test's chance has to repeat
            receiver=self,
            keys=self,
            log=self.log,
            telemetry=self.telemetry,
        )
        return WebhookServices(ports, self, Observability(service="webhooks", level="CRITICAL", namespace="Test"))

    def publish(self, event: OutboxEvent) -> None:
        """Put an event into the queue as the bus's rule does."""
        envelope = {"source": "direct-debit", "detail-type": event.name, "detail": dict(event.to_json())}
        self.send(json.dumps(envelope))

    def send(self, body: str) -> None:
        """Put a message into the queue."""
        self._push(self.clock.now(), self.clock.now(), body)

    def _push(self, at: datetime, sent: datetime, body: str) -> None:
        heapq.heappush(self.waiting, (at, next(self._order), sent, body))

    def deliver_next(self) -> None:
        """Go to the next message's time, and have the worker take it."""
        at, number, sent, body = heapq.heappop(self.waiting)
        since = self.clock.now() if self.workers is None else heapq.heappop(self._free)
        self.clock.set(max(at, since))
        receipt = f"receipt-{number}"
        record = {
            "messageId": f"message-{number}",
            "receiptHandle": receipt,
            "body": body,
            "attributes": {"SentTimestamp": str(round(sent.timestamp() * 1000))},
        }
        with door.install(self.services()):
            answer = door.open_webhook_door("deliver_webhook")({"Records": [record]}, Context())
        if answer["batchItemFailures"]:
            hidden = self._hidden.pop(receipt, VISIBILITY_SECONDS)
            self._push(self.clock.now() + timedelta(seconds=hidden), sent, body)
        if self.workers is not None:
            heapq.heappush(self._free, self.clock.now())

    def run(self) -> None:
        """Deliver until the queue is empty, however long it takes; fails when it never is."""
        for _ in range(MOST_DELIVERIES):
            if not self.waiting:
                return
            self.deliver_next()
        raise AssertionError("the messages come for ever")

    # --- what the receiver knows -------------------------------------------------------------------------------------

    @property
    def taken(self) -> list[str]:
        """The ids of what it took, in order."""
        return [one.headers["webhook-id"] for one in self.requests if one.answer.failure is None]
