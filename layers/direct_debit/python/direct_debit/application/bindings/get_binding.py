"""Look at one binding."""

from direct_debit.application.bindings.find_binding import find_binding
from direct_debit.application.bindings.result import BindingResult, show_binding
from direct_debit.application.ports.ports import Ports


def get_binding(binding_id: str, ports: Ports, customer_id: str | None = None) -> BindingResult:
    """Return the binding, which has to be the customer's, where one is named. Raises NotFound."""
    return show_binding(find_binding(binding_id, ports, customer_id), ports)
