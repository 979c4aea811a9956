"""What the use cases of a link return: the link as it is, and where its customer goes on."""

from dataclasses import dataclass, field

from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.vault import SealedField
from direct_debit.domain.binding import Binding, BindingState


@dataclass(frozen=True, slots=True)
class BindingResult:
    """The binding as it is now; `redirect_url` is where the customer goes on, while that is useful."""

    binding: Binding
    replayed: bool
    redirect_url: str | None = field(repr=False)


def show_binding(binding: Binding, ports: Ports, *, replayed: bool = False) -> BindingResult:
    """Return a binding with the page where its customer goes on, while linking or unlinking waits for that."""
    url, field = None, SealedField.LINK_PAGE
    if binding.has_page and not binding.page_ended:
        url = binding.redirect_url
    elif binding.state is BindingState.UNBIND_OTP_PENDING:
        url, field = binding.unbind_redirect_url, SealedField.UNLINK_PAGE
    opened = None if url is None else ports.vault.unseal(url, field, binding.id)
    return BindingResult(binding, replayed, opened)
