"""DOKU through the signing layer: records become messages, answers become the port's vocabulary.

What is sent is derived from the record, and from the request what no record keeps. One call is one HTTP request;
nothing is repeated here. A process makes one or two kinds of call, so each loads its own messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Never
from urllib.parse import urlsplit

from direct_debit.adapters.doku_replies import NoReply, judge_write
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import (
    B2BTokenRefused,
    CustomerActionRequired,
    CustomerTokenRefused,
    DokuSilent,
    NotDone,
    OutcomeUnknown,
    Rejected,
    RelinkRequired,
    Unsendable,
)
from direct_debit.application.ports.doku import DokuCall, Reply, WriteAnswer
from direct_debit.application.ports.telemetry import Metric, Telemetry
from direct_debit.application.ports.time_and_chance import Clock
from direct_debit.application.return_pages import ReturnPages
from direct_debit.domain.payment import Payment
from doku_snap.answers import Answer
from doku_snap.client import Call, DokuClient
from doku_snap.errors import AnswerLost, ConnectionNotMade, InvalidMessage
from doku_snap.messages.base import Amount as WireAmount
from doku_snap.operations import Operation
from doku_snap.refund_numbers import name_refund
from doku_snap.response_codes import AnswerClass
from doku_snap.tokens import TokenClient
from doku_snap.transport import Timeout

if TYPE_CHECKING:
    from direct_debit.application.ports.doku_links import LinkRequest, LinkStarted
    from direct_debit.application.ports.doku_reads import Balance, RefundRecord, StatusAnswer
    from direct_debit.application.ports.doku_tokens import CustomerTokens, IssuedB2BToken
    from doku_snap.messages.account_binding import AccountBinding
    from doku_snap.messages.account_unbinding import AccountUnbinding
    from doku_snap.messages.customer_token import CustomerToken
    from doku_snap.messages.otp_verification import OtpPurpose, OtpVerification
    from doku_snap.messages.payment import Payment as WirePayment
    from doku_snap.messages.refund import Refund as WireRefund
    from doku_snap.messages.status import RefundHistoryItem, Status

WORKER_READ_SECONDS = 30.0  # of a worker's 60 s; of the 28 s of an API function the deadline leaves 20 s
_CONNECT_SECONDS = 5.0
_QUICK_READ_SECONDS = 15.0  # tokens, balance and status (contract section 7, "Timeouts")
_RESERVE_SECONDS = 3.0  # to write down what came of the call
_LEAST_SECONDS = 3.0  # with less a call would only produce unknown outcomes
_REFUSED = 4  # the class of HTTP statuses
_FAIR_SECONDS = 10.0  # a time-out after less says as much of our own hurry as of DOKU
_COME_AGAIN = timedelta(seconds=5)
_COME_AGAIN_LATER = timedelta(minutes=1)  # throttled, limits, cut-off
_REFERENCE = re.compile(r"[!-~]{1,64}")  # printable ASCII without blanks, as DOKU takes it back
_URL = re.compile(r"[!-~]{1,2048}")

# Refusals of a read that the same question would meet again.
_REFUSALS = frozenset({AnswerClass.FINAL, AnswerClass.BUG, AnswerClass.NOT_FOUND, AnswerClass.ALREADY_GONE})
# What says of a token exchange that the customer has to link (again); wrong requests of ours must not unlink anybody.
_NOT_TAKEN = frozenset({AnswerClass.CUST, AnswerClass.CUSTOMER_TOKEN, AnswerClass.FINAL})
_WRONG_CREDENTIALS = frozenset({AnswerClass.BUG, AnswerClass.FINAL, AnswerClass.CUST, AnswerClass.TOKEN})


@dataclass(frozen=True, slots=True, eq=False)
class DokuConnection:
    """The two clients of the signing layer, made from one version of the secret.

    `check_key` is called before the private key signs: it raises NotConfigured where that key turns out to be none.
    """

    client: DokuClient
    tokens: TokenClient
    check_key: Callable[[], None] = lambda: None


class DokuAdapter:
    """The Doku port over HTTP.

    `connect` gives the clients and may read the secret, so it is called per request. `doubt_keys` is called when DOKU
    does not take our signature: the secret may have been replaced since it was read. An answer that is not about what
    was asked (doku_snap.ties), and a message that our own model refuses, are counted and noted here.
    """

    def __init__(
        self,
        connect: Callable[[], DokuConnection],
        clock: Clock,
        telemetry: Telemetry,
        *,
        read_seconds: float,
        doubt_keys: Callable[[], object],
    ) -> None:
        self._connect = connect
        self._doubt_keys = doubt_keys
        self._telemetry = telemetry
        self._clock = clock
        self._read_seconds = read_seconds

    # --- tokens ------------------------------------------------------------------------------------------------------

    def key_id(self) -> str:
        """See Doku.key_id."""
        return self._signing().key_id

    def request_b2b_token(self, deadline: Deadline) -> IssuedB2BToken:
        """See Doku.request_b2b_token."""
        from direct_debit.application.ports.doku_tokens import IssuedB2BToken

        timeout = self._timeout(deadline, _QUICK_READ_SECONDS)
        tokens = self._signing()
        answer = self._read(lambda: tokens.request_b2b_token(timeout), timeout)
        if answer.classification.answer_class is AnswerClass.OK and answer.body is not None:
            return IssuedB2BToken(answer.body.access_token, answer.body.expires_in, tokens.key_id)
        if answer.classification.answer_class in _WRONG_CREDENTIALS:
            raise Rejected("DOKU refuses the merchant's credentials; see the operations guide", code=answer.code)
        raise _no_answer(answer)

    def exchange_auth_code(self, auth_code: str, deadline: Deadline) -> CustomerTokens:
        """See Doku.exchange_auth_code."""
        timeout = self._timeout(deadline, _QUICK_READ_SECONDS)
        return self._customer_tokens(lambda: self._signing().exchange_auth_code(auth_code, timeout), timeout)

    def refresh_customer_token(self, refresh_token: str, deadline: Deadline) -> CustomerTokens:
        """See Doku.refresh_customer_token."""
        timeout = self._timeout(deadline, _QUICK_READ_SECONDS)
        return self._customer_tokens(lambda: self._signing().refresh_customer_token(refresh_token, timeout), timeout)

    def _signing(self) -> TokenClient:
        connection = self._connect()
        connection.check_key()
        return connection.tokens

    def _customer_tokens(self, send: Callable[[], Answer[CustomerToken]], timeout: Timeout) -> CustomerTokens:
        from direct_debit.application.ports.doku_tokens import CustomerTokens

        answer = self._read(send, timeout)
        tokens = answer.body
        if answer.classification.answer_class is AnswerClass.OK and tokens is not None:
            return CustomerTokens(
                access_token=tokens.access_token,
                access_expires_at=tokens.access_token_expiry_time,
                refresh_token=tokens.refresh_token,
                refresh_expires_at=tokens.refresh_token_expiry_time,
            )
        if answer.classification.answer_class in _NOT_TAKEN:
            raise RelinkRequired("DOKU does not take the customer's authorisation", code=answer.code)
        raise _no_answer(answer)

    # --- reads -------------------------------------------------------------------------------------------------------

    def inquire_balance(self, call: DokuCall) -> Sequence[Balance]:
        """See Doku.inquire_balance."""
        from direct_debit.application.ports.doku_reads import Balance
        from doku_snap.messages.balance_inquiry import BalanceInquiryRequest

        timeout = self._timeout(call.deadline, _QUICK_READ_SECONDS)
        answer = self._read(
            lambda: self._connect().client.inquire_balance(BalanceInquiryRequest(), _wire_call(call, timeout)), timeout
        )
        if answer.classification.answer_class is not AnswerClass.OK or answer.body is None:
            _refuse_read(answer)
        return tuple(
            Balance(type=info.balance_type, amount=available.value, currency=available.currency)
            for info in answer.body.account_infos
            if (available := info.available) is not None
        )

    def inquire_status(self, payment: Payment, call: DokuCall) -> StatusAnswer:
        """See Doku.inquire_status."""
        from direct_debit.application.ports.doku_reads import StatusAnswer
        from doku_snap.messages.status import StatusRequest

        timeout = self._timeout(call.deadline, _QUICK_READ_SECONDS)

        def send() -> Answer[Status]:
            # Our reference alone: another one that differs at DOKU could only turn a found payment into "not found".
            request = StatusRequest(
                original_partner_reference_no=payment.ref,
                amount=WireAmount(value=str(payment.amount)),
            )
            return self._connect().client.inquire_status(
                request,
                _wire_call(call, timeout),
                # Of a payment that was sent twice DOKU may know either request.
                external_id=None if payment.reposted else payment.external_id,
                refund_number=None if payment.refund is None else payment.refund.number,
            )

        answer = self._read(send, timeout, ref=payment.ref)
        if answer.classification.answer_class is AnswerClass.NOT_FOUND:
            return StatusAnswer(status="07", code=answer.code or "", original_code=None, reference=None)
        body = answer.body
        if answer.classification.answer_class is not AnswerClass.OK or body is None:
            _refuse_read(answer)
        if body.transaction_status is None:
            raise NotDone("DOKU's answer holds no status that the contract knows", code=answer.code)
        return StatusAnswer(
            status=body.transaction_status.value,
            code=answer.code or "",
            original_code=body.original_response_code,
            reference=body.original_reference_no,
            refunds=tuple(_refund_record(payment, item) for item in body.refund_history),
        )

    # --- writes ------------------------------------------------------------------------------------------------------

    def bind_account(self, request: LinkRequest, call: DokuCall) -> LinkStarted:
        """See Doku.bind_account."""
        from direct_debit.application.ports.doku_links import LinkStarted
        from doku_snap.messages.account_binding import AccountBindingRequest

        timeout = self._timeout(call.deadline, self._read_seconds)

        def send() -> Answer[AccountBinding]:
            message = AccountBindingRequest(
                phone_no=request.phone,
                cust_id_merchant=request.customer_id,
                customer_name=request.customer_name,
                email=request.email,
                id_card=request.id_card,
                country=request.country,
                address=request.address,
                date_of_birth=request.date_of_birth,
                success_registration_url=request.success_url,
                failed_registration_url=request.failed_url,
            )
            return self._connect().client.bind_account(message, _wire_call(call, timeout))

        answer = self._write(send, timeout)
        reply = _reply(Operation.BIND_ACCOUNT, answer)
        body = answer.body
        if reply is Reply.DONE and body is not None:
            return LinkStarted(answer.code or "", _web_url(body.redirect_url), body.auth_code)
        if reply is Reply.LATER:
            raise NotDone("DOKU asks to come again later", code=answer.code, retry_after=_COME_AGAIN_LATER)
        if reply in (Reply.CUSTOMER_MUST_ACT, Reply.OTP_WRONG, Reply.OTP_NOT_AWAITED):
            raise CustomerActionRequired("the bank asks the customer to act before linking", code=answer.code)
        if reply in (Reply.DECLINED, Reply.EXPIRED, Reply.CANCELLED, Reply.OTP_BLOCKED):
            raise Rejected("DOKU refused to link this account", code=answer.code)
        # In progress, or an OTP where the contract has none: whether a link was started is not said.
        raise OutcomeUnknown("DOKU's answer to the link request is not clear", code=answer.code)

    def make_payment(self, payment: Payment, pages: ReturnPages, call: DokuCall) -> WriteAnswer:
        """See Doku.make_payment."""
        from doku_snap.messages.payment import PaymentRequest

        timeout = self._timeout(call.deadline, self._read_seconds)

        def send() -> Answer[WirePayment]:
            message = PaymentRequest(
                partner_reference_no=payment.ref,
                amount=WireAmount(value=str(payment.amount)),
                remarks=payment.remarks,
                success_payment_url=pages.success_url,
                failed_payment_url=pages.failed_url,
            )
            return self._connect().client.make_payment(message, _wire_call(call, timeout))

        answer = self._write(send, timeout, ref=payment.ref)
        reply = _reply(Operation.MAKE_PAYMENT, answer)
        reference = None if answer.body is None else answer.body.reference_no
        redirect_url = None if answer.body is None else _web_url(answer.body.web_redirect_url)
        return WriteAnswer(reply, answer.code or "", _reference(reference), redirect_url)

    def verify_payment_otp(self, payment: Payment, otp: str, call: DokuCall) -> WriteAnswer:
        """See Doku.verify_payment_otp."""
        from doku_snap.messages.otp_verification import OtpPurpose

        return self._verify_otp(OtpPurpose.PAYMENT, payment.ref, call.customer_token, otp, call)

    def verify_unbinding_otp(self, token: str, otp: str, call: DokuCall) -> WriteAnswer:
        """See Doku.verify_unbinding_otp."""
        from doku_snap.messages.otp_verification import OtpPurpose

        return self._verify_otp(OtpPurpose.UNBINDING, None, token, otp, call)

    def _verify_otp(
        self, purpose: OtpPurpose, ref: str | None, token: str | None, otp: str, call: DokuCall
    ) -> WriteAnswer:
        from doku_snap.messages.otp_verification import OtpVerificationRequest

        timeout = self._timeout(call.deadline, self._read_seconds)

        def send() -> Answer[OtpVerification]:
            message = OtpVerificationRequest(
                purpose=purpose, original_partner_reference_no=ref, otp=otp, bank_card_token=token or ""
            )
            return self._connect().client.verify_otp(message, _wire_call(call, timeout))

        answer = self._write(send, timeout, ref=ref)
        reply = _reply(Operation.VERIFY_OTP, answer)
        reference = None if answer.body is None else answer.body.original_reference_no
        return WriteAnswer(reply, answer.code or "", _reference(reference))

    def refund_payment(self, payment: Payment, reason: str, call: DokuCall) -> WriteAnswer:
        """See Doku.refund_payment."""
        from doku_snap.messages.refund import RefundRequest

        refund = payment.refund
        if refund is None:
            raise ValueError("the payment has no refund to send")
        timeout = self._timeout(call.deadline, self._read_seconds)

        def send() -> Answer[WireRefund]:
            message = RefundRequest(
                original_partner_reference_no=payment.ref,
                # Of a payment that was sent twice DOKU may know either request: our reference alone names both.
                original_external_id=None if payment.reposted else payment.external_id,
                partner_refund_no=refund.number,
                refund_amount=WireAmount(value=str(payment.amount)),
                reason=reason,
            )
            return self._connect().client.refund_payment(message, _wire_call(call, timeout))

        answer = self._write(send, timeout, ref=payment.ref)
        reply = _reply(Operation.REFUND_PAYMENT, answer)
        refund_no = None if answer.body is None else answer.body.refund_no
        time = None if answer.body is None else answer.body.refund_time
        return WriteAnswer(reply, answer.code or "", _reference(refund_no), time=time)

    def unbind_account(self, token: str, call: DokuCall) -> WriteAnswer:
        """See Doku.unbind_account."""
        from doku_snap.messages.account_unbinding import AccountUnbindingRequest

        timeout = self._timeout(call.deadline, self._read_seconds)

        def send() -> Answer[AccountUnbinding]:
            message = AccountUnbindingRequest(token_id=token)
            return self._connect().client.unbind_account(message, _wire_call(call, timeout))

        answer = self._write(send, timeout)
        reply = _reply(Operation.UNBIND_ACCOUNT, answer)
        reference = None if answer.body is None else answer.body.reference_no
        redirect_url = None if answer.body is None else _web_url(answer.body.redirect_url)
        return WriteAnswer(reply, answer.code or "", _reference(reference), redirect_url)

    # --- asking ------------------------------------------------------------------------------------------------------

    def _read[T](self, send: Callable[[], Answer[T]], timeout: Timeout, *, ref: str | None = None) -> Answer[T]:
        """Send a question. A lost answer to a question is no answer: it may simply be asked again."""
        try:
            return self._send(send, ref)
        except ConnectionNotMade as error:
            raise DokuSilent("DOKU could not be reached") from error
        except AnswerLost as error:
            silent = DokuSilent if _speaks_of_doku(error, timeout) else NotDone
            raise silent("DOKU did not answer") from error

    def _write[T](self, send: Callable[[], Answer[T]], timeout: Timeout, *, ref: str | None = None) -> Answer[T]:
        """Send a request that changes something at DOKU."""
        try:
            return self._send(send, ref)
        except ConnectionNotMade as error:
            raise DokuSilent("DOKU could not be reached; nothing was sent") from error
        except AnswerLost as error:
            silent = _speaks_of_doku(error, timeout)
            raise OutcomeUnknown("DOKU's answer was lost; the outcome is not known", silent=silent) from error

    def _send[T](self, send: Callable[[], Answer[T]], ref: str | None) -> Answer[T]:
        try:
            answer = send()
        except InvalidMessage as error:
            self._telemetry.count(Metric.UNSENDABLE_MESSAGE)
            self._telemetry.note("our own model refuses the message", ref=ref, reason=f"{error.field} {error.rule}")
            raise Unsendable(f"the message can not be written: {error.field} {error.rule}") from None
        if answer.contradictions:
            self._telemetry.count(Metric.ANSWER_CONTRADICTS)
            where = ", ".join(answer.contradictions)
            self._telemetry.note("DOKU's answer is not about what was asked", ref=ref, code=answer.code, reason=where)
        if _refuses_our_keys(answer):
            self._doubt_keys()
        return answer

    # --- the time budget ---------------------------------------------------------------------------------------------

    def _timeout(self, deadline: Deadline, read_seconds: float) -> Timeout:
        """Return timeouts that end before the deadline, with a reserve. Raises NotDone when too little is left."""
        usable = deadline.remaining(self._clock.now()) - _RESERVE_SECONDS
        if usable < _LEAST_SECONDS:
            raise NotDone("too little time was left to ask DOKU; nothing was sent")
        connect = min(_CONNECT_SECONDS, usable / 3)
        return Timeout(connect=connect, read=min(read_seconds, self._read_seconds, usable - connect))


def _wire_call(call: DokuCall, timeout: Timeout) -> Call:
    return Call(
        b2b_token=call.b2b_token,
        external_id=call.external_id,
        timeout=timeout,
        customer_token=call.customer_token,
        device_id=call.device_id,
        ip_address=call.ip_address,
    )


def _speaks_of_doku(error: AnswerLost, timeout: Timeout) -> bool:
    """Whether a lost answer tells that DOKU is out of order.

    Not where it had too little time, nor where a page that is not DOKU's refuses this request: what a firewall minds in
    one customer's text, or in our number of requests, is of our own making, and must stop nobody else.
    """
    if error.http_status is not None and error.http_status // 100 == _REFUSED:
        return False
    return error.kind != "timeout" or timeout.read >= _FAIR_SECONDS


def _refuses_our_keys[T](answer: Answer[T]) -> bool:
    """Whether DOKU does not take our signature, client or key (401xx00): refused before any effect."""
    row = answer.classification.row
    return row is not None and (row.http, row.case) == (401, "00")


def _reply[T](operation: Operation, answer: Answer[T]) -> Reply:
    verdict = judge_write(operation, answer.classification)
    if verdict is NoReply.UNKNOWN:
        raise OutcomeUnknown("DOKU's answer does not tell the outcome", code=answer.code, silent=_can_not(answer))
    _refuse_token(verdict, answer.code)
    return Reply(verdict)


def _refuse_token(verdict: Reply | NoReply, code: str | None) -> None:
    if verdict is NoReply.B2B_TOKEN:
        raise B2BTokenRefused("DOKU does not take the B2B token", code=code)
    if verdict is NoReply.KEYS:
        raise _keys_refused(code)
    if verdict is NoReply.CUSTOMER_TOKEN:
        raise CustomerTokenRefused("DOKU does not take the customer's token", code=code)


def _keys_refused(code: str | None) -> NotDone:
    return NotDone("DOKU does not take our signature or client id; nothing was done", code=code)


def _refuse_read[T](answer: Answer[T]) -> Never:
    if _refuses_our_keys(answer):
        raise _keys_refused(answer.code)
    answer_class = answer.classification.answer_class
    row = answer.classification.row
    if answer_class is AnswerClass.TOKEN:
        raise B2BTokenRefused("DOKU does not take the B2B token", code=answer.code)
    if answer_class is AnswerClass.CUSTOMER_TOKEN or (row is not None and (row.http, row.case) == (401, "04")):
        raise CustomerTokenRefused("DOKU does not take the customer's token", code=answer.code)
    if answer_class is AnswerClass.CUST:
        raise CustomerActionRequired(
            "the bank asks the customer to act: responseCode says why; let the customer ask CIMB, then repeat",
            code=answer.code,
        )
    if answer_class in _REFUSALS:
        raise Rejected(
            "DOKU refused to answer: responseCode says why; the same again is refused again", code=answer.code
        )
    raise _no_answer(answer)


def _no_answer[T](answer: Answer[T]) -> NotDone:
    if _can_not(answer):
        return DokuSilent("DOKU answered that it can not at the moment", code=answer.code, retry_after=_COME_AGAIN)
    throttled = answer.classification.answer_class is AnswerClass.LATER or answer.http_status == 429  # noqa: PLR2004 - HTTP
    wait = _COME_AGAIN_LATER if throttled else _COME_AGAIN
    return NotDone("DOKU gave no usable answer", code=answer.code, retry_after=wait)


def _can_not[T](answer: Answer[T]) -> bool:
    """Whether DOKU says that it can not (5xx). An answer to another question says nothing."""
    if answer.contradictions:
        return False
    return answer.code.startswith("5") if answer.code else answer.http_status >= 500  # noqa: PLR2004 - HTTP


def _refund_record(payment: Payment, item: RefundHistoryItem) -> RefundRecord:
    from direct_debit.application.ports.doku_reads import RefundRecord

    number = name_refund(item.partner_refund_no, item.partner_reference_no, payment.ref)
    if number is None and payment.refund is not None:
        number = payment.refund.number  # there is one refund per payment, so a row without a number is ours
    # A status that the contract does not list is not final: it is asked again.
    status = "03" if item.status is None else item.status.value
    return RefundRecord(number=number or "", status=status, refund_no=item.refund_no)


def _reference(text: str | None) -> str | None:
    """Return DOKU's reference if it can be sent back to DOKU one day, else None."""
    return text if text is not None and _REFERENCE.fullmatch(text) else None


def _web_url(text: str | None) -> str | None:
    """Return the URL if a browser may be sent there, else None."""
    if text is None or _URL.fullmatch(text) is None:
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return text if parts.scheme in ("https", "http") and parts.hostname else None
