"""Close a reversal: a person has looked at a payment of which DOKU says that it was paid, and then that it was not."""

from dataclasses import replace

from direct_debit.application.errors import NotFound, PaymentChanged, Rejected
from direct_debit.application.ports.ports import Ports
from direct_debit.domain.payment import Payment


def close_reversal(ref: str, ports: Ports) -> Payment:
    """Note that somebody has settled a payment's reversal; its state stays as it is, and nothing is sent.

    Should DOKU's status say so again, the payment is reversed again. A repetition finds nothing left to close. Raises
    NotFound, Rejected (there is no reversal to close), StoreUnavailable.
    """
    payment = ports.payments.get(ref)
    if payment is None:
        raise NotFound("there is no such payment")
    while payment.reversed_at is not None:
        try:
            closed = ports.payments.save(payment, replace(payment.noted(ports.clock.now()), reversed_at=None))
        except PaymentChanged as race:
            payment = race.current
            continue
        ports.telemetry.note("reversal closed", ref=ref, state=closed.state)
        return closed
    raise Rejected("there is no reversal to close")
