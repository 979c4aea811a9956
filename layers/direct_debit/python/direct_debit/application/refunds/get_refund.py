"""Look at the refund of a payment."""

from direct_debit.application.errors import NotFound, no_payment
from direct_debit.application.ports.ports import Ports
from direct_debit.domain.payment import Payment


def get_refund(ref: str, ports: Ports) -> Payment:
    """Return the payment, whose `refund` is set. Raises NotFound."""
    payment = ports.payments.get(ref)
    if payment is None:
        raise no_payment()
    if payment.refund is None:
        raise NotFound("this payment has no refund; POST /payments/{ref}/refund asks for one")
    return payment
