"""DELETE /bindings/{id}: unlink an account."""

from direct_debit.application.bindings.unbind_account import unbind_account
from direct_debit.domain.binding import BindingState
from direct_debit.entrypoint.doors import Answer, Call
from direct_debit.entrypoint.names import BindingRequest
from direct_debit.entrypoint.route import BY_BINDING, BY_CUSTOMER, SENDS, Route
from direct_debit.entrypoint.views.binding import BindingView, show_binding

ROUTE = Route(
    name="unbind_account",
    method="DELETE",
    path="/bindings/{id}",
    summary="Unlink an account, or give up a link that is not confirmed",
    request=BindingRequest,
    response=BindingView,
    answers={
        200: "UNBOUND: unlinked. FAILED: the bank had not confirmed the link, and it was given up.",
        202: "The bank sent an OTP: confirm with `POST /bindings/{id}/otp`. Or DOKU's answer is not known.",
    },
    problems=("not-found", "conflict", "rejected", "customer-action-required", *SENDS),
    from_path=BY_BINDING,
    from_query=BY_CUSTOMER,
    repeats="the path names the link, and an unlinking that is under way or done is returned",
)


def operate(request: BindingRequest, call: Call) -> Answer:
    """Ask DOKU to unlink: 202 while the OTP or the answer is awaited, 200 when it is done, or there was no link yet."""
    result = unbind_account(
        request.binding_id, call.ports, call.deadline, customer_id=request.customer_id, requested_by=call.caller
    )
    done = result.binding.state in (BindingState.UNBOUND, BindingState.FAILED)
    return Answer(200 if done else 202, show_binding(result), replayed=result.replayed)
