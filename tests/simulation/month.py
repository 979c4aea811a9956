"""A month of 1,000 customers, in fair weather, on one clock: how fast the simulation is under plain load."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from tests.simulation.coverage import Coverage
from tests.simulation.history import counting
from tests.simulation.judge import judge
from tests.simulation.kernel import SECOND
from tests.simulation.people import Person
from tests.simulation.plan import Choices, draw_plan
from tests.simulation.search import calm_collector, say
from tests.simulation.universe import Universe
from tools.doku_simulator.config import ProviderVariant

if TYPE_CHECKING:
    from tests.simulation.plan import Plan

CUSTOMERS = 1_000
DAYS = 30
_SEED = 1
_DAYS_BETWEEN_ROTATIONS = 4


def fair_plan() -> Plan:
    """Return a plan in which nothing goes wrong but people."""
    return replace(
        draw_plan(Random(0)),  # noqa: S311 - all that matters is replaced below
        variant=ProviderVariant(),
        customers=CUSTOMERS,
        orders=1,
        pace=1.0,
        latency="none",
        store_faults=0.0,
        doku_faults=0.0,
        port_faults=0.0,
        dials=0.0,
        late_effects=False,
        skew=0.0,
        message_trouble=0.0,
        notification_trouble=0.0,
        lose_all_notifications=False,
        tick_skips=0.0,
        throttling=(),
        outages=(),
        blackout=(),
        short_schedules=False,
        cancelled_as_05=False,
        otp_code_in_status=False,
        bank_trouble=0.0,
        rotate_key=False,
        liar=False,
        contradictions=False,
        hasty_refunds=False,
        dead_senders=0.0,
        wrong_codes=0.15,
        late_codes=0.0,
        repost=False,
        shared_phone=False,
        b2b_token_seconds=900,
        customer_token_seconds=15 * 86_400,
        choices=Choices(),
        mixups=0.0,
        sour=0.0,
        freezes=0.0,
        lost_records=0.0,
        dead_looks=0.0,
        poor_merchant=False,
        old_news=False,
    )


def live_a_month(customers: int = CUSTOMERS, days: int = DAYS) -> tuple[Universe, float]:
    """Let customers link, buy and regret over a month; returns the judged universe and the seconds it took."""
    begun = time.perf_counter()
    rng = Random(_SEED)  # noqa: S311 - repeats
    coverage = Coverage()
    u = Universe(rng, fair_plan(), coverage)
    u.calm = True
    u.most_invocations = 10**9
    with counting(u):
        for number in range(customers):
            person = Person(u, f"C{number + 1}", f"6281{number:08}")
            u.kernel.after(rng.random() * (days - 2) * 86_400, partial(_begin, u, person))
        for day in range(2, days, _DAYS_BETWEEN_ROTATIONS):
            u.kernel.after(day * 86_400.0, u.secrets.rotate)
        u.kernel.run(days * 86_400 * SECOND)
        u.kernel.run(u.kernel.t + 30 * 3_600 * SECOND)
        judge(u)
    u.kernel.close()
    return u, time.perf_counter() - begun


def _begin(u: Universe, person: Person) -> None:
    u.kernel.spawn(f"customer {person.customer}", person.live)


def run_month() -> int:
    """Print how long a month took; 0 when nothing was wrong in it."""
    calm_collector()
    u, seconds = live_a_month()
    totals = u.coverage.totals
    say(
        f"{CUSTOMERS:,} customers, {DAYS} days, {totals['orders']:,} orders, {totals['requests']:,} requests, "
        f"{totals['effects']:,} side effects in {seconds:.1f} s; {len(u.violations)} violations"
    )
    say(*u.violations[:10])
    return 1 if u.violations else 0
