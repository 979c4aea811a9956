"""The shipped application, its platform and its bank in one kernel: every side effect may fail, every process may die.

API functions live 28 s and workers 60 s; warm environments keep their memory and their clock's error. What else the
platform does is in platform.py, AWS and DOKU behind the weather in aws.py and doku.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from direct_debit.adapters.credentials import Credentials, parse_credentials
from direct_debit.adapters.doku_inbound import InboundDokuAdapter
from direct_debit.adapters.secrets import SecretsManagerCredentials
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import DirectDebitError, InvalidSignature
from direct_debit.application.ports.ports import Ports
from direct_debit.application.settings import Settings
from direct_debit.entrypoint.client_settings import make_client_settings
from direct_debit.entrypoint.doku_connection import DokuConnector
from direct_debit.entrypoint.inbound_keys import read_inbound_keys
from direct_debit.entrypoint.settings import read_environment
from tests.fakes.bank import configure_bank
from tests.fakes.environment import COMPLETE
from tests.fakes.ids import SeededIds
from tests.fakes.in_memory_dynamodb import InMemoryDynamoDb
from tests.fakes.processes import BINDINGS, TRANSACTIONS, make_process
from tests.fakes.telemetry import RecordingTelemetry
from tests.fakes.weather import Crash, Failures
from tests.simulation.aws import DynamoDb, Events, Queues, Workflows, store_error
from tests.simulation.describe import describe
from tests.simulation.doku import Transport
from tests.simulation.facts import CLIENT_ID, PUBLIC_URL
from tests.simulation.images import Images
from tests.simulation.kernel import SECOND, Actor, Kernel, Outcome
from tests.simulation.moods import Moods
from tests.simulation.notices import Notices
from tests.simulation.platform import Platform
from tests.simulation.secret import SecretsManager
from tests.simulation.thief import find_thief
from tools.doku_simulator.core import Simulator

if TYPE_CHECKING:
    from random import Random

    from mypy_boto3_secretsmanager import SecretsManagerClient

    from direct_debit.adapters.dynamodb.items import Item
    from tests.fakes.in_memory_dynamodb import StreamRecord
    from tests.simulation.coverage import Coverage
    from tests.simulation.doku import Arrival
    from tests.simulation.plan import Plan

CIRCUIT_REMEMBERED = 5  # seconds at most that a function goes by what it saw of the circuit (decision 0038)
_MOST_WARM = 12
_STEPS_EACH = 10  # four are usual
_FUNCTION = read_environment({**COMPLETE, "PUBLIC_BASE_URL": PUBLIC_URL})
_CLIENT_SETTINGS = make_client_settings(_FUNCTION)
_WRITES = frozenset({"store.put_item", "store.update_item", "store.transact_write_items"})
_read_version = lru_cache(maxsize=64)(parse_credentials)  # each function reads the few versions of a history


class Clock:
    """A process's clock: the true time plus its error. Sleeping hands over."""

    def __init__(self, kernel: Kernel, skew: float) -> None:
        self._kernel = kernel
        self._true_skew = self._skew = timedelta(seconds=skew)

    def now(self) -> datetime:
        """Return what this process believes the time to be."""
        return self._kernel.now() + self._skew

    def fall_behind(self, seconds: float) -> None:
        """Lose time, as a clock that was frozen with its function."""
        self._skew -= timedelta(seconds=seconds)

    def lag(self, seconds: float) -> None:
        """Be so much behind the true time."""
        self._skew = timedelta(seconds=-seconds)

    def catch_up(self) -> None:
        """Be set right again, as far as it ever was."""
        self._skew = self._true_skew

    def sleep(self, seconds: float) -> None:
        """Wait, while others go on."""
        self._kernel.pause(seconds)


@dataclass(frozen=True, slots=True)
class Halt:
    """That a function stands still once, after so many of its side effects, for so long.

    `behind`: how far its clock is behind the true time, in seconds; None: as far as it is.
    """

    effects: int
    seconds: float
    behind: float | None = None


@dataclass(slots=True, eq=False)
class Environment:
    """One warm function environment."""

    ports: Ports
    clock: Clock
    inbound: InboundDokuAdapter
    credentials: SecretsManagerCredentials[Credentials]
    busy: bool = False
    invoked_at: int = 0
    circuit_seen_at: int | None = None
    halt: Halt | None = None


@dataclass(slots=True)
class Journal:
    """What was written, in the order of all tables together."""

    t: int
    actor: str
    table: str
    record: StreamRecord


class Universe:
    """Everything of one history."""

    def __init__(
        self,
        rng: Random,
        plan: Plan,
        coverage: Coverage,
        *,
        keep_trace: bool = False,
        moods: Random | None = None,
        thief: Random | None = None,
    ) -> None:
        self.rng = rng
        self.plan = plan
        self.coverage = coverage
        self.kernel = Kernel(rng, keep_trace=keep_trace)
        self.calm = False
        self.violations: list[str] = []
        self.ids = SeededIds(rng)
        self.telemetry = RecordingTelemetry()
        self.store = InMemoryDynamoDb(BINDINGS, TRANSACTIONS)
        self._streams = {table: self.store.stream(table) for table in (BINDINGS, TRANSACTIONS)}
        self.images = Images()
        self.moods = Moods(self, moods or rng)
        self.journal: list[Journal] = []
        self.arrivals: list[Arrival] = []
        self.events = Events(self)
        self.workflows = Workflows(self)
        self.queues = Queues(self)
        self.notices = Notices(self)
        self.platform = Platform(self)
        self.kernel.idle = self.platform.next_due
        self.kernel.serve = self.platform.serve
        self.errors_shown: list[str] = []
        self.ended_at: dict[str, int] = {}  # the functions that have ended, by their actor's name
        self.unlinked_at_bank = False
        self.late_unlinking = False
        self.late_codes: set[str] = set()  # of whom a code takes effect, unheard
        self.lied: set[str] = set()
        self.had_gaps = False  # whether a stream's record was lost, or put aside
        self.keys: dict[str, set[str]] = {}  # the payments that each idempotency key was answered with
        self.questioned: dict[str, int] = {}  # of what something odd was told: how often its status is still refused
        self.back_office: set[str] = set()  # refunded by DOKU's staff, unasked
        self.orders = 0
        self.calm_since: int | None = None
        self.settings = Settings(
            public_base_url=PUBLIC_URL,
            default_success_url="https://shop.example/ok",
            default_failed_url="https://shop.example/no",
            repost_after_not_found=plan.repost,
            late_success=plan.late_success,
            **asdict(plan.choices),
        )
        if plan.short_schedules:
            self.settings = _shorten(self.settings)
        self.secrets = SecretsManager(self)
        self.thief = None if thief is None else find_thief(self, thief)
        self.simulator = Simulator(
            replace(
                configure_bank(CLIENT_ID, self.secrets.secret_key, PUBLIC_URL, plan.variant),
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
        self.most_invocations = 20_000
        self._invocations = 0
        self._warm: list[Environment] = []
        self._environments: dict[int, Environment] = {}  # of the functions that run, by their actor's number
        self._journaled = dict.fromkeys((BINDINGS, TRANSACTIONS), 0)
        if plan.rotate_key:
            self.kernel.after(rng.choice((30.0, 600.0, 7_200.0)) * rng.random(), self._rotate)
        for begin, end in plan.throttling:
            self.kernel.after(begin, lambda: self._happens("store throttled for a while"))
            self.kernel.note(f"throttling from {begin:.0f} to {end:.0f} s")
        for begin, end in plan.outages:
            self.kernel.after(begin, lambda: self._happens("DOKU down for a while"))
            self.kernel.note(f"outage from {begin:.0f} to {end:.0f} s")

    @property
    def key_overlap(self) -> timedelta:
        """How long a replaced key of the secret is heard."""
        given = self.plan.key_overlap
        return timedelta(seconds=_FUNCTION.key_overlap if given is None else given)

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
        secrets = cast("SecretsManagerClient", self.secrets)
        credentials = SecretsManagerCredentials(
            secrets, _FUNCTION.data_secret_id, clock, self.telemetry, _read_version, overlap=self.key_overlap
        )
        connector = DokuConnector(_CLIENT_SETTINGS, credentials, clock, Transport(self), telemetry=self.telemetry)
        ports = make_process(
            DynamoDb(self),
            connector,
            clock=clock,
            ids=self.ids,
            credentials=credentials,
            doubt_keys=credentials.refresh,
            queues=self.queues,
            events=self.events,
            workflows=self.workflows,
            telemetry=self.telemetry,
            settings=self.settings,
        )
        adapter = InboundDokuAdapter(
            lambda previous: read_inbound_keys(credentials, previous=previous),
            clock,
            issuer=PUBLIC_URL,
            window_seconds=300,
            issuing_key=lambda: credentials.settled().issued_token_key,
            doubt_keys=credentials.refresh,
        )
        environment = Environment(ports, clock, adapter, credentials)
        self._warm.append(environment)
        return environment

    def invoke(
        self,
        kind: str,
        run: Callable[[Environment, Deadline], object],
        seconds: float,
        *,
        subject: str = "",
        halt: Halt | None = None,
    ) -> Actor:
        """Invoke a function: in a free environment, with its own deadline, killed when its time is over."""
        self._invocations += 1
        restless = self._invocations > self.most_invocations or self.kernel.steps > _STEPS_EACH * self.most_invocations
        if restless and not self.kernel.stopped:
            self.blame("M6", f"it never comes to rest: {kind} {subject}")
            self.kernel.stopped = True
        environment = self._environment()
        environment.busy = True
        environment.invoked_at = self.kernel.t
        self.kernel.note(f"invoke {kind} {subject}")

        def body() -> object:
            return run(environment, Deadline(environment.clock.now() + timedelta(seconds=seconds)))

        actor = self.kernel.spawn(kind, body, subject=subject, lifetime=seconds + 1.0)
        self._environments[actor.number] = environment
        environment.halt = halt
        if halt is not None and halt.behind is not None:
            environment.clock.lag(halt.behind)

        def ended(outcome: Outcome) -> None:
            environment.busy = False
            self.ended_at[actor.name] = self.kernel.t
            self._environments.pop(actor.number, None)
            environment.clock.catch_up()
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

    def _rotate(self) -> None:
        if not self.calm:
            self.secrets.rotate()

    def judge_circuit(self, *, makes_payment: bool) -> None:
        """Note that a function has read the circuit, or judge that it makes a payment without having looked in time."""
        actor = self.kernel.current
        environment = None if actor is None else self._environments.get(actor.number)
        if environment is None:
            return
        if not makes_payment:
            environment.circuit_seen_at = self.kernel.t
            return
        seen = environment.circuit_seen_at
        if seen is None or environment.invoked_at - seen > CIRCUIT_REMEMBERED * SECOND:
            self.blame("O6", "a new payment is made, and nobody has looked in time whether DOKU answers")

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
        if self.chance(self.plan.freezes):
            self._freeze(actor)
        self._halt(actor)
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
            raise store_error("TransactionConflictException")
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

    def _freeze(self, actor: Actor) -> None:
        """Let a function stand still, and go on with the clock that it had; Lambda ends it when its time is over."""
        self.happens("function frozen")
        seconds = self.rng.choice((5.0, 15.0, 40.0, 300.0)) * self.rng.random()
        environment = self._environments.get(actor.number)
        if environment is not None and self.rng.random() < 0.5:
            environment.clock.fall_behind(seconds)
        self.kernel.pause(seconds)

    def _halt(self, actor: Actor) -> None:
        environment = self._environments.get(actor.number)
        halt = None if environment is None else environment.halt
        if environment is None or halt is None:
            return
        environment.halt = replace(halt, effects=halt.effects - 1) if halt.effects else None
        if environment.halt is None:
            self.kernel.pause(halt.seconds)

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
                self.platform.take_news(table, record)
                if self.kernel.trace is not None:
                    self.kernel.tell(f"  wrote {describe(record)}")

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
