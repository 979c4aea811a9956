"""What the API answers. Names are those of docs/openapi.json; fields that it does not have yet are ignored.

Moments are in UTC, amounts are Decimals. A value that an enumeration does not know yet is kept as it came:
`payment.state == "SOMETHING_NEW"` works, and so does `payment.state is PaymentState.PAID`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from typing_extensions import Self


class OpenEnum(str, Enum):
    """An enumeration to which the service may add values."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        newcomer = str.__new__(cls, value)
        newcomer._name_ = newcomer._value_ = value
        return newcomer

    def __str__(self) -> str:
        return str(self.value)


class View(BaseModel):
    """What all answers have in common: unknown fields are ignored, absent ones are None, nothing can be changed."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )


class BindingState(OpenEnum):
    """How far a link is."""

    REQUESTED = "REQUESTED"
    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    RELINK_REQUIRED = "RELINK_REQUIRED"
    UNBIND_OTP_PENDING = "UNBIND_OTP_PENDING"
    UNBOUND = "UNBOUND"
    FAILED = "FAILED"


class PaymentState(OpenEnum):
    """How far a payment is."""

    REQUESTED = "REQUESTED"
    OTP_PENDING = "OTP_PENDING"
    OTP_SUBMITTED = "OTP_SUBMITTED"
    PROCESSING = "PROCESSING"
    UNKNOWN = "UNKNOWN"
    PAID = "PAID"
    FAILED = "FAILED"
    REFUNDED = "REFUNDED"
    NEEDS_REVIEW = "NEEDS_REVIEW"


class RefundState(OpenEnum):
    """How far a refund is."""

    REQUESTED = "REQUESTED"
    SENDING = "SENDING"
    RETRYING = "RETRYING"
    UNKNOWN = "UNKNOWN"
    REFUNDED = "REFUNDED"
    FAILED = "FAILED"
    NEEDS_REVIEW = "NEEDS_REVIEW"


class FailureReason(OpenEnum):
    """Why a payment is FAILED."""

    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    OTP_BLOCKED = "otp_blocked"
    OTP_ABANDONED = "otp_abandoned"
    NOT_FOUND = "not_found"


class Cause(OpenEnum):
    """Why a payment failed, more exactly; treat one that you do not know as `declined`."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    LIMIT_EXCEEDED = "limit_exceeded"
    LIMIT_NOT_SET = "limit_not_set"
    ACCOUNT_BLOCKED = "account_blocked"
    ACCOUNT_INACTIVE = "account_inactive"
    CARD_EXPIRED = "card_expired"
    LINK_ENDED = "link_ended"
    OTP_EXPIRED = "otp_expired"
    OTP_BLOCKED = "otp_blocked"
    OTP_NOT_ENTERED = "otp_not_entered"
    CANCELLED = "cancelled"
    TIME_OVER = "time_over"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    BANK_CLOSED = "bank_closed"
    MERCHANT_LIMIT_EXCEEDED = "merchant_limit_exceeded"
    MERCHANT_NOT_ALLOWED = "merchant_not_allowed"
    REQUEST_REFUSED = "request_refused"
    NEVER_ARRIVED = "never_arrived"
    DECLINED = "declined"


class MendedBy(OpenEnum):
    """Whose doing makes the next payment work; `nobody`: time, or another account."""

    CUSTOMER = "customer"
    MERCHANT = "merchant"
    NOBODY = "nobody"


class ReviewReason(OpenEnum):
    """Why a payment is NEEDS_REVIEW."""

    EXHAUSTED = "exhausted"
    CONTRADICTION = "contradiction"


class AmountView(View):
    """Money."""

    value: Decimal
    currency: str = "IDR"


class BindingView(View):
    """A link of a customer to a CIMB account."""

    binding_id: str
    customer_id: str
    state: BindingState
    phone_hint: str
    redirect_url: str | None = Field(default=None, repr=False)
    response_code: str | None = None
    metadata: Mapping[str, str]
    created_at: datetime
    updated_at: datetime
    links: Mapping[str, str]


class BindingList(View):
    """A page of links; `next` is the next page's `after`. A page may be short, or empty, and have a next one."""

    bindings: Sequence[BindingView]
    next: str | None = None
    not_shown: Sequence[str] = ()


class BalanceLine(View):
    """One balance of an account."""

    type: str | None = None
    amount: AmountView


class BalanceView(View):
    """The balances of a linked account."""

    binding_id: str
    customer_id: str
    balances: Sequence[BalanceLine]


class CustomerMessage(View):
    """A sentence for the customer, in Indonesian and in English."""

    id: str
    en: str


class FailureView(View):
    """Why a payment failed, whose turn it is, and what to tell the customer."""

    reason: FailureReason
    cause: Cause
    mended_by: MendedBy
    customer_message: CustomerMessage
    response_code: str | None = None


class HistoryView(View):
    """One recorded step of a payment."""

    version: int
    at: datetime
    state: str
    refund_state: str | None = None
    source: str
    response_code: str | None = None


class RefundView(View):
    """The refund of a payment: always the full amount."""

    partner_refund_no: str
    state: RefundState
    amount: AmountView
    reason: str | None = None
    refund_no: str | None = None
    response_code: str | None = None
    automatic: bool
    requested_at: datetime
    refunded_at: datetime | None = None


class RefundOfPaymentView(RefundView):
    """The refund of a payment, by the payment's reference."""

    partner_reference_no: str
    links: Mapping[str, str]


class PaymentView(View):
    """A payment."""

    partner_reference_no: str
    binding_id: str
    customer_id: str
    amount: AmountView
    remarks: str
    state: PaymentState
    doku_reference: str | None = None
    response_code: str | None = None
    web_redirect_url: str | None = Field(default=None, repr=False)
    failure: FailureView | None = None
    review: ReviewReason | None = None
    refund: RefundView | None = None
    metadata: Mapping[str, str]
    created_at: datetime
    updated_at: datetime
    links: Mapping[str, str]
    history: Sequence[HistoryView] = ()


class PaymentList(View):
    """A page of payments; `next` is the next page's `after`. A page may be short, or empty, and have a next one."""

    payments: Sequence[PaymentView]
    next: str | None = None
    not_shown: Sequence[str] = ()
