"""The whole application in one process and on one clock: shipped use cases, adapters' conditions and signing layer
against the simulator's bank.

Nothing here decides anything about money. The world only carries: requests to DOKU, stream records to the outbox,
messages to their workers, notifications to the inbox. `Weather` may strike at each side effect.
"""

import heapq
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import cast

from botocore.exceptions import ClientError, ReadTimeoutError

from direct_debit.adapters.credentials import Credentials as SecretContent
from direct_debit.adapters.credentials import FixedCredentials
from direct_debit.adapters.doku import DokuConnection
from direct_debit.adapters.doku_inbound import read_verified
from direct_debit.adapters.dynamodb.client import DynamoDb
from direct_debit.application.chains import continue_chain
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import DirectDebitError, NotDone, StoreUnavailable
from direct_debit.application.notifications.accept_notification import accept_notification
from direct_debit.application.ports.inbox import InboxKind
from direct_debit.application.ports.messages import OutboxEvent
from direct_debit.application.ports.ports import Ports
from direct_debit.application.resolve_pending import resolve_pending
from direct_debit.application.settings import Settings
from direct_debit.entrypoint.queue import is_last_delivery
from direct_debit.entrypoint.stream import consume
from doku_snap.client import DokuClient
from doku_snap.credentials import Credentials
from doku_snap.errors import AnswerLost, ConnectionNotMade
from doku_snap.inbound import VerifiedNotification
from doku_snap.settings import ClientSettings
from doku_snap.tokens import TokenClient
from doku_snap.transport import HttpAnswer, HttpRequest, Timeout
from tests.fakes.bank import configure_bank
from tests.fakes.capacity import MeteredDynamoDb
from tests.fakes.clock import FakeClock
from tests.fakes.events import RecordingEvents
from tests.fakes.ids import SeededIds
from tests.fakes.in_memory_dynamodb import InMemoryDynamoDb, StreamRecord
from tests.fakes.processes import BINDINGS, TRANSACTIONS, make_process
from tests.fakes.queues import RECURSION_LIMIT, Message
from tests.fakes.streams import write_record
from tests.fakes.telemetry import RecordingTelemetry
from tests.fakes.weather import Crash, Failures, Weather
from tests.fakes.workers import handle_message
from tests.fakes.workflows import RecordingWorkflows
from tools.doku_simulator.config import ProviderVariant
from tools.doku_simulator.core import Simulator
from tools.doku_simulator.notifications import Delivery
from tools.doku_simulator.operations import Json

VISIBILITY_SECONDS = 360
API_SECONDS = 28
WORKER_SECONDS = 60
STREAM_BATCH = 100
STREAM_FILTER = frozenset({"PAYMENT", "BINDING"})  # the sort keys that the template lets through
PUBLIC_URL = "https://merchant.example/v1"

_CLIENT_ID = "BRN-0201-1690000000001"
_SECRET = "SK-simulation"

STORE_FAILURES = Failures(
    failed=lambda: ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "Write"),
    lost=lambda: ReadTimeoutError(endpoint_url="dynamodb"),
)
DOKU_FAILURES = Failures(failed=lambda: ConnectionNotMade("refused"), lost=lambda: AnswerLost("timeout"))
AWS_FAILURES = Failures(failed=lambda: StoreUnavailable("throttled"), lost=lambda: StoreUnavailable("no answer"))


def vector_keys() -> Mapping[str, str]:
    """Return the keys of the signature vectors, by their names there (PEM)."""
    vectors = json.loads((Path(__file__).parent.parent / "vectors" / "signature-vectors.json").read_text())
    return {name: str(key) for name, key in vectors["keys"].items()}


_PRIVATE_KEY = vector_keys()["merchantPrivateKeyPkcs8Pem"]
_CREDENTIALS = SecretContent(
    client_id=_CLIENT_ID,
    secret_key=_SECRET,
    merchant_private_key=_PRIVATE_KEY,
    doku_public_key="",
    doku_client_key=_CLIENT_ID,
    token_keys={"k1": b"k" * 32},
    active_token_key="k1",
    phone_pepper=b"p" * 32,
    issued_token_key=b"i" * 32,
)


class WeatheredDynamoDb:
    """The in-memory store behind the weather."""

    def __init__(self, store: DynamoDb, weather: Callable[[], Weather]) -> None:
        self._store = store
        self._weather = weather

    def _call(self, name: str, request: Mapping[str, object]) -> Mapping[str, object]:
        method: Callable[..., Mapping[str, object]] = getattr(self._store, name)
        return self._weather().effect(f"store.{name}", lambda: method(**request), STORE_FAILURES)

    def get_item(self, **kwargs: object) -> Mapping[str, object]:
        return self._call("get_item", kwargs)

    def put_item(self, **kwargs: object) -> Mapping[str, object]:
        return self._call("put_item", kwargs)

    def update_item(self, **kwargs: object) -> Mapping[str, object]:
        return self._call("update_item", kwargs)

    def query(self, **kwargs: object) -> Mapping[str, object]:
        return self._call("query", kwargs)

    def transact_write_items(self, **kwargs: object) -> Mapping[str, object]:
        return self._call("transact_write_items", kwargs)


def _fail(_record: Mapping[str, object], error: Exception) -> bool:
    """No record of a test's may be put aside."""
    raise error


type Bend = Callable[[str, Json], Json]
"""What an answer of DOKU becomes on its way, given the last part of the request's path."""


class BankTransport:
    """HTTP to the simulator in process. A dropped answer is lost as a time-out would lose it; others may be bent."""

    def __init__(self, simulator: Simulator, weather: Callable[[], Weather], bend: Callable[[], Bend | None]) -> None:
        self._simulator = simulator
        self._weather = weather
        self._bend = bend

    def send(self, request: HttpRequest, timeout: Timeout) -> HttpAnswer:  # noqa: ARG002 - no time passes here
        path = request.url.split("/", 3)[3]
        return self._weather().effect(f"doku.{path.rsplit('/', 1)[1]}", lambda: self._ask(request, path), DOKU_FAILURES)

    def _ask(self, request: HttpRequest, path: str) -> HttpAnswer:
        response = self._simulator.handle(request.method, "/" + path, request.headers, request.body)
        if response.dropped:
            raise AnswerLost("dropped")
        headers = {name.lower(): value for name, value in response.headers.items()}
        bend = self._bend()
        if bend is None:
            return HttpAnswer(response.status, headers, response.body)
        bent = bend(path.rsplit("/", 1)[1], json.loads(response.body))
        return HttpAnswer(response.status, headers, json.dumps(bent).encode())


class WorldQueues:
    """Messages on their way, in the order of their time. Delivery is the world's business."""

    def __init__(self, clock: FakeClock, weather: Callable[[], Weather]) -> None:
        self._clock = clock
        self._weather = weather
        self._order = count()
        self.waiting: list[tuple[datetime, int, Message, int]] = []
        self.lineage = 0  # of what is sent now: how many workers, one by the other's message, led to it

    def send_notification(self, inbox_id: str, chain: int = 0) -> None:
        self._send(Message("notification", inbox_id, chain=chain, lineage=self.lineage))

    def send_refund(self, ref: str, attempt: int, delay: float, chain: int = 0) -> None:
        self._send(Message("refund", ref, attempt, delay, chain, self.lineage))

    def send_inquiry(self, ref: str, attempt: int, delay: float, chain: int = 0) -> None:
        self._send(Message("inquiry", ref, attempt, delay, chain, self.lineage))

    def _send(self, message: Message) -> None:
        self._weather().effect("queue.send", lambda: self.push(message, message.delay), AWS_FAILURES)

    def push(self, message: Message, delay: float, receives: int = 0) -> None:
        """Put a message on its way, without weather; `receives` counts how often it was taken before."""
        at = self._clock.now() + timedelta(seconds=delay)
        heapq.heappush(self.waiting, (at, next(self._order), message, receives))

    def take(self, now: datetime) -> tuple[Message, int] | None:
        """Take the first message whose time has come, with the number of times it has been taken now."""
        if not self.waiting or self.waiting[0][0] > now:
            return None
        _, _, message, receives = heapq.heappop(self.waiting)
        return message, receives + 1


class WeatheredEvents(RecordingEvents):
    """The event bus behind the weather."""

    def __init__(self, weather: Callable[[], Weather]) -> None:
        super().__init__()
        self._weather = weather
        self.refuses: Callable[[OutboxEvent], bool] = lambda _: False  # of several at once, which are throttled

    def publish(self, event: OutboxEvent) -> None:
        self._weather().effect("events.publish", lambda: super(WeatheredEvents, self).publish(event), AWS_FAILURES)

    def publish_together(self, events: Sequence[OutboxEvent]) -> frozenset[str]:
        """Take each event or not, as the bus does; when it does not answer, nobody knows of any."""
        try:
            return self._weather().effect("events.publish_together", lambda: self._take(events), AWS_FAILURES)
        except StoreUnavailable:
            return frozenset()

    def _take(self, events: Sequence[OutboxEvent]) -> frozenset[str]:
        taken = [event for event in events if not self.refuses(event)]
        for event in taken:
            self.note(event)
        return frozenset(event.id for event in taken)


@dataclass(slots=True)
class World:
    """One merchant, one bank, one clock. `process()` is a fresh Lambda environment: same store, empty memory."""

    seed: int = 0
    variant: ProviderVariant = field(default_factory=ProviderVariant)
    settings: Settings = field(
        default_factory=lambda: Settings(
            public_base_url=PUBLIC_URL,
            problem_type_base="/problems",  # short, for the tests of the doors
            default_success_url="https://shop.example/ok",
            default_failed_url="https://shop.example/no",
        )
    )
    weather: Weather = field(default_factory=Weather)
    clock: FakeClock = field(default_factory=FakeClock)
    bend: Bend | None = None
    secret: SecretContent = _CREDENTIALS  # what the vault seals with
    loses: Callable[[StreamRecord], bool] = lambda _: False  # which records of the streams nobody ever gets
    chance: Random = field(init=False)
    ids: SeededIds = field(init=False)
    store: InMemoryDynamoDb = field(init=False)
    meter: MeteredDynamoDb | None = None  # counts what the processes read and write, where a test wants to know
    simulator: Simulator = field(init=False)
    queues: WorldQueues = field(init=False)
    events: WeatheredEvents = field(init=False)
    workflows: RecordingWorkflows = field(init=False)
    telemetry: RecordingTelemetry = field(init=False)
    dead_letters: list[Message] = field(default_factory=list)
    cut: list[Message] = field(default_factory=list)  # what AWS took for an endless loop; nobody wants any
    longest_lineage: int = 0
    _streamed: dict[str, int] = field(default_factory=lambda: {BINDINGS: 0, TRANSACTIONS: 0})

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)  # noqa: S311 - a test's chance has to repeat
        self.ids = SeededIds(Random(self.chance.random()))  # noqa: S311 - repeatable on purpose
        self.store = InMemoryDynamoDb(BINDINGS, TRANSACTIONS)
        config = configure_bank(_CLIENT_ID, _SECRET, PUBLIC_URL, self.variant)
        self.simulator = Simulator(config, self.clock.now, Random(self.chance.random()))  # noqa: S311 - repeatable
        self.queues = WorldQueues(self.clock, lambda: self.weather)
        self.events = WeatheredEvents(lambda: self.weather)
        self.workflows = RecordingWorkflows()
        self.telemetry = RecordingTelemetry()

    # --- processes ---------------------------------------------------------------------------------------------------

    def process(self) -> Ports:
        """Return the ports of a fresh process."""
        transport = BankTransport(self.simulator, lambda: self.weather, lambda: self.bend)
        credentials = Credentials(_CLIENT_ID, _SECRET, _PRIVATE_KEY)
        client_settings = ClientSettings()
        connection = DokuConnection(
            DokuClient(credentials, client_settings, transport, self.clock.now),
            TokenClient(credentials, client_settings, transport, self.clock.now),
        )
        return make_process(
            WeatheredDynamoDb(self.meter or self.store, lambda: self.weather),
            lambda: connection,
            clock=self.clock,
            ids=self.ids,
            credentials=FixedCredentials(self.secret),
            doubt_keys=lambda: False,
            queues=self.queues,
            events=self.events,
            workflows=self.workflows,
            telemetry=self.telemetry,
            settings=self.settings,
        )

    def deadline(self, seconds: int = API_SECONDS) -> Deadline:
        """Return the deadline of a request that begins now."""
        return Deadline(self.clock.now() + timedelta(seconds=seconds))

    # --- what the platform does --------------------------------------------------------------------------------------

    def stream(self) -> None:
        """Hand new stream records to the outbox's door, in order; what fails comes again later, a lost record never."""
        for table in (BINDINGS, TRANSACTIONS):
            while self._streamed[table] < len(self.store.stream(table)):
                if not self._stream_batch(table):
                    return

    def _stream_batch(self, table: str) -> bool:
        """Hand over one batch; return whether all of it was taken. The filter lets through what carries news."""
        begin = self._streamed[table]
        batch = self.store.stream(table)[begin : begin + STREAM_BATCH]
        kept = [one for one in batch if one.keys["sk"].get("S") in STREAM_FILTER and not self.loses(one)]
        positions = {str(one.sequence): begin + batch.index(one) for one in kept}
        try:
            left = consume(
                [write_record(table, one) for one in kept], self.process(), has_time=lambda: True, put_aside=_fail
            )
        except Crash:
            return False
        if left is None:
            self._streamed[table] = begin + len(batch)
            return True
        self._streamed[table] = positions[str(cast("Mapping[str, object]", left["dynamodb"])["SequenceNumber"])]
        return False

    def work(self) -> None:
        """Deliver every message whose time has come, as the queues' door does; one that fails comes again, five times.

        A chain of messages is cut as AWS does it.
        """
        while (taken := self.queues.take(self.clock.now())) is not None:
            self._deliver(*taken)

    def _deliver(self, message: Message, receives: int) -> None:
        self.longest_lineage = max(self.longest_lineage, message.lineage)
        if message.lineage >= RECURSION_LIMIT:
            self.cut.append(message)
            return
        self.queues.lineage = message.lineage + 1
        try:
            handle_message(message, continue_chain(self.process(), message.chain), self.deadline(WORKER_SECONDS))
        except (DirectDebitError, Crash) as error:
            if not is_last_delivery(receives):
                self.queues.push(message, VISIBILITY_SECONDS, receives)
            elif not isinstance(error, NotDone):
                self.dead_letters.append(message)
        finally:
            self.queues.lineage = 0

    def tick(self) -> None:
        """The schedule of each minute."""
        try:
            resolve_pending(500, self.process(), self.deadline(WORKER_SECONDS))
        except (DirectDebitError, Crash):
            return

    def notify(self) -> None:
        """Send the bank's notifications whose time has come."""
        for delivery in self.simulator.due_deliveries():
            self.deliver(delivery)

    def deliver(self, delivery: Delivery, *, fresh: bool = True) -> None:
        """Bring one notification to the inbox, as its verified content; a failing inbox makes DOKU come again."""
        kind = InboxKind(delivery.kind)
        verified = VerifiedNotification(
            service_code="56" if kind is InboxKind.PAYMENT else "07",
            timestamp=self.clock.now(),
            fresh=fresh,
            external_id="1",
            body=json.dumps(delivery.body).encode(),
        )
        try:
            accept_notification(read_verified(kind, verified), self.process())
        except (DirectDebitError, Crash):
            self.simulator.notifications.record_result(delivery, 500)
        else:
            self.simulator.notifications.record_result(delivery, 200)

    def pump(self) -> None:
        """Do everything that is due at this moment."""
        self.notify()
        self.work()
        self.stream()
        self.work()

    def run_for(self, seconds: float, step: float = 60.0) -> None:
        """Let time pass, minute by minute, with everything that happens by itself."""
        end = self.clock.now() + timedelta(seconds=seconds)
        while self.clock.now() < end:
            self.clock.tick(min(step, (end - self.clock.now()) / timedelta(seconds=1)))
            self.pump()
            self.tick()
            self.pump()

    # --- the truth ---------------------------------------------------------------------------------------------------

    def debits(self, ref: str) -> int:
        """How often the bank debited a reference."""
        return sum(1 for entry in self.simulator.bank.ledger if entry.kind == "debit" and entry.reference == ref)

    def refunds(self, ref: str) -> int:
        """How often the bank refunded a reference."""
        return sum(1 for entry in self.simulator.bank.ledger if entry.kind == "refund" and entry.reference == ref)
