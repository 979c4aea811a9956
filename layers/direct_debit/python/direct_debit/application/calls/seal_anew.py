"""Seal a link's texts anew where they were sealed in an earlier form, or with a key that is to be removed."""

from dataclasses import replace

from direct_debit.application.errors import BindingChanged, StoreUnavailable
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.vault import SealedField
from direct_debit.domain.binding import Binding


def seal_anew(ports: Ports, binding: Binding) -> Binding:
    """Return the link with its tokens and auth code sealed as they are sealed today; written once, and then no more.

    Whoever asked goes on in any case: a write that does not work is left to the next use.
    """
    tokens = binding.tokens
    if tokens is None or not any(ports.vault.is_outdated(one) for one in _texts(binding)):
        return binding
    refresh, code = tokens.refresh_token, binding.auth_code
    sealed = replace(
        tokens,
        access_token=_reseal(ports, tokens.access_token, SealedField.ACCESS_TOKEN, binding),
        refresh_token=None if refresh is None else _reseal(ports, refresh, SealedField.REFRESH_TOKEN, binding),
    )
    auth_code = None if code is None else _reseal(ports, code, SealedField.AUTH_CODE, binding)
    after = replace(binding.noted(ports.clock.now()), tokens=sealed, auth_code=auth_code)
    try:
        return ports.bindings.save(binding, after)
    except (BindingChanged, StoreUnavailable):
        return binding


def _texts(binding: Binding) -> list[str]:
    tokens = binding.tokens
    found = [binding.auth_code, *((tokens.access_token, tokens.refresh_token) if tokens else ())]
    return [one for one in found if one is not None]


def _reseal(ports: Ports, sealed: str, field: SealedField, binding: Binding) -> str:
    if not ports.vault.is_outdated(sealed):
        return sealed
    return ports.vault.seal(ports.vault.unseal(sealed, field, binding.id), field, binding.id)
