"""GET /bindings/{id}: one link as it is now."""

from direct_debit.application.bindings.get_binding import get_binding
from direct_debit.entrypoint.doors import Answer, Call
from direct_debit.entrypoint.names import BindingRequest
from direct_debit.entrypoint.route import BY_BINDING, BY_CUSTOMER, READS, Route
from direct_debit.entrypoint.views.binding import BindingView, show_binding

ROUTE = Route(
    name="get_binding",
    method="GET",
    path="/bindings/{id}",
    summary="Read a link",
    request=BindingRequest,
    response=BindingView,
    answers={200: "The link as it is now."},
    problems=("not-found", *READS),
    from_path=BY_BINDING,
    from_query=BY_CUSTOMER,
)


def operate(request: BindingRequest, call: Call) -> Answer:
    """Show the binding."""
    return Answer(200, show_binding(get_binding(request.binding_id, call.ports, request.customer_id)))
