"""One history: drawn days, then a calm month's end, then the judgement."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field, replace
from random import Random

from direct_debit.adapters.dynamodb import bindings, client, keys, payments
from direct_debit.domain.transitions import TransitionTable
from direct_debit.entrypoint import stream
from doku_snap import tokens
from tests.simulation.coverage import Coverage
from tests.simulation.judge import judge
from tests.simulation.kernel import SECOND
from tests.simulation.moods import draw_fickleness
from tests.simulation.people import populate, redrive_refunds
from tests.simulation.plan import Plan, draw_plan
from tests.simulation.secret import mark
from tests.simulation.thief import draw_overlap
from tests.simulation.universe import Universe

HOUR = 3_600 * SECOND
NOISE_AT_MOST = 96 * HOUR
CALM = 30 * HOUR
SLOW = 10 * 3_600.0  # seconds; a bank that takes longer than this is waited for
_SHARDS = 1


@dataclass(slots=True)
class History:
    """What came of one seed."""

    seed: int
    digest: str
    violations: list[str]
    plan: Plan
    trace: list[str] = field(default_factory=list)
    simulated: int = 0  # microseconds


def run_history(seed: int, coverage: Coverage, *, keep_trace: bool = False) -> History:
    """Live through one history and judge it. Equal seeds give equal digests."""
    rng = Random(seed)  # noqa: S311 - the whole point is to repeat it
    plan = replace(draw_plan(rng), fickle=draw_fickleness(seed), key_overlap=draw_overlap(seed))
    moods, thief = (Random(f"{who} {seed}") for who in ("moods", "stolen"))  # noqa: S311 - repeatable
    universe = Universe(rng, plan, coverage, keep_trace=keep_trace, moods=moods, thief=thief)
    with counting(universe):
        try:
            _live(universe)
        except Exception as error:  # noqa: BLE001 - a fault of the simulation or of the judge is a finding too
            universe.violations.append(f"SIM: {type(error).__name__}: {error}\n{traceback.format_exc()}")
    kernel = universe.kernel
    kernel.close()
    coverage.totals["histories"] += 1
    history = History(seed, kernel.digest(), universe.violations, plan, kernel.trace or [], kernel.t)
    vars(universe).clear()  # a universe holds itself in many ways: this lets go of most of it at once
    return history


def _live(u: Universe) -> None:
    actors = populate(u)
    u.kernel.run(NOISE_AT_MOST, lambda: all(actor.outcome is not None for actor in actors))
    u.calm = True
    u.calm_since = u.kernel.t
    u.simulator.dials.clear()
    u.kernel.note("--- the faults stop")
    u.retire()
    u.platform.redrive()
    calm = 2 * CALM if u.plan.variant.success_delay[1] > SLOW else CALM
    u.kernel.run(u.kernel.t + calm)
    u.platform.redrive()
    u.kernel.run(u.kernel.t + HOUR)
    if u.rng.random() < 0.5 and redrive_refunds(u):
        u.calm_since = u.kernel.t
        u.kernel.run(u.kernel.t + CALM)
    judge(u)
    u.coverage.happenings["function out of time"] += u.kernel.timeouts


class counting:  # noqa: N801 - reads as a statement
    """Count every decision of the three transition tables while it is open.

    And replace the three things that are not worth their time here: an RSA signature takes a millisecond, so a mark of
    its key stands for it (the signing layer has its own tests, against vectors); the sweep reads every shard of the due
    index, where one shows what eight do (the adapters' tests read all of them); and an item that was read before is not
    read again.
    """

    def __init__(self, universe: Universe) -> None:
        self._pairs = universe.coverage.pairs
        self._decide = TransitionTable.decide
        images = universe.images
        self._instead: list[tuple[dict[str, object], str, object]] = [
            (vars(tokens), "sign_asymmetric", lambda _, key: mark(key)),
            (vars(keys), "SHARDS", _SHARDS),
            (vars(payments), "read_payment", images.payment),
            (vars(payments), "read_binding", images.binding),
            (vars(bindings), "read_binding", images.binding),
            (vars(client), "is_item", images.is_item),
            (vars(stream), "read_payment", images.payment),
            (vars(stream), "read_binding", images.binding),
        ]
        self._originals = [module[name] for module, name, _ in self._instead]

    def __enter__(self) -> None:
        pairs, decide = self._pairs, self._decide

        def counted(table, situation, event):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - as the method that it wraps
            pairs[table.machine, str(situation), str(event)] += 1
            return decide(table, situation, event)

        TransitionTable.decide = counted  # type: ignore[method-assign]  # put back below
        for module, name, value in self._instead:
            module[name] = value

    def __exit__(self, *_: object) -> None:
        TransitionTable.decide = self._decide  # type: ignore[method-assign]  # as it was
        for (module, name, _value), original in zip(self._instead, self._originals, strict=True):
            module[name] = original
