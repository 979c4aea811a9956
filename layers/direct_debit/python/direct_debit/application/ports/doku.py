"""DOKU, as the use cases see it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from direct_debit.application.deadline import Deadline
from direct_debit.application.return_pages import ReturnPages
from direct_debit.domain.payment import Payment

if TYPE_CHECKING:
    from direct_debit.application.ports.doku_links import LinkRequest, LinkStarted
    from direct_debit.application.ports.doku_reads import Balance, StatusAnswer
    from direct_debit.application.ports.doku_tokens import CustomerTokens, IssuedB2BToken


@dataclass(frozen=True, slots=True)
class DokuCall:
    """What every call carries: tokens, the request id and the time budget."""

    b2b_token: str = field(repr=False)
    external_id: str
    deadline: Deadline
    customer_token: str | None = field(default=None, repr=False)
    device_id: str | None = field(default=None, repr=False)
    ip_address: str | None = field(default=None, repr=False)


class Reply(StrEnum):
    """What DOKU answered to a write, as far as the next step depends on it."""

    DONE = "done"  # 200xxxx
    OTP_REQUIRED = "otp_required"  # 403xx13
    IN_PROGRESS = "in_progress"  # 202xxxx
    DECLINED = "declined"  # final
    EXPIRED = "expired"  # 403xx00, 403xx12
    CANCELLED = "cancelled"  # 404xx04
    OTP_WRONG = "otp_wrong"  # 404xx15
    OTP_BLOCKED = "otp_blocked"  # 403xx11
    OTP_NOT_AWAITED = "otp_not_awaited"  # 404xx06
    CUSTOMER_MUST_ACT = "customer_must_act"
    LATER = "later"  # refused for now: limits, cut-off, too many requests
    GONE = "gone"  # DOKU does not know the link any more (3.12)


@dataclass(frozen=True, slots=True)
class WriteAnswer:
    """A clear answer to a payment, OTP, refund or unbinding request."""

    reply: Reply
    code: str
    reference: str | None = None  # referenceNo, or refundNo for a refund
    redirect_url: str | None = field(default=None, repr=False)
    time: datetime | None = None  # refundTime


class Doku(Protocol):
    """DOKU, as the application speaks with it. The adapter knows SNAP.

    Writes (bind, pay, verify, refund, unbind) raise OutcomeUnknown when the answer was lost or is ambiguous. Every
    call raises NotDone when surely nothing was sent or DOKU refused without an effect and asks to come again
    (DokuSilent where that speaks of DOKU), B2BTokenRefused or CustomerTokenRefused when a token was not taken,
    Unsendable when our own model refuses the message. Reads raise NotDone whenever there is no answer. An answer that
    names something else than was asked is none (doku_snap.ties).
    """

    def key_id(self) -> str:
        """Name the client id and private key with which requests for tokens are signed now; a rotation changes it.

        Raises StoreUnavailable.
        """
        ...

    def request_b2b_token(self, deadline: Deadline) -> "IssuedB2BToken":
        """Ask for a B2B token (contract 3.1). Raises NotDone, Rejected (wrong key or client id)."""
        ...

    def exchange_auth_code(self, auth_code: str, deadline: Deadline) -> "CustomerTokens":
        """Exchange an auth code (3.2). Raises RelinkRequired when DOKU does not (yet) take it, NotDone."""
        ...

    def refresh_customer_token(self, refresh_token: str, deadline: Deadline) -> "CustomerTokens":
        """Use the refresh grant (3.2). Raises RelinkRequired when DOKU does not take it, NotDone."""
        ...

    def bind_account(self, request: "LinkRequest", call: DokuCall) -> "LinkStarted":
        """Start a link (3.3). Raises Rejected, CustomerActionRequired besides."""
        ...

    def inquire_balance(self, call: DokuCall) -> "Sequence[Balance]":
        """Read the balance (3.7). Raises Rejected, CustomerActionRequired besides."""
        ...

    def make_payment(self, payment: Payment, pages: ReturnPages, call: DokuCall) -> WriteAnswer:
        """Send the payment as recorded, with the pages to return to (3.8)."""
        ...

    def verify_payment_otp(self, payment: Payment, otp: str, call: DokuCall) -> WriteAnswer:
        """Send the customer's OTP (3.6)."""
        ...

    def inquire_status(self, payment: Payment, call: DokuCall) -> "StatusAnswer":
        """Ask what became of the payment, with its refunds (3.9)."""
        ...

    def refund_payment(self, payment: Payment, reason: str, call: DokuCall) -> WriteAnswer:
        """Send the refund as recorded on the payment, with its reason in the clear (3.11)."""
        ...

    def unbind_account(self, token: str, call: DokuCall) -> WriteAnswer:
        """Ask to unlink the account that `token` stands for (3.12)."""
        ...

    def verify_unbinding_otp(self, token: str, otp: str, call: DokuCall) -> WriteAnswer:
        """Confirm the unlinking with the customer's OTP (3.6)."""
        ...
