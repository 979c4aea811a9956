"""Pass the customer's OTP on to DOKU (contract 3.6). The OTP is never stored, and never sent twice blindly."""

from dataclasses import dataclass, field, replace

from direct_debit.application.calls.call_doku import call_doku
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import (
    Conflict,
    CustomerActionRequired,
    NotDone,
    OutcomeUnknown,
    PaymentChanged,
    Rejected,
    RelinkRequired,
    StoreUnavailable,
    Unsendable,
    no_payment,
)
from direct_debit.application.payments.advance_payment import REFUSALS, advance_payment, plan_next_look
from direct_debit.application.payments.result import PaymentResult
from direct_debit.application.ports.doku import Reply
from direct_debit.application.ports.ports import Ports
from direct_debit.application.references import make_external_id
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.payment import Payment, PaymentEvent, PaymentState


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyPaymentOtp:
    """The code that the customer got from CIMB for this payment."""

    ref: str
    otp: str = field(repr=False)


# Clear answers. Everything else says nothing certain about an OTP that was sent: the status decides.
_EVENTS = {
    Reply.DONE: PaymentEvent.ACCEPTED,
    Reply.IN_PROGRESS: PaymentEvent.ACCEPTED,
    Reply.OTP_WRONG: PaymentEvent.OTP_WRONG,
    Reply.EXPIRED: PaymentEvent.EXPIRED,
    Reply.OTP_BLOCKED: PaymentEvent.OTP_BLOCKED,
    Reply.DECLINED: PaymentEvent.DECLINED,
    Reply.CUSTOMER_MUST_ACT: PaymentEvent.DECLINED,
    Reply.CANCELLED: PaymentEvent.CANCELLED,
}


# States of a payment that was not stopped behind its code.
_BROUGHT_ON = (PaymentState.PROCESSING, PaymentState.PAID, PaymentState.REFUNDED)

# What to do where no code is awaited.
_NO_CODE = {
    PaymentState.REQUESTED: "it is being sent; ask for its state",
    PaymentState.PROCESSING: "it ends without one; ask for its state",
    PaymentState.UNKNOWN: "DOKU is being asked what became of it; ask for its state",
    PaymentState.FAILED: "start a new one with a new reference",
    PaymentState.NEEDS_REVIEW: "somebody has to look at it first",
}


def verify_payment_otp(command: VerifyPaymentOtp, ports: Ports, deadline: Deadline) -> PaymentResult:
    """Verify the OTP and return the payment as it is then (PROCESSING, or UNKNOWN when the answer was lost, or was a
    refusal while nobody knows what becomes of an earlier code).

    A payment that a code has brought on is returned as it is.
    Raises NotFound, Conflict (no OTP is awaited, or one is being verified), CustomerActionRequired (wrong code: ask
    again; link again), Rejected (expired, blocked, declined: the payment is FAILED), NotDone (nothing was sent).
    """
    payment = ports.payments.get(command.ref)
    if payment is None:
        raise no_payment()
    while payment.state is PaymentState.OTP_PENDING:
        if payment.otp_attempts >= ports.settings.max_otp_attempts:
            raise Conflict("no more codes are accepted for this payment; wait until it expires, then start a new one")
        try:
            submitted = _submit(payment, ports)
        except PaymentChanged as race:
            if race.current.otp_attempts != payment.otp_attempts:
                return _answer_repeat(race.current)
            payment = race.current  # it was only looked at, and waits for the code as before
            continue
        return PaymentResult(_send(submitted, command.otp, ports, deadline))
    return _answer_repeat(payment)


def _submit(payment: Payment, ports: Ports) -> Payment:
    """Write that a code is on its way, before it is. Raises PaymentChanged."""
    now = ports.clock.now()
    submitted = payment.moved(PaymentEvent.OTP_SUBMITTED, Evidence(EvidenceSource.CALLER, now))
    if submitted is None:
        raise _refusal(payment)
    submitted = replace(
        submitted,
        attempt=ports.ids.new_id(),
        otp_attempts=payment.otp_attempts + 1,
        sent_at=now,
        not_found_count=0,
        not_found_since=None,
    )
    return ports.payments.save(payment, replace(submitted, due_at=plan_next_look(ports, submitted, now)))


def _answer_repeat(payment: Payment) -> PaymentResult:
    """Return a payment that a code has brought on, as to the request that brought it: its answer may have been lost.

    Nothing is compared, for codes are not stored, and nothing is sent. Raises Conflict for others.
    """
    if payment.otp_accepted and payment.state in _BROUGHT_ON:
        return PaymentResult(payment, replayed=True)
    raise _refusal(payment)


def _refusal(payment: Payment) -> Conflict:
    if payment.state is PaymentState.OTP_SUBMITTED:
        return Conflict("a code is being verified right now; ask for the payment's state")
    remedy = _NO_CODE.get(payment.state)
    return Conflict(f"no code is awaited: the payment is {payment.state}" + (f"; {remedy}" if remedy else ""))


def _send(payment: Payment, otp: str, ports: Ports, deadline: Deadline) -> Payment:
    def renew_external_id() -> str:
        # The refused request did nothing. Before the next one: is this still the code that the payment waits for?
        current = ports.payments.get(payment.ref)
        if current is None or (current.state, current.attempt) != (PaymentState.OTP_SUBMITTED, payment.attempt):
            raise NotDone("the payment was changed while the tokens were renewed; the code was not sent")
        return make_external_id(ports.clock, ports.ids)

    try:
        answer = call_doku(
            ports,
            deadline,
            lambda call: ports.doku.verify_payment_otp(payment, otp, call),
            binding_id=payment.binding_id,
            renew_external_id=renew_external_id,
        )
    except OutcomeUnknown as error:
        evidence = Evidence(EvidenceSource.NO_ANSWER, ports.clock.now(), error.code)
        return _conclude(ports, payment, PaymentEvent.OUTCOME_LOST, evidence)
    except (NotDone, RelinkRequired, Unsendable) as error:
        evidence = Evidence(EvidenceSource.NOTHING_SENT, ports.clock.now(), error.code)
        _conclude(ports, payment, PaymentEvent.OTP_NOT_SENT, evidence)
        raise
    event = _EVENTS.get(answer.reply, PaymentEvent.OUTCOME_LOST)
    concluded = _conclude(ports, payment, event, Evidence(EvidenceSource.ANSWER, ports.clock.now(), answer.code))
    if event is PaymentEvent.OTP_WRONG:
        raise CustomerActionRequired("the code is wrong; ask the customer for it again", code=answer.code)
    if event in REFUSALS and concluded.state is PaymentState.FAILED:
        raise Rejected("the bank refused; the payment has failed, a new one needs a new reference", code=answer.code)
    return concluded


def _conclude(ports: Ports, payment: Payment, event: PaymentEvent, evidence: Evidence) -> Payment:
    def change(after: Payment) -> Payment:
        unsent = event is PaymentEvent.OTP_NOT_SENT
        return replace(
            after,
            otp_accepted=after.otp_accepted or event is PaymentEvent.ACCEPTED,
            otp_attempts=after.otp_attempts - 1 if unsent else after.otp_attempts,
            response_code=evidence.code or after.response_code,
        )

    try:
        return advance_payment(ports, payment, event, evidence, attempt=payment.attempt, change=change)
    except StoreUnavailable:
        ports.telemetry.note("answer not written, left to the resolver", ref=payment.ref, code=evidence.code)
        return payment
