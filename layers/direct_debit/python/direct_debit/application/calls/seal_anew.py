"""Seal a link's texts anew where they were kept in an earlier form, or with a key that is to be removed."""

from dataclasses import replace

from direct_debit.application.errors import BindingChanged, StoreUnavailable
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.vault import ONCE_CLEAR, SealedField, Vault, open_text
from direct_debit.domain.binding import Binding, SealedTokens


def seal_anew(ports: Ports, binding: Binding) -> Binding:
    """Return the link with its tokens, auth code and pages sealed as they are today; written once, and then no more.

    Whoever asked goes on in any case: what can not be written, or not be opened since its key is gone, is left.
    """
    if binding.tokens is None or not any(ports.vault.is_outdated(one) for one in _texts(binding)):
        return binding
    try:
        return ports.bindings.save(binding, _sealed_anew(ports, binding, binding.tokens))
    except (BindingChanged, StoreUnavailable):
        return binding


def _sealed_anew(ports: Ports, binding: Binding, tokens: SealedTokens) -> Binding:
    refresh, code = tokens.refresh_token, binding.auth_code
    sealed = replace(
        tokens,
        access_token=_reseal(ports, tokens.access_token, SealedField.ACCESS_TOKEN, binding),
        refresh_token=None if refresh is None else _reseal(ports, refresh, SealedField.REFRESH_TOKEN, binding),
    )
    auth_code = None if code is None else _reseal(ports, code, SealedField.AUTH_CODE, binding)
    return replace(
        binding.noted(ports.clock.now()),
        tokens=sealed,
        auth_code=auth_code,
        success_url=_reseal(ports, binding.success_url, SealedField.SUCCESS_PAGE, binding),
        failed_url=_reseal(ports, binding.failed_url, SealedField.FAILED_PAGE, binding),
    )


def _texts(binding: Binding) -> list[str]:
    tokens = binding.tokens
    pages = (binding.success_url, binding.failed_url)
    found = [*pages, binding.auth_code, *((tokens.access_token, tokens.refresh_token) if tokens else ())]
    return [one for one in found if one is not None]


def _reseal(ports: Ports, sealed: str, field: SealedField, binding: Binding) -> str:
    if not ports.vault.is_outdated(sealed):
        return sealed
    opened = (open_text if field in ONCE_CLEAR else _unseal)(ports.vault, sealed, field, binding.id)
    return ports.vault.seal(opened, field, binding.id)


def _unseal(vault: Vault, sealed: str, field: SealedField, owner: str) -> str:
    return vault.unseal(sealed, field, owner)
