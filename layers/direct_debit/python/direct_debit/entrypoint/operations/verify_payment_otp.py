"""POST /payments/{ref}/otp: pass the customer's OTP on to the bank."""

from direct_debit.application.payments.result import open_page
from direct_debit.application.payments.verify_payment_otp import VerifyPaymentOtp, verify_payment_otp
from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.doors import Answer, Call
from direct_debit.entrypoint.route import BY_PAYMENT, SENDS, BodyRule, Route
from direct_debit.entrypoint.values import Otp, Reference
from direct_debit.entrypoint.views.payment import UNRESOLVED_PAYMENT, PaymentView, show_payment


class VerifyPaymentOtpRequest(Command):
    """Verify the customer's OTP for a payment."""

    partner_reference_no: Reference
    otp: Otp

    def to_command(self) -> VerifyPaymentOtp:
        """Return the use case's command."""
        return VerifyPaymentOtp(ref=self.partner_reference_no, otp=self.otp)


ROUTE = Route(
    name="verify_payment_otp",
    method="POST",
    path="/payments/{ref}/otp",
    summary="Verify the customer's OTP",
    request=VerifyPaymentOtpRequest,
    response=PaymentView,
    answers={
        200: "The code was accepted: usually PROCESSING, then PAID by notification. Or a repeat after that: the "
        "payment as it is now (header `Idempotency-Replayed`); no code was sent.",
        202: "The outcome is not known; it is resolved without you.",
    },
    problems=(
        "not-found",
        "conflict",
        "otp-wrong",
        "otp-expired",
        "otp-blocked",
        "rejected",
        "customer-action-required",
        "relink-required",
        *SENDS,
    ),
    body=BodyRule.REQUIRED,
    from_path=BY_PAYMENT,
    repeats="the path names the payment, and a code that was accepted is not sent again",
)


def operate(request: VerifyPaymentOtpRequest, call: Call) -> Answer:
    """Verify the OTP: 200 when the bank took it, 202 when its answer is not known."""
    result = verify_payment_otp(request.to_command(), call.ports, call.deadline)
    status = 202 if result.payment.state in UNRESOLVED_PAYMENT else 200
    return Answer(
        status, show_payment(result.payment, page=open_page(result.payment, call.ports)), replayed=result.replayed
    )
