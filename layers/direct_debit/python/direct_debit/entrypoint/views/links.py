"""Where to look at a payment, and what can be done with it now."""

from direct_debit.domain.payment import Payment, PaymentState


def link_payment(payment: Payment) -> dict[str, str]:
    """Return the links of a payment by their relation, paths of the API."""
    own = f"/payments/{payment.ref}"
    links = {"self": own, "binding": f"/bindings/{payment.binding_id}"}
    if payment.state is PaymentState.OTP_PENDING:
        links["otp"] = f"{own}/otp"
    if payment.refund is not None or payment.state is PaymentState.PAID:
        links["refund"] = f"{own}/refund"
    return links
