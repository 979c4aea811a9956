"""DELETE /bindings/{id}: unlink an account."""

from direct_debit.application.bindings.unbind_account import unbind_account
from direct_debit.domain.binding import BindingState
from direct_debit.entrypoint.doors import Answer, Call, open_doors
from direct_debit.entrypoint.requests import BindingRequest
from direct_debit.entrypoint.responses import show_binding
from direct_debit.entrypoint.routes import UNBIND_ACCOUNT


def operate(request: BindingRequest, call: Call) -> Answer:
    """Ask DOKU to unlink: 202 while the OTP or the answer is awaited, 200 when it is done."""
    result = unbind_account(request.binding_id, call.ports, call.deadline)
    done = result.binding.state is BindingState.UNBOUND
    return Answer(200 if done else 202, show_binding(result), replayed=result.replayed)


handler = open_doors(UNBIND_ACCOUNT, operate)
