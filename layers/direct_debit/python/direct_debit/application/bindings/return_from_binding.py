"""The customer's browser comes back from CIMB's page (contract 3.4): a hint to go and check, never a proof."""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

from direct_debit.application.bindings.advance_binding import end_page
from direct_debit.application.bindings.bind_account import hash_return_state, open_pages
from direct_debit.application.bindings.prove_binding import prove_binding
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import NotDone, NotFound, StoreUnavailable, Unsendable
from direct_debit.application.ports.ports import Ports
from direct_debit.domain.binding import Binding, BindingState

type Outcome = Literal["success", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnFromBinding:
    """What the address says: the unguessable state, and which of the two pages DOKU chose."""

    state: str = field(repr=False)
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Redirect:
    """The merchant's page, and how the binding stands."""

    url: str
    binding_state: BindingState


def return_from_binding(command: ReturnFromBinding, ports: Ports, deadline: Deadline) -> Redirect:
    """Check the link with DOKU and send the browser on to the merchant's page, with `bindingId` and `state` added.

    The success page is for a link that is proved or may still be; the failed page for the rest. Raises NotFound.
    """
    came_with = hash_return_state(ports, command.state)
    binding = ports.bindings.find_by_return_state(came_with)
    if binding is None or binding.is_forgotten:
        raise NotFound("this link is not known; start linking again in the shop")
    try:
        binding = prove_binding(binding, ports, deadline)
    except (NotDone, Unsendable) as error:  # the customer need not wait for DOKU: notification and resolver go on
        ports.telemetry.note("link not proved yet", binding_id=binding.id, code=error.code)
    if command.outcome == "failed" and binding.return_state_hash == came_with:
        binding = _end_page(binding, ports)
    good = binding.state is BindingState.ACTIVE or (
        command.outcome == "success" and binding.state in (BindingState.PENDING, BindingState.RELINK_REQUIRED)
    )
    pages = open_pages(binding, ports)
    page = pages.success_url if good else pages.failed_url
    return Redirect(_with_query(page, {"bindingId": binding.id, "state": binding.state}), binding.state)


def _end_page(binding: Binding, ports: Ports) -> Binding:
    try:
        return end_page(binding, binding.external_id, ports)
    except StoreUnavailable as error:  # the customer goes on all the same
        ports.telemetry.note("the page's end was not written", binding_id=binding.id, code=error.code)
        return binding


def _with_query(url: str, added: dict[str, str]) -> str:
    parts = urlsplit(url)
    # In front, where readers that take the first of two look: a page of the merchant's may have such a name itself.
    query = "&".join(filter(None, [urlencode(added), parts.query]))
    return urlunsplit(parts._replace(query=query))
