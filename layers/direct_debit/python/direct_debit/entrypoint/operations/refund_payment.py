"""POST /payments/{ref}/refund: give a payment back in full."""

from typing import Annotated

from pydantic import Field

from direct_debit.application.refunds.refund_payment import RefundPayment, refund_payment
from direct_debit.domain import values
from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.doors import Answer, Call
from direct_debit.entrypoint.route import BY_PAYMENT, READS, BodyRule, Route
from direct_debit.entrypoint.values import Reference, RefundNumber
from direct_debit.entrypoint.views.refund import UNRESOLVED_REFUND, RefundOfPaymentView, show_refund


class RefundPaymentRequest(Command):
    """Refund a payment in full."""

    partner_reference_no: Reference
    partner_refund_no: RefundNumber | None = None
    reason: Annotated[
        str | None,
        Field(
            max_length=values.REASON_LENGTH,
            pattern=values.TEXT,
            description=f"Why: 1 to {values.REASON_LENGTH} printable characters.",
            examples=["Customer complain"],
        ),
    ] = None

    def to_command(self, caller: str | None = None) -> RefundPayment:
        """Return the use case's command."""
        return RefundPayment(
            ref=self.partner_reference_no,
            partner_refund_no=self.partner_refund_no,
            reason=self.reason,
            requested_by=caller,
        )


ROUTE = Route(
    name="refund_payment",
    method="POST",
    path="/payments/{ref}/refund",
    summary="Refund a payment in full",
    request=RefundPaymentRequest,
    response=RefundOfPaymentView,
    answers={
        202: "Accepted; it is sent and repeated without you until it is done.",
        200: "A repeat of a refund that is settled (header `Idempotency-Replayed`).",
    },
    problems=("not-found", "conflict", *READS),
    body=BodyRule.OPTIONAL,
    from_path=BY_PAYMENT,
    repeats="a payment has one refund, and partnerRefundNo is its key",
)


def operate(request: RefundPaymentRequest, call: Call) -> Answer:
    """Accept the refund: 202; 200 for a repeat of a settled one. A worker sends it."""
    result = refund_payment(request.to_command(call.caller), call.ports, call.deadline)
    view = show_refund(result.payment)
    settled = result.replayed and view.state not in UNRESOLVED_REFUND
    return Answer(200 if settled else 202, view, replayed=result.replayed)
