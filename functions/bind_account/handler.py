"""POST /bindings: start linking a customer's CIMB account."""

from direct_debit.application.bindings.bind_account import bind_account
from direct_debit.domain.binding import BindingState
from direct_debit.entrypoint.doors import Answer, Call, open_doors
from direct_debit.entrypoint.requests import BindAccountRequest
from direct_debit.entrypoint.responses import show_binding
from direct_debit.entrypoint.routes import BIND_ACCOUNT


def operate(request: BindAccountRequest, call: Call) -> Answer:
    """Start the link: 201; 202 while DOKU's answer is not known; 200 for a repeat."""
    result = bind_account(request.to_command(), call.ports, call.deadline)
    unresolved = result.binding.state is BindingState.REQUESTED
    status = 202 if unresolved else 200 if result.replayed else 201
    return Answer(status, show_binding(result), replayed=result.replayed)


handler = open_doors(BIND_ACCOUNT, operate)
