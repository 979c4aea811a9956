"""Charge a customer's account: record, send, and tell what is known (contract 3.8).

A reference is sent once: the write that makes a payment refuses where there is one, and shows it. Repeating a request
returns the payment as it is; only a payment of which it is proved that nothing left this machine (`released`) may be
claimed and sent again by the same request.

An idempotency key names one payment for ever. Alone it stands for the reference that is made from it, or for the one
with which it came before; it is recorded in the write that makes the payment, or before a repeat is answered.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from direct_debit.application.bindings.release_account import release_account
from direct_debit.application.calls.call_doku import call_doku
from direct_debit.application.calls.circuit import is_open, pass_circuit
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import (
    Conflict,
    DirectDebitError,
    InvalidRequest,
    NotDone,
    NotFound,
    OutcomeUnknown,
    PaymentChanged,
    RelinkRequired,
    StoreUnavailable,
    Unsendable,
    no_binding,
)
from direct_debit.application.payments.advance_payment import advance_payment, plan_next_look
from direct_debit.application.payments.result import PaymentResult
from direct_debit.application.ports.doku import DokuCall, Reply, WriteAnswer
from direct_debit.application.ports.payments import BindingUnusable, KeyTaken, PaymentExists, PaymentKey
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.vault import SealedField
from direct_debit.application.references import (
    canonical,
    canonical_with_absent,
    derive_reference,
    make_external_id,
)
from direct_debit.application.return_pages import choose_pages
from direct_debit.application.tasks.complete_task import adopt_task_token, seal_payment_token
from direct_debit.domain.binding import Binding, BindingState
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.money import Amount
from direct_debit.domain.payment import Payment, PaymentEvent, PaymentSituation, PaymentState
from direct_debit.domain.values import day_in_jakarta


@dataclass(frozen=True, slots=True, kw_only=True)
class MakePayment:
    """What the merchant asks for. One of `partner_reference_no` and `idempotency_key` is needed; both are heard."""

    binding_id: str
    amount: Amount
    remarks: str
    partner_reference_no: str | None = None
    idempotency_key: str | None = None
    success_url: str | None = None
    failed_url: str | None = None
    device_id: str | None = field(default=None, repr=False)
    ip_address: str | None = field(default=None, repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict)
    task_token: str | None = field(default=None, repr=False)
    customer_id: str | None = None  # whose link it has to be; a guard, and no part of what makes two requests the same


# How a clear answer moves the payment. Refusals are final: a new payment needs a new reference.
_EVENTS = {
    Reply.OTP_REQUIRED: PaymentEvent.OTP_REQUIRED,
    Reply.DONE: PaymentEvent.ACCEPTED,
    Reply.IN_PROGRESS: PaymentEvent.ACCEPTED,
    Reply.DECLINED: PaymentEvent.DECLINED,
    Reply.CUSTOMER_MUST_ACT: PaymentEvent.DECLINED,
    Reply.LATER: PaymentEvent.DECLINED,
    Reply.EXPIRED: PaymentEvent.EXPIRED,
    Reply.CANCELLED: PaymentEvent.CANCELLED,
    Reply.OTP_BLOCKED: PaymentEvent.OTP_BLOCKED,
}


def make_payment(command: MakePayment, ports: Ports, deadline: Deadline) -> PaymentResult:
    """Make the payment, or return the one that this request has made before.

    Raises InvalidRequest, NotFound (no such binding, or not of the customer that was named), Conflict (same reference
    or key with another body; key of another payment; account not linked), CircuitOpen and NotDone (nothing was sent:
    repeat the same request).
    """
    ref = _reference(command)
    choose_pages(command.success_url, command.failed_url, ports.settings)  # before anything is written
    request_hash = ports.vault.fingerprint(describe_content(command))
    binding = ports.bindings.get(command.binding_id)
    if command.customer_id is not None:
        from direct_debit.application.bindings.find_binding import require_binding  # noqa: PLC0415 - few name the customer

        require_binding(binding, command.customer_id)
    usable = binding is not None and binding.state is BindingState.ACTIVE
    if not usable or is_open(ports):  # what stops a new payment stops no repeat, and no repeat is the probe
        earlier = _find_earlier(command, request_hash, ports, deadline)
        if earlier is not None:
            return earlier
    if binding is None or not usable:
        raise _explain_binding(binding, ports)
    pass_circuit(ports)
    now = ports.clock.now()
    payment = Payment(
        ref=ref,
        binding_id=binding.id,
        customer_id=binding.customer_id,
        amount=command.amount,
        remarks=command.remarks,
        request_hash=request_hash,
        created_at=now,
        updated_at=now,
        external_id=make_external_id(ports.clock, ports.ids),
        attempt=ports.ids.new_id(),
        sent_at=now,
        metadata=command.metadata,
        evidence=Evidence(EvidenceSource.CALLER, now),
        task_token=seal_payment_token(ports, ref, command.task_token),
    )
    payment = replace(payment, due_at=plan_next_look(ports, payment, now))
    obstacle = _create(payment, _key(command, ports), binding, ports)
    match obstacle:
        case None:
            return PaymentResult(_send(payment, command, ports, deadline, binding))
        case PaymentExists():
            return _repeat(obstacle.payment, request_hash, command, ports, deadline)
        case KeyTaken():
            return _follow_key(obstacle.ref, request_hash, command, ports, deadline)
        case BindingUnusable():
            earlier = _find_earlier(command, request_hash, ports, deadline)
            if earlier is None:
                raise _explain_binding(obstacle.binding, ports)
            return earlier


def _find_earlier(command: MakePayment, request_hash: str, ports: Ports, deadline: Deadline) -> PaymentResult | None:
    """Return the payment that this request has made before, by its reference or by its key; None when there is none."""
    existing = ports.payments.get(_reference(command))
    if existing is not None:
        return _repeat(existing, request_hash, command, ports, deadline)
    key = _key(command, ports)
    named = None if key is None else ports.payments.find_key(key)
    return None if named is None else _follow_key(named, request_hash, command, ports, deadline)


def _create(
    payment: Payment, key: PaymentKey | None, read: Binding, ports: Ports
) -> PaymentExists | KeyTaken | BindingUnusable | None:
    """Write the payment. One that finds its account full lets those go first of which nobody said that they settled.

    Where somebody else's has begun the day's count since the account was read, it is counted behind that one.
    """
    obstacle = ports.payments.create(payment, key, read.charges)
    charges = read.charges
    if isinstance(obstacle, BindingUnusable) and obstacle.binding is not None:
        has_begun, charges = obstacle.binding.charges.day != charges.day, obstacle.binding.charges
        if _make_room(obstacle.binding, ports) or has_begun:
            return ports.payments.create(payment, key, charges)
    return obstacle


def _make_room(binding: Binding | None, ports: Ports) -> bool:
    """Let settled payments go; whether there were any."""
    if binding is None or len(binding.open_payments) < ports.settings.max_open_payments:
        return False
    released = [release_account(binding.id, ref, ports) for ref in sorted(binding.open_payments)]
    return any(released)


def _reference(command: MakePayment) -> str:
    if command.partner_reference_no is not None:
        return command.partner_reference_no
    if command.idempotency_key is not None:
        return _own_reference(command.idempotency_key)
    raise InvalidRequest("partnerReferenceNo", "give a partnerReferenceNo or an Idempotency-Key header")


def _own_reference(idempotency_key: str) -> str:
    return derive_reference(f"payment:{idempotency_key}")


def _key(command: MakePayment, ports: Ports) -> PaymentKey | None:
    if command.idempotency_key is None:
        return None
    fingerprint = ports.vault.fingerprint(f"key:{command.idempotency_key}")
    return PaymentKey(fingerprint, _own_reference(command.idempotency_key))


def _follow_key(named: str, request_hash: str, command: MakePayment, ports: Ports, deadline: Deadline) -> PaymentResult:
    """Return the payment that the request's key names; refuse a request that gives the key another reference."""
    if command.partner_reference_no not in (None, named):
        raise Conflict(
            f"this Idempotency-Key names the payment {named}; to repeat that one send its reference or none, "
            "to pay another time send a new key; nothing was sent"
        )
    existing = ports.payments.get(named)
    if existing is None:
        raise StoreUnavailable("the payment that this Idempotency-Key names can not be read; repeat the same request")
    return _repeat(existing, request_hash, command, ports, deadline)


def _content(command: MakePayment) -> Mapping[str, object]:
    """What must be equal for two requests to be the same one. The task token of a workflow's retry may differ."""
    return {
        "bindingId": command.binding_id,
        "amount": str(command.amount),
        "remarks": command.remarks,
        "successUrl": command.success_url,
        "failedUrl": command.failed_url,
        "deviceId": command.device_id,
        "ipAddress": command.ip_address,
        "metadata": dict(command.metadata),
    }


# The members of a request when absent ones were part of the text. It never grows.
_EARLIER_MEMBERS = (
    "bindingId",
    "amount",
    "remarks",
    "successUrl",
    "failedUrl",
    "deviceId",
    "ipAddress",
    "metadata",
)


def describe_content(command: MakePayment) -> str:
    """Return the text whose fingerprint tells whether two requests are the same one."""
    return "payment:" + canonical(_content(command))


def describe_content_as_before(command: MakePayment) -> str | None:
    """Return the text as earlier releases made it; None for a request that they did not know."""
    text = canonical_with_absent(_content(command), _EARLIER_MEMBERS)
    return None if text is None else "payment:" + text


def _explain_binding(binding: Binding | None, ports: Ports) -> NotFound | Conflict:
    """Return why nothing can be charged by this binding."""
    if binding is None:
        return no_binding()
    if binding.state is not BindingState.ACTIVE:
        from direct_debit.application.bindings.not_active import explain_not_active  # noqa: PLC0415 - a good link needs it never

        return explain_not_active(binding.state)
    most = ports.settings.max_payments_per_day
    if most and binding.charges.on(day_in_jakarta(ports.clock.now())) >= most:
        return Conflict(
            f"this account has had its {most} new payments of a day, each of which may be a message to the customer; "
            "the next day begins at midnight in Jakarta (MaxPaymentsPerDay, docs/operations.md); nothing was sent"
        )
    return Conflict("the customer has too many unfinished payments; wait until some are settled")


def _require_same_as_before(existing: Payment, command: MakePayment, ports: Ports) -> None:
    """Let a payment pass whose fingerprint an earlier release made of the same request."""
    text = describe_content_as_before(command)
    if text is None or existing.request_hash != ports.vault.fingerprint(text):
        different = ", ".join(_name_differences(existing, command)) or _NOT_KEPT
        raise Conflict(
            f"this reference or Idempotency-Key was used for another payment ({different} differs); use a new one, or "
            "repeat the request as it was; nothing was sent"
        )


_NOT_KEPT = "successUrl, failedUrl, deviceId or ipAddress"


def _name_differences(existing: Payment, command: MakePayment) -> Iterator[str]:
    """Name what a request has otherwise than the payment that has its reference, as far as the record can tell.

    Pages, device and address are in the fingerprint alone.
    """
    pairs: Mapping[str, tuple[object, object]] = {
        "bindingId": (existing.binding_id, command.binding_id),
        "amount": (existing.amount, command.amount),
        "remarks": (existing.remarks, command.remarks),
        "metadata": (dict(existing.metadata), dict(command.metadata)),
    }
    return (name for name, (one, other) in pairs.items() if one != other)


def _repeat(
    existing: Payment, request_hash: str, command: MakePayment, ports: Ports, deadline: Deadline
) -> PaymentResult:
    key = _key(command, ports)
    named = None if key is None else ports.payments.find_key(key)
    if named not in (None, existing.ref):
        return _follow_key(named, request_hash, command, ports, deadline)
    if existing.request_hash != request_hash:
        _require_same_as_before(existing, command, ports)
    if key is not None and named is None:
        taken = ports.payments.bind_key(key, existing.ref)
        if taken is not None:
            return _follow_key(taken.ref, request_hash, command, ports, deadline)
    return _show_or_send(adopt_task_token(ports, existing, command.task_token), command, ports, deadline)


def _show_or_send(existing: Payment, command: MakePayment, ports: Ports, deadline: Deadline) -> PaymentResult:
    """Return a payment that was made before; send it if it is sure that DOKU does not have it."""
    event = None
    if existing.state is PaymentState.REQUESTED and existing.released:
        event = PaymentEvent.CLAIMED
    elif ports.settings.repost_after_not_found and existing.situation is PaymentSituation.FAILED_NOT_FOUND:
        event = PaymentEvent.REPOSTED
    if event is None:
        return PaymentResult(existing, replayed=True)
    pass_circuit(ports)
    now = ports.clock.now()
    moved = existing.moved(event, Evidence(EvidenceSource.CALLER, now))
    if moved is None:
        return PaymentResult(existing, replayed=True)
    claimed = replace(
        moved,
        released=False,
        external_id=make_external_id(ports.clock, ports.ids),
        attempt=ports.ids.new_id(),
        sent_at=now,
        not_found_count=0,
        not_found_since=None,
    )
    claimed = replace(claimed, due_at=plan_next_look(ports, claimed, now))
    try:
        outcome = ports.payments.reclaim(existing, claimed)
    except PaymentChanged as race:
        return PaymentResult(race.current, replayed=True)
    if isinstance(outcome, BindingUnusable):
        raise _explain_binding(outcome.binding, ports)
    return PaymentResult(_send(outcome, command, ports, deadline))


def _send(
    payment: Payment, command: MakePayment, ports: Ports, deadline: Deadline, binding: Binding | None = None
) -> Payment:
    """Send it, with the pages, device and address of the request, which are not kept: whoever sends a payment again
    does so with the same request. `binding` is the record that was read for it: the write that made the payment found
    it ACTIVE still.
    """
    sent = payment
    pages = choose_pages(command.success_url, command.failed_url, ports.settings)

    def renew_external_id() -> str:
        # The record names the request id that is about to be used: status and refund refer to it.
        nonlocal sent
        renewed = replace(sent.noted(ports.clock.now()), external_id=make_external_id(ports.clock, ports.ids))
        try:
            sent = ports.payments.save(sent, renewed)
        except PaymentChanged as race:
            # Somebody has evidence about a payment whose request was just refused at the gate: it decides.
            raise OutcomeUnknown("the payment was changed while its tokens were renewed") from race
        return sent.external_id

    def send(call: DokuCall) -> WriteAnswer:
        return ports.doku.make_payment(sent, pages, call)

    try:
        answer = call_doku(
            ports,
            deadline,
            send,
            binding_id=payment.binding_id,
            binding=binding,
            external_id=payment.external_id,
            renew_external_id=renew_external_id,
            device_id=command.device_id,
            ip_address=command.ip_address,
        )
    except OutcomeUnknown as error:
        return _conclude(ports, sent, PaymentEvent.OUTCOME_LOST, _lost(ports, error))
    except RelinkRequired as error:
        return _conclude(ports, sent, PaymentEvent.DECLINED, _answered(ports, error.code))
    except (NotDone, Unsendable) as error:
        _release(ports, sent, error)
        raise
    event = _EVENTS.get(answer.reply)
    if event is None:  # an answer that makes no sense here proves nothing
        return _conclude(ports, sent, PaymentEvent.OUTCOME_LOST, _answered(ports, answer.code))
    return _conclude(ports, sent, event, _answered(ports, answer.code), answer)


def _conclude(
    ports: Ports, payment: Payment, event: PaymentEvent, evidence: Evidence, answer: WriteAnswer | None = None
) -> Payment:
    """Write what the answer brought. If the store fails now, the record stays as sent and the resolver finds out."""
    page = None
    if answer is not None and answer.redirect_url is not None:
        page = ports.vault.seal(answer.redirect_url, SealedField.PAYMENT_PAGE, payment.ref)

    def change(after: Payment) -> Payment:
        if answer is None:
            return replace(after, response_code=evidence.code or after.response_code)
        return replace(
            after,
            response_code=answer.code,
            doku_reference=answer.reference or after.doku_reference,
            web_redirect_url=page if page is not None and not after.is_final else after.web_redirect_url,
        )

    try:
        return advance_payment(ports, payment, event, evidence, attempt=payment.attempt, change=change)
    except StoreUnavailable:
        ports.telemetry.note("answer not written, left to the resolver", ref=payment.ref, code=evidence.code)
        return payment


def _release(ports: Ports, payment: Payment, error: DirectDebitError) -> None:
    evidence = Evidence(EvidenceSource.NOTHING_SENT, ports.clock.now(), error.code)
    try:
        advance_payment(
            ports,
            payment,
            PaymentEvent.RELEASED,
            evidence,
            attempt=payment.attempt,
            change=lambda after: replace(after, released=True),
        )
    except StoreUnavailable:
        ports.telemetry.note("release not written, left to the resolver", ref=payment.ref)


def _answered(ports: Ports, code: str | None) -> Evidence:
    return Evidence(EvidenceSource.ANSWER, ports.clock.now(), code)


def _lost(ports: Ports, error: OutcomeUnknown) -> Evidence:
    return Evidence(EvidenceSource.NO_ANSWER, ports.clock.now(), error.code)
