"""POST /payments/{ref}/refund: give a payment back in full."""

from direct_debit.application.refunds.refund_payment import refund_payment
from direct_debit.entrypoint.doors import Answer, Call, open_doors
from direct_debit.entrypoint.requests import RefundPaymentRequest
from direct_debit.entrypoint.responses import UNRESOLVED_REFUND, show_refund
from direct_debit.entrypoint.routes import REFUND_PAYMENT


def operate(request: RefundPaymentRequest, call: Call) -> Answer:
    """Accept the refund: 202; 200 for a repeat of a settled one. A worker sends it."""
    result = refund_payment(request.to_command(), call.ports, call.deadline)
    view = show_refund(result.payment)
    settled = result.replayed and view.state not in UNRESOLVED_REFUND
    return Answer(200 if settled else 202, view, replayed=result.replayed)


handler = open_doors(REFUND_PAYMENT, operate)
