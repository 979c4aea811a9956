"""Work out what an accepted notification means (contract 3.5, 3.10; invariant 6).

Only a fresh one that has not waited here, proved by the keys that are in use, whose reference, amount and customer
agree with the record is believed. Everything else changes no money: it is kept, counted where it should not happen, and
DOKU is asked for the status instead.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from direct_debit.application.bindings.advance_binding import advance_binding, end_page
from direct_debit.application.bindings.prove_binding import prove_binding
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import BindingChanged, NotDone, RecordUnreadable, StoreUnavailable, Unsendable
from direct_debit.application.notifications.notices import BindingNotice, PaymentNotice, read_notice
from direct_debit.application.payments.advance_payment import advance_payment
from direct_debit.application.payments.inquire_status import request_inquiry
from direct_debit.application.ports.inbox import InboxItem, InboxKind, InboxState
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.ports.vault import SealedField
from direct_debit.domain.binding import Binding, BindingEvent
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.money import CURRENCY
from direct_debit.domain.payment import Payment, PaymentEvent, PaymentState

_EVENTS = {
    "00": PaymentEvent.SUCCEEDED,
    "01": PaymentEvent.PENDING,
    "02": PaymentEvent.PENDING,
    "03": PaymentEvent.PENDING,
    "04": PaymentEvent.REFUNDED,
    "05": PaymentEvent.CANCELLED,
    "06": PaymentEvent.DECLINED,
}
_REVERSALS = frozenset({PaymentEvent.CANCELLED, PaymentEvent.DECLINED})
_RETRY = timedelta(seconds=60)
_LONGEST_RETRY = timedelta(hours=6)
_BELIEVED_FOR = timedelta(minutes=5)  # what has waited for longer was true when it came: DOKU may know more by now
_MAX_SWEEPS = 12  # about two days
_AMOUNT_MISMATCH = "amount_mismatch"
_TOLD_LENGTH = 64


def process_notification(inbox_id: str, ports: Ports, deadline: Deadline) -> None:
    """Apply one accepted notification; repeating it changes nothing. Raises StoreUnavailable, NotDone: come again."""
    item = ports.inbox.get(inbox_id)
    if item is None or item.state is not InboxState.ACCEPTED:
        return
    notice = read_notice(ports.vault.unseal(item.body, SealedField.NOTICE, item.id))
    if isinstance(notice, PaymentNotice):
        _process_payment(item, notice, ports)
    else:
        _process_binding(item, notice, ports, deadline)


def sweep_notification(inbox_id: str, ports: Ports) -> None:
    """Queue an accepted notification again that was not processed in time; one that never can be is put aside.

    Raises StoreUnavailable.
    """
    item = ports.inbox.get(inbox_id)
    if item is None or item.state is not InboxState.ACCEPTED:
        return
    if item.attempts >= _MAX_SWEEPS:
        about = None if item.subject is None or item.kind is not InboxKind.PAYMENT else ports.payments.get(item.subject)
        if about is not None:
            request_inquiry(ports, about)  # what it said is lost, that it said something is not
        _quarantine(item, "unprocessable", ports)
        return
    wait = min(_RETRY * 2**item.attempts, _LONGEST_RETRY)
    ports.inbox.settle(item, replace(item, attempts=item.attempts + 1, due_at=ports.clock.now() + wait))
    ports.queues.send_notification(item.id)


def _process_payment(item: InboxItem, facts: PaymentNotice, ports: Ports) -> None:
    payment = ports.payments.get(facts.ref)
    if payment is None:
        _quarantine(item, "unknown_reference", ports, ref=facts.ref)
        return
    if item.is_by_replaced_key:
        _note_replaced_key(ports, ref=payment.ref)
        request_inquiry(ports, payment)
        _settle(item, InboxState.PROCESSED, "replaced_key", ports)
        return
    if not item.fresh:
        ports.telemetry.count(Metric.NOTIFICATION_STALE)
        ports.telemetry.note("stale notification, asking for the status", ref=payment.ref, code=facts.status)
        request_inquiry(ports, payment)
        _settle(item, InboxState.PROCESSED, "stale", ports)
        return
    mismatch = _find_mismatch(payment, facts)
    if mismatch is not None:
        request_inquiry(ports, payment)
        told = f"{facts.value} {facts.currency}".strip()[:_TOLD_LENGTH] if mismatch == _AMOUNT_MISMATCH else None
        _quarantine(item, mismatch, ports, ref=payment.ref, told=told or None)
        return
    if _has_waited(item, ports):
        ports.telemetry.note("notification waited here, asking for the status", ref=payment.ref, code=facts.status)
        request_inquiry(ports, payment)
        _settle(item, InboxState.PROCESSED, "waited", ports)
        return
    event = _EVENTS.get(facts.status)
    if event is None:
        request_inquiry(ports, payment)
        _settle(item, InboxState.PROCESSED, "status_unclear", ports)
        return
    evidence = Evidence(EvidenceSource.NOTIFICATION, ports.clock.now(), facts.status)
    followed = advance_payment(
        ports,
        payment,
        event,
        evidence,
        # The reference of the first answer stays: inquiries name it, and another one would not be found.
        change=lambda after: replace(after, doku_reference=after.doku_reference or facts.doku_reference),
    )
    if followed.state is PaymentState.PAID and event in _REVERSALS:
        # Late and overtaken, or a reversal: the status tells.
        ports.telemetry.note(
            "told that a paid payment is not, asking for the status", ref=payment.ref, code=facts.status
        )
        request_inquiry(ports, followed)
    _settle(item, InboxState.PROCESSED, None, ports)


def _process_binding(item: InboxItem, facts: BindingNotice, ports: Ports, deadline: Deadline) -> None:
    binding = _find_link(facts, ports)
    if binding is None:
        _quarantine(item, "unknown_binding", ports)
        return
    if not binding.holds_account:  # late, or repeated: nobody needs to look at it
        _settle(item, InboxState.PROCESSED, "ended", ports)
        return
    if item.is_by_replaced_key:
        _note_replaced_key(ports, binding_id=binding.id)
    if facts.status == "SUCCESS":
        if not item.is_by_replaced_key:  # else somebody's code could be put to another's link
            binding = _learn_auth_code(binding, facts, ports)
        try:
            prove_binding(binding, ports, deadline)  # the exchange is the proof: freshness does not matter
        except StoreUnavailable:
            raise
        except (NotDone, Unsendable) as error:  # the link itself is due again in minutes
            ports.telemetry.note("link not proved yet", binding_id=binding.id, code=error.code)
    elif facts.status == "FAILED" and item.fresh:
        if _has_waited(item, ports):
            _settle(item, InboxState.PROCESSED, "waited", ports)
            return
        _end_page(binding, facts, ports)
    reason = "replaced_key" if item.is_by_replaced_key else "stale"
    _settle(item, InboxState.PROCESSED, None if item.fresh else reason, ports)


def _has_waited(item: InboxItem, ports: Ports) -> bool:
    return ports.clock.now() > item.received_at + _BELIEVED_FOR


def _find_link(facts: BindingNotice, ports: Ports) -> Binding | None:
    """Return the customer's link whose page a notification speaks of, ended or not.

    Raises RecordUnreadable where that can not be known.
    """
    if facts.customer_id is None:
        return None
    holder = ports.bindings.find_by_customer(facts.customer_id)
    if holder is not None and holder.is_of_request(facts.external_id):
        return holder
    links = ports.bindings.list_by_customer(facts.customer_id)  # one that was replaced, or has ended
    for one in links.bindings:
        if one.is_of_request(facts.external_id):
            return one
    if links.unreadable:
        raise RecordUnreadable("one of the customer's links, which may be the one that is spoken of")
    return None


def _end_page(binding: Binding, facts: BindingNotice, ports: Ports) -> None:
    """Follow DOKU's word that a page brought no link: the link ends, unless another page may still be finished."""
    if binding.is_unconfirmed and binding.external_id == facts.external_id and not binding.earlier_pages:
        evidence = Evidence(EvidenceSource.NOTIFICATION, ports.clock.now(), "FAILED")
        advance_binding(ports, binding, BindingEvent.LINK_REFUSED, evidence)
    else:
        end_page(binding, facts.external_id, ports)


def _learn_auth_code(binding: Binding, facts: BindingNotice, ports: Ports) -> Binding:
    """Take the auth code from the notification where the binding response had none."""
    current, auth_code = binding, facts.auth_code
    while auth_code is not None and current.auth_code is None and current.external_id == facts.external_id:
        if not current.holds_account:
            break
        sealed = ports.vault.seal(auth_code, SealedField.AUTH_CODE, current.id)
        try:
            return ports.bindings.save(current, replace(current.noted(ports.clock.now()), auth_code=sealed))
        except BindingChanged as race:
            current = race.current
    return current


def _note_replaced_key(ports: Ports, *, ref: str | None = None, binding_id: str | None = None) -> None:
    ports.telemetry.count(Metric.NOTIFICATION_BY_REPLACED_KEY)
    ports.telemetry.note("a replaced key proved a notification, asking DOKU instead", ref=ref, binding_id=binding_id)


def _find_mismatch(payment: Payment, facts: PaymentNotice) -> str | None:
    try:
        value = Decimal(facts.value)
    except InvalidOperation:
        return _AMOUNT_MISMATCH
    if facts.currency != CURRENCY or value != payment.amount.value:
        return _AMOUNT_MISMATCH
    if facts.customer_id not in (None, payment.customer_id) and not payment.is_forgotten:
        return "customer_mismatch"
    return None


def _quarantine(item: InboxItem, reason: str, ports: Ports, ref: str | None = None, told: str | None = None) -> None:
    ports.telemetry.count(Metric.NOTIFICATION_QUARANTINED)
    ports.telemetry.note("notification quarantined", ref=ref, reason=reason)
    _settle(item, InboxState.QUARANTINED, reason, ports, told)


def _settle(item: InboxItem, state: InboxState, reason: str | None, ports: Ports, told: str | None = None) -> None:
    after = replace(item, state=state, reason=reason, told=told, due_at=None, attempts=item.attempts + 1)
    if state is InboxState.PROCESSED:
        after = replace(after, body=InboxItem.GONE)
    ports.inbox.settle(item, after)
