"""What stored-items.json holds: each kind of item as a release wrote it, one of them with all that it may have.

python -m tests.integration.adapters.stored_items prints them as this code writes them: for new forms, which are added
beside the others.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, cast

from direct_debit.adapters.dynamodb.binding_item import CHARGES, OPEN_PAYMENTS, PAGES, write_binding, write_count
from direct_debit.adapters.dynamodb.changes import WRITE_ID
from direct_debit.adapters.dynamodb.client import Store
from direct_debit.adapters.dynamodb.customer_claim import release
from direct_debit.adapters.dynamodb.history_item import write_binding_history, write_history
from direct_debit.adapters.dynamodb.inbox import write_inbox_item
from direct_debit.adapters.dynamodb.key_item import write_key
from direct_debit.adapters.dynamodb.keys import B2B_TOKEN_KEY, CIRCUIT_KEY, account_key, customer_key, return_key
from direct_debit.adapters.dynamodb.payment_item import write_payment
from direct_debit.adapters.dynamodb.webhook_log import DynamoDbWebhookLog
from direct_debit.application.ports.fleet import CircuitState, SharedToken
from direct_debit.application.ports.history import HistoryEntry
from direct_debit.application.ports.inbox import InboxItem, InboxState
from direct_debit.application.ports.payments import PaymentKey
from direct_debit.application.ports.webhooks import WebhookAnswer, WebhookTry
from direct_debit.domain.binding import Binding, BindingState, SealedTokens
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.move import Move
from direct_debit.domain.payment import FailureReason, Payment, PaymentFailure, PaymentState, ReviewReason
from direct_debit.domain.refund import Refund, RefundState
from direct_debit.domain.values import DayCount
from tests.fakes.clock import START, FakeClock
from tests.fakes.ids import SeededIds
from tests.fakes.in_memory_dynamodb import InMemoryDynamoDb
from tests.integration.adapters.conftest import World, make_world
from tests.integration.adapters.records import BINDINGS, TRANSACTIONS, a_binding, a_notification, a_payment, a_refund

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from direct_debit.adapters.dynamodb.items import AttributeValue, Item

FILE = Path(__file__).with_name("stored-items.json")
LOG = "webhook-log"
SEALED = "2.k1.bm9uY2Vub25jZW5v.c2VhbGVk"
ASKER = "arn:aws:iam::123456789012:role/shop"
_STATUS = Evidence(EvidenceSource.STATUS, START, "00")
_MOVE = Move(
    version=3,
    at=START,
    state="PAID",
    moved=True,
    refund_state="REQUESTED",
    refund_moved=True,
    source="status",
    code="00",
    reason="declined",
    response_code="2005500",
)


def read_vectors() -> Mapping[str, Sequence[Item]]:
    """Return the items of the file by their kinds."""
    return cast("Mapping[str, Sequence[Item]]", json.loads(FILE.read_text()))


def later(minutes: int) -> datetime:
    """Return a moment; each attribute has another, so that none passes for another."""
    return START + timedelta(minutes=minutes)


def write_again(item: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
    """Return an item as JSON has it: without its write id, which is another each time, and sets as sorted lists."""
    plain: dict[str, AttributeValue] = json.loads(json.dumps(item, default=_as_json))
    plain.pop(WRITE_ID, None)
    return plain


def _as_json(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(type(value).__name__)


def in_memory() -> World:
    """Return a world with empty tables."""
    return make_world(InMemoryDynamoDb(BINDINGS, TRANSACTIONS))


def stored(world: World, table: str, key: Item) -> dict[str, AttributeValue]:
    """Return what is stored under a key."""
    return write_again(cast("Item", world.client.get_item(TableName=table, Key=key)["Item"]))


# --- records that have all that they may have ------------------------------------------------------------------------


def full_refund() -> Refund:
    """Return a refund with everything."""
    return Refund(
        number="R-1",
        reason="",
        sealed_reason=SEALED,
        request_hash="refund-hash",
        state=RefundState.FAILED,
        requested_at=later(1),
        requested_by=ASKER,
        attempt="refund-attempt",
        attempts=2,
        external_id="31",
        sent_at=later(2),
        due_at=later(3),
        refund_no="DOKU-R-1",
        refunded_at=later(4),
        response_code="4045800",
        automatic=True,
        evidence=Evidence(EvidenceSource.ANSWER, later(5), "4045800"),
    )


def payments() -> Iterator[Payment]:
    """Yield a new payment, one with a refund, and one with everything."""
    yield a_payment()
    yield replace(a_payment("r2"), state=PaymentState.PAID, version=4, evidence=_STATUS, refund=a_refund(later(2)))
    yield replace(
        a_payment("r3"),
        state=PaymentState.NEEDS_REVIEW,
        version=9,
        released=True,
        metadata={"orderId": "7"},
        doku_reference="DOKU-1",
        web_redirect_url=SEALED,
        response_code="4045500",
        failure=PaymentFailure(FailureReason.DECLINED, "4035514"),
        review=ReviewReason.EXHAUSTED,
        otp_attempts=2,
        otp_accepted=True,
        otp_unclear=True,
        reposted=True,
        late_success=True,
        not_found_count=1,
        not_found_since=later(6),
        questioned_at=later(7),
        question_heard_at=later(8),
        reversed_at=later(9),
        review_closed_at=later(13),
        last_inquiry_at=later(10),
        due_at=later(11),
        untold=(_MOVE,),
        tell_by=later(12),
        evidence=_STATUS,
        refund=full_refund(),
        task_token=SEALED,
    )


def bindings() -> Iterator[Binding]:
    """Yield a new link, and one with everything."""
    yield a_binding()
    yield replace(
        a_binding("b2"),
        state=BindingState.ACTIVE,
        version=7,
        metadata={"tier": "gold"},
        redirect_url=SEALED,
        auth_code=SEALED,
        tokens=SealedTokens(SEALED, later(20), SEALED, later(21)),
        attempt="binding-attempt",
        attempt_until=later(22),
        page_ended=True,
        earlier_pages={"ended": "hash"},
        unbind_external_id="32",
        unbind_requested_at=later(23),
        unbind_requested_by=ASKER,
        unbind_redirect_url=SEALED,
        unbind_unclear=True,
        pages=DayCount("2026-03-02", 2),
        unlinkings=DayCount("2026-03-01", 1),
        charges=DayCount("2026-02-28", 3),
        open_payments=frozenset({"r3"}),
        otp_attempts=1,
        token_lease_until=later(24),
        response_code="2000700",
        due_at=later(25),
        untold=(replace(_MOVE, state="ACTIVE", refund_state=None, refund_moved=False, reason=None),),
        tell_by=later(26),
        evidence=_STATUS,
        task_token=SEALED,
    )


def notifications() -> Iterator[InboxItem]:
    """Yield one that is accepted, and one that waits for a person with everything."""
    yield a_notification()
    yield replace(
        a_notification("i2"),
        subject="r1",
        fresh=False,
        is_by_replaced_key=True,
        state=InboxState.QUARANTINED,
        reason="unknown_payment",
        told="paid",
        attempts=3,
        due_at=None,
    )


def steps() -> Iterator[HistoryEntry]:
    """Yield a step with what each has, and one with everything."""
    yield HistoryEntry(1, START, "PENDING", None, "caller", None)
    yield HistoryEntry(5, later(1), "PAID", "REQUESTED", "answer", "00", "declined", "2005400", ASKER)


# --- as this code stores them ----------------------------------------------------------------------------------------


def write_items() -> dict[str, list[dict[str, AttributeValue]]]:
    """Return an item of each kind and form."""
    linked = in_memory()
    link, full = bindings()
    assert linked.bindings.create(link, START) is None
    own: Item = {OPEN_PAYMENTS: {"SS": sorted(full.open_payments)}, **write_count(CHARGES, full.charges)}
    released = {**customer_key("c2"), **release(full), **write_count(PAGES, full.pages)}
    items: dict[str, list[Mapping[str, AttributeValue]]] = {
        "payment": [write_payment(one) for one in payments()],
        "binding": [write_binding(link), {**write_binding(full), **own}],
        "inbox": [write_inbox_item(one) for one in notifications()],
        "payment step": [write_history("r1", one) for one in steps()],
        "binding step": [write_binding_history("b1", one) for one in steps()],
        "key": [write_key(PaymentKey("fingerprint", "r1"), "r1")],
        "account": [stored(linked, BINDINGS, account_key(link.account))],
        "customer": [stored(linked, BINDINGS, customer_key(link.customer_id)), released],
        "return": [stored(linked, BINDINGS, return_key(link.return_state_hash))],
        "token": [write_token(SharedToken(SEALED, "fingerprint-of-key", START, later(15), 4))],
        "circuit": [write_circuit(CircuitState(5, START, later(1)))],
        "webhook try": [write_try(one) for one in tries()],
        "webhook event": [write_event("BINDING#b1", "w3", "binding.ACTIVE", START, '{"bindingId":"b1"}')],
    }
    return {kind: [write_again(item) for item in of_kind] for kind, of_kind in items.items()}


def write_token(token: SharedToken) -> dict[str, AttributeValue]:
    """Return the shared token's item, published by who holds its lease."""
    world = in_memory()
    assert world.tokens.take_lease("owner", 0, START, later(1))
    assert world.tokens.publish("owner", token)
    return stored(world, BINDINGS, B2B_TOKEN_KEY)


def write_circuit(state: CircuitState) -> dict[str, AttributeValue]:
    """Return the circuit's item."""
    world = in_memory()
    assert world.circuit.replace(CircuitState(), state)
    return stored(world, TRANSACTIONS, CIRCUIT_KEY)


def tries() -> Iterator[WebhookTry]:
    """Yield a try that was answered, and one that was not."""
    for name, at, answer in (
        ("w1", START, WebhookAnswer(204, None, 31)),
        ("w2", later(1), WebhookAnswer(None, "t", 9)),
    ):
        yield WebhookTry(subject="PAYMENT#r1", webhook_id=name, name="payment.PAID", at=at, answer=answer)


def open_log(client: InMemoryDynamoDb) -> DynamoDbWebhookLog:
    """Return the log over a store."""
    return DynamoDbWebhookLog(Store(client, FakeClock(), SeededIds(Random(0))), LOG)  # noqa: S311 - repeatable


def write_try(one: WebhookTry) -> dict[str, AttributeValue]:
    """Return the item of a try."""
    client = InMemoryDynamoDb(LOG)
    open_log(client).add_try(one)
    (item,) = client.items(LOG)
    return write_again(cast("Item", item))


def write_event(subject: str, webhook_id: str, name: str, at: datetime, detail: str) -> dict[str, AttributeValue]:
    """Return the item of an event that is kept."""
    client = InMemoryDynamoDb(LOG)
    open_log(client).keep_event(subject, webhook_id, name, at.isoformat(), detail)
    (item,) = client.items(LOG)
    return write_again(cast("Item", item))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(write_items(), indent=1, sort_keys=True) + "\n")
