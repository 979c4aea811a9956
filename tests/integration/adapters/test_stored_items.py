"""Two releases work on the same records: while one is deployed, and after a rollback. What is stored stays readable.

stored-items.json has each kind of item as it was written once. This code has to read each, and to write what it has
read back as it was: then the release before finds its own attributes in records of ours, and we ours in its. An
attribute more is nothing to either, which leaves alone what it does not know.
"""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from direct_debit.adapters.dynamodb import keys
from direct_debit.adapters.dynamodb.binding_item import (
    CHARGES,
    OPEN_PAYMENTS,
    PAGES,
    UNLINKINGS,
    read_binding,
    write_binding,
    write_count,
)
from direct_debit.adapters.dynamodb.customer_claim import CustomerClaim, release
from direct_debit.adapters.dynamodb.history_item import read_history, write_binding_history, write_history
from direct_debit.adapters.dynamodb.inbox import read_inbox_item, write_inbox_item
from direct_debit.adapters.dynamodb.items import read_instant, read_text
from direct_debit.adapters.dynamodb.key_item import read_key, write_key
from direct_debit.adapters.dynamodb.keys import account_key, customer_key, record_id, return_key
from direct_debit.adapters.dynamodb.payment_item import read_payment, write_payment
from direct_debit.application.ports.history import HistoryEntry
from direct_debit.application.ports.inbox import InboxItem
from direct_debit.application.ports.payments import PaymentKey
from direct_debit.domain.binding import Binding
from direct_debit.domain.payment import Payment
from direct_debit.domain.refund import Refund
from direct_debit.domain.values import DayCount
from tests.fakes.in_memory_dynamodb import InMemoryDynamoDb
from tests.integration.adapters.records import BINDINGS, TRANSACTIONS, a_binding
from tests.integration.adapters.stored_items import (
    LOG,
    in_memory,
    open_log,
    read_vectors,
    stored,
    write_again,
    write_circuit,
    write_event,
    write_token,
    write_try,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from direct_debit.adapters.dynamodb.items import AttributeValue, Item

WHAT_TO_DO = (
    "A release before still needs these attributes: it works on the same records while ours is deployed, and after a "
    "rollback. Read what it wrote and write what it reads for one release more. New forms are added to "
    "stored-items.json beside the old ones; an old one is taken out when no release before needs it."
)
VECTORS = read_vectors()
_ABSENT: tuple[object, ...] = (None, False, (), {}, frozenset(), DayCount())
CASES = [(kind, number) for kind, items in VECTORS.items() for number in range(len(items))]


def _payment(item: Item) -> Mapping[str, AttributeValue]:
    return write_payment(read_payment(item))


def _binding(item: Item) -> Mapping[str, AttributeValue]:
    """What only its own updates write is added by hand, from what was read."""
    read = read_binding(item)
    open_payments: Item = {OPEN_PAYMENTS: {"SS": sorted(read.open_payments)}} if read.open_payments else {}
    return {**write_binding(read), **open_payments, **write_count(CHARGES, read.charges)}


def _customer(item: Item) -> Mapping[str, AttributeValue]:
    claim = CustomerClaim(item)
    counted = replace(
        a_binding(read_text(item, "bindingId")), charges=claim.count(CHARGES), unlinkings=claim.count(UNLINKINGS)
    )
    written: dict[str, AttributeValue] = {**customer_key(record_id(read_text(item, "pk"))), **release(counted)}
    if claim.holder is not None:
        world = in_memory()
        link = a_binding(claim.holder, customer=record_id(read_text(item, "pk")))
        assert (
            world.bindings.create(replace(link, lease_until=read_instant(item, "leaseUntil")), link.created_at) is None
        )
        written = stored(world, BINDINGS, customer_key(link.customer_id))
    return {**written, **write_count(PAGES, claim.count(PAGES))}


def _followed(item: Item) -> Mapping[str, AttributeValue]:
    """A claim on an account or a pointer: as the link that it names writes it."""
    world = in_memory()
    link = read_binding(VECTORS["binding"][0])
    assert link.id == read_text(item, "bindingId")
    assert world.bindings.create(link, link.created_at) is None
    key = return_key(link.return_state_hash) if "leaseUntil" not in item else account_key(link.account)
    return stored(world, BINDINGS, key)


def _token(item: Item) -> Mapping[str, AttributeValue]:
    world = in_memory()
    world.client.put_item(TableName=BINDINGS, Item=item)
    token = world.tokens.read().token
    assert token is not None
    return write_token(token)


def _circuit(item: Item) -> Mapping[str, AttributeValue]:
    world = in_memory()
    world.client.put_item(TableName=TRANSACTIONS, Item=item)
    return write_circuit(world.circuit.read())


def _try(item: Item) -> Mapping[str, AttributeValue]:
    client = InMemoryDynamoDb(LOG)
    client.put_item(TableName=LOG, Item=item)
    (one,) = open_log(client).list_tries(read_text(item, "pk"))
    return write_try(one)


def _event(item: Item) -> Mapping[str, AttributeValue]:
    """Nobody but a person reads it; so it is written as it was."""
    name = read_text(item, "sk").removeprefix("EVENT#")
    return write_event(
        read_text(item, "pk"), name, read_text(item, "name"), read_instant(item, "at"), read_text(item, "detail")
    )


WAYS: Mapping[str, Callable[[Item], Mapping[str, AttributeValue]]] = {
    "payment": _payment,
    "binding": _binding,
    "inbox": lambda item: write_inbox_item(read_inbox_item(item)),
    "payment step": lambda item: write_history(record_id(read_text(item, "pk")), read_history(item)),
    "binding step": lambda item: write_binding_history(record_id(read_text(item, "pk")), read_history(item)),
    "key": lambda item: write_key(PaymentKey(record_id(read_text(item, "pk")), ""), read_key(item)),
    "account": _followed,
    "customer": _customer,
    "return": _followed,
    "token": _token,
    "circuit": _circuit,
    "webhook try": _try,
    "webhook event": _event,
}


@pytest.mark.parametrize(("kind", "number"), CASES)
def test_what_a_release_has_stored_is_read_and_written_back_as_it_was(kind: str, number: int) -> None:
    item = VECTORS[kind][number]
    try:
        ours = write_again(WAYS[kind](item))
    except Exception as error:
        raise AssertionError(f"a stored {kind} can not be read any more ({error}). {WHAT_TO_DO}") from error
    differ = sorted(name for name in item if item[name] != ours.get(name))
    assert differ == [], f"a stored {kind} comes back with other {', '.join(differ)}. {WHAT_TO_DO}"


def test_some_stored_item_has_every_field() -> None:
    """Else one that is renamed wherever it is written and read would be missed."""
    payments = [read_payment(item) for item in VECTORS["payment"]]
    records: Mapping[type, Sequence[object]] = {
        Payment: payments,
        Refund: [payment.refund for payment in payments if payment.refund is not None],
        Binding: [read_binding(item) for item in VECTORS["binding"]],
        InboxItem: [read_inbox_item(item) for item in VECTORS["inbox"]],
        HistoryEntry: [read_history(item) for item in VECTORS["payment step"]],
    }
    absent = [
        f"{record.__name__}.{field.name}"
        for record, found in records.items()
        for field in fields(record)
        if all(getattr(one, field.name) in _ABSENT for one in found)
    ]
    assert absent == [], (
        "give these fields to the fullest item of tests/integration/adapters/stored_items.py, and to that of "
        "stored-items.json, as `python -m tests.integration.adapters.stored_items` prints it"
    )


def test_every_kind_of_key_has_a_stored_item() -> None:
    kinds = set(re.findall(r'"([A-Z]+)#', Path(keys.__file__).read_text())) - {"HISTORY"}
    found = {read_text(item, "pk").partition("#")[0] for items in VECTORS.values() for item in items}
    assert found == kinds
    assert VECTORS.keys() == WAYS.keys()
