"""Prove a link: only a successful token exchange does (contract 3.3, 3.4)."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from direct_debit.application.bindings.advance_binding import advance_binding, end_attempt, without_attempt
from direct_debit.application.calls.obtain_customer_token import ask_surely, seal_tokens
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import BindingChanged, DirectDebitError, NotDone, RelinkRequired, Unsendable
from direct_debit.application.looks import next_try
from direct_debit.application.ports.bindings import AccountClaimLost
from direct_debit.application.ports.doku_tokens import CustomerTokens
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.vault import SealedField
from direct_debit.domain.binding import Binding, BindingEvent, BindingState
from direct_debit.domain.evidence import Evidence, EvidenceSource

_ATTEMPT = timedelta(seconds=30)


def prove_binding(binding: Binding, ports: Ports, deadline: Deadline, *, last: bool = False) -> Binding:
    """Exchange the auth code; the binding becomes ACTIVE if DOKU takes it, and stays as it is if not (yet).

    Where the customer was given several pages, whichever was finished proves the link.

    Raises NotDone when DOKU does not answer: the binding is then due again in minutes. One caller at a time; the others
    get the binding as it is.

    `last`: the caller ends the link where it is not proved. So a refusal that may be of our signature is asked about
    again, and where somebody else is asking, it is NotDone: whether he was answered is not known here.
    """
    now = ports.clock.now()
    if not _is_provable(binding):
        return binding
    if binding.is_busy(now):
        return _leave_to_another(binding, last=last)
    claim = replace(binding.noted(now), attempt=ports.ids.new_id(), attempt_until=now + _ATTEMPT)
    try:
        claimed = ports.bindings.save(binding, claim)
    except BindingChanged as race:
        return _leave_to_another(race.current, last=last)
    bounded = Deadline(min(deadline.at, now + _ATTEMPT))
    try:
        proof = _find_proof(claimed, ports, bounded, last=last)
    except (NotDone, Unsendable) as error:
        _put_off(claimed, error, ports)
        raise
    if proof is None:  # the customer has not finished, or never will
        return end_attempt(claimed, ports)
    external_id, tokens = proof
    evidence = Evidence(EvidenceSource.ANSWER, ports.clock.now(), "2007400")
    proved = seal_tokens(ports, binding.id, tokens)
    auth_code = claimed.auth_codes[external_id]
    try:
        return advance_binding(
            ports,
            claimed,
            BindingEvent.PROVED,
            evidence,
            change=lambda after: replace(
                without_attempt(after), tokens=proved, external_id=external_id, auth_code=auth_code
            ),
        )
    except AccountClaimLost:
        # Another link of the account, or of the customer, was confirmed before: this one gives way.
        return advance_binding(ports, claimed, BindingEvent.LINK_REFUSED, evidence)


def _is_provable(binding: Binding) -> bool:
    has_page = binding.state is BindingState.PENDING or (
        binding.state is BindingState.RELINK_REQUIRED and (binding.has_page or bool(binding.earlier_pages))
    )
    return has_page and bool(binding.auth_codes)


def _leave_to_another(binding: Binding, *, last: bool) -> Binding:
    if last and _is_provable(binding):
        raise NotDone("DOKU is being asked about this link right now; repeat the request")
    return binding


def _find_proof(binding: Binding, ports: Ports, deadline: Deadline, *, last: bool) -> tuple[str, CustomerTokens] | None:
    """Return the tokens that DOKU gave for one of the auth codes, with the external id of its request.

    `last`: raises NotDone where it refused one for a reason that says nothing of the link, such as a suspension.
    """
    unclear: RelinkRequired | None = None
    for external_id, sealed in binding.auth_codes.items():
        auth_code = ports.vault.unseal(sealed, SealedField.AUTH_CODE, binding.id)
        exchange = partial(ports.doku.exchange_auth_code, auth_code, deadline)
        try:
            return external_id, ask_surely(ports, deadline, exchange) if last else exchange()
        except RelinkRequired as error:
            unclear = error if last and _says_nothing(error) else unclear
    if unclear is not None:
        raise NotDone("DOKU refuses to look at the moment; repeat the request", code=unclear.code) from unclear
    return None


def _says_nothing(error: RelinkRequired) -> bool:
    from direct_debit.application.bindings.unbinding import lives_on  # noqa: PLC0415 - only who ends a link asks

    return lives_on(error)


def _put_off(binding: Binding, error: DirectDebitError, ports: Ports) -> None:
    """Write that nobody speaks to DOKU about the link any more, and when to ask again. Raises StoreUnavailable."""
    now = ports.clock.now()
    begun = binding.lease_until - timedelta(seconds=ports.settings.link_lease)
    due = next_try(ports, error, since=begun, now=now)
    try:
        ports.bindings.save(binding, replace(without_attempt(binding.noted(now)), due_at=due))
    except BindingChanged:
        return  # somebody made progress with it
