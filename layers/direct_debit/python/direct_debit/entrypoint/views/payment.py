"""What is shown of a payment, by whichever operation."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from direct_debit.domain.payment import FailureReason, Payment, PaymentFailure, PaymentState, ReviewReason
from direct_debit.entrypoint.views.decline import EXPLANATIONS, Cause, MendedBy, find_cause
from direct_debit.entrypoint.views.links import link_payment
from direct_debit.entrypoint.views.refund import RefundView, show_refund_of
from direct_debit.entrypoint.views.view import AmountView, Moment, View

if TYPE_CHECKING:
    from direct_debit.application.ports.history import HistoryEntry

# Somebody speaks to DOKU about it right now, or its outcome is not known: callers get 202 and look again.
UNRESOLVED_PAYMENT = frozenset({PaymentState.REQUESTED, PaymentState.OTP_SUBMITTED, PaymentState.UNKNOWN})


class CustomerMessage(View):
    """A sentence for the customer."""

    id: str = Field(description="In Indonesian.")
    en: str = Field(description="In English.")


class FailureView(View):
    """Why a payment failed."""

    brief: ClassVar[tuple[str, ...]] = ("reason",)

    reason: FailureReason
    cause: Cause = Field(
        description="More exactly, from DOKU's response code. A cause is never renamed, but new ones may come: treat "
        "what you do not know as `declined`."
    )
    mended_by: MendedBy = Field(
        description="Whose doing makes the next payment work; `nobody`: time, or another account."
    )
    customer_message: CustomerMessage = Field(description="What to show to the customer; its wording may change.")
    response_code: str | None = Field(
        default=None, description="DOKU's response code or transaction status.", examples=["4035414"]
    )


class HistoryView(View):
    """One recorded step of a payment."""

    version: int
    at: Moment
    state: str
    refund_state: str | None = None
    source: str = Field(description="Where the fact came from.", examples=["notification"])
    response_code: str | None = None


class PaymentView(View):
    """A payment."""

    brief: ClassVar[tuple[str, ...]] = ("partner_reference_no", "state", "failure")

    partner_reference_no: str = Field(examples=["INV202608010"])
    binding_id: str = Field(examples=["6f1d2c3b4a5968778695a4b3c2d1e0f0"])
    customer_id: str = Field(examples=["CUST-1001"])
    amount: AmountView
    remarks: str = Field(description="What the customer reads.", examples=["Order 4711"])
    state: PaymentState
    doku_reference: str | None = Field(
        default=None,
        description="DOKU's reference: name it when you write to DOKU.",
        examples=["2020102977770000000009"],
    )
    response_code: str | None = Field(default=None, description="DOKU's last response code.", examples=["4035413"])
    web_redirect_url: str | None = Field(
        default=None,
        description="Send the customer there when present. Not in lists, and not once the payment has ended.",
        repr=False,
    )
    failure: FailureView | None = None
    review: ReviewReason | None = None
    refund: RefundView | None = None
    metadata: Mapping[str, str] = Field(examples=[{"orderId": "4711"}])
    created_at: Moment
    updated_at: Moment
    links: Mapping[str, str] = Field(description="Where to look, and what can be done now.")
    history: Sequence[HistoryView] | None = Field(default=None, description="Oldest first; on `GET` only.")


def show_payment(
    payment: Payment, history: "Sequence[HistoryEntry] | None" = None, page: str | None = None
) -> PaymentView:
    """Return what the API shows of a payment; `page` is where the customer goes on."""
    failure = payment.failure
    return PaymentView(
        partner_reference_no=payment.ref,
        binding_id=payment.binding_id,
        customer_id=payment.customer_id,
        amount=AmountView(value=str(payment.amount)),
        remarks=payment.remarks,
        state=payment.state,
        doku_reference=payment.doku_reference,
        response_code=payment.response_code,
        web_redirect_url=page,
        failure=None if failure is None else _show_failure(failure, payment.response_code),
        review=payment.review,
        refund=None if payment.refund is None else show_refund_of(payment, payment.refund),
        metadata=dict(payment.metadata),
        created_at=payment.created_at,
        updated_at=payment.updated_at,
        links=link_payment(payment),
        history=None if history is None else [_show_step(entry) for entry in history],
    )


def _show_failure(failure: PaymentFailure, response_code: str | None) -> FailureView:
    cause = find_cause(failure, response_code)
    told = EXPLANATIONS[cause]
    return FailureView(
        reason=failure.reason,
        cause=cause,
        mended_by=told.mended_by,
        customer_message=CustomerMessage(id=told.indonesian, en=told.english),
        response_code=failure.code,
    )


def _show_step(entry: "HistoryEntry") -> HistoryView:
    return HistoryView(
        version=entry.version,
        at=entry.at,
        state=entry.state,
        refund_state=entry.refund_state,
        source=entry.source,
        response_code=entry.code,
    )
