"""GET /payments/{ref}: a payment with its history; `refresh=true` asks DOKU first."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from direct_debit.application.payments.get_payment import GetPayment, get_payment
from direct_debit.application.payments.result import open_page
from direct_debit.entrypoint.command import Command, read_flag
from direct_debit.entrypoint.doors import Answer, Call
from direct_debit.entrypoint.route import BY_PAYMENT, READS, Route
from direct_debit.entrypoint.values import Reference
from direct_debit.entrypoint.views.payment import PaymentView, show_payment


class GetPaymentRequest(Command):
    """Read a payment."""

    partner_reference_no: Reference
    refresh: Annotated[
        bool,
        BeforeValidator(read_flag),
        Field(description="true asks DOKU for the status of an unresolved payment, rate-limited; else false."),
    ] = False

    def to_command(self) -> GetPayment:
        """Return the use case's command."""
        return GetPayment(ref=self.partner_reference_no, refresh=self.refresh)


ROUTE = Route(
    name="get_payment",
    method="GET",
    path="/payments/{ref}",
    summary="Read a payment with its history",
    request=GetPaymentRequest,
    response=PaymentView,
    answers={200: "The payment as it is now."},
    problems=("not-found", *READS),
    from_path=BY_PAYMENT,
    from_query=frozenset({"refresh"}),
)


def operate(request: GetPaymentRequest, call: Call) -> Answer:
    """Show the payment."""
    found = get_payment(request.to_command(), call.ports, call.deadline)
    return Answer(200, show_payment(found.payment, found.history, open_page(found.payment, call.ports)))
