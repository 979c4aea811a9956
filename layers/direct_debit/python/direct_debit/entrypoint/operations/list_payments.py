"""GET /customers/{customerId}/payments: a customer's payments, newest first, page by page."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from direct_debit.application.payments.list_payments import list_payments
from direct_debit.application.ports.payments import CustomerPayments, PageMark
from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.doors import Answer, Call
from direct_debit.entrypoint.route import LOOKS, Route
from direct_debit.entrypoint.values import CustomerId
from direct_debit.entrypoint.views.payment import PaymentView, show_payment
from direct_debit.entrypoint.views.view import View

_MOST = 100
_USUAL = 20


def _read_number(value: object) -> object:
    """Query parameters are text; plain commands have real numbers."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value


def write_mark(mark: PageMark) -> str:
    """Return where a page begins as callers get it; what is in it may change."""
    return urlsafe_b64encode(f"{mark.created_at.isoformat()}|{mark.ref}".encode()).decode().rstrip("=")


def read_mark(text: str) -> PageMark:
    """Read what `write_mark` wrote. Raises ValueError."""
    created_at, _, ref = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition("|")
    mark = PageMark(datetime.fromisoformat(created_at), ref)
    if mark.created_at.tzinfo is None or not ref:
        raise ValueError("no mark")
    return mark


def _check_mark(text: str) -> str:
    try:
        read_mark(text)
    except ValueError:
        raise PydanticCustomError("page_mark", "not a mark") from None
    return text


class ListPaymentsRequest(Command):
    """List a customer's payments."""

    customer_id: CustomerId
    limit: Annotated[
        int,
        BeforeValidator(_read_number),
        Field(ge=1, le=_MOST, description=f"How many at most, 1 to {_MOST}; {_USUAL} where it is left out."),
    ] = _USUAL
    after: (
        Annotated[
            str,
            BeforeValidator(_check_mark),
            Field(max_length=200, description="Where the page begins: `next` of the page before."),
        ]
        | None
    ) = None


class PaymentList(View):
    """A page of a customer's payments, newest first."""

    payments: Sequence[PaymentView]
    next: str | None = Field(
        default=None,
        description="Send it as `after` to get the next page; absent on the last one.",
        examples=["MjAyNi0wOC0wMVQwNzoxNTowMCswMDowMHxJTlYyMDI2MDgwMTA"],
    )
    not_shown: Sequence[str] | None = Field(
        default=None,
        description="References of payments that this release can not read, since a newer one wrote them.",
        examples=[["INV202608011"]],
    )


def show_payments(page: CustomerPayments) -> PaymentList:
    """Return what the API shows of a page."""
    return PaymentList(
        payments=[show_payment(payment) for payment in page.payments],
        next=None if page.following is None else write_mark(page.following),
        not_shown=list(page.unreadable) or None,
    )


ROUTE = Route(
    name="list_payments",
    method="GET",
    path="/customers/{customerId}/payments",
    summary="List a customer's payments",
    request=ListPaymentsRequest,
    response=PaymentList,
    answers={200: "A page of the customer's payments, newest first; an unknown customer has none."},
    problems=LOOKS,
    from_path={"customerId": "customerId"},
    from_query=frozenset({"limit", "after"}),
)


def operate(request: ListPaymentsRequest, call: Call) -> Answer:
    """Show a page, newest first."""
    after = None if request.after is None else read_mark(request.after)
    return Answer(200, show_payments(list_payments(request.customer_id, request.limit, after, call.ports)))
