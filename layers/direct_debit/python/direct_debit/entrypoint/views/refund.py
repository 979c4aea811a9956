"""What is shown of a refund, by whichever operation."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from direct_debit.application.errors import NotFound
from direct_debit.domain.payment import Payment
from direct_debit.domain.refund import Refund, RefundState
from direct_debit.entrypoint.views.links import link_payment
from direct_debit.entrypoint.views.view import AmountView, Moment, View

UNRESOLVED_REFUND = frozenset({RefundState.REQUESTED, RefundState.SENDING, RefundState.RETRYING, RefundState.UNKNOWN})


class RefundView(View):
    """The refund of a payment: always the full amount."""

    partner_refund_no: str = Field(examples=["RFD202608010"])
    state: RefundState
    amount: AmountView
    reason: str | None = Field(
        default=None,
        description="This service's own, where a request gives none; what one gives goes to DOKU, and is not shown.",
        examples=["Refund"],
    )
    refund_no: str | None = Field(default=None, description="DOKU's number.", examples=["9lCqroDiy27A"])
    response_code: str | None = Field(default=None, examples=["2005800"])
    automatic: bool = Field(description="Whether it was made because a payment given up as not found was paid late.")
    requested_at: Moment
    refunded_at: Moment | None = None


class RefundOfPaymentView(RefundView):
    """The refund of a payment, by the payment's reference."""

    brief: ClassVar[tuple[str, ...]] = ("partner_reference_no", "partner_refund_no", "state")

    partner_reference_no: str = Field(examples=["INV202608010"])
    links: Mapping[str, str] = Field(description="Where to look.")


def show_refund(payment: Payment) -> RefundOfPaymentView:
    """Return what the API shows of a payment's refund. Raises NotFound when it has none."""
    refund = payment.refund
    if refund is None:
        raise NotFound("this payment has no refund")
    view = show_refund_of(payment, refund)
    return RefundOfPaymentView(partner_reference_no=payment.ref, links=link_payment(payment), **dict(view))


def show_refund_of(payment: Payment, refund: Refund) -> RefundView:
    """Return what is shown of a refund as a part of its payment."""
    return RefundView(
        partner_refund_no=refund.number,
        state=refund.state,
        amount=AmountView(value=str(payment.amount)),
        reason=refund.reason or None,
        refund_no=refund.refund_no,
        response_code=refund.response_code,
        automatic=refund.automatic,
        requested_at=refund.requested_at,
        refunded_at=refund.refunded_at,
    )
