"""POST /bindings/{id}/otp: confirm the unlinking with the customer's OTP."""

from direct_debit.application.bindings.confirm_unbinding import ConfirmUnbinding, confirm_unbinding
from direct_debit.domain.binding import BindingState
from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.doors import Answer, Call
from direct_debit.entrypoint.route import BY_BINDING, SENDS, BodyRule, Route
from direct_debit.entrypoint.values import BindingId, Otp, OwnCustomer
from direct_debit.entrypoint.views.binding import BindingView, show_binding


class ConfirmUnbindingRequest(Command):
    """Confirm an unlinking with the customer's OTP."""

    binding_id: BindingId
    otp: Otp
    customer_id: OwnCustomer = None

    def to_command(self) -> ConfirmUnbinding:
        """Return the use case's command."""
        return ConfirmUnbinding(binding_id=self.binding_id, otp=self.otp, customer_id=self.customer_id)


ROUTE = Route(
    name="confirm_unbinding",
    method="POST",
    path="/bindings/{id}/otp",
    summary="Confirm the unlinking with the OTP",
    request=ConfirmUnbindingRequest,
    response=BindingView,
    answers={
        200: "Unlinked; by a repeat already before (header `Idempotency-Replayed`).",
        202: "DOKU's answer is not known; it will be found out.",
    },
    problems=(
        "not-found",
        "conflict",
        "otp-wrong",
        "otp-expired",
        "otp-blocked",
        "rejected",
        *SENDS,
    ),
    body=BodyRule.REQUIRED,
    from_path=BY_BINDING,
    repeats="the path names the link, and an unlinking that is done is not confirmed again",
)


def operate(request: ConfirmUnbindingRequest, call: Call) -> Answer:
    """Verify the OTP: 200 when unlinked, 202 when DOKU's answer is not known."""
    result = confirm_unbinding(request.to_command(), call.ports, call.deadline)
    done = result.binding.state is BindingState.UNBOUND
    return Answer(200 if done else 202, show_binding(result), replayed=result.replayed)
