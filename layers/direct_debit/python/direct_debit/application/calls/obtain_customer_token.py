"""A customer's token: kept with the binding, refreshed before it expires, never used for anybody else (invariant 7)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Never

from direct_debit.application.calls.obtain_b2b_token import prove_key
from direct_debit.application.calls.seal_anew import seal_anew
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import BindingChanged, NotDone, RelinkRequired, Unsendable
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.ports.vault import SealedField
from direct_debit.domain.binding import Binding, BindingEvent, SealedTokens
from direct_debit.domain.evidence import Evidence, EvidenceSource

if TYPE_CHECKING:
    from direct_debit.application.ports.doku_tokens import CustomerTokens

_RENEW_BEFORE = timedelta(seconds=60)
_LEASE = timedelta(seconds=25)  # a refresh asks for nothing any more when it is over
# DOKU's word for a signature that it does not take and for a customer's that it does not know, whatever the service
# (contract 3.2, 5, 12.7).
_SIGNATURE_OR_CUSTOMER = re.compile(r"401\d\d00")
_POLL_SECONDS = 0.3
_MIN_REMAINING_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class CustomerAccess:
    """A token in the clear, with the binding record it was read from."""

    token: str = field(repr=False)
    binding: Binding


def obtain_customer_token(
    ports: Ports,
    binding_id: str,
    deadline: Deadline,
    refused: str | None = None,
    *,
    known: Binding | None = None,
) -> CustomerAccess:
    """Return the customer token of a binding, refreshed where it has expired or was `refused` by DOKU.

    `known` is the record as it was a moment ago, and saves the first look at it: a token that has been replaced since
    is one that DOKU refuses. One process refreshes, the others wait and read. Raises RelinkRequired (the binding then
    becomes RELINK_REQUIRED) when DOKU takes neither the refresh token nor the auth code, NotDone without an answer.
    """
    while True:
        binding, known = known or ports.bindings.get(binding_id), None
        if binding is None or binding.tokens is None:
            raise RelinkRequired("the account is not linked; the customer has to link it again (POST /bindings)")
        now = ports.clock.now()
        token = ports.vault.unseal(binding.tokens.access_token, SealedField.ACCESS_TOKEN, binding.id)
        expires_at = binding.tokens.access_expires_at
        if token != refused and (expires_at is None or now < expires_at - _RENEW_BEFORE):
            return CustomerAccess(token, seal_anew(ports, binding))
        if binding.token_lease_until is None or now >= binding.token_lease_until:
            claim = replace(binding.noted(now), token_lease_until=now + _LEASE)
            try:
                claimed = ports.bindings.save(binding, claim)
            except BindingChanged:
                continue
            return _refresh(ports, claimed, Deadline(min(deadline.at, now + _LEASE)))
        if deadline.remaining(now) < _MIN_REMAINING_SECONDS:
            raise NotDone("the customer's token is being renewed; nothing was sent")
        ports.clock.sleep(_POLL_SECONDS * (1 + ports.ids.jitter()))


def seal_tokens(ports: Ports, binding_id: str, tokens: "CustomerTokens") -> SealedTokens:
    """Encrypt a customer's tokens for the record of this binding alone."""
    refresh = tokens.refresh_token
    return SealedTokens(
        access_token=ports.vault.seal(tokens.access_token, SealedField.ACCESS_TOKEN, binding_id),
        access_expires_at=tokens.access_expires_at,
        refresh_token=None if refresh is None else ports.vault.seal(refresh, SealedField.REFRESH_TOKEN, binding_id),
        refresh_expires_at=tokens.refresh_expires_at,
    )


def require_relink(
    ports: Ports, binding: Binding, code: str | None, refusal: type[RelinkRequired] = RelinkRequired
) -> Never:
    """Note on the binding that its customer has to link again, because DOKU does not take the tokens it holds.

    Raises `refusal`; NotDone when somebody else has renewed the tokens meanwhile: then the link lives.
    """
    evidence = Evidence(EvidenceSource.ANSWER, ports.clock.now(), code)
    current = binding
    while True:
        if current.tokens is not None and current.tokens != binding.tokens:
            raise NotDone("the customer's token has just been renewed; repeat the request", code=code)
        after = current.moved(BindingEvent.TOKEN_REJECTED, evidence)
        if after is None:
            break
        try:
            ports.bindings.save(current, replace(after, token_lease_until=None))
        except BindingChanged as race:
            current = race.current
            continue
        ports.telemetry.count(Metric.RELINK_REQUIRED)
        ports.telemetry.note("relink required", binding_id=binding.id, code=code)
        break
    raise refusal("the customer has to link the account again (POST /bindings)", code=code)


def _refresh(ports: Ports, binding: Binding, deadline: Deadline) -> CustomerAccess:
    try:
        tokens = ask_surely(ports, deadline, lambda: _exchange(ports, binding, deadline))
    except RelinkRequired as error:
        _end_lease(ports, binding, binding.tokens)  # an unlinking goes on in its state, and needs another renewal
        require_relink(ports, binding, error.code)
    except (NotDone, Unsendable):
        _end_lease(ports, binding, binding.tokens)
        raise
    kept = _end_lease(ports, binding, seal_tokens(ports, binding.id, tokens))
    return CustomerAccess(tokens.access_token, kept)


def ask_surely(ports: Ports, deadline: Deadline, ask: Callable[[], "CustomerTokens"]) -> "CustomerTokens":
    """Ask for a customer's tokens where a refusal ends something.

    One that may be of our signature counts only when DOKU says it again, having taken this signature in between: a key
    that is being replaced must unlink nobody. Raises RelinkRequired, NotDone.
    """
    try:
        return ask()
    except RelinkRequired as error:
        if _SIGNATURE_OR_CUSTOMER.fullmatch(error.code or "") is None:
            raise
    proved = prove_key(ports, deadline)
    try:
        return ask()
    except RelinkRequired as error:
        if ports.doku.key_id() != proved:
            raise NotDone("our key is being replaced; repeat the request", code=error.code) from error
        raise


def _exchange(ports: Ports, binding: Binding, deadline: Deadline) -> "CustomerTokens":
    """Refresh token first, auth code as fallback (contract 3.2)."""
    if binding.tokens is not None and binding.tokens.refresh_token is not None:
        try:
            refresh_token = ports.vault.unseal(binding.tokens.refresh_token, SealedField.REFRESH_TOKEN, binding.id)
            return ports.doku.refresh_customer_token(refresh_token, deadline)
        except RelinkRequired:
            if binding.auth_code is None:
                raise
    if binding.auth_code is None:
        raise RelinkRequired("the account has to be linked again (POST /bindings)")
    auth_code = ports.vault.unseal(binding.auth_code, SealedField.AUTH_CODE, binding.id)
    return ports.doku.exchange_auth_code(auth_code, deadline)


def _end_lease(ports: Ports, binding: Binding, tokens: SealedTokens | None) -> Binding:
    """Write the tokens that a refresh ended with, and give up its lease.

    Whoever was so slow that another refresh came in between writes nothing: the pair it knows is used up.
    """
    current = binding
    while current.tokens == binding.tokens and current.tokens is not None:
        own = current.token_lease_until == binding.token_lease_until
        lease = None if own else current.token_lease_until
        after = replace(current.noted(ports.clock.now()), tokens=tokens, token_lease_until=lease)
        try:
            return ports.bindings.save(current, after)
        except BindingChanged as race:
            current = race.current
    return current
