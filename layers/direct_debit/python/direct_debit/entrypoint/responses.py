"""What the public API shows of a binding, a payment and a refund. No token, auth code, OTP or phone number is in it.

Absent values are left out of the JSON. Times are UTC, ISO 8601.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

from direct_debit.application.bindings.bind_account import BindingResult
from direct_debit.application.bindings.list_bindings import BindingsResult
from direct_debit.application.errors import NotFound
from direct_debit.application.ports.doku import Balance
from direct_debit.application.ports.payments import HistoryEntry
from direct_debit.domain.binding import Binding, BindingState
from direct_debit.domain.payment import FailureReason, Payment, PaymentState, ReviewReason
from direct_debit.domain.refund import Refund, RefundState

# Somebody speaks to DOKU about it right now, or its outcome is not known: callers get 202 and look again.
UNRESOLVED_PAYMENT = frozenset({PaymentState.REQUESTED, PaymentState.OTP_SUBMITTED, PaymentState.UNKNOWN})
UNRESOLVED_REFUND = frozenset({RefundState.REQUESTED, RefundState.SENDING, RefundState.RETRYING, RefundState.UNKNOWN})


def write_time(at: datetime) -> str:
    """Return the time as the API writes it: UTC with milliseconds, for example 2026-08-01T07:15:00.000Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    PlainSerializer(write_time, return_type=str),
    Field(description="UTC, ISO 8601.", examples=["2026-08-01T07:15:00.000Z"]),
]


class View(BaseModel):
    """The base of all answers."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=False,
        serialize_by_alias=True,
    )

    def to_json(self) -> dict[str, object]:
        """Return the wire form."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class AmountView(View):
    """Money as SNAP writes it."""

    value: str = Field(examples=["10000.00"])
    currency: Literal["IDR"] = "IDR"


class BindingView(View):
    """A link of a customer to a CIMB account."""

    binding_id: str = Field(examples=["6f1d2c3b4a5968778695a4b3c2d1e0f0"])
    customer_id: str = Field(examples=["CUST-1001"])
    state: BindingState
    phone_hint: str = Field(description="The last three digits of the phone number.", examples=["761"])
    redirect_url: str | None = Field(
        default=None,
        description="Where to send the customer's browser; only while the customer has to go there.",
        examples=["https://sandbox.doku.com/direct-debit/ui/binding/core/2238230713001534401107183161486001168389"],
        repr=False,
    )
    response_code: str | None = Field(default=None, description="DOKU's last response code.", examples=["2000700"])
    metadata: Mapping[str, str] = Field(examples=[{"segment": "gold"}])
    created_at: Moment
    updated_at: Moment
    links: Mapping[str, str] = Field(description="Where to look, and what can be done now.")


class BindingList(View):
    """The bindings of a customer, newest first."""

    bindings: Sequence[BindingView]
    not_shown: Sequence[str] | None = Field(
        default=None,
        description="Ids of links that this release can not read, since a newer one wrote them.",
        examples=[["7e2d2c3b4a5968778695a4b3c2d1e0f1"]],
    )


class BalanceLine(View):
    """One balance of the account."""

    type: str | None = Field(default=None, examples=["Cash"])
    amount: AmountView


class BalanceView(View):
    """The balances of a linked account."""

    binding_id: str = Field(examples=["6f1d2c3b4a5968778695a4b3c2d1e0f0"])
    customer_id: str = Field(examples=["CUST-1001"])
    balances: Sequence[BalanceLine]


class FailureView(View):
    """Why a payment failed."""

    reason: FailureReason
    response_code: str | None = Field(
        default=None, description="DOKU's response code or transaction status.", examples=["4035414"]
    )


class RefundView(View):
    """The refund of a payment: always the full amount."""

    partner_refund_no: str = Field(examples=["RFD202608010"])
    state: RefundState
    amount: AmountView
    reason: str | None = Field(default=None, examples=["Customer complain"])
    refund_no: str | None = Field(default=None, description="DOKU's number.", examples=["9lCqroDiy27A"])
    response_code: str | None = Field(default=None, examples=["2005800"])
    automatic: bool = Field(description="Whether it was made because a payment given up as not found was paid late.")
    requested_at: Moment
    refunded_at: Moment | None = None


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

    partner_reference_no: str = Field(examples=["INV202608010"])
    binding_id: str = Field(examples=["6f1d2c3b4a5968778695a4b3c2d1e0f0"])
    customer_id: str = Field(examples=["CUST-1001"])
    amount: AmountView
    state: PaymentState
    response_code: str | None = Field(default=None, description="DOKU's last response code.", examples=["4035413"])
    web_redirect_url: str | None = Field(default=None, description="Send the customer there when present.", repr=False)
    failure: FailureView | None = None
    review: ReviewReason | None = None
    refund: RefundView | None = None
    metadata: Mapping[str, str] = Field(examples=[{"orderId": "4711"}])
    created_at: Moment
    updated_at: Moment
    links: Mapping[str, str] = Field(description="Where to look, and what can be done now.")
    history: Sequence[HistoryView] | None = Field(default=None, description="Oldest first; on `GET` only.")


class RefundOfPaymentView(RefundView):
    """The refund of a payment, by the payment's reference."""

    partner_reference_no: str = Field(examples=["INV202608010"])
    links: Mapping[str, str] = Field(description="Where to look.")


class RedirectView(View):
    """Where the browser goes on (plain commands only; HTTP callers get 302)."""

    url: str
    binding_state: str | None = None


def show_binding(result: BindingResult) -> BindingView:
    """Return what the API shows of a binding."""
    binding = result.binding
    own = f"/bindings/{binding.id}"
    links = {"self": own}
    if binding.state is BindingState.UNBIND_OTP_PENDING:
        links["otp"] = f"{own}/otp"
    if binding.state is BindingState.ACTIVE:
        links["balance"] = f"{own}/balance"
    return BindingView(
        binding_id=binding.id,
        customer_id=binding.customer_id,
        state=binding.state,
        phone_hint=binding.phone_hint,
        redirect_url=result.redirect_url,
        response_code=binding.response_code,
        metadata=dict(binding.metadata),
        created_at=binding.created_at,
        updated_at=binding.updated_at,
        links=links,
    )


def show_bindings(result: BindingsResult) -> BindingList:
    """Return what the API shows of a customer's bindings."""
    return BindingList(bindings=[show_binding(one) for one in result.shown], not_shown=list(result.not_shown) or None)


def show_balance(binding: Binding, balances: Sequence[Balance]) -> BalanceView:
    """Return what the API shows of an account's balances."""
    lines = [BalanceLine(type=line.type, amount=AmountView(value=line.amount)) for line in balances]
    return BalanceView(binding_id=binding.id, customer_id=binding.customer_id, balances=lines)


def show_payment(payment: Payment, history: Sequence[HistoryEntry] | None = None) -> PaymentView:
    """Return what the API shows of a payment."""
    failure = payment.failure
    return PaymentView(
        partner_reference_no=payment.ref,
        binding_id=payment.binding_id,
        customer_id=payment.customer_id,
        amount=AmountView(value=str(payment.amount)),
        state=payment.state,
        response_code=payment.response_code,
        web_redirect_url=payment.web_redirect_url,
        failure=None if failure is None else FailureView(reason=failure.reason, response_code=failure.code),
        review=payment.review,
        refund=None if payment.refund is None else _show_refund(payment, payment.refund),
        metadata=dict(payment.metadata),
        created_at=payment.created_at,
        updated_at=payment.updated_at,
        links=_payment_links(payment),
        history=None if history is None else [_show_step(entry) for entry in history],
    )


def show_refund(payment: Payment) -> RefundOfPaymentView:
    """Return what the API shows of a payment's refund. Raises NotFound when it has none."""
    refund = payment.refund
    if refund is None:
        raise NotFound("this payment has no refund")
    view = _show_refund(payment, refund)
    return RefundOfPaymentView(partner_reference_no=payment.ref, links=_payment_links(payment), **dict(view))


def _show_refund(payment: Payment, refund: Refund) -> RefundView:
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


def _show_step(entry: HistoryEntry) -> HistoryView:
    return HistoryView(
        version=entry.version,
        at=entry.at,
        state=entry.state,
        refund_state=entry.refund_state,
        source=entry.source,
        response_code=entry.code,
    )


def _payment_links(payment: Payment) -> dict[str, str]:
    own = f"/payments/{payment.ref}"
    links = {"self": own, "binding": f"/bindings/{payment.binding_id}"}
    if payment.state is PaymentState.OTP_PENDING:
        links["otp"] = f"{own}/otp"
    if payment.refund is not None or payment.state is PaymentState.PAID:
        links["refund"] = f"{own}/refund"
    return links
