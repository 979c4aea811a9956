"""DOKU is away: what stood open when it went, and how long after its return the truth about that is written.

The answer that would have told is lost in the moment in which DOKU goes, and no notification ever comes. So only our
own asking can tell. Used by the tests and by the benchmark.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import FailureReason, PaymentState
from direct_debit.domain.refund import RefundState
from tests.fakes.clock import FakeClock
from tests.fakes.journey import Merchant
from tests.fakes.quiescence import next_arrival_at, next_visit_at
from tests.fakes.weather import Fault, Weather
from tests.fakes.world import World
from tools.doku_simulator.dials import Dial
from tools.doku_simulator.notifications import NoticeDial

ANSWER_LOST = "10504.00"
"""The simulator debits this amount, and its answer is lost."""

_MINUTE = timedelta(minutes=1)
_PATIENCE = timedelta(hours=26)
_REFUSED_FOR = timedelta(hours=5)
_STEP = timedelta(seconds=45)  # between two sweeps there are at most two
_STEPS_AT_MOST = 1_000


@dataclass(slots=True)
class Outage(Weather):
    """No call to DOKU is answered before `until`; then `deaths` workers die while they ask it for a status."""

    clock: FakeClock
    until: datetime
    deaths: int = 0
    fault: Fault = Fault.FAIL

    def draw(self, name: str) -> Fault:
        """Let no call to DOKU through while it is away."""
        if not name.startswith("doku."):
            return Fault.NONE
        if self.clock.now() < self.until:
            return self.fault
        if name == "doku.status" and self.deaths > 0:
            self.deaths -= 1
            return Fault.CRASH_BEFORE
        return Fault.NONE


@dataclass(frozen=True, slots=True)
class Scene:
    """What stands open when DOKU goes. `settled_at` is when the truth was written, None as long as it is not."""

    title: str
    begin: Callable[[Merchant], object]
    settled_at: Callable[[Merchant], datetime | None]
    deaths: int = 0
    grace: timedelta = timedelta(0)  # the time that is left to the customer's code before anybody may look


def live_through(world: World, time: timedelta) -> None:
    """Let so much time pass, with a sweep each minute, counted from now."""
    _Sweeps(world.clock.now()).live(world, world.clock.now() + time)


def play(scene: Scene, away: timedelta, seed: int = 0, *, fault: Fault = Fault.FAIL) -> timedelta | None:
    """Let DOKU be away for so long; return how long after its return the scene was settled.

    None: not within a day. `fault`: calls do not reach DOKU, or (LOSE) all its answers are lost.
    """
    world = World(seed=seed)
    chance = Random(seed)  # noqa: S311 - a test's chance has to repeat
    world.clock.tick(chance.uniform(0, 60))
    sweeps = _Sweeps(world.clock.now() - timedelta(seconds=chance.uniform(0, 60)))
    merchant = Merchant(world)
    scene.begin(merchant)
    back = world.clock.now() + away
    world.weather = Outage(world.clock, back, scene.deaths, fault)
    sweeps.live(world, back)
    if scene.settled_at(merchant) is not None:
        raise AssertionError("it was settled without DOKU")
    sweeps.live(world, back + _PATIENCE)
    if world.cut:
        raise AssertionError(f"a chain of messages was cut at {world.cut[0]}")
    settled = scene.settled_at(merchant)
    return None if settled is None else settled - back


@dataclass(frozen=True, slots=True)
class _Sweeps:
    """Life with a sweep each minute, counted from `first`; the minutes in which nothing is due are skipped."""

    first: datetime

    def live(self, world: World, until: datetime) -> None:
        """Let everything happen that is due until then."""
        swept = world.clock.now()
        while True:
            world.pump()
            visit = next_visit_at(world)
            sweep = None if visit is None else self._following(max(visit, swept))
            moments = [at for at in (next_arrival_at(world), sweep) if at is not None]
            at = max(min(moments, default=until), world.clock.now())
            if at >= until:
                world.clock.set(until)
                return
            world.clock.set(at)
            if at == sweep:
                world.tick()
                swept = at

    def _following(self, at: datetime) -> datetime:
        return self.first + (math.floor((at - self.first) / _MINUTE) + 1) * _MINUTE


# --- what may stand open ---------------------------------------------------------------------------------------------


def _silence_notifications(world: World) -> None:
    world.simulator.notifications.dials.append(NoticeDial("drop", count=1_000))


def _link(merchant: Merchant) -> None:
    merchant.link()
    _silence_notifications(merchant.world)


def _lose_a_payment(merchant: Merchant) -> None:
    _link(merchant)
    merchant.world.simulator.add_dial(Dial("payment", "drop", when="before"))
    merchant.pay()


def _lose_the_answer_to_a_debit(merchant: Merchant) -> None:
    _link(merchant)
    merchant.pay(amount=ANSWER_LOST)


def _lose_a_refund(when: Literal["before", "after"]) -> Callable[[Merchant], None]:
    def begin(merchant: Merchant) -> None:
        merchant.link()
        merchant.pay_to_the_end()
        _silence_notifications(merchant.world)
        merchant.world.simulator.add_dial(Dial("refund", "drop", when=when))
        merchant.refund()
        merchant.world.work()

    return begin


def _lose_a_refund_sent_again(merchant: Merchant) -> None:
    """The merchant has no balance at DOKU for hours; then the refund is sent again and made, and nobody hears of it."""
    world = merchant.world
    merchant.link()
    merchant.pay_to_the_end()
    _silence_notifications(world)
    world.simulator.add_dial(Dial("refund", "code", when="before", code="40314", count=1_000))
    merchant.refund()
    sweeps = _Sweeps(world.clock.now())
    sweeps.live(world, world.clock.now() + _REFUSED_FOR)
    world.simulator.dials.clear()
    world.simulator.add_dial(Dial("refund", "drop", when="after"))
    for _ in range(_STEPS_AT_MOST):
        if world.refunds(merchant.payment().ref):
            return
        sweeps.live(world, world.clock.now() + _STEP)
    raise AssertionError("the refund was not sent again")


def _ask_for_a_refund(merchant: Merchant) -> None:
    merchant.link()
    merchant.pay_to_the_end()
    _silence_notifications(merchant.world)
    merchant.refund()  # its worker begins when DOKU is away


def _lose_the_code_of_an_unlinking(when: Literal["before", "after"]) -> Callable[[Merchant], None]:
    def begin(merchant: Merchant) -> None:
        _link(merchant)
        merchant.unbind()
        merchant.world.clock.tick(30)
        merchant.world.simulator.add_dial(Dial("otp", "drop", when=when))
        merchant.confirm_unbinding()

    return begin


def _lose_the_proof_of_a_link(merchant: Merchant) -> None:
    _silence_notifications(merchant.world)
    merchant.bind()
    url = merchant.walk_through_pages()
    merchant.world.simulator.add_dial(Dial("b2b2c_token", "drop", when="before"))
    merchant.come_back(url)


def _not_found_at(merchant: Merchant) -> datetime | None:
    payment = merchant.payment()
    known = payment.failure is not None and payment.failure.reason is FailureReason.NOT_FOUND
    return payment.evidence.at if known else None


def _paid_at(merchant: Merchant) -> datetime | None:
    payment = merchant.payment()
    return payment.evidence.at if payment.state is PaymentState.PAID else None


def _refunded_at(merchant: Merchant) -> datetime | None:
    refund = merchant.payment().refund
    return refund.evidence.at if refund is not None and refund.state is RefundState.REFUNDED else None


def _link_at(state: BindingState) -> Callable[[Merchant], datetime | None]:
    def settled_at(merchant: Merchant) -> datetime | None:
        binding = merchant.binding()
        return binding.evidence.at if binding.state is state else None

    return settled_at


_A_CODES_TIME = timedelta(minutes=6)  # the first step of the binding schedule

SCENES = (
    Scene("a payment that DOKU never got", _lose_a_payment, _not_found_at),
    Scene("a payment that was debited", _lose_the_answer_to_a_debit, _paid_at),
    Scene("the same, and the first look after the outage dies", _lose_the_answer_to_a_debit, _paid_at, deaths=1),
    Scene("a refund that was made", _lose_a_refund("after"), _refunded_at),
    Scene("a refund that DOKU never got", _lose_a_refund("before"), _refunded_at),
    Scene("a refund that was refused for hours, sent again and made", _lose_a_refund_sent_again, _refunded_at),
    Scene("a refund asked for while DOKU is away", _ask_for_a_refund, _refunded_at),
    Scene(
        "an unlinking that was done",
        _lose_the_code_of_an_unlinking("after"),
        _link_at(BindingState.UNBOUND),
        grace=_A_CODES_TIME,
    ),
    Scene(
        "an unlinking whose code DOKU never got",
        _lose_the_code_of_an_unlinking("before"),
        _link_at(BindingState.ACTIVE),
        grace=_A_CODES_TIME,
    ),
    Scene("a link that the customer finished", _lose_the_proof_of_a_link, _link_at(BindingState.ACTIVE)),
)
