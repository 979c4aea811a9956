"""When to look at a record again of which DOKU did not say what was asked (invariants 9 and 11).

A look is claimed for no longer than who claims it may live, and the step of the schedule is written together with the
answer: a look that dies, or finds nobody there, costs minutes and never a step.
"""

from datetime import datetime, timedelta

from direct_debit.application.errors import (
    CustomerActionRequired,
    DirectDebitError,
    NotDone,
    Rejected,
    Unsendable,
)
from direct_debit.application.ports.ports import Ports

SOON = timedelta(minutes=2)
_JITTER = 0.25  # of a wait, upwards only: what one outage stopped is not asked about in one moment
_LONGEST = timedelta(minutes=15) / (1 + _JITTER)  # a quarter of an hour with its jitter: what a queue holds back

NO_ANSWER = (NotDone, Rejected, CustomerActionRequired, Unsendable)
"""What a question to DOKU may end with instead of its answer."""


def claim_until(ports: Ports, now: datetime) -> datetime:
    """Return until when a look, or a sending, is claimed: whoever has it has ended by then, one way or the other."""
    return now + timedelta(seconds=ports.settings.claim_lease)


def next_try(
    ports: Ports, error: DirectDebitError, *, since: datetime, now: datetime, step: datetime | None = None
) -> datetime:
    """Return when to ask again after `error` took the place of an answer; `since` is when the asking began.

    DOKU was not there: in two minutes, or at the schedule's `step` if that comes first. DOKU refused to answer (limits,
    keys, cut-off): the longer it is asked, the less often, but never more than a quarter of an hour apart.
    """
    if error.code is None or error.code.startswith("5"):
        soon = now + SOON * _spread(ports)
        return soon if step is None else min(soon, step)
    return ever_later(ports, since=since, now=now)


def ever_later(ports: Ports, *, since: datetime, now: datetime) -> datetime:
    """Return when to ask again: the longer it is asked, the less often, but never more than a quarter of an hour on."""
    return now + min(max(SOON, now - since), _LONGEST) * _spread(ports)


def _spread(ports: Ports) -> float:
    return 1 + _JITTER * ports.ids.jitter()
