"""Every field of every record comes back as it went, and is a plain attribute that the index and the stream can use."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from direct_debit.adapters.dynamodb.binding_item import read_binding, write_binding
from direct_debit.adapters.dynamodb.inbox import read_inbox_item, write_inbox_item
from direct_debit.adapters.dynamodb.items import Item, MalformedItem
from direct_debit.adapters.dynamodb.payment_item import read_payment, write_payment
from direct_debit.application.errors import RecordUnreadable
from direct_debit.application.ports.inbox import InboxItem
from direct_debit.domain.binding import Binding
from direct_debit.domain.payment import Payment, PaymentState, remember_moves
from direct_debit.domain.refund import Refund
from tests.fakes.clock import START
from tests.fakes.in_memory_dynamodb import InMemoryDynamoDb
from tests.integration.adapters import records
from tests.integration.adapters.conftest import World, make_world
from tests.integration.adapters.records import BINDINGS, TRANSACTIONS, a_binding, a_notification, a_payment, a_refund

if TYPE_CHECKING:
    from collections.abc import Mapping

    from direct_debit.adapters.dynamodb.items import AttributeValue


def in_memory() -> World:
    return make_world(InMemoryDynamoDb(BINDINGS, TRANSACTIONS))


@given(records.payments)
def test_payments(payment: Payment) -> None:
    read = read_payment(write_payment(payment))
    assert read == payment
    assert (read.untold, read.tell_by) == (payment.untold, payment.tell_by)


@given(records.bindings)
def test_bindings(binding: Binding) -> None:
    read = read_binding(write_binding(binding))
    assert read == binding
    assert (read.untold, read.tell_by) == (binding.untold, binding.tell_by)


@given(records.notifications)
def test_notifications(item: InboxItem) -> None:
    assert read_inbox_item(write_inbox_item(item)) == item


@given(records.payments, records.payments)
@settings(max_examples=50)
def test_any_payment_can_follow_any_other(before: Payment, after: Payment) -> None:
    world = in_memory()
    key = before.ref
    after = replace(after, ref=key, version=before.version + 1)
    item = write_payment(before)
    world.client.put_item(TableName=TRANSACTIONS, Item=item)
    assert world.payments.save(before, after) == after
    assert world.payments.get(key) == after


@given(records.bindings, records.bindings)
@settings(max_examples=50)
def test_any_binding_can_follow_any_other(before: Binding, after: Binding) -> None:
    world = in_memory()
    after = replace(after, id=before.id, version=before.version + 1)
    world.client.put_item(TableName=BINDINGS, Item=write_binding(before))
    assert world.bindings.save_when_settled(before, after) == after
    assert world.bindings.get(before.id) == after


@pytest.mark.parametrize("code", ["A|B", "|", "%", "%7C", "%25|7C", "100%|"])
def test_a_code_of_dokus_may_hold_any_printable_character(code: str) -> None:
    """One with the moves' own separator made its payment unreadable for good."""
    before = a_payment()
    evidence = replace(before.evidence, code=code)
    after = replace(
        before.noted(before.updated_at), state=PaymentState.PROCESSING, response_code=code, evidence=evidence
    )
    moved = remember_moves(before, after)
    read = read_payment(write_payment(moved))
    assert read.untold == moved.untold
    assert [(move.code, move.response_code) for move in read.untold] == [(code, code)]


@pytest.mark.parametrize("amount", ["0.01", "10000.00", "9999999999999999.99"])
def test_money_is_stored_as_text(amount: str) -> None:
    assert write_payment(a_payment(amount=amount))["amount"] == {"S": amount}


def leaves(item: Mapping[str, AttributeValue]) -> set[str]:
    return {kind for value in item.values() for kind in value}


def test_items_are_plain() -> None:
    assert leaves(write_payment(replace(a_payment(), refund=a_refund()))) <= {"S", "N", "BOOL", "M"}
    assert leaves(write_binding(a_binding())) <= {"S", "N", "BOOL", "M"}


def test_a_field_that_is_missing_is_named_without_values() -> None:
    item = write_payment(a_payment())
    del item["amount"]
    with pytest.raises(MalformedItem, match="amount is missing"):
        read_payment(item)


def test_a_field_of_another_type_is_named_without_values() -> None:
    with pytest.raises(MalformedItem, match="version is missing or no integer"):
        read_payment({**write_payment(a_payment()), "version": {"S": "secret"}})


@pytest.mark.parametrize(
    "at", ["2026-03-02T09:00:00", "2026-03-02", "0001-01-01T00:00:00+07:00", "9999-12-31T23:59:59-07:00"]
)
def test_a_time_without_a_place_in_utc_is_malformed(at: str) -> None:
    """Found by fuzzing: it was read, and what compared it with the clock, or wrote the record again, failed."""
    with pytest.raises(MalformedItem, match="createdAt is missing or no time"):
        read_payment({**write_payment(a_payment()), "createdAt": {"S": at}})
    with pytest.raises(MalformedItem, match="untold is no list of moves"):
        read_payment({**write_payment(a_payment()), "untold": {"L": [{"S": f"3|{at}|PAID|m||answer|||"}]}})


def test_a_time_of_another_zone_is_the_same_time() -> None:
    read = read_payment({**write_payment(a_payment()), "createdAt": {"S": "2026-03-02T16:00:00+07:00"}})
    assert read.created_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert read.created_at.tzinfo is UTC


UNKNOWN_MOVE = [{"S": "3|2026-03-02T09:00:00.000000Z|SETTLING|m||answer|||"}]
UNKNOWN_REFUND_MOVE = [{"S": "3|2026-03-02T09:00:00.000000Z|PAID|r|SETTLING|answer|||"}]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("state", {"S": "SETTLING"}),
        ("failureReason", {"S": "settling"}),
        ("review", {"S": "settling"}),
        ("evidenceSource", {"S": "settling"}),
        ("refundState", {"S": "SETTLING"}),
        ("refundEvidenceSource", {"S": "settling"}),
        ("amount", {"S": "1"}),
        ("untold", {"L": UNKNOWN_MOVE}),
        ("untold", {"L": UNKNOWN_REFUND_MOVE}),
        ("untold", {"S": "one"}),
    ],
)
def test_a_payment_with_a_value_that_this_code_does_not_know_can_not_be_read(name: str, value: AttributeValue) -> None:
    item = write_payment(replace(a_payment(), refund=a_refund()))
    assert read_payment(item) == replace(a_payment(), refund=a_refund())
    with pytest.raises(RecordUnreadable, match=f"^{name} ") as error:
        read_payment({**item, name: value})
    assert "settling" not in str(error.value).lower()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("state", {"S": "SETTLING"}),
        ("evidenceSource", {"S": "settling"}),
        ("untold", {"L": UNKNOWN_MOVE}),
        # A link has no refund, whatever its state's name is.
        ("untold", {"L": [{"S": "3|2026-03-02T09:00:00.000000Z|ACTIVE|r|REFUNDED|answer|||"}]}),
    ],
)
def test_a_link_with_a_value_that_this_code_does_not_know_can_not_be_read(name: str, value: AttributeValue) -> None:
    with pytest.raises(RecordUnreadable, match=f"^{name} "):
        read_binding({**write_binding(a_binding()), name: value})


@pytest.mark.parametrize("name", ["state", "notificationKind"])
def test_a_notification_with_a_value_that_this_code_does_not_know_can_not_be_read(name: str) -> None:
    with pytest.raises(RecordUnreadable, match=f"^{name} "):
        read_inbox_item({**write_inbox_item(a_notification()), name: {"S": "settling"}})


MARKS: Item = {
    "otpAttempts": {"N": "0"},
    "notFoundCount": {"N": "0"},
    "metadata": {"M": {}},
    **{name: {"BOOL": False} for name in ("released", "otpAccepted", "otpUnclear", "reposted", "lateSuccess")},
}


def test_what_most_payments_never_have_is_not_written_and_read_as_absent() -> None:
    payment = a_payment()
    item = write_payment(payment)
    assert MARKS.keys().isdisjoint(item)
    assert read_payment({**item, **MARKS}) == read_payment(item) == payment  # older code wrote it always


def test_the_strategies_know_every_field() -> None:
    # A field without a default must be given; one with a default would pass unnoticed.
    strategies = {
        Payment: records.payments,
        Refund: records.refunds,
        Binding: records.bindings,
        InboxItem: records.notifications,
    }
    for record, strategy in strategies.items():
        described = repr(strategy)
        for field in fields(record):
            own = ("open_payments", "charges")  # which only their own updates write
            assert f"{field.name}=" in described or field.name in own, (
                f"tests/integration/adapters/records.py: give {record.__name__}'s strategy values for {field.name}, "
                "and see that its item writes and reads it (adapters/dynamodb/*_item.py)"
            )


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        write_payment(replace(a_payment(), sent_at=START.replace(tzinfo=None)))
