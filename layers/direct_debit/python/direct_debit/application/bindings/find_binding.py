"""Find the link that a caller names."""

from direct_debit.application.errors import NotFound, no_binding
from direct_debit.application.ports.ports import Ports
from direct_debit.domain.binding import Binding


def find_binding(binding_id: str, ports: Ports, customer_id: str | None = None) -> Binding:
    """Return the binding. With `customer_id` it is that customer's. Raises NotFound, without saying whose it is."""
    return require_binding(ports.bindings.get(binding_id), customer_id)


def require_binding(binding: Binding | None, customer_id: str | None) -> Binding:
    """Return a binding that was looked for, if there is one, and of the customer that was named, if one was."""
    if binding is not None and customer_id in (None, binding.customer_id):
        return binding
    if customer_id is None:
        raise no_binding()
    raise NotFound(
        "this customer has no such binding: send the bindingId that POST /bindings gave for this customerId; "
        "GET /bindings?customerId=... lists the customer's; nothing was done"
    )
