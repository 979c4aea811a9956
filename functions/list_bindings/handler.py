"""GET /customers/{customerId}/bindings: all links of a customer."""

from direct_debit.application.bindings.list_bindings import list_bindings
from direct_debit.entrypoint.doors import Answer, Call, open_doors
from direct_debit.entrypoint.requests import CustomerRequest
from direct_debit.entrypoint.responses import show_bindings
from direct_debit.entrypoint.routes import LIST_BINDINGS


def operate(request: CustomerRequest, call: Call) -> Answer:
    """Show the bindings, newest first."""
    return Answer(200, show_bindings(list_bindings(request.customer_id, call.ports)))


handler = open_doors(LIST_BINDINGS, operate)
