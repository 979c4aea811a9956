"""What a page of a list takes with few payments and with very many: index entries, records, processor time.

python -m tests.benchmarks.listing [--payments 1000000]

The store is the one in memory, whose indexes are sorted as DynamoDB's are; entries and records are what DynamoDB
would bill. Needs about 3 GB for a million payments.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from statistics import median

from direct_debit.adapters.dynamodb.payment_item import write_payment
from direct_debit.application.pages import Latest, choose_reading
from direct_debit.application.ports.pages import OfCustomer, OfDay, PageMark, Selection, Unresolved
from direct_debit.domain.payment import PaymentState
from direct_debit.domain.values import JAKARTA
from tests.fakes.clock import START
from tests.fakes.counting_dynamodb import CountingDynamoDb
from tests.integration.adapters.conftest import World, make_world
from tests.integration.adapters.records import BINDINGS, TRANSACTIONS, a_payment

_FEW = 1_000
_PAGE = 20
_REPEATS = 21
_SPACING = timedelta(milliseconds=50)  # a million take fourteen hours: one day's partitions
_UNRESOLVED_EACH = 2  # one in so many: also with few payments more than a page in each partition


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one page."""

    entries: int
    records: int
    milliseconds: float


def fill(count: int) -> tuple[CountingDynamoDb, World]:
    """Return a store with payments of one customer and one day, the newest last."""
    store = CountingDynamoDb(BINDINGS, TRANSACTIONS, with_streams=False)
    midnight = START.astimezone(JAKARTA).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(START.tzinfo)
    template = a_payment()
    for number in range(count):
        at = midnight + number * _SPACING
        is_open = number % _UNRESOLVED_EACH == 0
        payment = replace(
            template,
            ref=f"INV{number:09}",
            created_at=at,
            doku_reference=f"DOKU{number:09}",
            state=PaymentState.OTP_PENDING if is_open else PaymentState.PAID,
            due_at=at if is_open else None,
        )
        store.put_item(TableName=TRANSACTIONS, Item=write_payment(payment))
    return store, make_world(store)


def measure(count: int) -> dict[str, Cost]:
    """Return the cost of a page of each kind of list, at its beginning and in its middle."""
    store, world = fill(count)
    newest = world.payments.list_page(OfDay(START.astimezone(JAKARTA).date()), 1, None).records[0]
    oldest = newest.created_at - (count - 1) * _SPACING
    number = count // 2 // _UNRESOLVED_EACH * _UNRESOLVED_EACH
    middle = PageMark(oldest + number * _SPACING, f"INV{number:09}")
    day = OfDay(START.astimezone(JAKARTA).date())

    backwards = choose_reading(world.payments.list_page, Latest(), newest.created_at)

    def page(selection: Selection, after: PageMark | None) -> Callable[[], object]:
        return lambda: world.payments.list_page(selection, _PAGE, after)

    pages: dict[str, Callable[[], object]] = {
        "a customer's newest": page(OfCustomer(newest.customer_id), None),
        "a customer's, in the middle": page(OfCustomer(newest.customer_id), middle),
        "a day's newest": page(day, None),
        "a day's, in the middle": page(day, middle),
        "of all days, as for a state alone": partial(backwards, _PAGE, None),
        "unresolved, the longest due": page(Unresolved(), None),
        "unresolved, in the middle": page(Unresolved(), middle),
        "by DOKU's reference": lambda: world.payments.find_by_doku_reference(f"DOKU{number:09}"),
    }
    return {name: _cost(store, read) for name, read in pages.items()}


def _cost(store: CountingDynamoDb, read: Callable[[], object]) -> Cost:
    store.forget()
    read()
    entries, records = store.entries, store.records
    times = []
    for _ in range(_REPEATS):
        began = time.process_time()
        read()
        times.append(time.process_time() - began)
    return Cost(entries, records, median(times) * 1000)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payments", type=int, default=1_000_000)
    count: int = parser.parse_args().payments
    few, many = measure(_FEW), measure(count)
    lines = [
        f"| a page of {_PAGE} | index entries, {_FEW:,} / {count:,} | records read | processor time, ratio |",
        "|---|---|---|---|",
    ]
    for name, cost in many.items():
        at_few = few[name]
        ratio = cost.milliseconds / at_few.milliseconds
        lines.append(
            f"| {name} | {at_few.entries} / {cost.entries} | {at_few.records} / {cost.records} | {ratio:.2f} |"
        )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
