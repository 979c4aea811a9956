"""Close a review: a person has settled a payment whose end DOKU has contradicted, or has never told."""

from dataclasses import replace

from direct_debit.application.errors import NotFound, PaymentChanged, Rejected
from direct_debit.application.ports.ports import Ports
from direct_debit.domain.payment import Payment, PaymentState


def close_review(ref: str, ports: Ports) -> Payment:
    """Note that somebody has settled a payment that needs a person; its state stays as it is, and nothing is sent.

    Should it move on after all, and need a person again, its review is open again. A repetition finds nothing left to
    close. Raises NotFound, Rejected (there is no review to close), StoreUnavailable.
    """
    payment = ports.payments.get(ref)
    if payment is None:
        raise NotFound("there is no such payment")
    while payment.state is PaymentState.NEEDS_REVIEW and payment.review_closed_at is None:
        now = ports.clock.now()
        try:
            closed = ports.payments.save(payment, replace(payment.noted(now), review_closed_at=now))
        except PaymentChanged as race:
            payment = race.current
            continue
        ports.telemetry.note("review closed", ref=ref, state=closed.state)
        return closed
    raise Rejected("there is no review to close")
