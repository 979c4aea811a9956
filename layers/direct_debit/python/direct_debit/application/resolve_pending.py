"""The sweep of each minute: whatever is due goes to those who can settle it (invariant 9)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from direct_debit.application.bindings.resolve_binding import resolve_binding
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import DirectDebitError, RecordUnreadable
from direct_debit.application.notifications.process_notification import sweep_notification
from direct_debit.application.outbox.record_change import tell_binding, tell_payment
from direct_debit.application.payments.inquire_status import sweep_payment
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.telemetry import Metric
from direct_debit.domain.move import tell_again_at

_LAST_START = 20.0  # seconds: what is not begun by then waits for the next minute
_TIME_TO_SPARE = 40.0  # seconds: with less left, visits in vain are not made up for; the other kinds have their turn


@dataclass(frozen=True, slots=True)
class Resolved:
    """How many due records were visited, and at how many of them something went wrong."""

    visited: int
    failed: int


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of record: how to find what is due of it, and what to do with one; `visit` says whether it was due."""

    name: str
    list_due: Callable[[datetime, int], Sequence[str]]
    visit: Callable[[str], bool]


@dataclass(slots=True)
class _Sweep:
    """What has been done so far."""

    ports: Ports
    deadline: Deadline
    visited: int = 0
    failed: int = 0
    vain: int = 0  # visits at which there was nothing to do, or to read

    @property
    def has_time(self) -> bool:
        return self.deadline.remaining(self.ports.clock.now()) >= _LAST_START

    @property
    def has_time_to_spare(self) -> bool:
        return self.deadline.remaining(self.ports.clock.now()) >= _TIME_TO_SPARE

    def visit(self, kind: _Kind, ids: Sequence[str]) -> None:
        for one in ids:
            if not self.has_time:
                return
            self.visited += 1
            try:
                self.vain += not kind.visit(one)
            except RecordUnreadable as error:
                self.failed += 1
                self.vain += 1
                self.ports.telemetry.count(Metric.RECORD_UNREADABLE)
                reason = f"{kind.name} {one}: {error.fault}"
                self.ports.telemetry.note("due record can not be read, left alone", reason=reason)
            except Exception as error:  # noqa: BLE001 - one record's trouble must not keep the others waiting
                self.failed += 1
                code = error.code if isinstance(error, DirectDebitError) else None
                self.ports.telemetry.note("due record not resolved", code=code, reason=type(error).__name__)


def resolve_pending(limit: int, ports: Ports, deadline: Deadline) -> Resolved:
    """Visit at most `limit` due records of each kind, and those besides that are not due (any more) or unreadable.

    Payments, refunds and notifications are handed to their queues, whose workers ask DOKU in parallel; bindings are
    few and are settled here, and so is news that the streams have not told in time. One record's trouble does not keep
    the others waiting. Raises StoreUnavailable when even the list can not be read.
    """
    now = ports.clock.now()
    kinds = (
        _Kind("payment", ports.payments.list_due, partial(_visit_payment, ports=ports)),
        _Kind("notification", ports.inbox.list_due, partial(_visit_notification, ports=ports)),
        _Kind("binding", ports.bindings.list_due, partial(_visit_binding, ports=ports, deadline=deadline)),
    )
    sweep = _Sweep(ports, deadline)
    first = [kind.list_due(now, limit) for kind in kinds]
    for kind, ids in zip(kinds, first, strict=True):
        _visit_all(kind, ids, now, limit, sweep)
    return Resolved(sweep.visited, sweep.failed)


def _visit_all(kind: _Kind, ids: Sequence[str], now: datetime, limit: int, sweep: _Sweep) -> None:
    """Visit what is due of a kind, and as many more as were visited in vain: they must not stand in front of others."""
    seen: set[str] = set()
    wanted = more = limit
    while fresh := [one for one in ids if one not in seen][:more]:
        before = sweep.vain
        sweep.visit(kind, fresh)
        seen.update(fresh)
        more = sweep.vain - before
        if more == 0 or not sweep.has_time_to_spare:
            return
        wanted += more
        ids = kind.list_due(now, wanted)


def _visit_payment(ref: str, ports: Ports) -> bool:
    payment = ports.payments.get(ref)
    if payment is None:
        return False
    now = ports.clock.now()
    if payment.first_due is None or payment.first_due > now:
        ports.payments.file_again(payment)  # it was listed for a time that has become a later one
        return False
    sweep_payment(payment, ports)
    if payment.tell_by is not None and payment.tell_by <= now:
        ports.telemetry.count(Metric.NEWS_LATE)
        ports.telemetry.note("told by the sweep", ref=ref, state=payment.state)
        # First of all: what can not be told must not stand in front of others that are due, minute by minute.
        again = tell_again_at(payment.untold, now)
        if ports.payments.put_off_news(payment, again):
            tell_payment(replace(payment, tell_by=again), ports)
    return True


def _visit_notification(item_id: str, ports: Ports) -> bool:
    sweep_notification(item_id, ports)
    return True


def _visit_binding(binding_id: str, ports: Ports, deadline: Deadline) -> bool:
    binding = ports.bindings.get(binding_id)
    now = ports.clock.now()
    if binding is not None and binding.tell_by is not None and binding.tell_by <= now:
        ports.telemetry.count(Metric.NEWS_LATE)
        ports.telemetry.note("told by the sweep", binding_id=binding_id, state=binding.state)
        again = tell_again_at(binding.untold, now)
        if ports.bindings.put_off_news(binding, again):
            tell_binding(replace(binding, tell_by=again), ports)
    resolve_binding(binding_id, ports, deadline)
    return True
