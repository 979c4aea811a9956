"""The calls to DOKU's direct debit API (contract sections 2 and 3): build, sign, send once, read.

A process makes one or two of these calls, so each loads its own messages.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from doku_snap.answers import Answer, read_answer
from doku_snap.credentials import Credentials
from doku_snap.errors import InvalidMessage
from doku_snap.operations import Operation
from doku_snap.settings import ClientSettings
from doku_snap.signing import format_timestamp, serialize, sign_symmetric, symmetric_string_to_sign
from doku_snap.ties import Question
from doku_snap.transport import HttpRequest, Timeout, Transport

if TYPE_CHECKING:
    from doku_snap.messages.account_binding import AccountBinding, AccountBindingRequest
    from doku_snap.messages.account_unbinding import AccountUnbinding, AccountUnbindingRequest
    from doku_snap.messages.balance_inquiry import BalanceInquiry, BalanceInquiryRequest
    from doku_snap.messages.base import AnswerMessage
    from doku_snap.messages.otp_verification import OtpVerification, OtpVerificationRequest
    from doku_snap.messages.payment import Payment, PaymentRequest
    from doku_snap.messages.refund import Refund, RefundRequest
    from doku_snap.messages.status import Status, StatusRequest

_TOKEN = re.compile(r"[!-~]{1,2048}")
_EXTERNAL_ID = re.compile(r"[0-9]{1,36}")
_DEVICE_ID = re.compile(r"[A-Za-z0-9]{1,64}")

# Who sees the customer's token and device (contract 2.2). `X-IP-ADDRESS` may go with every call.
_NEEDS_CUSTOMER_TOKEN = frozenset({Operation.INQUIRE_BALANCE, Operation.MAKE_PAYMENT, Operation.REFUND_PAYMENT})
_TAKES_CUSTOMER_TOKEN = _NEEDS_CUSTOMER_TOKEN | {Operation.VERIFY_OTP}
_TAKES_DEVICE_ID = frozenset(
    {Operation.BIND_ACCOUNT, Operation.VERIFY_OTP, Operation.MAKE_PAYMENT, Operation.REFUND_PAYMENT}
)


@dataclass(frozen=True, slots=True)
class Call:
    """What one HTTP call needs besides its message. Construction raises InvalidMessage naming the header.

    `external_id` is new for every call, digits only; `b2b_token` and `customer_token` are bare; `device_id` is letters
    and digits; `ip_address` is the customer's IPv4. What an operation does not take is not sent.
    """

    b2b_token: str = field(repr=False)
    external_id: str
    timeout: Timeout
    customer_token: str | None = field(default=None, repr=False)
    device_id: str | None = field(default=None, repr=False)
    ip_address: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        _require("Authorization", _TOKEN, self.b2b_token, "must be a bare token of 1 to 2048 characters")
        _require("X-EXTERNAL-ID", _EXTERNAL_ID, self.external_id, "must be 1 to 36 digits")
        _require("Authorization-Customer", _TOKEN, self.customer_token, "must be a bare token of 1 to 2048 characters")
        _require("X-DEVICE-ID", _DEVICE_ID, self.device_id, "must be 1 to 64 letters or digits")
        if self.ip_address is not None and not _is_ipv4(self.ip_address):
            raise InvalidMessage("X-IP-ADDRESS", "must be an IPv4 address")


class DokuClient:
    """DOKU's direct debit calls. Each sends exactly one HTTP request and never repeats it.

    Every method raises InvalidMessage (nothing sent), ConnectionNotMade (nothing sent) or AnswerLost (outcome unknown),
    and returns an Answer for every JSON answer of DOKU, refusals included.
    """

    def __init__(
        self, credentials: Credentials, settings: ClientSettings, transport: Transport, clock: Callable[[], datetime]
    ) -> None:
        self._credentials = credentials
        self._settings = settings
        self._transport = transport
        self._clock = clock

    def bind_account(self, request: AccountBindingRequest, call: Call) -> Answer[AccountBinding]:
        """Start linking an account (3.3); the customer goes on at `redirect_url`."""
        from doku_snap.messages.account_binding import AccountBinding

        body = request.to_wire(additional={"channel": self._channel})
        question = Question(operation=Operation.BIND_ACCOUNT, customer_id=request.cust_id_merchant)
        return self._send(question, body, call, AccountBinding)

    def verify_otp(self, request: OtpVerificationRequest, call: Call) -> Answer[OtpVerification]:
        """Confirm a payment or an unbinding with the customer's OTP (3.6)."""
        from doku_snap.messages.otp_verification import OtpPurpose, OtpVerification

        paying = request.purpose is OtpPurpose.PAYMENT
        value = self._settings.payment_otp_value if paying else self._settings.unbinding_otp_value
        body = request.to_wire(top={self._settings.otp_discriminator: value}, additional={"channel": self._channel})
        question = Question(operation=Operation.VERIFY_OTP, reference=request.original_partner_reference_no)
        return self._send(question, body, call, OtpVerification)

    def inquire_balance(self, request: BalanceInquiryRequest, call: Call) -> Answer[BalanceInquiry]:
        """Ask for the balance (3.7). Needs the customer token."""
        from doku_snap.messages.balance_inquiry import BalanceInquiry

        body = request.to_wire(top=self._legacy_token(call), additional={"channel": self._channel})
        return self._send(Question(operation=Operation.INQUIRE_BALANCE), body, call, BalanceInquiry)

    def make_payment(self, request: PaymentRequest, call: Call) -> Answer[Payment]:
        """Debit the account (3.8); the normal answer of CIMB is class OTP. Needs the customer token."""
        from doku_snap.messages.payment import Payment

        body = request.to_wire(top=self._legacy_token(call), additional={"channel": self._channel})
        question = Question(operation=Operation.MAKE_PAYMENT, reference=request.partner_reference_no)
        return self._send(question, body, call, Payment)

    def inquire_status(
        self,
        request: StatusRequest,
        call: Call,
        *,
        external_id: str | None = None,
        refund_number: str | None = None,
    ) -> Answer[Status]:
        """Ask what became of a payment (3.9). Class NOT_FOUND and status 07 mean the same.

        `external_id` (of the payment's request) and `refund_number` (of its refund) are not sent: where the answer
        names one, it has to be this one. A row of the refund's with another amount than the payment's reads as one
        without a status, and `contradictions` names it.
        """
        from doku_snap.messages.status import Status

        if request.service_code is None:
            request = request.model_copy(update={"service_code": self._settings.status_service_code})
        # This call has one path and one form; the channel is always part of it.
        body = request.to_wire(additional={"channel": self._settings.channel})
        question = Question(
            operation=Operation.INQUIRE_STATUS,
            reference=request.original_partner_reference_no,
            external_id=external_id,
            refund_number=refund_number,
            amount=None if request.amount is None else Decimal(request.amount.value),
        )
        return self._send(question, body, call, Status)

    def refund_payment(self, request: RefundRequest, call: Call) -> Answer[Refund]:
        """Refund a payment in full (3.11). Needs the customer token."""
        from doku_snap.messages.refund import Refund

        body = request.to_wire(additional={"channel": self._channel, **self._legacy_token(call)})
        question = Question(
            operation=Operation.REFUND_PAYMENT,
            reference=request.original_partner_reference_no,
            external_id=request.original_external_id,
            refund_number=request.partner_refund_no,
            amount=Decimal(request.refund_amount.value),
        )
        return self._send(question, body, call, Refund)

    def unbind_account(self, request: AccountUnbindingRequest, call: Call) -> Answer[AccountUnbinding]:
        """Remove a link (3.12); the normal answer of CIMB is class OTP."""
        from doku_snap.messages.account_unbinding import AccountUnbinding

        body = request.to_wire(additional={"channel": self._channel})
        return self._send(Question(operation=Operation.UNBIND_ACCOUNT), body, call, AccountUnbinding)

    @property
    def _channel(self) -> str | None:
        # The older paths name the acquirer, so their bodies carry no channel (contract section 7, cutover).
        return None if self._settings.paths == "legacy" else self._settings.channel

    def _legacy_token(self, call: Call) -> dict[str, str | None]:
        return {"bankCardToken": call.customer_token} if self._settings.paths == "legacy" else {}

    def _send[M: AnswerMessage](
        self, question: Question, body: dict[str, object], call: Call, body_type: type[M]
    ) -> Answer[M]:
        operation = question.operation
        if operation in _NEEDS_CUSTOMER_TOKEN and call.customer_token is None:
            raise InvalidMessage("Authorization-Customer", "missing")
        sent_bytes = serialize(body)
        request = HttpRequest(
            "POST", self._settings.url(operation), self._headers(operation, sent_bytes, call), sent_bytes
        )
        answer = self._transport.send(request, call.timeout)
        return read_answer(answer, question, body_type, self._clock(), self._settings.untied_fields)

    def _headers(self, operation: Operation, body: bytes, call: Call) -> dict[str, str]:
        settings = self._settings
        timestamp = format_timestamp(self._clock() - timedelta(seconds=settings.timestamp_skew_seconds))
        to_sign = symmetric_string_to_sign("POST", settings.path(operation), call.b2b_token, body, timestamp)
        headers = {
            "Content-Type": "application/json",
            "X-TIMESTAMP": timestamp,
            "X-SIGNATURE": sign_symmetric(to_sign, self._credentials.secret_key),
            "X-PARTNER-ID": self._credentials.client_id,
            "X-EXTERNAL-ID": call.external_id,
            "Authorization": f"Bearer {call.b2b_token}",
        }
        if settings.channel_id is not None:
            headers["CHANNEL-ID"] = settings.channel_id
        if call.customer_token is not None and operation in _TAKES_CUSTOMER_TOKEN and settings.paths == "core":
            headers["Authorization-Customer"] = f"Bearer {call.customer_token}"
        if call.device_id is not None and operation in _TAKES_DEVICE_ID:
            headers["X-DEVICE-ID"] = call.device_id
        if call.ip_address is not None:
            headers["X-IP-ADDRESS"] = call.ip_address
        return headers


def _require(header: str, pattern: re.Pattern[str], value: str | None, rule: str) -> None:
    if value is not None and not pattern.fullmatch(value):
        raise InvalidMessage(header, rule)


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
