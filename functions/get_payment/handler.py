"""GET /payments/{ref}: a payment with its history; `refresh=true` asks DOKU first."""

from direct_debit.application.payments.get_payment import get_payment
from direct_debit.entrypoint.doors import Answer, Call, open_doors
from direct_debit.entrypoint.requests import GetPaymentRequest
from direct_debit.entrypoint.responses import show_payment
from direct_debit.entrypoint.routes import GET_PAYMENT


def operate(request: GetPaymentRequest, call: Call) -> Answer:
    """Show the payment."""
    found = get_payment(request.to_command(), call.ports, call.deadline)
    return Answer(200, show_payment(found.payment, found.history))


handler = open_doors(GET_PAYMENT, operate)
