"""GET /customers/{customerId}/bindings: all links of a customer."""

from collections.abc import Sequence

from pydantic import Field

from direct_debit.application.bindings.list_bindings import BindingsResult, list_bindings
from direct_debit.entrypoint.doors import Answer, Call
from direct_debit.entrypoint.names import CustomerRequest
from direct_debit.entrypoint.route import READS, Route
from direct_debit.entrypoint.views.binding import BindingView, show_binding
from direct_debit.entrypoint.views.view import View


class BindingList(View):
    """The bindings of a customer, newest first."""

    bindings: Sequence[BindingView]
    not_shown: Sequence[str] | None = Field(
        default=None,
        description="Ids of links that this release can not read, since a newer one wrote them.",
        examples=[["7e2d2c3b4a5968778695a4b3c2d1e0f1"]],
    )


def show_bindings(result: BindingsResult) -> BindingList:
    """Return what the API shows of a customer's bindings."""
    return BindingList(bindings=[show_binding(one) for one in result.shown], not_shown=list(result.not_shown) or None)


ROUTE = Route(
    name="list_bindings",
    method="GET",
    path="/customers/{customerId}/bindings",
    summary="List a customer's links",
    request=CustomerRequest,
    response=BindingList,
    answers={200: "All links of the customer, newest first; an unknown customer has none."},
    problems=READS,
    from_path={"customerId": "customerId"},
)


def operate(request: CustomerRequest, call: Call) -> Answer:
    """Show the bindings, newest first."""
    return Answer(200, show_bindings(list_bindings(request.customer_id, call.ports)))
