"""GET /bindings/{id}/balance: the balance of a linked account."""

from direct_debit.application.bindings.get_balance import get_balance
from direct_debit.entrypoint.doors import Answer, Call, open_doors
from direct_debit.entrypoint.requests import BindingRequest
from direct_debit.entrypoint.responses import show_balance
from direct_debit.entrypoint.routes import GET_BALANCE


def operate(request: BindingRequest, call: Call) -> Answer:
    """Show the balances as DOKU gives them."""
    result = get_balance(request.binding_id, call.ports, call.deadline)
    return Answer(200, show_balance(result.binding, result.balances))


handler = open_doors(GET_BALANCE, operate)
