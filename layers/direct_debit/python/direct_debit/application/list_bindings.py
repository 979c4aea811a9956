"""Look at all bindings of a customer."""

from collections.abc import Sequence

from direct_debit.application.bind_account import BindingResult, show_binding
from direct_debit.application.ports import Ports


def list_bindings(customer_id: str, ports: Ports) -> Sequence[BindingResult]:
    """Return the customer's bindings, newest first; empty for an unknown customer."""
    return [show_binding(binding, ports) for binding in ports.bindings.list_by_customer(customer_id)]
