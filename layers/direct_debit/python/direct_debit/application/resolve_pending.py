"""The sweep of each minute: whatever is due goes to those who can settle it (invariant 9)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import DirectDebitError
from direct_debit.application.inquire_status import sweep_payment
from direct_debit.application.ports import Metric, Ports
from direct_debit.application.process_notification import sweep_notification
from direct_debit.application.record_change import tell_binding, tell_payment
from direct_debit.application.resolve_binding import resolve_binding
from direct_debit.domain.move import tell_again_at

_LAST_START = 20.0  # seconds: what is not begun by then waits for the next minute


@dataclass(frozen=True, slots=True)
class Resolved:
    """How many due records were visited, and at how many of them something went wrong."""

    visited: int
    failed: int


def resolve_pending(limit: int, ports: Ports, deadline: Deadline) -> Resolved:
    """Visit at most `limit` due records of each kind.

    Payments, refunds and notifications are handed to their queues, whose workers ask DOKU in parallel; bindings are
    few and are settled here, and so is news that the streams have not told in time. One record's trouble does not keep
    the others waiting. Raises StoreUnavailable when even the list can not be read.
    """
    now = ports.clock.now()
    work: list[Callable[[], object]] = []
    work.extend(partial(_visit_payment, ref, ports) for ref in ports.payments.list_due(now, limit))
    work.extend(partial(sweep_notification, one, ports) for one in ports.inbox.list_due(now, limit))
    work.extend(partial(_visit_binding, one, ports, deadline) for one in ports.bindings.list_due(now, limit))
    visited = failed = 0
    for step in work:
        if deadline.remaining(ports.clock.now()) < _LAST_START:
            break
        visited += 1
        try:
            step()
        except Exception as error:  # noqa: BLE001 - a record that can not even be read must not keep the others waiting
            failed += 1
            code = error.code if isinstance(error, DirectDebitError) else None
            ports.telemetry.note("due record not resolved", code=code, reason=type(error).__name__)
    return Resolved(visited, failed)


def _visit_payment(ref: str, ports: Ports) -> None:
    payment = ports.payments.get(ref)
    if payment is None:
        return
    sweep_payment(payment, ports)
    now = ports.clock.now()
    if payment.tell_by is not None and payment.tell_by <= now:
        ports.telemetry.count(Metric.NEWS_LATE)
        ports.telemetry.note("told by the sweep", ref=ref, state=payment.state)
        # First of all: what can not be told must not stand in front of others that are due, minute by minute.
        again = tell_again_at(payment.untold, now)
        if ports.payments.put_off_news(payment, again):
            tell_payment(replace(payment, tell_by=again), ports)


def _visit_binding(binding_id: str, ports: Ports, deadline: Deadline) -> None:
    binding = ports.bindings.get(binding_id)
    now = ports.clock.now()
    if binding is not None and binding.tell_by is not None and binding.tell_by <= now:
        ports.telemetry.count(Metric.NEWS_LATE)
        ports.telemetry.note("told by the sweep", binding_id=binding_id, state=binding.state)
        again = tell_again_at(binding.untold, now)
        if ports.bindings.put_off_news(binding, again):
            tell_binding(replace(binding, tell_by=again), ports)
    resolve_binding(binding_id, ports, deadline)
