"""What a paid order writes: bounded, since each write costs and is a part of what a table carries."""

from collections import Counter

from tests.fakes.capacity import MeteredDynamoDb
from tests.fakes.in_memory_dynamodb import InMemoryDynamoDb
from tests.fakes.journey import Merchant
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tests.unit.application.support import linked

# Units of a payment with OTP, its notification and its events, indexes included, as docs/scale.md says.
PAID_ORDER = 29


def metered(merchant: Merchant) -> MeteredDynamoDb:
    merchant.world.meter = meter = MeteredDynamoDb(merchant.world.store)
    return meter


def test_a_paid_order_stays_within_its_write_units() -> None:
    merchant = linked()
    meter = metered(merchant)
    merchant.pay_to_the_end()
    assert meter.write_units <= PAID_ORDER, dict(meter.written)


def test_the_index_of_customers_is_written_once_for_a_payment() -> None:
    merchant = linked()
    meter = metered(merchant)
    merchant.pay_to_the_end()
    assert meter.written[f"index/{TRANSACTIONS}.customer"] == 1
    assert meter.written[f"index/{BINDINGS}.customer"] == 0


def test_what_is_not_due_costs_the_sweep_no_write() -> None:
    merchant = linked()
    merchant.pay_to_the_end()
    meter = metered(merchant)
    merchant.world.run_for(300)
    assert meter.write_units == 0


# --- the meter itself, by AWS's examples ------------------------------------------------------------------------------


def meter() -> MeteredDynamoDb:
    return MeteredDynamoDb(InMemoryDynamoDb("t"))


def put(meter: MeteredDynamoDb, **attributes: object) -> None:
    item = {"pk": {"S": "a"}, "sk": {"S": "b"}, **attributes}
    meter.put_item(TableName="t", Item=item)


def text(length: int) -> dict[str, str]:
    return {"S": "x" * length}


def test_a_write_costs_a_unit_per_started_kilobyte() -> None:
    for length, units in ((10, 1), (1000, 1), (1024, 2), (3000, 3)):
        one = meter()
        put(one, x=text(length))
        assert one.written == Counter({"table/t": units}), length


def test_a_write_costs_what_was_there_before_too() -> None:
    one = meter()
    put(one, x=text(3000))
    one.written.clear()
    put(one, x=text(1))
    assert one.write_units == 3


def test_a_transaction_costs_twice() -> None:
    one = meter()
    item = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    one.transact_write_items(TransactItems=[{"Put": {"TableName": "t", "Item": item}}])
    assert one.write_units == 2


def test_an_index_costs_for_what_it_keeps() -> None:
    one = meter()
    first = {"dueShard": text(1), "dueAt": text(1), "kind": text(1)}
    for attributes, units in (
        (first, 1),  # a new entry
        ({**first, "x": text(1)}, 0),  # nothing that it keeps has changed
        ({**first, "kind": text(2)}, 1),
        ({**first, "dueAt": text(2)}, 2),  # the entry moves: one is removed, one is written
        ({}, 1),
        ({"x": text(1)}, 0),
    ):
        one.written.clear()
        put(one, **attributes)
        assert one.written["index/t.due"] == units, attributes


def test_a_read_costs_half_a_unit_per_four_kilobytes() -> None:
    one = meter()
    put(one, x=text(5000))
    key = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    one.get_item(TableName="t", Key=key)
    assert one.read == 1.0
    one.get_item(TableName="t", Key=key, ConsistentRead=True)
    assert one.read == 3.0
