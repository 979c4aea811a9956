"""What the use cases of a payment return."""

from dataclasses import dataclass

from direct_debit.domain.payment import Payment


@dataclass(frozen=True, slots=True)
class PaymentResult:
    """The payment as it is now; `replayed` when an earlier request had made it."""

    payment: Payment
    replayed: bool = False
