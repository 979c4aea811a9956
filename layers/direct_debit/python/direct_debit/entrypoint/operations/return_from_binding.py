"""GET /bindings/return/{state}/{outcome}: the customer's browser comes back from CIMB's page. Public."""

from typing import Annotated, Literal

from pydantic import Field

from direct_debit.application.bindings.return_from_binding import ReturnFromBinding, return_from_binding
from direct_debit.domain import values
from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.doors import Answer, Call
from direct_debit.entrypoint.route import SENDS, Route
from direct_debit.entrypoint.views.view import View


class ReturnRequest(Command):
    """A browser comes back from DOKU's page."""

    state: Annotated[
        str,
        Field(
            pattern=values.RETURN_STATE,
            description="The unguessable part of the return URL that was given to DOKU.",
            examples=["0f1e2d3c4b5a69788796a5b4c3d2e1f0"],
            repr=False,
        ),
    ]
    outcome: Annotated[
        Literal["success", "failed"],
        Field(description="success or failed: a hint, never a proof.", examples=["success"]),
    ]

    def to_command(self) -> ReturnFromBinding:
        """Return the use case's command."""
        return ReturnFromBinding(state=self.state, outcome=self.outcome)


class RedirectView(View):
    """Where the browser goes on (plain commands only; HTTP callers get 302)."""

    url: str
    binding_state: str | None = None


ROUTE = Route(
    name="return_from_binding",
    method="GET",
    path="/bindings/return/{state}/{outcome}",
    summary="Receive the customer's browser after linking",
    request=ReturnRequest,
    response=None,
    answers={302: "Goes on to the merchant's success or failed page; the link was proved with DOKU, not believed."},
    problems=("not-found", *SENDS),
    from_path={"state": "state", "outcome": "outcome"},
    public=True,
    ignores_query=True,  # contract 3.4: accept and ignore unknown parameters
)


def operate(request: ReturnRequest, call: Call) -> Answer:
    """Prove the link with DOKU and send the browser on to the merchant's page."""
    redirect = return_from_binding(request.to_command(), call.ports, call.deadline)
    view = RedirectView(url=redirect.url, binding_state=redirect.binding_state)
    return Answer(302, view, location=redirect.url)
