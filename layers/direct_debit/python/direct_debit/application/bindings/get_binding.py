"""Look at one binding."""

from direct_debit.application.bindings.result import BindingResult, show_binding
from direct_debit.application.errors import no_binding
from direct_debit.application.ports.ports import Ports


def get_binding(binding_id: str, ports: Ports) -> BindingResult:
    """Return the binding. Raises NotFound."""
    binding = ports.bindings.get(binding_id)
    if binding is None:
        raise no_binding()
    return show_binding(binding, ports)
