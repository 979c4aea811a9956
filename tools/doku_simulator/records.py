"""What DOKU remembers: bindings, tokens, payments, refunds; and the answer it gives to one request."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class BindingState(StrEnum):
    """PENDING until the customer has finished CIMB's pages; UNBOUND and FAILED are final."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    FAILED = "FAILED"
    UNBIND_OTP_PENDING = "UNBIND_OTP_PENDING"
    UNBOUND = "UNBOUND"


class PaymentState(StrEnum):
    """OTP_PENDING → PROCESSING → PAID | FAILED; PAID → REFUNDED."""

    OTP_PENDING = "OTP_PENDING"
    PROCESSING = "PROCESSING"
    PAID = "PAID"
    FAILED = "FAILED"
    REFUNDED = "REFUNDED"


class PageStep(StrEnum):
    """Where the customer stands on CIMB's pages."""

    PHONE = "phone"
    OTP = "otp"
    PIN = "pin"
    DONE = "done"


@dataclass(slots=True)
class OtpChallenge:
    """One OTP that was sent; `wrong` counts the refused tries."""

    sent_at: datetime
    wrong: int = 0


@dataclass(slots=True)
class Binding:
    """One account linked (or being linked) to one customer of the merchant. `code` is the auth code."""

    code: str = field(repr=False)
    phone: str = field(repr=False)
    customer: str
    reference_no: str
    external_id: str
    success_url: str
    failed_url: str
    created_at: datetime
    state: BindingState = BindingState.PENDING
    step: PageStep = PageStep.PHONE
    page_otp: OtpChallenge | None = None
    wrong_pins: int = 0
    unbind_otp: OtpChallenge | None = None
    customer_token: str | None = field(default=None, repr=False)
    """The newest customer token, as sent in notifications."""

    @property
    def linked(self) -> bool:
        """Whether payments may be made: an unbinding counts only once its OTP was verified."""
        return self.state is BindingState.ACTIVE or self.state is BindingState.UNBIND_OTP_PENDING


@dataclass(slots=True)
class CustomerToken:
    """A B2B2C access or refresh token."""

    binding: Binding
    expires_at: datetime


@dataclass(slots=True)
class Refund:
    """One refund request of a payment; `status` as in refundHistory: 00, 03, 06."""

    partner_refund_no: str
    refund_no: str
    amount: int
    reason: str
    requested_at: datetime
    history: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def status(self) -> str:
        """The newest status."""
        return self.history[-1][1]


@dataclass(slots=True)
class Payment:
    """One payment. `history` holds every state with its time and the case of the answer it stands for."""

    reference: str
    external_ids: list[str]
    reference_no: str
    amount: int
    currency: str
    binding: Binding
    created_at: datetime
    will_fail: bool = False
    otp: OtpChallenge | None = None
    failure_case: str = ""
    approval_code: str = ""
    paid_at: datetime | None = None
    refunds: list[Refund] = field(default_factory=list)
    history: list[tuple[datetime, PaymentState, str]] = field(default_factory=list)

    @property
    def state(self) -> PaymentState:
        """The newest state."""
        return self.history[-1][1]

    def enter(self, state: PaymentState, case: str, at: datetime) -> None:
        """Move to `state`; `case` is what a payment request would be answered in it."""
        self.history.append((at, state, case))


@dataclass(frozen=True, slots=True)
class SimulatedResponse:
    """The answer to one request, and how it travels.

    `dropped`: the client gets no answer at all (`hang`: the connection stays open, else it is closed).
    `delay_seconds`: the answer leaves that much later; the caller waits or moves its clock.
    `cut_after`: only so many bytes of the body arrive.
    `notify_first`: due notifications are to be delivered before this answer.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    code: str = ""
    dropped: bool = False
    hang: bool = False
    delay_seconds: float = 0.0
    cut_after: int | None = None
    notify_first: bool = False


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One line of the request log; holds no token, OTP, phone or body."""

    at: datetime
    method: str
    path: str
    operation: str
    external_id: str
    reference: str
    status: int
    code: str
    fault: str


class Refused(Exception):
    """The request ends here with `case` (five digits) and a detail for the message."""

    def __init__(self, case: str, detail: str = "", fields: dict[str, object] | None = None) -> None:
        super().__init__(case)
        self.case = case
        self.detail = detail
        self.fields = fields or {}
