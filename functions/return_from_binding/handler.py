"""GET /bindings/return/{state}/{outcome}: the customer's browser comes back from CIMB's page. Public."""

from direct_debit.application.bindings.return_from_binding import return_from_binding
from direct_debit.entrypoint.doors import Answer, Call, open_doors
from direct_debit.entrypoint.requests import ReturnRequest
from direct_debit.entrypoint.responses import RedirectView
from direct_debit.entrypoint.routes import RETURN_FROM_BINDING


def operate(request: ReturnRequest, call: Call) -> Answer:
    """Prove the link with DOKU and send the browser on to the merchant's page."""
    redirect = return_from_binding(request.to_command(), call.ports, call.deadline)
    view = RedirectView(url=redirect.url, binding_state=redirect.binding_state)
    return Answer(302, view, location=redirect.url)


handler = open_doors(RETURN_FROM_BINDING, operate)
