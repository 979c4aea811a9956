"""Moving a binding on: decide by the transition table, write if nobody was faster, decide again if somebody was."""

from collections.abc import Callable
from dataclasses import replace

from direct_debit.application.errors import BindingChanged, StoreUnavailable
from direct_debit.application.ports.ports import Ports
from direct_debit.domain.binding import Binding, BindingEvent, BindingState
from direct_debit.domain.evidence import Evidence

_ROUNDS = 20


def advance_binding(
    ports: Ports,
    binding: Binding,
    event: BindingEvent,
    evidence: Evidence,
    *,
    change: Callable[[Binding], Binding] = lambda after: after,
    note_if_unmoved: bool = False,
) -> Binding:
    """Apply `event` to the binding and return it as stored afterwards, moved or not.

    `change` adds what the event brought along; with `note_if_unmoved` it is written even when the state stays, unless
    the binding has ended. Raises TransitionRefused for a command that does not fit, AccountClaimLost when the account
    went to somebody else, StoreUnavailable.
    """
    current = binding
    for _ in range(_ROUNDS):
        after = current.moved(event, evidence)
        if after is None:
            if not note_if_unmoved or not current.holds_account:
                return current
            after = current.noted(evidence.at)
        after = _tidied(change(after))
        try:
            stored = ports.bindings.save(current, after)
        except BindingChanged as race:
            current = race.current
            continue
        if stored.state is not current.state:
            ports.telemetry.note("binding moved", binding_id=stored.id, state=stored.state, code=stored.evidence.code)
        return stored
    raise StoreUnavailable("the binding changed too often to be written; ask for its state")


def end_attempt(binding: Binding, ports: Ports) -> Binding:
    """Write that nobody speaks to DOKU about the binding any more; return it as stored."""
    try:
        return ports.bindings.save(binding, without_attempt(binding.noted(ports.clock.now())))
    except BindingChanged as race:
        return race.current
    except StoreUnavailable:
        return binding  # the attempt ends by itself after its time


def without_attempt(binding: Binding) -> Binding:
    """Return the binding as one that nobody speaks to DOKU about."""
    return replace(binding, attempt=None, attempt_until=None)


def _tidied(binding: Binding) -> Binding:
    """What a state has no use for is not kept: above all, no token outlives its link."""
    if binding.state is BindingState.ACTIVE:
        binding = replace(
            binding, redirect_url=None, unbind_redirect_url=None, unbind_unclear=False, due_at=None, otp_attempts=0
        )
    if not binding.holds_account:
        binding = replace(
            binding, redirect_url=None, unbind_redirect_url=None, due_at=None, auth_code=None, tokens=None, attempt=None
        )
    return binding
