"""What the use cases of a payment return."""

from dataclasses import dataclass

from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.vault import SealedField, open_text
from direct_debit.domain.payment import Payment


@dataclass(frozen=True, slots=True)
class PaymentResult:
    """The payment as it is now; `replayed` when an earlier request had made it."""

    payment: Payment
    replayed: bool = False


def open_page(payment: Payment, ports: Ports) -> str | None:
    """Return the page of DOKU's where the customer goes on with this payment, if there is one."""
    page = payment.web_redirect_url
    return None if page is None else open_text(ports.vault, page, SealedField.PAYMENT_PAGE, payment.ref)
