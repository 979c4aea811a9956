"""One running simulator: the core, the sender of notifications, and the wake-up between them."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from datetime import datetime
from random import Random

import httpx

from tools.doku_simulator.config import SimulatorConfig
from tools.doku_simulator.core import Simulator
from tools.doku_simulator.notifications import Delivery, SignedRequest, read_token

_PARALLEL_DELIVERIES = 8
_LONGEST_SLEEP = 1.0
_MERCHANT_TIMEOUT = httpx.Timeout(15.0, connect=5.0)


class Service:
    """Holds the simulator of one process; `reset` replaces it by a fresh one of the same configuration."""

    def __init__(
        self,
        config: SimulatorConfig,
        clock: Callable[[], datetime],
        new_random: Callable[[], Random],
        *,
        trust: ssl.SSLContext | bool = True,
    ) -> None:
        self._config, self._clock, self._new_random, self._trust = config, clock, new_random, trust
        self.simulator = Simulator(config, clock, new_random())
        self._wake = asyncio.Event()
        self._in_flight: set[int] = set()
        self._slots = asyncio.Semaphore(_PARALLEL_DELIVERIES)

    def reset(self) -> None:
        """Forget everything but the configuration, the public base URL and the merchant's URLs."""
        old = self.simulator
        self.simulator = Simulator(self._config, self._clock, self._new_random())
        self.simulator.world.public_base_url = old.world.public_base_url
        self.simulator.set_merchant(old.world.merchant)
        self._in_flight.clear()

    def wake(self) -> None:
        """Let the sender look for due notifications now."""
        self._wake.set()

    async def run_sender(self) -> None:
        """Send due notifications until cancelled."""
        async with self._client() as client, asyncio.TaskGroup() as tasks:
            while True:
                for delivery in self._take_due():
                    tasks.create_task(self._deliver(client, delivery))
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._pause())

    async def deliver_due(self) -> None:
        """Send what is due now and wait until it is sent (notification before answer)."""
        async with self._client() as client:
            for delivery in self._take_due():
                await self._deliver(client, delivery)

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=_MERCHANT_TIMEOUT, trust_env=False, verify=self._trust)

    def _take_due(self) -> list[Delivery]:
        due = [item for item in self.simulator.due_deliveries() if id(item) not in self._in_flight]
        self._in_flight.update(id(item) for item in due)
        return due

    def _pause(self) -> float:
        due = self.simulator.next_event_at()
        if due is None or self.simulator.world.merchant is None:
            return _LONGEST_SLEEP
        seconds = (due - self.simulator.now).total_seconds()
        # never zero: a delivery in flight stays due until its result is known
        return min(max(seconds, 0.02), _LONGEST_SLEEP)

    async def _deliver(self, client: httpx.AsyncClient, delivery: Delivery) -> None:
        simulator = self.simulator
        async with self._slots:
            status: int | None = None
            try:
                answer = await _send(client, simulator.build_token_request())
                token = read_token(answer.content) if answer.is_success else None
                status = answer.status_code
                if token is not None:
                    status = (await _send(client, simulator.build_notification(delivery, token))).status_code
                elif answer.is_success:
                    status = None
            except httpx.HTTPError:
                status = None
            finally:
                simulator.record_result(delivery, status)
                self._in_flight.discard(id(delivery))


async def _send(client: httpx.AsyncClient, request: SignedRequest) -> httpx.Response:
    return await client.request(request.method, request.url, headers=request.headers, content=request.body)
