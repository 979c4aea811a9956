"""P9: environments that all start at once and want DOKU's token, in virtual time: who asks DOKU, who writes in vain.

The shipped use case over the in-memory store; each environment is an actor of the simulation's kernel and hands over at
every side effect, which takes as long as it does on AWS and at DOKU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random

from botocore.exceptions import ClientError

from direct_debit.adapters.dynamodb.keys import B2B_TOKEN_KEY
from direct_debit.application.calls.obtain_b2b_token import obtain_b2b_token
from tests.benchmarks.speed.goals import REFUSED_LEASES, TOKEN_REQUESTS
from tests.benchmarks.speed.row import Row
from tests.fakes.capacity import MeteredDynamoDb
from tests.fakes.clock import FakeClock
from tests.fakes.weather import Failures, Weather
from tests.fakes.world import World
from tests.simulation.kernel import SECOND, Kernel

_ENVIRONMENTS = 200
_SEEDS = range(5)
_STORE_SECONDS = (0.003, 0.010)
_DOKU_SECONDS = (0.4, 1.2)
_AT_ONCE_SECONDS = 0.2  # starts differ by so much
_END = 120 * SECOND


class _KernelClock(FakeClock):
    """The kernel's time; who sleeps lets the others run."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__()
        self._kernel = kernel

    def now(self) -> datetime:
        return self._kernel.now()

    def sleep(self, seconds: float) -> None:
        self._kernel.pause(seconds)


@dataclass(slots=True)
class _Distance(Weather):
    """Every effect takes time, half of it before and half after it happens."""

    kernel: Kernel

    def effect[T](self, name: str, run: Callable[[], T], failures: Failures) -> T:  # noqa: ARG002 - fair weather
        least, most = _STORE_SECONDS if name.startswith("store.") else _DOKU_SECONDS
        half = self.kernel.rng.uniform(least, most) / 2
        self.kernel.pause(half)
        answer = run()
        self.kernel.pause(half)
        return answer


@dataclass(slots=True)
class _Refusals(MeteredDynamoDb):
    """Counts the writes to the token's item that their condition refused."""

    refused: int = 0

    def update_item(self, **kwargs: object) -> Mapping[str, object]:
        try:
            return MeteredDynamoDb.update_item(self, **kwargs)
        except ClientError:
            self.refused += kwargs["Key"] == B2B_TOKEN_KEY
            raise


def play(seed: int) -> tuple[int, int]:
    """Start all environments; return DOKU's token requests and the refused writes."""
    kernel = Kernel(Random(seed))  # noqa: S311 - a measurement has to repeat
    world = World(seed, clock=_KernelClock(kernel))
    world.weather = _Distance(kernel)
    world.meter = refusals = _Refusals(world.store)
    tokens: set[str] = set()

    def start() -> None:
        kernel.pause(kernel.rng.uniform(0, _AT_ONCE_SECONDS))
        tokens.add(obtain_b2b_token(world.process(), world.deadline()))

    actors = [kernel.spawn("function", start) for _ in range(_ENVIRONMENTS)]
    kernel.run(_END)
    errors = [actor.outcome.error for actor in actors if actor.outcome is not None and actor.outcome.error is not None]
    kernel.close()
    if errors or len(tokens) != 1:
        raise RuntimeError(f"{len(errors)} environments got no token, {len(tokens)} tokens: {errors[:1]}")
    asked = sum(1 for one in world.simulator.requests if one.operation == "b2b_token")
    return asked, refusals.refused


def measure_fleet() -> Iterator[Row]:
    """Return the rows: the worst of some seeds."""
    played = [play(seed) for seed in _SEEDS]
    asked, refused = max(one for one, _ in played), max(one for _, one in played)
    yield Row(
        measure="P9",
        what=f"token requests of {_ENVIRONMENTS} cold starts",
        ours=asked,
        unit="requests",
        goal=f"<= {TOKEN_REQUESTS}",
        met=asked <= TOKEN_REQUESTS,
    )
    yield Row(
        measure="P9",
        what="their refused writes for the lease",
        ours=refused,
        unit="writes",
        goal=f"<= {REFUSED_LEASES}",
        met=refused <= REFUSED_LEASES,
        note=", ".join(str(one) for _, one in played),
    )
