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
    about: str | None = None,
) -> Binding:
    """Apply `event` to the binding and return it as stored afterwards, moved or not.

    `change` adds what the event brought along; with `note_if_unmoved` it is written even when the state stays, unless
    the binding has ended. An event `about` one request for a page is not applied once another page was asked for, which
    may be finished. Raises TransitionRefused for a command that does not fit, AccountClaimLost when the account
    went to somebody else, StoreUnavailable.
    """
    current = binding
    for _ in range(_ROUNDS):
        if about is not None and current.external_id != about:
            return current
        after = current.moved(event, evidence)
        if after is None:
            if not note_if_unmoved or not current.holds_account:
                return current
            after = current.noted(evidence.at)
        after = tidied(change(after))
        try:
            stored = ports.bindings.save(current, after)
        except BindingChanged as race:
            current = race.current
            continue
        if stored.state is not current.state:
            ports.telemetry.note("binding moved", binding_id=stored.id, state=stored.state, code=stored.evidence.code)
        return stored
    raise StoreUnavailable("the binding changed too often to be written; ask for its state")


def end_attempt(binding: Binding, ports: Ports, *, was_sent: bool = True) -> Binding:
    """Write that nobody speaks to DOKU about the binding any more; return it as stored.

    A page that was never asked for (`was_sent`) is none of the day's.
    """
    current = binding
    while current.attempt is not None and current.attempt == binding.attempt:
        try:
            ended = without_attempt(current.noted(ports.clock.now()))
            return ports.bindings.save(current, ended if was_sent else replace(ended, pages=ended.pages.once_less()))
        except BindingChanged as race:
            current = race.current
        except StoreUnavailable:
            break  # the attempt ends by itself after its time
    return current


def end_page(binding: Binding, external_id: str, ports: Ports) -> Binding:
    """Write that the bank's page which was asked for under `external_id` brought no link; return it as stored.

    The next request gets another page. Nothing is written of a page that was replaced: whether it can be finished
    after all is DOKU's to say. Raises StoreUnavailable.
    """
    current = binding
    while current.has_page and not current.page_ended and current.external_id == external_id:
        try:
            return ports.bindings.save(current, replace(current.noted(ports.clock.now()), page_ended=True))
        except BindingChanged as race:
            current = race.current
    return current


def without_attempt(binding: Binding) -> Binding:
    """Return the binding as one that nobody speaks to DOKU about."""
    return replace(binding, attempt=None, attempt_until=None)


def without_page(binding: Binding) -> Binding:
    """Return the binding as one whose customer is on no page of the bank's."""
    return replace(binding, redirect_url=None, page_ended=False, earlier_pages={})


def tidied(binding: Binding) -> Binding:
    """Return the binding without what its state has no use for: above all, no token outlives its link."""
    if binding.state is BindingState.ACTIVE:
        binding = replace(
            without_page(binding), unbind_redirect_url=None, unbind_unclear=False, due_at=None, otp_attempts=0
        )
    if not binding.holds_account:
        binding = replace(
            without_page(binding), unbind_redirect_url=None, due_at=None, auth_code=None, tokens=None, attempt=None
        )
    return binding
