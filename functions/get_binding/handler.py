"""GET /bindings/{id}: one link as it is now."""

from direct_debit.application.bindings.get_binding import get_binding
from direct_debit.entrypoint.doors import Answer, Call, open_doors
from direct_debit.entrypoint.requests import BindingRequest
from direct_debit.entrypoint.responses import show_binding
from direct_debit.entrypoint.routes import GET_BINDING


def operate(request: BindingRequest, call: Call) -> Answer:
    """Show the binding."""
    return Answer(200, show_binding(get_binding(request.binding_id, call.ports)))


handler = open_doors(GET_BINDING, operate)
