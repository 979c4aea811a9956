"""Remove a customer: the money records stay, the person does not (docs/data-map.md says which attribute does what).

Nothing is lost by a death in the middle: a token stands in the place of the customer's id, it is written down first
and thrown away last, and what still has the id is what is still to do. So running it again ends it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from re import fullmatch

from direct_debit.adapters.dynamodb.conditions import EXISTS, IS_NEW, owned_or_gone, unchanged
from direct_debit.adapters.dynamodb.forgotten_item import forget_binding, forget_event, forget_payment, forget_step
from direct_debit.adapters.dynamodb.items import Item, read_number, read_text, text
from direct_debit.adapters.dynamodb.keys import account_key, binding_key, customer_key, forget_key, is_step, payment_key
from direct_debit.adapters.dynamodb.review import list_waiting_for_review
from direct_debit.adapters.dynamodb.steps import delete_step
from direct_debit.adapters.dynamodb.webhook_log import list_events_of
from direct_debit.application.ports.inbox import InboxItem, InboxState
from direct_debit.application.ports.pages import OfCustomer, PageMark
from direct_debit.domain.binding import Binding
from direct_debit.domain.payment import Payment
from direct_debit.domain.values import CUSTOMER_ID, FORGOTTEN, ID_LENGTH
from tools.ops.failure import OpsError
from tools.ops.report import Report
from tools.ops.review import needs_a_person
from tools.ops.system import System

_PAGE = 100
_SHOWN = 10  # of the reasons why not
_WAITING = 200  # as many as `review` looks at
_DUE = 1000
_HORIZON = timedelta(days=2)  # no notification is due later

_ELSEWHERE = (
    "what was told before expires by itself: streams (1 day), dead letters (14 days), tries of webhooks (30 days), "
    "backups of the tables (35 days), logs (LogRetentionDays), workflow histories (90 days)"
)


@dataclass(frozen=True, slots=True)
class _Stored:
    """What there is of a customer."""

    bindings: Sequence[Binding]
    payments: Sequence[Payment]

    @property
    def subjects(self) -> frozenset[str]:
        """What notifications about the customer may name."""
        return frozenset(
            [one.ref for one in self.payments]
            + [name for one in self.bindings for name in (one.external_id, *one.earlier_pages)]
        )


def forget(
    customer_id: str, system: System, *, dry_run: bool = False, reviewed: bool = False, notices: bool = False
) -> Report:
    """Put a token that leads back to nobody in the place of a customer, and remove what else tells of the person.

    `reviewed`: payments that wait for a person are forgotten too. `notices`: so are notifications that releases before
    kept with their content, which reads the whole table. Raises OpsError while a link or a payment is open, and when
    nothing is known of the customer.
    """
    if len(customer_id) > ID_LENGTH or fullmatch(CUSTOMER_ID, customer_id) is None:
        raise OpsError("that is no customer's id as it was given to POST /bindings")
    stored = _find(customer_id, system)
    begun = system.store.get(system.environment.bindings_table, forget_key(customer_id))
    if begun is None and not stored.bindings and not stored.payments:
        raise OpsError("nothing is stored under this customer's id (any more)")
    obstacles = list(_find_obstacles(stored, system, reviewed=reviewed))
    if obstacles:
        more = len(obstacles) - _SHOWN
        raise OpsError("; ".join(obstacles[:_SHOWN]) + (f"; and {more} more" if more > 0 else ""))
    facts = {"links": len(stored.bindings), "payments": len(stored.payments)}
    if dry_run:
        told = f"{facts['links']} links and {facts['payments']} payments would be kept without their customer"
        return Report({"forgotten": False, **facts}, [told])
    token = _take_token(customer_id, system)
    cleared = _clear_notices(stored, system) if notices else 0
    for payment in stored.payments:
        _forget_payment(payment, customer_id, token, system)
    for binding in stored.bindings:
        _forget_binding(binding, customer_id, token, system)
    _end(customer_id, system)
    lines = [
        f"{facts['links']} links and {facts['payments']} payments are kept under {token}",
        *([f"{cleared} notifications of earlier releases have no content any more"] if notices else []),
        _ELSEWHERE,
    ]
    return Report({"forgotten": True, "token": token, **facts, "notices": cleared}, lines)


def _find(customer_id: str, system: System) -> _Stored:
    links = system.ports.bindings.list_by_customer(customer_id)
    holder = system.ports.bindings.find_by_customer(customer_id)
    bindings = {one.id: one for one in (*links.bindings, *([holder] if holder else [])) if _is_of(one, customer_id)}
    payments: dict[str, Payment] = {}
    unreadable = list(links.unreadable)
    after: PageMark | None = None
    while True:
        page = system.ports.payments.list_page(OfCustomer(customer_id), _PAGE, after)
        payments |= {one.ref: one for one in page.records if one.customer_id == customer_id}
        unreadable += page.unreadable
        after = page.following
        if after is None:
            break
    if unreadable:
        raise OpsError(f"this release can not read {', '.join(unreadable)}: run the one that wrote it")
    return _Stored(tuple(bindings.values()), tuple(payments.values()))


def _is_of(binding: Binding, customer_id: str) -> bool:
    return binding.customer_id == customer_id  # an index may be a moment behind its table


def _find_obstacles(stored: _Stored, system: System, *, reviewed: bool) -> Iterator[str]:
    now = system.ports.clock.now()
    for binding in stored.bindings:
        if binding.holds_account:
            yield f"the link {binding.id} is {binding.state}: unlink it first (DELETE /bindings/{binding.id})"
        elif binding.untold or binding.due_at is not None or binding.is_busy(now):
            yield f"the link {binding.id} is not at rest yet: come again in some minutes"
        if binding.open_payments:
            yield f"the link {binding.id} has open payments: {', '.join(sorted(binding.open_payments))}"
    for payment in stored.payments:
        if payment.is_open or payment.first_due is not None:
            yield f"the payment {payment.ref} is {payment.state}, and not at rest: see `explain {payment.ref}`"
        elif not reviewed and needs_a_person(payment, now):
            yield f"the payment {payment.ref} waits for a person (`review`); --reviewed when that is settled with DOKU"
    for item in _list_open_notices(system):
        if item.subject in stored.subjects:
            then = "close it first (`close-notification`)" if item.state is InboxState.QUARANTINED else "wait"
            yield f"the notification {item.id} about {item.subject} is {item.state}: {then}"


def _list_open_notices(system: System) -> Iterator[InboxItem]:
    now = system.ports.clock.now()
    waiting = list_waiting_for_review(system.store, system.environment.transactions_table, now, _WAITING)
    ids = [record.id for record in waiting if record.kind == "INBOX"]
    for one in (*ids, *system.ports.inbox.list_due(now + _HORIZON, _DUE)):
        item = system.ports.inbox.get(one)
        if item is not None and item.state is not InboxState.PROCESSED:
            yield item


def _take_token(customer_id: str, system: System) -> str:
    """Return what stands in the place of the customer's id: at random, and the same until all is done."""
    token = FORGOTTEN + system.ports.ids.new_id()
    item = {**forget_key(customer_id), "kind": text("forget"), "token": text(token)}
    there = system.store.put(system.environment.bindings_table, item, IS_NEW)
    return token if there is None or there.item is None else read_text(there.item, "token")


def _forget_payment(payment: Payment, customer_id: str, token: str, system: System) -> None:
    """Its steps first: the payment itself is what shows that something is left to do."""
    table = system.environment.transactions_table
    for step in _read_partition(table, payment_key(payment.ref), system):
        if is_step(step):
            system.store.put(table, forget_step(step), EXISTS)
    _forget_events(payment.ref, token, system)
    item = system.store.get(table, payment_key(payment.ref))
    if item is not None and read_text(item, "customerId") == customer_id:
        _replace(table, item, forget_payment(item, token, system.store.new_write_id()), system)


def _forget_binding(binding: Binding, customer_id: str, token: str, system: System) -> None:
    table = system.environment.bindings_table
    _forget_events(binding.id, token, system)
    mine = owned_or_gone(binding.id)
    for key in (account_key(binding.account), customer_key(customer_id)):
        # One that has passed to another link stays that link's.
        system.store.transact([delete_step(table, key, mine)], system.store.new_write_id())
    item = system.store.get(table, binding_key(binding.id))
    if item is not None and read_text(item, "customerId") == customer_id:
        _replace(table, item, forget_binding(item, token, system.store.new_write_id()), system)


def _forget_events(subject: str, token: str, system: System) -> None:
    if system.webhooks is not None:
        for item in list_events_of(system.store, system.webhooks.log_table, subject):
            system.store.put(system.webhooks.log_table, forget_event(item, token), EXISTS)


def _replace(table: str, before: Item, after: Item, system: System) -> None:
    as_read = unchanged(read_number(before, "version"), read_text(before, "state"))
    if system.store.put(table, after, as_read) is not None:
        raise OpsError(f"{read_text(before, 'pk')} was changed meanwhile: run it again")


def _read_partition(table: str, key: Item, system: System) -> list[Item]:
    return system.store.query(
        {
            "TableName": table,
            "KeyConditionExpression": "#pk = :pk",
            "ExpressionAttributeNames": {"#pk": "pk"},
            "ExpressionAttributeValues": {":pk": key["pk"]},
            "ConsistentRead": True,
        }
    )


def _clear_notices(stored: _Stored, system: System) -> int:
    """Take the content out of settled notifications about the customer, which releases before kept."""
    if system.list_notices is None:
        raise OpsError("the notifications of this stack can not be listed")
    cleared = 0
    for item in system.list_notices():
        if item.body != InboxItem.GONE and item.state is InboxState.PROCESSED and item.subject in stored.subjects:
            system.ports.inbox.clear(item)
            cleared += 1
    return cleared


def _end(customer_id: str, system: System) -> None:
    step = delete_step(system.environment.bindings_table, forget_key(customer_id), EXISTS)
    system.store.transact([step], system.store.new_write_id())
