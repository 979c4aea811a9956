"""POST /bindings/{id}/otp: confirm the unlinking with the customer's OTP."""

from direct_debit.application.bindings.confirm_unbinding import confirm_unbinding
from direct_debit.domain.binding import BindingState
from direct_debit.entrypoint.doors import Answer, Call, open_doors
from direct_debit.entrypoint.requests import ConfirmUnbindingRequest
from direct_debit.entrypoint.responses import show_binding
from direct_debit.entrypoint.routes import CONFIRM_UNBINDING


def operate(request: ConfirmUnbindingRequest, call: Call) -> Answer:
    """Verify the OTP: 200 when unlinked, 202 when DOKU's answer is not known."""
    result = confirm_unbinding(request.to_command(), call.ports, call.deadline)
    done = result.binding.state is BindingState.UNBOUND
    return Answer(200 if done else 202, show_binding(result))


handler = open_doors(CONFIRM_UNBINDING, operate)
