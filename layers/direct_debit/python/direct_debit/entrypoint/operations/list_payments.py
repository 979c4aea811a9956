"""GET /payments: payments of a customer, of a day, by DOKU's reference, in a state, or the unresolved; by pages."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from direct_debit.application.payments.list_payments import ListPayments, find_by_doku_reference, list_payments
from direct_debit.application.ports.pages import Page
from direct_debit.domain import values
from direct_debit.domain.payment import Payment, PaymentState
from direct_debit.entrypoint.command import rule_of_request
from direct_debit.entrypoint.doors import Answer, Call
from direct_debit.entrypoint.listing import LIST_QUERY, ListRequest, name_list, write_mark
from direct_debit.entrypoint.route import LOOKS, Route
from direct_debit.entrypoint.views.payment import PaymentView, show_payment
from direct_debit.entrypoint.views.view import View


class ListPaymentsRequest(ListRequest):
    """Find payments."""

    things: ClassVar[str] = "payments"
    ways: ClassVar[Sequence[str]] = ("customerId", "day", "dokuReference", "unresolved")

    state: Annotated[
        PaymentState | None,
        Field(
            strict=False,
            description=f"Only payments in this state: {', '.join(PaymentState)}. "
            "Alone, or beside another way to find.",
        ),
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

    def _name_ways(self) -> list[str]:
        named = super()._name_ways()
        if self.doku_reference is None:
            return named
        beside = [*named, *(["state"] if self.state else []), *(["after"] if self.after else [])]
        if beside:
            raise rule_of_request(
                "dokuReference", f"DOKU's reference names one payment: send it alone, without {beside[0]}."
            )
        return ["dokuReference"]


class PaymentList(View):
    """A page of payments, newest first (unresolved ones: the longest due first)."""

    payments: Sequence[PaymentView]
    next: str | None = Field(
        default=None,
        description="Send it as `after` to get the next page; absent on the last one. A page may be short, or empty, "
        "and have a next one: where a state is rare, some are looked at in vain.",
        examples=["MjAyNi0wOC0wMVQwNzoxNTowMCswMDowMHw1ZjFjMDlhYnxJTlYyMDI2MDgwMTA"],
    )
    not_shown: Sequence[str] | None = Field(
        default=None,
        description="References of payments that this release can not read, since a newer one wrote them.",
        examples=[["INV202608011"]],
    )


def show_payments(page: Page[Payment], of: str = "") -> PaymentList:
    """Return what the API shows of a page; `of` names its list, where more of it follow."""
    return PaymentList(
        payments=[show_payment(payment) for payment in page.records],
        next=None if page.following is None else write_mark(page.following, of),
        not_shown=list(page.unreadable) or None,
    )


ROUTE = Route(
    name="list_payments",
    method="GET",
    path="/payments",
    summary="Find payments: of a customer, of a day, by DOKU's reference, in a state, unresolved ones",
    request=ListPaymentsRequest,
    response=PaymentList,
    answers={200: "A page of payments, newest first; none of what is unknown."},
    problems=LOOKS,
    from_query=LIST_QUERY | {"state", "dokuReference"},
)


def operate(request: ListPaymentsRequest, call: Call) -> Answer:
    """Show a page."""
    if request.doku_reference is not None:
        return Answer(200, show_payments(find_by_doku_reference(request.doku_reference, call.ports)))
    selection = request.to_selection(call.ports.clock.now())
    of = name_list(ROUTE.name, selection)
    query = ListPayments(selection=selection, state=request.state, limit=request.limit, after=request.to_mark(of))
    return Answer(200, show_payments(list_payments(query, call.ports), of))
