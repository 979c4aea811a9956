"""GET /payments/{ref}/refund: how far the refund is."""

from direct_debit.application.refunds.get_refund import get_refund
from direct_debit.entrypoint.doors import Answer, Call
from direct_debit.entrypoint.names import PaymentRequest
from direct_debit.entrypoint.route import BY_PAYMENT, LOOKS, Route
from direct_debit.entrypoint.views.refund import RefundOfPaymentView, show_refund

ROUTE = Route(
    name="get_refund",
    method="GET",
    path="/payments/{ref}/refund",
    summary="Read the refund of a payment",
    request=PaymentRequest,
    response=RefundOfPaymentView,
    answers={200: "The refund as it is now."},
    problems=("not-found", *LOOKS),
    from_path=BY_PAYMENT,
)


def operate(request: PaymentRequest, call: Call) -> Answer:
    """Show the refund."""
    return Answer(200, show_refund(get_refund(request.partner_reference_no, call.ports)))
