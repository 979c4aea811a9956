"""The state of the simulated DOKU, its time and its chance; the operations in the other modules change it."""

import heapq
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from random import Random

from tools.doku_simulator.bank import Bank
from tools.doku_simulator.config import MerchantEndpoints, ProviderVariant, SimulatorConfig
from tools.doku_simulator.records import Binding, CustomerToken, Payment, SimulatedResponse

WIB = timezone(timedelta(hours=7))
"""Western Indonesian time: the day of X-EXTERNAL-ID, and the zone of DOKU's own time stamps."""

_MEMORY = (
    *("bank", "b2b_tokens", "access_tokens", "refresh_tokens", "bindings", "payments", "seen"),
    *("_bindings_of", "_shift"),
)
_ALPHANUMERIC = string.ascii_letters + string.digits


@dataclass(order=True, slots=True)
class _Effect:
    at: datetime
    sequence: int
    run: Callable[[datetime], None] = field(compare=False)


@dataclass(slots=True)
class SeenRequest:
    """A request by its X-EXTERNAL-ID: what it was, and its first answer once there is one."""

    fingerprint: str
    response: SimulatedResponse | None = None


class World:
    """Time, chance, bank and memory of one simulated DOKU. `clock` returns aware datetimes."""

    def __init__(self, config: SimulatorConfig, clock: Callable[[], datetime], random: Random) -> None:
        self.config = config
        self.variant: ProviderVariant = config.variant
        self.merchant: MerchantEndpoints | None = config.merchant
        self.random = random
        self.bank = Bank(config.opening_balance)
        self.b2b_tokens: dict[str, datetime] = {}
        self.access_tokens: dict[str, CustomerToken] = {}
        self.refresh_tokens: dict[str, CustomerToken] = {}
        self.bindings: dict[str, Binding] = {}
        self.payments: dict[str, list[Payment]] = {}
        """Payments by reference; more than one only where the variant does not refuse a reused reference."""
        self.seen: dict[tuple[int, str], SeenRequest] = {}
        self.public_base_url = config.public_base_url
        self._bindings_of: dict[str, list[Binding]] = {}
        self._clock = clock
        self._shift = timedelta()
        self._effects: list[_Effect] = []
        self._sequence = 0

    # -- time ------------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Return the time at DOKU, with the shift."""
        return self._clock() + self._shift

    def tick(self) -> datetime:
        """Let everything happen that is due, each at its own time, and return now."""
        now = self.now()
        effects = self._effects
        while effects and effects[0].at <= now:
            effect = heapq.heappop(effects)
            effect.run(effect.at)
        return now

    def shift(self, seconds: float) -> None:
        """Move DOKU's clock by `seconds` (may be negative) against the real one."""
        self._shift += timedelta(seconds=seconds)

    @property
    def shifted_by(self) -> float:
        """Seconds by which DOKU's clock is ahead."""
        return self._shift.total_seconds()

    def later(self, at: datetime, run: Callable[[datetime], None]) -> None:
        """Let `run(at)` happen once DOKU's clock reaches `at`."""
        self._sequence += 1
        heapq.heappush(self._effects, _Effect(at, self._sequence, run))

    def next_effect_at(self) -> datetime | None:
        """Return when the next pending effect is due."""
        return self._effects[0].at if self._effects else None

    def settle(self) -> None:
        """Let everything that is still to come happen now, each as at its own time."""
        while self._effects:
            effect = heapq.heappop(self._effects)
            effect.run(effect.at)

    # -- chance ----------------------------------------------------------------------------------------------------

    def digits(self, length: int) -> str:
        """Return `length` random digits."""
        return f"{self.random.randrange(10**length):0{length}d}"

    def letters(self, length: int) -> str:
        """Return `length` random letters and digits."""
        return "".join(self.random.choices(_ALPHANUMERIC, k=length))

    def draw(self, span: tuple[float, float]) -> timedelta:
        """Return a duration from `span`; draws no random number if the span is a point."""
        low, high = span
        return timedelta(seconds=low if low == high else self.random.uniform(low, high))

    # -- memory ----------------------------------------------------------------------------------------------------

    def add_binding(self, binding: Binding) -> None:
        """Remember a new binding."""
        self.bindings[binding.code] = binding
        self._bindings_of.setdefault(binding.phone, []).append(binding)

    def memory(self) -> dict[str, object]:
        """Return what is known of accounts, links, tokens and payments, and the clock's shift."""
        return {name: getattr(self, name) for name in _MEMORY}

    def recall(self, memory: dict[str, object]) -> None:
        """Take over the memory of an earlier world."""
        for name in _MEMORY:
            setattr(self, name, memory[name])

    def linked(self, phone: str) -> Binding | None:
        """Return the binding that holds the account now."""
        return next((binding for binding in self._bindings_of.get(phone, ()) if binding.linked), None)

    def all_payments(self) -> list[Payment]:
        """Return every payment in the order of its reference's first use."""
        return [payment for payments in self.payments.values() for payment in payments]


def wib_text(at: datetime) -> str:
    """Return a time as DOKU writes it: `2024-11-19T14:15:01+07:00`."""
    return at.astimezone(WIB).isoformat(timespec="seconds")


def utc_text(at: datetime) -> str:
    """Return a time as `2024-11-19T07:15:01Z`."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
