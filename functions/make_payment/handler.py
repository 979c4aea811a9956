"""POST /payments: charge a linked account."""

from direct_debit.application.payments.make_payment import make_payment
from direct_debit.entrypoint.doors import Answer, Call, open_doors
from direct_debit.entrypoint.requests import MakePaymentRequest
from direct_debit.entrypoint.responses import UNRESOLVED_PAYMENT, show_payment
from direct_debit.entrypoint.routes import MAKE_PAYMENT


def operate(request: MakePaymentRequest, call: Call) -> Answer:
    """Make the payment: 201, whatever its state; 202 while unresolved; 200 for a repeat, which never sends."""
    result = make_payment(request.to_command(), call.ports, call.deadline)
    unresolved = result.payment.state in UNRESOLVED_PAYMENT
    status = 202 if unresolved else 200 if result.replayed else 201
    return Answer(status, show_payment(result.payment), replayed=result.replayed)


handler = open_doors(MAKE_PAYMENT, operate)
