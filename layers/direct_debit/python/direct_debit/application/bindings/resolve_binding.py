"""Bring a binding that nobody finishes to its true end (invariant 9)."""

from dataclasses import replace
from datetime import timedelta

from direct_debit.application.bindings.advance_binding import advance_binding, without_page
from direct_debit.application.bindings.prove_binding import prove_binding
from direct_debit.application.bindings.unbinding import end_unbinding, lives_on, next_probe
from direct_debit.application.calls.call_doku import call_doku
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import (
    BindingChanged,
    CustomerActionRequired,
    NotDone,
    Rejected,
    RelinkRequired,
    StoreUnavailable,
    Unsendable,
)
from direct_debit.application.looks import claim_until, next_try
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.telemetry import Metric
from direct_debit.domain.binding import Binding, BindingEvent, BindingState
from direct_debit.domain.evidence import Evidence, EvidenceSource

_ASKED_AT_MOST = timedelta(days=1)  # after the end of a link's lease


def resolve_binding(binding_id: str, ports: Ports, deadline: Deadline) -> Binding | None:
    """Look at a binding whose time has come; a repeated, early or needless call does nothing.

    A link whose proof met a silent DOKU is tried again; one that was not finished within its lease is tried once more,
    then FAILED. An unlinking whose end is not known is probed with a balance inquiry: a balance means that the link
    lives. Where DOKU does not answer, the binding is due again in minutes. Raises StoreUnavailable.
    """
    binding = ports.bindings.get(binding_id)
    now = ports.clock.now()
    if binding is None or binding.due_at is None or now < binding.due_at or binding.is_busy(now):
        return binding
    match binding.state:
        case BindingState.REQUESTED | BindingState.PENDING | BindingState.RELINK_REQUIRED:
            return _end_link(binding, ports, deadline)
        case BindingState.UNBIND_OTP_PENDING:
            return _probe(binding, ports, deadline)
        case _:
            return _save(binding, replace(binding.noted(now), due_at=None), ports)


def _end_link(binding: Binding, ports: Ports, deadline: Deadline) -> Binding:
    """Try once more to prove a link; give it up when its lease is over and DOKU does not take it.

    Where DOKU does not say, it is asked for another day: then the link ends all the same, and somebody is told.
    """
    now = ports.clock.now()
    over = now >= binding.lease_until
    try:
        binding = prove_binding(binding, ports, deadline, last=over)
    except StoreUnavailable:
        raise
    except (NotDone, Unsendable) as error:
        if now < binding.lease_until + _ASKED_AT_MOST:
            return binding  # due again in minutes
        ports.telemetry.count(Metric.BINDING_UNRESOLVED)
        ports.telemetry.note("link given up without a word of DOKU's", binding_id=binding.id, code=error.code)
        binding = ports.bindings.get(binding.id) or binding
    now = ports.clock.now()
    if binding.due_at is None or binding.is_busy(now):
        return binding
    if not over:
        return _save(binding, replace(binding.noted(now), due_at=binding.lease_until), ports)
    evidence = Evidence(EvidenceSource.SCHEDULE, now)
    if binding.state is BindingState.RELINK_REQUIRED:  # the old link's record stays; a new try starts afresh
        return _save(binding, replace(without_page(binding.noted(now)), due_at=None), ports)
    return advance_binding(ports, binding, BindingEvent.LINK_EXPIRED, evidence)


def _probe(binding: Binding, ports: Ports, deadline: Deadline) -> Binding:
    now = ports.clock.now()
    since = binding.unbind_requested_at or now
    step = next_probe(ports, binding, now)
    if now - since >= timedelta(seconds=ports.settings.binding_schedule[-1]):
        ports.telemetry.count(Metric.BINDING_UNRESOLVED)
        ports.telemetry.note("unlinking unresolved", binding_id=binding.id)
    try:
        claimed = ports.bindings.save(binding, replace(binding.noted(now), due_at=claim_until(ports, now)))
    except BindingChanged as race:
        return race.current
    try:
        found = _look(claimed, ports, deadline)
    except StoreUnavailable:
        raise
    except (NotDone, Unsendable) as error:
        due = next_try(ports, error, since=since, now=ports.clock.now(), step=step)
        return _save(claimed, replace(claimed.noted(ports.clock.now()), due_at=due), ports)
    if found is None:  # the next look decides
        return _save(claimed, replace(claimed.noted(ports.clock.now()), due_at=step), ports)
    event, code = found
    return end_unbinding(claimed, event, Evidence(EvidenceSource.PROBE, ports.clock.now(), code), ports)


def _look(binding: Binding, ports: Ports, deadline: Deadline) -> tuple[BindingEvent, str | None] | None:
    """Return what a balance inquiry shows of the link, with DOKU's code; None where it shows nothing.

    Raises NotDone when DOKU does not answer.
    """
    try:
        call_doku(ports, deadline, ports.doku.inquire_balance, binding=binding)
    except RelinkRequired as error:
        return None if lives_on(error) else (BindingEvent.UNBOUND, error.code)
    except (Rejected, CustomerActionRequired) as error:
        # Refused for a reason of its own. Where nothing can have ended the link, that will do; otherwise it proves
        # nothing: DOKU may have refused before it looked at the token.
        if binding.unbind_unclear or binding.attempt is not None:
            ports.telemetry.note("the probe of an unlinking was refused", binding_id=binding.id, code=error.code)
            return None
        return BindingEvent.UNBIND_EXPIRED, error.code
    return BindingEvent.UNBIND_EXPIRED, None


def _save(before: Binding, after: Binding, ports: Ports) -> Binding:
    try:
        return ports.bindings.save(before, after)
    except BindingChanged as race:
        return race.current
