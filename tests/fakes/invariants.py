"""What must be true of a `World`, whatever happened in it: our records against the bank's ledger.

Each function returns sentences about what is wrong; none of them is wanted. `check_always` holds after every step,
`check_at_rest` once everything had the time to come to its end (`tests.fakes.quiescence`).
"""

from __future__ import annotations

import base64
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from direct_debit.adapters.dynamodb.binding_item import read_binding
from direct_debit.adapters.dynamodb.history_item import read_history
from direct_debit.adapters.dynamodb.inbox import INBOX_KIND, read_inbox_item
from direct_debit.adapters.dynamodb.keys import HISTORY_PREFIX
from direct_debit.adapters.dynamodb.payment_item import read_payment
from direct_debit.application.ports.inbox import InboxState
from direct_debit.application.ports.telemetry import Metric
from direct_debit.domain.binding import BINDING_TRANSITIONS, Binding, BindingState
from direct_debit.domain.payment import PAYMENT_TRANSITIONS, Payment, PaymentState
from direct_debit.domain.refund import REFUND_TRANSITIONS, Refund, RefundState
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tools.doku_simulator.bank import sen
from tools.doku_simulator.magic_values import RIGHT_OTP

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.items import Item
    from tests.fakes.world import World

WRONG_OTP = "739154"
"""The wrong code that tests enter, so that it can be searched for."""

_PAYMENT_MOVES = {(before, after) for before, _, after in PAYMENT_TRANSITIONS}
_REFUND_MOVES = {(before, after) for before, _, after in REFUND_TRANSITIONS}
_BINDING_MOVES = {(before, after) for before, _, after in BINDING_TRANSITIONS}

_LINKED = frozenset({BindingState.ACTIVE, BindingState.RELINK_REQUIRED, BindingState.UNBIND_OTP_PENDING})
_SETTLED_BINDINGS = frozenset(
    {BindingState.ACTIVE, BindingState.RELINK_REQUIRED, BindingState.UNBOUND, BindingState.FAILED}
)
_SEALED_BASE64 = 7  # shorter base64 fragments would be found in encrypted text by chance


def check_always(world: World) -> list[str]:
    """Return what is wrong at this moment: money, records, moves, secrets."""
    return [
        *_check_ledger(world),
        *_check_payment_moves(world),
        *_check_binding_moves(world),
        *_check_claims(world),
        *_check_secrets(world),
    ]


def check_at_rest(world: World) -> list[str]:
    """Return what is wrong once nothing moves any more, `check_always` included."""
    return [
        *check_always(world),
        *(f"a chain of messages was cut at {message}" for message in world.cut),
        *_check_payments_at_rest(world),
        *_check_bindings_at_rest(world),
        *_check_inbox_at_rest(world),
        *_check_outbox(world),
    ]


def payments_of(world: World) -> list[Payment]:
    """Return every payment record."""
    return [read_payment(_item(item)) for item in world.store.items(TRANSACTIONS) if _is(item, "PAYMENT")]


def bindings_of(world: World) -> list[Binding]:
    """Return every binding record."""
    return [read_binding(_item(item)) for item in world.store.items(BINDINGS) if _is(item, "BINDING")]


# --- money -----------------------------------------------------------------------------------------------------------


def _check_ledger(world: World) -> Iterator[str]:
    records = {payment.ref: payment for payment in payments_of(world)}
    moved: Counter[tuple[str, str]] = Counter()
    amounts: dict[str, int] = {}
    for entry in world.simulator.bank.ledger:
        moved[(entry.reference, entry.kind)] += 1
        record = records.get(entry.reference)
        if record is None:
            yield f"{entry.kind} of {entry.reference} without a record"
            continue
        if sen(str(record.amount)) != entry.amount or record.customer_id != entry.customer:
            yield f"{entry.reference}: a {entry.kind} of {entry.value} from {entry.customer} is not the record's"
        if entry.kind == "debit":
            amounts[entry.reference] = entry.amount
        elif amounts.get(entry.reference) != entry.amount:
            yield f"{entry.reference}: refunded without an equal debit before"
        elif record.refund is not None and record.refund.number != entry.partner_refund_no:
            yield f"{entry.reference}: refunded under another number than the record's"
    for (reference, kind), count in moved.items():
        if count > 1:
            yield f"{reference}: {count} {kind}s"


def _check_payments_at_rest(world: World) -> Iterator[str]:
    for payment in payments_of(world):
        debits, refunds = world.debits(payment.ref), world.refunds(payment.ref)
        wanted = {
            PaymentState.PAID: (1, 0),
            PaymentState.REFUNDED: (1, 1),
            PaymentState.FAILED: (0, 0),
            PaymentState.NEEDS_REVIEW: (debits, refunds),
        }.get(payment.state)
        if wanted is None:
            yield f"{payment.ref}: not final but {payment.state}, due {payment.due_at}"
        elif wanted != (debits, refunds):
            yield f"{payment.ref}: {payment.situation} but {debits} debits and {refunds} refunds"
        if payment.due_at is not None:
            yield f"{payment.ref}: still due at {payment.due_at} in {payment.situation}"
        if payment.refund is not None:
            yield from _check_refund_at_rest(payment, payment.refund, refunds)
    reviews = sum(payment.state is PaymentState.NEEDS_REVIEW for payment in payments_of(world))
    if world.telemetry.counts[Metric.PAYMENT_NEEDS_REVIEW] < reviews:
        yield f"{reviews} payments need review, not all counted"


def _check_refund_at_rest(payment: Payment, refund: Refund, refunds: int) -> Iterator[str]:
    if not refund.is_final:
        yield f"{payment.ref}: refund not final but {refund.state}, due {refund.due_at}"
    elif refund.due_at is not None:
        yield f"{payment.ref}: refund still due in {refund.state}"
    if refund.state is RefundState.REFUNDED and refunds != 1:
        yield f"{payment.ref}: refund REFUNDED but {refunds} in the ledger"
    if refund.state is RefundState.FAILED and refunds:
        yield f"{payment.ref}: refund FAILED but the money went back"


# --- moves -----------------------------------------------------------------------------------------------------------


def _check_payment_moves(world: World) -> Iterator[str]:
    for record in world.store.stream(TRANSACTIONS):
        if not _is(record.keys, "PAYMENT"):
            continue
        if record.new is None:
            yield "a payment was deleted"
            continue
        after = read_payment(_item(record.new))
        if record.old is None:
            if after.version != 1 or after.state is not PaymentState.REQUESTED:
                yield f"{after.ref}: begins as version {after.version} in {after.state}"
            continue
        before = read_payment(_item(record.old))
        if after.version != before.version + 1 and not is_bookkeeping(before, after):
            yield f"{after.ref}: version {before.version} became {after.version}"
        same = after.situation is before.situation
        if not same and (before.situation, after.situation) not in _PAYMENT_MOVES:
            yield f"{after.ref}: {before.situation} became {after.situation}"
        if _content(before) != _content(after):
            yield f"{after.ref}: what was agreed changed in version {after.version}"
        yield from _check_refund_move(before, after)


def is_bookkeeping(before: Payment, after: Payment) -> bool:
    """Whether a write only says that the payment's news is told: that is no new version of it."""
    return after == before


def _content(payment: Payment) -> tuple[object, ...]:
    return payment.ref, payment.binding_id, payment.customer_id, payment.amount, payment.remarks, payment.request_hash


def _check_refund_move(before: Payment, after: Payment) -> Iterator[str]:
    old, new = before.refund, after.refund
    if old is None:
        if new is not None and (new.state is not RefundState.REQUESTED or after.state is not PaymentState.PAID):
            yield f"{after.ref}: a refund begins as {new.state} of a payment that is {after.state}"
        return
    if new is None:
        yield f"{after.ref}: the refund was dropped"
        return
    if new.number != old.number:
        yield f"{after.ref}: the refund's number changed"
    if new.state is not old.state and (old.state, new.state) not in _REFUND_MOVES:
        yield f"{after.ref}: refund {old.state} became {new.state}"
    if new.attempts > old.attempts and new.external_id == old.external_id:
        yield f"{after.ref}: the refund was sent again under the same X-EXTERNAL-ID"


def _check_binding_moves(world: World) -> Iterator[str]:
    for record in world.store.stream(BINDINGS):
        if not _is(record.keys, "BINDING"):
            continue
        if record.new is None:
            yield "a binding was deleted"
            continue
        after = read_binding(_item(record.new))
        if record.old is None:
            continue
        before = read_binding(_item(record.old))
        if after.version not in (before.version, before.version + 1):
            yield f"binding {after.id}: version {before.version} became {after.version}"
        if after.version == before.version and after.state is not before.state:
            yield f"binding {after.id}: moved to {after.state} without a new version"
        if after.state is not before.state and (before.state, after.state) not in _BINDING_MOVES:
            yield f"binding {after.id}: {before.state} became {after.state}"
        if (after.account, after.customer_id) != (before.account, before.customer_id):
            yield f"binding {after.id}: passed to another account or customer"
        if after.state not in _LINKED and after.tokens is not None:
            yield f"binding {after.id}: keeps tokens in {after.state}"


# --- accounts --------------------------------------------------------------------------------------------------------


def _check_claims(world: World) -> Iterator[str]:
    linked = [binding for binding in bindings_of(world) if binding.state in _LINKED]
    for name, holders in (
        ("account", Counter(binding.account for binding in linked)),
        ("customer", Counter(binding.customer_id for binding in linked)),
    ):
        if any(count > 1 for count in holders.values()):
            yield f"one {name} is linked more than once"
    for phone_customers in _linked_customers(world).values():
        if len(phone_customers) > 1:
            yield "the bank links one account to two customers"


def _linked_customers(world: World) -> dict[str, set[str]]:
    linked: defaultdict[str, set[str]] = defaultdict(set)
    for one in world.simulator.world.bindings.values():
        if one.linked:
            linked[one.phone].add(one.customer)
    return linked


def _check_bindings_at_rest(world: World) -> Iterator[str]:
    ours = bindings_of(world)
    open_payments: defaultdict[str, set[str]] = defaultdict(set)
    for payment in payments_of(world):
        if payment.is_open:
            open_payments[payment.binding_id].add(payment.ref)
    at_bank = {customer for customers in _linked_customers(world).values() for customer in customers}
    for binding in ours:
        if binding.state not in _SETTLED_BINDINGS:
            yield f"binding {binding.id}: not settled but {binding.state}, due {binding.due_at}"
        if binding.due_at is not None:
            yield f"binding {binding.id}: still due in {binding.state}"
        if binding.open_payments != open_payments[binding.id]:
            yield f"binding {binding.id}: counts {sorted(binding.open_payments)} as open"
        if binding.state is BindingState.ACTIVE and binding.customer_id not in at_bank:
            yield f"binding {binding.id}: ACTIVE, but the bank has no link"
    known = {binding.customer_id for binding in ours if binding.state in _LINKED}
    for customer in at_bank - known:
        yield f"the bank has a link of {customer} that we do not know of"


# --- messages --------------------------------------------------------------------------------------------------------


def _check_inbox_at_rest(world: World) -> Iterator[str]:
    for stored in world.store.items(TRANSACTIONS):
        item = _item(stored)
        if item.get("kind", {}).get("S") != INBOX_KIND:
            continue
        notification = read_inbox_item(item)
        if notification.state is InboxState.ACCEPTED or notification.due_at is not None:
            yield f"notification {notification.id}: never settled"


def _check_outbox(world: World) -> Iterator[str]:
    """Each state that a payment was in has its history item and, where it matters, its event."""
    history: defaultdict[str, set[int]] = defaultdict(set)
    for stored in world.store.items(TRANSACTIONS):
        item = _item(stored)
        if item["sk"].get("S", "").startswith(HISTORY_PREFIX):
            history[item["pk"].get("S", "")].add(read_history(item).version)
    published = {event.id for event in world.events.published}
    for record in world.store.stream(TRANSACTIONS):
        if not _is(record.keys, "PAYMENT") or record.new is None:
            continue
        after = read_payment(_item(record.new))
        before = None if record.old is None else read_payment(_item(record.old))
        moved = before is not None and before.state is not after.state
        if moved and after.version not in history[record.keys["pk"].get("S", "")]:
            yield f"{after.ref}: no history of version {after.version}"
        name = {PaymentState.PAID: "payment.paid", PaymentState.FAILED: "payment.failed"}.get(after.state)
        if moved and name is not None and f"{after.ref}:{after.version}:{name}" not in published:
            yield f"{after.ref}: {name} was never published"


# --- secrets ---------------------------------------------------------------------------------------------------------


def _check_secrets(world: World) -> Iterator[str]:
    """No OTP, token, auth code or phone number anywhere that is stored, sent or logged; not in base64 either."""
    sinks = "\n".join(dict.fromkeys(_sinks(world)))
    for name, secret in _canaries(world):
        if _shows(secret, sinks) or _hides(secret, sinks):
            yield f"a {name} is readable"


def _shows(secret: str, sinks: str) -> bool:
    """Whether the secret stands there by itself; six digits may well be a part of a longer number."""
    found = secret in sinks
    return found and re.search(rf"(?<![0-9a-zA-Z]){re.escape(secret)}(?![0-9a-zA-Z])", sinks) is not None


def _hides(secret: str, sinks: str) -> bool:
    if quote(secret, safe="") != secret and quote(secret, safe="") in sinks:
        return True
    return any(form in sinks for form in _base64_forms(secret))


def _base64_forms(secret: str) -> Iterator[str]:
    for offset in range(3):
        raw = b"\0" * offset + secret.encode()
        for text in (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()):
            # Only the characters that depend on nothing but the secret.
            core = text[-(-offset * 8 // 6) : len(raw) * 8 // 6]
            if len(core) >= _SEALED_BASE64:
                yield core


def _canaries(world: World) -> Iterator[tuple[str, str]]:
    bank = world.simulator.world
    yield "OTP", RIGHT_OTP
    yield "OTP", WRONG_OTP
    for binding in bank.bindings.values():
        yield "phone", binding.phone
        yield "auth code", binding.code
    for token in bank.b2b_tokens:
        yield "B2B token", token
    for token in (*bank.access_tokens, *bank.refresh_tokens):
        yield "customer token", token


def _sinks(world: World) -> Iterator[str]:
    for table in (BINDINGS, TRANSACTIONS):
        yield from (repr(record.new) for record in world.store.stream(table))
        yield from (repr(item) for item in world.store.items(table))
    yield from (repr(entry) for entry in world.queues.waiting)
    yield from _reprs(world.dead_letters)
    yield from _reprs(world.events.published)
    yield from (repr(output) for _, output in world.workflows.completed)
    yield from _reprs(world.telemetry.notes)
    yield from _reprs(payments_of(world))
    yield from _reprs(bindings_of(world))


def _reprs(things: Iterable[object]) -> Iterator[str]:
    return (repr(thing) for thing in things)


# --- items -----------------------------------------------------------------------------------------------------------


def _is(item: Mapping[str, object], kind: str) -> bool:
    return _item(item)["sk"].get("S") == kind


def _item(item: object) -> Item:
    return cast("Item", item)
