"""GET /payments: payments of a customer, of a day, by DOKU's reference, or the unresolved ones; page by page."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from direct_debit.application.errors import InvalidRequest
from direct_debit.application.payments.list_payments import ListPayments, find_by_doku_reference, list_payments
from direct_debit.application.ports.pages import Page
from direct_debit.domain import values
from direct_debit.domain.payment import Payment, PaymentState
from direct_debit.entrypoint.doors import Answer, Call
from direct_debit.entrypoint.listing import LIST_QUERY, ListRequest, write_mark
from direct_debit.entrypoint.route import LOOKS, Route
from direct_debit.entrypoint.views.payment import PaymentView, show_payment
from direct_debit.entrypoint.views.view import View


class ListPaymentsRequest(ListRequest):
    """Find payments."""

    state: Annotated[
        PaymentState | None,
        Field(strict=False, description=f"Only payments in this state: {', '.join(PaymentState)}."),
    ] = None
    doku_reference: Annotated[
        str | None,
        Field(
            max_length=64,
            pattern=values.TEXT,
            description="DOKU's own reference of the payment, as `dokuReference` shows it; alone.",
            examples=["Sv6L8aBvCqzB3Wsu7uRjaQHTXNACnXpP"],
        ),
    ] = None


class PaymentList(View):
    """A page of payments, newest first (unresolved ones: the longest due first)."""

    payments: Sequence[PaymentView]
    next: str | None = Field(
        default=None,
        description="Send it as `after` to get the next page; absent on the last one. A page may be short, or empty, "
        "and have a next one: where a state is rare, some are looked at in vain.",
        examples=["MjAyNi0wOC0wMVQwNzoxNTowMCswMDowMHxJTlYyMDI2MDgwMTA"],
    )
    not_shown: Sequence[str] | None = Field(
        default=None,
        description="References of payments that this release can not read, since a newer one wrote them.",
        examples=[["INV202608011"]],
    )


def show_payments(page: Page[Payment]) -> PaymentList:
    """Return what the API shows of a page."""
    return PaymentList(
        payments=[show_payment(payment) for payment in page.records],
        next=None if page.following is None else write_mark(page.following),
        not_shown=list(page.unreadable) or None,
    )


ROUTE = Route(
    name="list_payments",
    method="GET",
    path="/payments",
    summary="Find payments: of a customer, of a day, by DOKU's reference, unresolved ones",
    request=ListPaymentsRequest,
    response=PaymentList,
    answers={200: "A page of payments, newest first; none of what is unknown."},
    problems=LOOKS,
    from_query=LIST_QUERY | {"state", "dokuReference"},
)


def operate(request: ListPaymentsRequest, call: Call) -> Answer:
    """Show a page."""
    selection = request.to_selection()
    if request.doku_reference is not None:
        if selection is not None or request.state is not None:
            raise InvalidRequest("dokuReference", "DOKU's reference names one payment: send it alone.")
        return Answer(200, show_payments(find_by_doku_reference(request.doku_reference, call.ports)))
    if selection is None:
        raise InvalidRequest("customerId", "Say which payments: customerId, day, dokuReference or unresolved=true.")
    query = ListPayments(selection=selection, state=request.state, limit=request.limit, after=request.to_mark())
    return Answer(200, show_payments(list_payments(query, call.ports)))
