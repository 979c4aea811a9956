"""Look at all bindings of a customer."""

from collections.abc import Sequence
from dataclasses import dataclass

from direct_debit.application.bindings.result import BindingResult, show_binding
from direct_debit.application.ports.ports import Ports


@dataclass(frozen=True, slots=True)
class BindingsResult:
    """The bindings of a customer, newest first, and the ids of those that this release can not read."""

    shown: Sequence[BindingResult]
    not_shown: Sequence[str]


def list_bindings(customer_id: str, ports: Ports) -> BindingsResult:
    """Return the customer's bindings; none for an unknown customer."""
    found = ports.bindings.list_by_customer(customer_id)
    return BindingsResult([show_binding(binding, ports) for binding in found.bindings], found.unreadable)
