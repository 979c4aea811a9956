"""The sweep of each minute: whatever is due goes to those who can settle it (invariant 9)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import DirectDebitError
from direct_debit.application.inquire_status import sweep_payment
from direct_debit.application.ports import Ports
from direct_debit.application.process_notification import sweep_notification
from direct_debit.application.resolve_binding import resolve_binding

_LAST_START = 20.0  # seconds: what is not begun by then waits for the next minute


@dataclass(frozen=True, slots=True)
class Resolved:
    """How many due records were visited, and at how many of them something went wrong."""

    visited: int
    failed: int


def resolve_pending(limit: int, ports: Ports, deadline: Deadline) -> Resolved:
    """Visit at most `limit` due records of each kind.

    Payments, refunds and notifications are handed to their queues, whose workers ask DOKU in parallel; bindings are
    few and are settled here. One record's trouble does not keep the others waiting. Raises StoreUnavailable when
    even the list can not be read.
    """
    now = ports.clock.now()
    work: list[Callable[[], object]] = []
    work.extend(partial(sweep_payment, ref, ports) for ref in ports.payments.list_due(now, limit))
    work.extend(partial(sweep_notification, one, ports) for one in ports.inbox.list_due(now, limit))
    work.extend(partial(resolve_binding, one, ports, deadline) for one in ports.bindings.list_due(now, limit))
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
