"""Look at one payment; on request, ask DOKU first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import no_payment
from direct_debit.application.payments.inquire_status import ask_status
from direct_debit.application.payments.list_history import list_history
from direct_debit.application.ports.history import HistoryEntry
from direct_debit.application.ports.ports import Ports
from direct_debit.domain.payment import Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPayment:
    """Which payment; `refresh` asks DOKU where that may bring news."""

    ref: str
    refresh: bool = False


@dataclass(frozen=True, slots=True)
class PaymentView:
    """A payment with the steps recorded so far (the newest may still be on its way)."""

    payment: Payment
    history: Sequence[HistoryEntry]


def get_payment(command: GetPayment, ports: Ports, deadline: Deadline) -> PaymentView:
    """Return the payment. Raises NotFound.

    With `refresh` an unresolved payment is asked about, not within 60 s of sending and not more often than the
    setting allows; otherwise the state is returned as known.
    """
    found = ports.payments.get_with_history(command.ref)
    if found is None:
        raise no_payment()
    payment, steps = found
    if command.refresh and _may_ask(payment, ports):
        payment = ask_status(payment, ports, deadline)
    return PaymentView(payment, list_history(payment, steps))


def _may_ask(payment: Payment, ports: Ports) -> bool:
    settings = ports.settings
    now = ports.clock.now()
    if payment.is_final:
        return False
    if now < payment.sent_at + timedelta(seconds=settings.first_inquiry):
        return False
    asked = payment.last_inquiry_at
    return asked is None or now >= asked + timedelta(seconds=settings.refresh_min)
