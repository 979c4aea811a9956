"""The shipped application, its platform and its bank in one kernel: every side effect may fail, every process may die.

The platform is played as it behaves: SQS delivers at least once and gives up after five times, a stream batch comes
again when its function dies, API functions live 28 s and workers 60 s, warm environments keep their memory and their
clock's error.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, cast

from botocore.exceptions import ClientError, ReadTimeoutError

from direct_debit.adapters.credentials import Credentials as SecretContent
from direct_debit.adapters.doku import WORKER_READ_SECONDS, DokuAdapter, DokuConnection
from direct_debit.adapters.doku_inbound import InboundDokuAdapter, InboundKeys
from direct_debit.adapters.dynamodb.b2b_tokens import DynamoDbB2BTokens
from direct_debit.adapters.dynamodb.bindings import DynamoDbBindings
from direct_debit.adapters.dynamodb.circuit import DynamoDbCircuit
from direct_debit.adapters.dynamodb.client import Store
from direct_debit.adapters.dynamodb.inbox import DynamoDbInbox
from direct_debit.adapters.dynamodb.keys import REVIEW_KIND
from direct_debit.adapters.dynamodb.payments import DynamoDbPayments
from direct_debit.adapters.vault import AesGcmVault
from direct_debit.application.accept_notification import accept_notification
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import DirectDebitError, InvalidSignature, StoreUnavailable
from direct_debit.application.inbound_ports import InboundCall
from direct_debit.application.inquire_status import inquire_status
from direct_debit.application.ports import InboxKind, OutboxEvent, Ports, TokenMemory
from direct_debit.application.process_notification import process_notification
from direct_debit.application.process_refund import process_refund
from direct_debit.application.record_change import record_binding_change, record_payment_change
from direct_debit.application.resolve_pending import resolve_pending
from direct_debit.application.settings import Settings
from doku_snap import inbound
from doku_snap.client import DokuClient
from doku_snap.credentials import Credentials
from doku_snap.errors import AnswerLost, ConnectionNotMade
from doku_snap.settings import ClientSettings
from doku_snap.tokens import TokenClient
from doku_snap.transport import MAX_BODY_BYTES, HttpAnswer, HttpRequest, Timeout
from tests.fakes.events import RecordingEvents
from tests.fakes.ids import SeededIds
from tests.fakes.in_memory_dynamodb import InMemoryDynamoDb
from tests.fakes.queues import Message
from tests.fakes.telemetry import RecordingTelemetry
from tests.fakes.weather import Crash, Failures
from tests.fakes.workflows import RecordingWorkflows
from tests.fakes.world import merchant_private_key
from tests.simulation.images import Images
from tests.simulation.kernel import SECOND, Actor, Kernel, Outcome
from tools.doku_simulator.config import MerchantEndpoints, SimulatorConfig
from tools.doku_simulator.core import Simulator
from tools.doku_simulator.dials import Dial
from tools.doku_simulator.notifications import FORGERIES, Delivery, Forgery, NoticeDial

if TYPE_CHECKING:
    from random import Random

    from direct_debit.adapters.dynamodb.items import Item
    from tests.fakes.in_memory_dynamodb import StreamRecord
    from tests.simulation.coverage import Coverage
    from tests.simulation.plan import Plan
    from tools.doku_simulator.records import SimulatedResponse

BINDINGS, TRANSACTIONS = "Bindings", "Transactions"
API_SECONDS, WORKER_SECONDS = 28.0, 60.0
MAX_RECEIVES = 5
VISIBILITY = 360.0
LONGEST_DELAY = 900.0
SWEEP_LIMIT = 200
_MOST_WARM = 12
STREAM_BATCH = 10
_NEWS = ("PAYMENT", "BINDING")  # the sort keys that the template's stream filters let through
_STEPS_EACH = 10  # four are usual
PUBLIC_URL = "https://merchant.example/v1"

_CLIENT_ID = "BRN-0201-1690000000001"
_SECRET = "SK-simulation"
_PRIVATE_KEY = merchant_private_key()
_DOKU_CREDENTIALS = Credentials(_CLIENT_ID, _SECRET, _PRIVATE_KEY)
_CLIENT_SETTINGS = ClientSettings()
_ISSUED_TOKEN_KEY = b"i" * 32
_WRITES = frozenset({"store.put_item", "store.update_item", "store.transact_write_items"})
# Where DOKU's status names the code of the OTP call as the original one.
_OTP_CODES = (
    (b'"originalResponseCode":"4035400"', b'"originalResponseCode":"4030412"'),
    (b'"originalResponseCode":"4035411"', b'"originalResponseCode":"4030411"'),
)
_REFUSALS = ("40404", "40300", "40311", "40314")
_MORE_BEFORE = {"payment": _REFUSALS, "otp": _REFUSALS, "refund": ("42900", "42900", "40320")}
_CODES_BEFORE = ("50000", "50001", "50002", "50400", "42900", "40316", "99999")
_CODES_AFTER = ("50000", "50001", "50002", "50400", "20200", "40901", "99999")
_GARBAGE = (
    "empty", "html", "truncated", "half", "wrong_type", "wrong_reference", "missing_fields", "unknown_fields",
    "duplicate_keys",
)  # fmt: skip


def _store_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "Call")


STORE_FAILURES = Failures(
    failed=lambda: _store_error("ProvisionedThroughputExceededException"),
    lost=lambda: ReadTimeoutError(endpoint_url="dynamodb"),
)
PORT_FAILURES = Failures(failed=lambda: StoreUnavailable("throttled"), lost=lambda: StoreUnavailable("no answer"))


class Clock:
    """A process's clock: the true time plus its error. Sleeping hands over."""

    def __init__(self, kernel: Kernel, skew: float) -> None:
        self._kernel = kernel
        self._skew = timedelta(seconds=skew)

    def now(self) -> datetime:
        """Return what this process believes the time to be."""
        return self._kernel.now() + self._skew

    def sleep(self, seconds: float) -> None:
        """Wait, while others go on."""
        self._kernel.pause(seconds)


class Secret:
    """The secret as one process knows it: what it has read, until it is told to read again."""

    def __init__(self, versions: list[SecretContent]) -> None:
        self._versions = versions
        self._known = len(versions) - 1

    def current(self) -> SecretContent:
        """Return the newest version that this process has read."""
        return self._versions[self._known]

    def previous(self) -> SecretContent | None:
        """Return the version before it."""
        return self._versions[self._known - 1] if self._known else None

    def refresh(self) -> bool:
        """Read again."""
        newer = self._known < len(self._versions) - 1
        self._known = len(self._versions) - 1
        return newer


@dataclass(slots=True, eq=False)
class Environment:
    """One warm function environment."""

    ports: Ports
    clock: Clock
    inbound: InboundDokuAdapter
    busy: bool = False


@dataclass(slots=True)
class Journal:
    """What was written, in the order of all tables together."""

    t: int
    actor: str
    table: str
    record: StreamRecord


@dataclass(slots=True)
class Arrival:
    """A request as it came to DOKU: the judge's evidence."""

    t: int
    operation: str
    reference: str
    external_id: str
    fields: Mapping[str, object]
    token_owner: str | None
    written: int  # how many writes there were before it
    answer: str = ""  # the code that DOKU meant to give
    reached: bool = False  # whether an answer came back whole
    clear: bool = False  # whether it was the true answer, unspoilt


class Universe:
    """Everything of one history."""

    def __init__(self, rng: Random, plan: Plan, coverage: Coverage, *, keep_trace: bool = False) -> None:
        self.rng = rng
        self.plan = plan
        self.coverage = coverage
        self.kernel = Kernel(rng, keep_trace=keep_trace)
        self.kernel.idle = self._next_due
        self.kernel.serve = self._serve
        self.calm = False
        self.violations: list[str] = []
        self.ids = SeededIds(rng)
        self.telemetry = RecordingTelemetry()
        self.store = InMemoryDynamoDb(BINDINGS, TRANSACTIONS)
        self._streams = {table: self.store.stream(table) for table in (BINDINGS, TRANSACTIONS)}
        self._news: dict[str, list[StreamRecord]] = {BINDINGS: [], TRANSACTIONS: []}
        self.images = Images()
        self.journal: list[Journal] = []
        self.arrivals: list[Arrival] = []
        self.events = _Events(self)
        self.workflows = _Workflows(self)
        self.queues = _Queues(self)
        self.dead_letters: list[Message] = []
        self.put_aside: list[tuple[str, StreamRecord]] = []
        self.errors_shown: list[str] = []
        self.unlinked_at_bank = False
        self.late_unlinking = False
        self.late_codes: set[str] = set()  # payments of which a code takes effect later
        self.lied: set[str] = set()
        self.back_office: set[str] = set()  # refunded by DOKU's staff, unasked
        self.orders = 0
        self.calm_since: int | None = None
        self.settings = Settings(
            public_base_url=PUBLIC_URL,
            default_success_url="https://shop.example/ok",
            default_failed_url="https://shop.example/no",
            repost_after_not_found=plan.repost,
            late_success=plan.late_success,
            max_otp_attempts=plan.max_otp_attempts,
        )
        if plan.short_schedules:
            self.settings = _shorten(self.settings)
        self.simulator = Simulator(
            SimulatorConfig(
                client_id=_CLIENT_ID,
                secret_key=_SECRET,
                verify_asymmetric=False,
                sign_asymmetric=False,
                merchant=MerchantEndpoints(
                    f"{PUBLIC_URL}/doku/authorization/v1/access-token/b2b",
                    f"{PUBLIC_URL}/doku/v1.0/debit/notify",
                    f"{PUBLIC_URL}/doku/v1.0/registration-account-binding/notify",
                ),
                variant=plan.variant,
                b2b_token_seconds=plan.b2b_token_seconds,
                customer_token_seconds=plan.customer_token_seconds,
                notification_resigned=plan.resigned,
                notification_new_external_id=plan.new_external_id,
                notify_declines=plan.notify_declines,
                notify_refunds=plan.notify_refunds,
            ),
            self.kernel.now,
            rng,
        )
        self._secrets = [
            SecretContent(
                client_id=_CLIENT_ID,
                secret_key=_SECRET,
                merchant_private_key=_PRIVATE_KEY,
                doku_public_key="",
                doku_client_key=_CLIENT_ID,
                token_keys={"k1": b"k" * 32},
                active_token_key="k1",
                phone_pepper=b"p" * 32,
                issued_token_key=_ISSUED_TOKEN_KEY,
            )
        ]
        self.most_invocations = 20_000
        self._invocations = 0
        self._warm: list[Environment] = []
        self._streamed = dict.fromkeys((BINDINGS, TRANSACTIONS), 0)
        self._streaming = dict.fromkeys((BINDINGS, TRANSACTIONS), False)
        self._journaled = dict.fromkeys((BINDINGS, TRANSACTIONS), 0)
        self._last_tick = -1
        self._due: int | None = None
        self._due_known_at = -1  # how many writes there were when it was looked up
        self._next_notice: int | None = None
        if plan.rotate_key:
            self.kernel.after(rng.choice((30.0, 600.0, 7_200.0)) * rng.random(), self._rotate_key)
        for begin, end in plan.throttling:
            self.kernel.after(begin, lambda: self._happens("store throttled for a while"))
            self.kernel.note(f"throttling from {begin:.0f} to {end:.0f} s")
        for begin, end in plan.outages:
            self.kernel.after(begin, lambda: self._happens("DOKU down for a while"))
            self.kernel.note(f"outage from {begin:.0f} to {end:.0f} s")

    # --- small words -------------------------------------------------------------------------------------------------

    def happens(self, name: str) -> None:
        """Count and note something that the plan let happen."""
        self.coverage.happenings[name] += 1
        self.kernel.note(name)

    _happens = happens

    def chance(self, probability: float) -> bool:
        """Draw; nothing is drawn any more once the faults have stopped."""
        return not self.calm and probability > 0 and self.rng.random() < probability

    def blame(self, invariant: str, text: str) -> None:
        """Note a violation."""
        line = f"{invariant}: {text}"
        if line not in self.violations:
            self.violations.append(line)
            self.kernel.note(f"VIOLATION {line}")

    # --- processes ---------------------------------------------------------------------------------------------------

    def _environment(self) -> Environment:
        free = [one for one in self._warm if not one.busy]
        if free and (self.rng.random() < 0.85 or len(self._warm) > _MOST_WARM):
            return self.rng.choice(free)
        skew = 0.0
        if not self.calm and self.plan.skew and self.rng.random() < 0.5:
            skew = self.rng.uniform(-self.plan.skew, self.plan.skew)
            self.happens("clock skewed")
        return self._start_environment(skew)

    def _start_environment(self, skew: float) -> Environment:
        clock = Clock(self.kernel, skew)
        store = Store(_DynamoDb(self), clock, self.ids)
        transport = _Transport(self)
        connection = DokuConnection(
            DokuClient(_DOKU_CREDENTIALS, _CLIENT_SETTINGS, transport, clock.now),
            TokenClient(_DOKU_CREDENTIALS, _CLIENT_SETTINGS, transport, clock.now),
        )
        secret = Secret(self._secrets)
        payments = DynamoDbPayments(store, TRANSACTIONS, BINDINGS, max_open_payments=self.settings.max_open_payments)
        ports = Ports(
            clock=clock,
            ids=self.ids,
            vault=AesGcmVault(secret, self.ids),
            bindings=DynamoDbBindings(store, BINDINGS),
            payments=payments,
            inbox=DynamoDbInbox(store, TRANSACTIONS),
            b2b_tokens=DynamoDbB2BTokens(store, BINDINGS),
            token_memory=TokenMemory(),
            circuit=DynamoDbCircuit(store, TRANSACTIONS),
            doku=DokuAdapter(lambda: connection, clock, read_seconds=WORKER_READ_SECONDS, doubt_keys=secret.refresh),
            queues=self.queues,
            events=self.events,
            workflows=self.workflows,
            telemetry=self.telemetry,
            settings=self.settings,
        )
        keys = InboundKeys(_CLIENT_ID, _CLIENT_ID, (_SECRET,), (), (_ISSUED_TOKEN_KEY,))
        adapter = InboundDokuAdapter(
            lambda: keys, clock, issuer=PUBLIC_URL, window_seconds=300, doubt_keys=secret.refresh
        )
        environment = Environment(ports, clock, adapter)
        self._warm.append(environment)
        return environment

    def invoke(
        self, kind: str, run: Callable[[Environment, Deadline], object], seconds: float, *, subject: str = ""
    ) -> Actor:
        """Invoke a function: in a free environment, with its own deadline, killed when its time is over."""
        self._invocations += 1
        restless = self._invocations > self.most_invocations or self.kernel.steps > _STEPS_EACH * self.most_invocations
        if restless and not self.kernel.stopped:
            self.blame("M6", f"it never comes to rest: {kind} {subject}")
            self.kernel.stopped = True
        environment = self._environment()
        environment.busy = True
        self.kernel.note(f"invoke {kind} {subject}")

        def body() -> object:
            return run(environment, Deadline(environment.clock.now() + timedelta(seconds=seconds)))

        actor = self.kernel.spawn(kind, body, subject=subject, lifetime=seconds + 1.0)

        def ended(outcome: Outcome) -> None:
            environment.busy = False
            if outcome.crashed and environment in self._warm:
                self._warm.remove(environment)
            self._judge_error(kind, outcome)

        actor.ended.append(ended)
        return actor

    def _judge_error(self, kind: str, outcome: Outcome) -> None:
        error = outcome.error
        if error is None or outcome.crashed:
            return
        self.errors_shown.append(str(error))
        if not isinstance(error, DirectDebitError | InvalidSignature):
            self.blame("X5", f"{kind} ended with an unhandled {type(error).__name__}: {error}")

    def retire(self) -> None:
        """Let no environment with a wrong clock serve any more."""
        self._warm = [one for one in self._warm if one.busy]

    def _rotate_key(self) -> None:
        if self.calm:
            return
        self.happens("token key rotated")
        old = self._secrets[-1]
        name = f"k{len(self._secrets) + 1}"
        keys = {**old.token_keys, name: hashlib.sha256(name.encode()).digest()}
        self._secrets.append(replace(old, token_keys=keys, active_token_key=name))

    # --- side effects ------------------------------------------------------------------------------------------------

    def _latency(self) -> float:
        rng, kind = self.rng, self.plan.latency
        if self.calm or kind == "none":
            return 0.0
        if kind == "mixed" and rng.random() < 0.01:
            return rng.uniform(0.1, 4.0)
        return 0.002 + 0.01 * rng.random()

    def effect[T](self, name: str, run: Callable[[], T], failures: Failures, faults: Sequence[str], rate: float) -> T:
        """Let a side effect of the current actor happen, or not, as drawn."""
        kernel, coverage = self.kernel, self.coverage
        actor = kernel.current
        if actor is None:
            return self._run(name, run)
        kernel.pause(self._latency())
        coverage.totals["effects"] += 1
        point = f"{actor.kind} {name}"
        coverage.visits[point] += 1
        if self.calm or self.rng.random() >= rate:
            return self._run(name, run)
        fault = faults[int(self.rng.random() * len(faults))]
        coverage.faults[f"{name} {fault}"] += 1
        coverage.totals["faults"] += 1
        kernel.note(f"{name}: {fault}")
        if fault == "crash_before":
            coverage.crash_points[f"{point} before"] += 1
            raise Crash
        if fault == "fail":
            raise failures.failed()
        if fault == "conflict":
            raise _store_error("TransactionConflictException")
        if fault == "retry":  # the reply was lost, and the AWS SDK has sent the request again
            self._run(name, run)
            kernel.pause(self._latency())
            return self._run(name, run)
        answer = self._run(name, run)
        if fault == "crash_after":
            coverage.crash_points[f"{point} after"] += 1
            raise Crash
        del answer
        raise failures.lost()

    def _run[T](self, name: str, run: Callable[[], T]) -> T:
        self.kernel.note(name)
        answer = run()
        if name in _WRITES:
            self._keep_journal()
        return answer

    def _keep_journal(self) -> None:
        for table, records in self._streams.items():
            while self._journaled[table] < len(records):
                record = records[self._journaled[table]]
                self._journaled[table] += 1
                actor = self.kernel.current
                self.journal.append(Journal(self.kernel.t, "" if actor is None else actor.name, table, record))
                if record.keys["sk"]["S"] in _NEWS:
                    self._news[table].append(record)
                if self.kernel.trace is not None:
                    self.kernel.tell(f"  wrote {describe(record)}")

    # --- what the platform does by itself ----------------------------------------------------------------------------

    def _next_due(self) -> int | None:
        """Return when the surroundings want something next."""
        if self._has_records(BINDINGS) or self._has_records(TRANSACTIONS):
            return self.kernel.t
        due = self._next_tick()
        at = self.simulator.next_event_at()
        if at is None:
            return due
        event = self.kernel.instant(at)
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
        if self._due_known_at != len(self.journal):
            self._due_known_at, self._due = len(self.journal), self._find_first_due()
        return self._due

    def _find_first_due(self) -> int | None:
        first: str | None = None
        for table in (BINDINGS, TRANSACTIONS):
            for shard, partition in self.store._tables[table].indexes["due"].items():
                if partition.order and not str(shard).startswith(REVIEW_KIND):
                    at = partition.order[0][0]
                    if first is None or at < first:
                        first = at
        return None if first is None else self.kernel.instant(datetime.fromisoformat(first))

    def _serve(self) -> None:
        now = self.kernel.t
        for table in (BINDINGS, TRANSACTIONS):
            if self._has_records(table):
                self._start_stream(table)
        due = self._next_tick()
        if due is not None and due <= now:
            self._last_tick = now
            if self.chance(self.plan.tick_skips):
                self.happens("tick skipped")
            else:
                self.invoke("resolve_pending", _sweep, WORKER_SECONDS)
        at = self.simulator.next_event_at()
        if at is not None and self.kernel.instant(at) <= now:
            self._deliver_notifications()

    # --- streams -----------------------------------------------------------------------------------------------------

    def _start_stream(self, table: str) -> None:
        self._streaming[table] = True
        delay = 0.2 if self.calm else self.rng.choice((0.0, 0.1, 0.5, 1.0))
        if self.chance(self.plan.message_trouble / 4):
            self.happens("stream late")
            delay = self.rng.choice((5.0, 120.0, 3_600.0)) * self.rng.random()
        self.kernel.after(delay, lambda: self._consume(table))

    def _consume(self, table: str) -> None:
        begin = self._streamed[table]
        batch = self._news[table][begin : begin + STREAM_BATCH]

        def ended(outcome: Outcome) -> None:
            self._streaming[table] = False
            if not outcome.crashed and outcome.error is None:
                self._streamed[table] = begin + len(batch)
            else:
                self.happens("stream record repeated")  # the whole batch comes again

        actor = self.invoke("publish_events", lambda env, _: self._publish(table, batch, env.ports), WORKER_SECONDS)
        actor.ended.append(ended)

    def _publish(self, table: str, batch: Sequence[StreamRecord], ports: Ports) -> None:
        for record in batch:
            for remaining in (2, 1, 0):
                try:
                    self._publish_record(record, ports)
                except StoreUnavailable:
                    if remaining == 0:
                        self.happens("stream record put aside")
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
            before = None if old is None else self.images.payment(old)
            record_payment_change(before, self.images.payment(new), ports)
        elif kind == "binding":
            earlier = None if old is None else self.images.binding(old)
            record_binding_change(earlier, self.images.binding(new), ports)

    # --- queues ------------------------------------------------------------------------------------------------------

    def post(self, message: Message, receives: int = 0) -> None:
        """Put a message on its way."""
        delay = min(message.delay, LONGEST_DELAY)
        if self.chance(self.plan.message_trouble):
            self.happens("message delayed")
            delay += self.rng.choice((5.0, 120.0, 1_200.0, 7_200.0)) * self.rng.random()
        self.kernel.after(delay, lambda: self._hand_out(message, receives))
        if self.chance(self.plan.message_trouble):
            self.happens("message duplicated")
            again = delay + self.rng.choice((0.0, 0.0, 1.0, 400.0)) * self.rng.random()
            self.kernel.after(again, lambda: self._hand_out(message, receives))

    def _hand_out(self, message: Message, receives: int) -> None:
        def work(environment: Environment, deadline: Deadline) -> None:
            ports = environment.ports
            if message.queue == "notification":
                process_notification(message.subject, ports, deadline)
            elif message.queue == "inquiry":
                inquire_status(message.subject, ports, deadline)
            else:
                step = process_refund(message.subject, ports, deadline)
                if step.retry_after is not None and step.retry_after <= LONGEST_DELAY:
                    ports.queues.send_refund(message.subject, message.attempt + 1, step.retry_after)

        def ended(outcome: Outcome) -> None:
            if outcome.error is None:
                return
            if receives + 1 >= MAX_RECEIVES:
                self.happens("message to the dead letters")
                self.dead_letters.append(message)
            else:
                self.kernel.after(VISIBILITY, lambda: self._hand_out(message, receives + 1))

        kind = {"notification": "process_notification", "inquiry": "inquire_status", "refund": "process_refund"}
        actor = self.invoke(kind[message.queue], work, WORKER_SECONDS, subject=message.subject)
        actor.ended.append(ended)

    def redrive(self) -> None:
        """Do what an operator does: give the dead letters and the stream's failures back (invariant O1)."""
        letters, self.dead_letters = self.dead_letters, []
        records, self.put_aside = self.put_aside, []
        if letters or records:
            self.happens("dead letters redriven")
        for message in letters:
            self.post(replace(message, delay=0.0))
        for table, record in records:
            self._repeat_record(table, record)

    def _repeat_record(self, table: str, record: StreamRecord) -> None:
        def ended(outcome: Outcome) -> None:
            if outcome.error is not None:
                self.put_aside.append((table, record))  # the operator's command keeps the message until it has worked

        actor = self.invoke("publish_events", lambda env, _: self._publish(table, [record], env.ports), WORKER_SECONDS)
        actor.ended.append(ended)

    # --- DOKU's notifications ----------------------------------------------------------------------------------------

    def _deliver_notifications(self) -> None:
        notices = self.simulator.notifications
        if self.in_window(self.plan.blackout):
            # DOKU is gone altogether: what it has to say comes when it is back.
            wait = self.plan.blackout[0][1] - self.kernel.t / SECOND + 600.0 * self.rng.random()
            notices.dials.append(NoticeDial("delay", count=1_000, seconds=wait))
        elif self.plan.lose_all_notifications and not self.calm:
            notices.dials.append(NoticeDial("drop"))
            self.happens("notification lost")
        elif self.chance(self.plan.notification_trouble):
            notices.dials.append(self._draw_notice_dial())
        for delivery in self.simulator.due_deliveries():
            self._bring(delivery)
        notices.dials.clear()

    def _draw_notice_dial(self) -> NoticeDial:
        rng = self.rng
        kind = rng.choice(("fail", "drop", "duplicate", "delay", "delay", "forge"))
        if kind == "fail":
            self.happens("notification failed")
            return NoticeDial("fail")
        if kind == "drop":
            self.happens("notification lost")
            return NoticeDial("drop")
        if kind == "duplicate":
            self.happens("notification duplicated")
            return NoticeDial("duplicate")
        if kind == "delay":
            self.happens("notification delayed")
            return NoticeDial("delay", seconds=rng.choice((2.0, 300.0, 3_600.0, 86_400.0)) * rng.random())
        # A false status under a true signature is no forgery but a lie of DOKU's: see `contradict`.
        forgery = cast("Forgery", rng.choice([one for one in FORGERIES if one != "status"]))
        self.happens(f"notification forged: {forgery}")
        return NoticeDial("forge", forgery=forgery)

    def _bring(self, delivery: Delivery) -> None:
        simulator = self.simulator
        if self.plan.cancelled_as_05 and delivery.body.get("latestTransactionStatus") == "06":
            delivery.body["latestTransactionStatus"] = "05"
        delivery.due = simulator.now + timedelta(days=30)  # on its way; `record_result` says what follows
        kind = InboxKind(delivery.kind)

        def receive(environment: Environment, _: Deadline) -> None:
            now = environment.clock.now()
            issued = inbound.issue_token(
                key_id=hashlib.sha256(b"issued-token-key:" + _ISSUED_TOKEN_KEY).hexdigest()[:12],
                key=_ISSUED_TOKEN_KEY,
                issuer=PUBLIC_URL,
                audience=_CLIENT_ID,
                client_id=_CLIENT_ID,
                now=now,
            )
            request = simulator.build_notification(delivery, issued.token)
            call = InboundCall(path=request.path, headers=request.headers, body=request.body)
            accept_notification(environment.inbound.read_notification(kind, call), environment.ports)

        def ended(outcome: Outcome) -> None:
            status: int | None = 200
            if isinstance(outcome.error, InvalidSignature):
                status = outcome.error.status
            elif outcome.error is not None:
                status = 500
            elif self.chance(self.plan.notification_trouble / 3):
                status = None  # our answer was lost: DOKU comes again
            simulator.record_result(delivery, status)

        actor = self.invoke(f"receive_{kind}_notification", receive, API_SECONDS, subject=delivery.reference)
        actor.ended.append(ended)

    # --- truth -------------------------------------------------------------------------------------------------------

    def in_window(self, windows: Sequence[tuple[float, float]]) -> bool:
        """Whether one of the plan's bad times is now."""
        if self.calm or not windows:
            return False
        now = self.kernel.t / SECOND
        return any(begin <= now < end for begin, end in windows)

    def payment_item(self, ref: str) -> Item | None:
        """Return a payment's item without any side effect."""
        return cast("Item | None", self.store._tables[TRANSACTIONS].items.get((f"PAYMENT#{ref}", "PAYMENT")))

    def binding_item(self, binding_id: str) -> Item | None:
        """Return a binding's item without any side effect."""
        return cast("Item | None", self.store._tables[BINDINGS].items.get((f"BINDING#{binding_id}", "BINDING")))


def _sweep(environment: Environment, deadline: Deadline) -> object:
    return resolve_pending(SWEEP_LIMIT, environment.ports, deadline)


def describe(record: StreamRecord) -> str:
    """Return a line about a write, without anything secret."""
    key = record.keys["pk"]["S"] if record.keys["sk"]["S"] != "HISTORY" else ""
    new, old = record.new or {}, record.old or {}
    parts = [f"{key} {record.keys['sk']['S']}"]
    for name in ("version", "state", "refundState", "failureReason", "review", "evidenceSource", "evidenceCode"):
        before, after = old.get(name), new.get(name)
        if after != before or name in ("version", "state"):
            text = "-" if after is None else next(iter(after.values()))
            parts.append(f"{name}={text}")
    changed = sorted(
        name
        for name in {*old, *new}
        if old.get(name) != new.get(name) and name not in ("writeId", "updatedAt", "version")
    )
    return " ".join(parts) + f" [{' '.join(changed)}]"


def _shorten(settings: Settings) -> Settings:
    """Ask for two hours instead of a day, until a person is called."""
    return replace(
        settings,
        inquiry_schedule=(61, 90, 180, 600, 900, 1_800, 3_600, 7_200),
        otp_schedule=(360, 900, 1_800, 7_260),
        refund_schedule=(61, 90, 180, 600, 900, 1_800, 3_600, 7_200),
        binding_schedule=(360, 900, 3_600, 7_200),
        abandoned_otp=7_200,
    )


def _weight(name: str) -> float:
    """How much more often than others a call to DOKU goes wrong that is made seldom and moves money."""
    return {"doku.refund": 4.0, "doku.unbinding": 2.0, "doku.otp": 1.5}.get(name, 1.0)


class _DynamoDb:
    """The in-memory store behind the weather."""

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        self._reads = ("crash_before", "crash_after", "fail")
        self._writes = ("crash_before", "crash_after", "fail", "lose", "retry", "conflict")

    def _call(self, name: str, request: Mapping[str, object], faults: Sequence[str]) -> Mapping[str, object]:
        universe = self._universe
        method: Callable[..., Mapping[str, object]] = getattr(universe.store, name)
        rate = universe.plan.store_faults
        if faults is self._writes:
            rate *= 2  # there are fewer of them, and there is more to go wrong
        if universe.in_window(universe.plan.throttling):
            rate, faults = 0.5, ("fail",)
        return universe.effect(f"store.{name}", lambda: method(**request), STORE_FAILURES, faults, rate)

    def get_item(self, **kwargs: object) -> Mapping[str, object]:
        return self._call("get_item", kwargs, self._reads)

    def put_item(self, **kwargs: object) -> Mapping[str, object]:
        return self._call("put_item", kwargs, self._writes)

    def update_item(self, **kwargs: object) -> Mapping[str, object]:
        return self._call("update_item", kwargs, self._writes)

    def query(self, **kwargs: object) -> Mapping[str, object]:
        return self._call("query", kwargs, self._reads)

    def transact_write_items(self, **kwargs: object) -> Mapping[str, object]:
        return self._call("transact_write_items", kwargs, self._writes)


class _Queues:
    """Implements `Queues` behind the weather."""

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        self.sent: list[Message] = []

    def send_notification(self, inbox_id: str) -> None:
        self._send(Message("notification", inbox_id))

    def send_refund(self, ref: str, attempt: int, delay: float) -> None:
        self._send(Message("refund", ref, attempt, delay))

    def send_inquiry(self, ref: str, attempt: int, delay: float) -> None:
        self._send(Message("inquiry", ref, attempt, delay))

    def _send(self, message: Message) -> None:
        universe = self._universe

        def push() -> None:
            self.sent.append(message)
            universe.post(message)

        universe.effect("queue.send", push, PORT_FAILURES, _PORT_FAULTS, universe.plan.port_faults)


_PORT_FAULTS = ("crash_before", "crash_after", "fail", "lose")


class _Events(RecordingEvents):
    """The event bus behind the weather."""

    def __init__(self, universe: Universe) -> None:
        super().__init__()
        self._universe = universe

    def publish(self, event: OutboxEvent) -> None:
        u = self._universe
        u.effect(
            "events.publish", lambda: self.published.append(event), PORT_FAILURES, _PORT_FAULTS, u.plan.port_faults
        )


class _Workflows(RecordingWorkflows):
    """Waiting executions behind the weather."""

    def __init__(self, universe: Universe) -> None:
        super().__init__()
        self._universe = universe

    def succeed(self, task_token: str, output: Mapping[str, str | None]) -> None:
        u = self._universe
        done = (task_token, dict(output))
        u.effect(
            "workflows.succeed", lambda: self.completed.append(done), PORT_FAILURES, _PORT_FAULTS, u.plan.port_faults
        )


_OPERATIONS = {
    "b2b": "b2b",
    "b2b2c": "b2b2c",
    "registration-account-binding": "binding",
    "otp-verification": "otp",
    "balance-inquiry": "balance",
    "payment-host-to-host": "payment",
    "status": "status",
    "refund": "refund",
    "registration-account-unbinding": "unbinding",
}


class _Transport:
    """HTTP to the bank in process: takes time, loses requests and answers, and bends what DOKU says."""

    def __init__(self, universe: Universe) -> None:
        self._u = universe

    def send(self, request: HttpRequest, timeout: Timeout) -> HttpAnswer:
        u, kernel = self._u, self._u.kernel
        path = request.url.split("/", 3)[3]
        operation = _OPERATIONS[path.rsplit("/", 1)[1]]
        name = f"doku.{operation}"
        actor = kernel.current
        if actor is None:
            raise RuntimeError("only actors call DOKU")
        point = f"{actor.kind} {name}"
        u.coverage.visits[point] += 1
        u.coverage.totals["effects"] += 1
        kernel.pause(self._travel())
        fault = self._draw(name)
        if fault == "crash_before":
            u.coverage.crash_points[f"{point} before"] += 1
            raise Crash
        if fault == "fail":
            raise ConnectionNotMade("refused")
        if fault == "vanish":
            kernel.pause(timeout.read)
            raise AnswerLost("timeout")
        if fault == "slow":
            kernel.pause(timeout.read * u.rng.random())
        arrival = self._arrive(request, operation)
        dial = self._draw_dial(operation, arrival)
        response = u.simulator.handle(request.method, "/" + path, request.headers, request.body)
        arrival.answer = u.simulator.requests[-1].code if dial is None else response.code
        kernel.note(f"{name} {arrival.reference} {arrival.external_id} answered {response.code} {dial or ''}")
        if response.notify_first:
            u._deliver_notifications()
            kernel.pause(0.0)
        if fault == "crash_after":
            u.coverage.crash_points[f"{point} after"] += 1
            raise Crash
        wait = self._travel() + response.delay_seconds + (timeout.read * u.rng.random() if fault == "slow" else 0.0)
        if fault == "lose" or response.hang or wait > timeout.read:
            kernel.pause(timeout.read)
            raise AnswerLost("timeout")
        kernel.pause(wait)
        answer = self._answer(response, arrival)
        arrival.clear = dial in (None, "delay") and answer.status in (200, 404)
        return answer

    def _answer(self, response: SimulatedResponse, arrival: Arrival) -> HttpAnswer:
        if response.dropped:
            raise AnswerLost("reset")
        if response.cut_after is not None:
            raise AnswerLost("truncated", response.status)
        if len(response.body) > MAX_BODY_BYTES:
            raise AnswerLost("too_large", response.status)
        arrival.reached = True
        headers = {name.lower(): value for name, value in response.headers.items()}
        body = response.body
        if arrival.operation == "status" and self._u.plan.cancelled_as_05:
            body = body.replace(b'"latestTransactionStatus":"06"', b'"latestTransactionStatus":"05"')
        if arrival.operation == "status" and self._u.plan.otp_code_in_status:
            for payment_code, otp_code in _OTP_CODES:
                body = body.replace(payment_code, otp_code)
        return HttpAnswer(response.status, headers, body)

    def _travel(self) -> float:
        rng = self._u.rng
        if self._u.calm or self._u.plan.latency == "none":
            return 0.0
        return 0.02 + (rng.random() * 0.2 if rng.random() < 0.9 else rng.random() * 4.0)

    def _draw(self, name: str) -> str | None:
        u = self._u
        if u.in_window(u.plan.blackout):
            return u.rng.choice(("fail", "vanish"))
        if u.in_window(u.plan.outages) and u.rng.random() < 0.9:
            return u.rng.choice(("fail", "vanish"))
        if name in ("doku.payment", "doku.otp") and u.chance(u.plan.dead_senders):
            return self._strike(name, "crash_after")
        if not u.chance(u.plan.doku_faults * _weight(name)):
            return None
        return self._strike(
            name, u.rng.choice(("crash_before", "crash_after", "fail", "lose", "lose", "vanish", "slow"))
        )

    def _strike(self, name: str, fault: str) -> str:
        u = self._u
        u.coverage.faults[f"{name} {fault}"] += 1
        u.coverage.totals["faults"] += 1
        u.kernel.note(f"{name}: {fault}")
        return fault

    def _draw_dial(self, operation: str, arrival: Arrival) -> str | None:
        u, rng = self._u, self._u.rng
        if operation == "otp" and arrival.reference and u.chance(u.plan.late_codes):
            return self._dial_code(arrival.reference)
        if not u.chance(u.plan.dials * _weight(f"doku.{operation}")):
            return self._dial_lie(operation, arrival.reference)
        kinds = ["drop", "hang", "delay", "status", "code", "garbage", "garbage"]
        if u.plan.late_effects and operation not in ("b2b", "b2b2c", "balance", "status"):
            kinds += ["late", "late"]
        kind = rng.choice(kinds)
        when: Literal["before", "after"] = rng.choice(("before", "after"))
        match kind:
            case "late":
                dial = Dial("*", "late", delay_seconds=rng.choice((5.0, 120.0, 1_200.0, 3_600.0)) * rng.random())
                u.late_unlinking |= operation == "unbinding"
            case "delay":
                dial = Dial("*", "delay", delay_seconds=rng.uniform(0.5, 40.0))
            case "status":
                dial = Dial("*", "status", when, status=rng.choice((500, 502, 503, 504, 429, 301)))
            case "code":
                codes: tuple[str, ...] = _CODES_BEFORE if when == "before" else _CODES_AFTER
                codes += _MORE_BEFORE.get(operation, ()) if when == "before" else ()
                dial = Dial("*", "code", when, code=rng.choice(codes))
            case "garbage":
                dial = Dial("*", "garbage", when, garbage=rng.choice(_GARBAGE))  # type: ignore[arg-type]
            case _:
                dial = Dial("*", kind, when)  # type: ignore[arg-type]
        u.simulator.add_dial(dial)
        name = kind if kind in ("late", "delay") else f"{kind} {when}"
        u.coverage.faults[f"dial {name}"] += 1
        u.coverage.totals["faults"] += 1
        return name

    def _dial_lie(self, operation: str, reference: str) -> str | None:
        """Let a lying DOKU say that it refused what it has done. Only a later fact can show that."""
        u = self._u
        if not u.plan.liar or operation not in ("payment", "otp", "refund") or not reference or not u.chance(0.3):
            return None
        u.simulator.add_dial(Dial("*", "code", "after", code="40305"))
        u.lied.add(reference)
        u.happens("liar")
        return "lies"

    def _dial_code(self, reference: str) -> str:
        """Let a payment's first code take effect later, and refuse the next one meanwhile, without an effect."""
        u, rng = self._u, self._u.rng
        if reference in u.late_codes:
            u.happens("code refused while another takes effect")
            u.simulator.add_dial(Dial("*", "code", "before", code=rng.choice(_REFUSALS)))
            return "code before"
        u.late_codes.add(reference)
        u.simulator.add_dial(Dial("*", "late", delay_seconds=rng.uniform(90.0, 290.0)))  # while the code is still good
        return "late"

    def _arrive(self, request: HttpRequest, operation: str) -> Arrival:
        u = self._u
        fields: Mapping[str, object] = json.loads(request.body)
        reference = fields.get("partnerReferenceNo") or fields.get("originalPartnerReferenceNo") or ""
        token = request.headers.get("Authorization-Customer", "").removeprefix("Bearer ")
        known = u.simulator.world.access_tokens.get(token) if token else None
        arrival = Arrival(
            u.kernel.t,
            operation,
            str(reference),
            request.headers.get("X-EXTERNAL-ID", ""),
            fields,
            None if known is None else known.binding.customer,
            len(u.journal),
        )
        u.arrivals.append(arrival)
        return arrival
