"""What an order costs: AWS's list prices times what the shipped code asks of AWS, counted in one virtual world.

python -m tests.benchmarks.cost [--doku-seconds 0.8] [--factor 1] [--write]

Counted: DynamoDB's units (tests/fakes/capacity.py), messages, events, requests to DOKU, and which functions run.
Assumed: how long DOKU takes to answer (`--doku-seconds`, a function waits for it and is paid for waiting) and how long
everything else takes (`_OWN_SECONDS`: an order of magnitude, not a promise). Prices are those of us-east-1; `--factor`
stands for another region's. `--write` puts the result into docs/scale.md.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.capacity import MeteredDynamoDb
from tests.fakes.journey import Merchant
from tests.fakes.weather import Fault, Weather
from tests.fakes.world import World

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "scale.md"
_BEGIN, _END = "<!-- cost -->\n", "<!-- /cost -->\n"
_MEMORY_GB = 0.5
_OWN_SECONDS = 0.08

# USD per million, us-east-1, on demand, without free tiers (docs/scale.md says where from).
LAMBDA_REQUEST = 0.20
LAMBDA_GB_SECOND = 13.3334
API_REQUEST = 3.50
WRITE_UNIT = 0.625
READ_UNIT = 0.125
QUEUE_REQUEST = 0.40
EVENT = 1.00
LOG_GB = 0.50
_LOG_GB_PER_LINE = 0.6e-6
_REQUESTS_PER_MESSAGE = 3  # sent, received, deleted


@dataclass(frozen=True, slots=True)
class Usage:
    """What one operation, or what follows from it, asks of AWS."""

    name: str
    api: int
    invocations: int
    doku: int
    written: int
    read: float
    messages: int
    events: int

    def price(self, doku_seconds: float) -> float:
        """USD for a million of them."""
        seconds = self.invocations * _OWN_SECONDS + self.doku * doku_seconds
        return (
            self.api * API_REQUEST
            + self.invocations * (LAMBDA_REQUEST + _LOG_GB_PER_LINE * 1e6 * LOG_GB)
            + seconds * _MEMORY_GB * LAMBDA_GB_SECOND
            + self.written * WRITE_UNIT
            + self.read * READ_UNIT
            + self.messages * _REQUESTS_PER_MESSAGE * QUEUE_REQUEST
            + self.events * EVENT
        )


@dataclass(slots=True)
class Counting(Weather):
    """Fair weather that counts what the processes do."""

    effects: Counter[str] = field(default_factory=Counter)

    def draw(self, name: str) -> Fault:
        self.effects[name.split(".", maxsplit=1)[0]] += 1
        return Fault.NONE


@dataclass(slots=True)
class Account:
    """What AWS and DOKU were asked for so far."""

    world: World
    meter: MeteredDynamoDb
    weather: Counting
    usages: list[Usage] = field(default_factory=list)

    def step(self, name: str, act: Callable[[], object], *, api: int = 0, invocations: int = 1) -> None:
        """Do something and note what it took."""
        effects, written, read = Counter(self.weather.effects), self.meter.write_units, self.meter.read
        events = len(self.world.events.published)
        act()
        done = self.weather.effects - effects
        self.usages.append(
            Usage(
                name,
                api=api,
                invocations=invocations,
                doku=done["doku"],
                written=self.meter.write_units - written,
                read=self.meter.read - read,
                messages=done["queue"],
                events=len(self.world.events.published) - events,
            )
        )


def measure() -> list[Usage]:
    """Play a link, an order with OTP, a refund and an unlinking, and count each step."""
    merchant = Merchant(World())
    world = merchant.world
    world.meter = meter = MeteredDynamoDb(world.store)
    world.weather = weather = Counting()
    account = Account(world, meter, weather)
    step = account.step

    def notified() -> None:
        world.notify()
        world.work()

    step("POST /bindings", merchant.bind, api=1)
    step("the browser's return", lambda: merchant.come_back(merchant.walk_through_pages()), api=1)
    world.clock.tick(2)
    step("DOKU's notification of the link", notified, api=2, invocations=3)
    step("events of the link", world.stream)
    step("POST /payments", merchant.pay, api=1)
    step("POST /payments/{ref}/otp", merchant.enter_otp, api=1)
    world.clock.tick(2)
    step("DOKU's notification of the payment", notified, api=2, invocations=3)
    step("history and events of the payment", world.stream)
    step("GET /payments/{ref}", merchant.look, api=1)
    step("POST /payments/{ref}/refund", merchant.refund, api=1)
    step("the refund's worker", world.work)
    step("history and events of the refund", world.stream)
    step("DELETE /bindings/{id}", merchant.unbind, api=1)
    step("POST /bindings/{id}/otp", merchant.confirm_unbinding, api=1)
    step("events of the unlinking", world.stream)
    return account.usages


ORDER = (
    "POST /payments",
    "POST /payments/{ref}/otp",
    "DOKU's notification of the payment",
    "history and events of the payment",
)


def describe(usages: list[Usage], doku_seconds: float, factor: float) -> str:
    """The table, and what a paid order comes to."""
    lines = [
        "| step | DOKU calls | write units | read units | messages | events | USD per million |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in usages:
        price = factor * one.price(doku_seconds)
        counts = f"{one.doku} | {one.written} | {one.read:g} | {one.messages} | {one.events}"
        lines.append(f"| {one.name} | {counts} | {price:.2f} |")
    order = [one for one in usages if one.name in ORDER]
    total = factor * sum(one.price(doku_seconds) for one in order)
    written, read = sum(one.written for one in order), sum(one.read for one in order)
    said = (
        f"A paid order (with OTP, notification, history and events): {written} write units, {read:g} read units, "
        f"**USD {total:.0f} per million** at {doku_seconds:g} s per answer of DOKU and list prices of us-east-1 times "
        f"{factor:g}."
    )
    return "\n".join([*lines, "", said, ""])


def main() -> int:
    """Count, print, and write if told to."""
    parser = argparse.ArgumentParser(description="What an order costs.")
    parser.add_argument("--doku-seconds", type=float, default=0.8, help="how long DOKU takes to answer")
    parser.add_argument("--factor", type=float, default=1.0, help="a region's prices, as a multiple of us-east-1's")
    parser.add_argument("--write", action="store_true", help="put the result into docs/scale.md")
    given = parser.parse_args()
    text = describe(measure(), given.doku_seconds, given.factor)
    sys.stdout.write(text)
    if given.write:
        before, _, rest = RESULTS.read_text().partition(_BEGIN)
        RESULTS.write_text(f"{before}{_BEGIN}{text}{_END}{rest.partition(_END)[2]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
