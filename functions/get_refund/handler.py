"""GET /payments/{ref}/refund: how far the refund is."""

from direct_debit.application.refunds.get_refund import get_refund
from direct_debit.entrypoint.doors import Answer, Call, open_doors
from direct_debit.entrypoint.requests import PaymentRequest
from direct_debit.entrypoint.responses import show_refund
from direct_debit.entrypoint.routes import GET_REFUND


def operate(request: PaymentRequest, call: Call) -> Answer:
    """Show the refund."""
    return Answer(200, show_refund(get_refund(request.partner_reference_no, call.ports)))


handler = open_doors(GET_REFUND, operate)
