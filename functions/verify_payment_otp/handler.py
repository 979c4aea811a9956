"""POST /payments/{ref}/otp: pass the customer's OTP on to the bank."""

from direct_debit.application.payments.verify_payment_otp import verify_payment_otp
from direct_debit.entrypoint.doors import Answer, Call, open_doors
from direct_debit.entrypoint.requests import VerifyPaymentOtpRequest
from direct_debit.entrypoint.responses import UNRESOLVED_PAYMENT, show_payment
from direct_debit.entrypoint.routes import VERIFY_PAYMENT_OTP


def operate(request: VerifyPaymentOtpRequest, call: Call) -> Answer:
    """Verify the OTP: 200 when the bank took it, 202 when its answer is not known."""
    result = verify_payment_otp(request.to_command(), call.ports, call.deadline)
    status = 202 if result.payment.state in UNRESOLVED_PAYMENT else 200
    return Answer(status, show_payment(result.payment))


handler = open_doors(VERIFY_PAYMENT_OTP, operate)
