"""Payments of other customers, stored as if they had been made: for what grows with the tables.

Each is a copy of a payment that was settled in the world, under its own reference and every tenth of its own customer.
Histories are left out: they lie in their payments' partitions, which nobody else reads.
"""

import gc
from collections.abc import Mapping

from tests.fakes.journey import Merchant
from tests.fakes.processes import TRANSACTIONS
from tests.fakes.world import World

_PATTERN_REF = "PATTERN-1"
_PATTERN_CUSTOMER = "PATTERN"
_STORED = "PAYMENT#OLD"
_PAYMENTS_OF_A_CUSTOMER = 10

type Item = Mapping[str, Mapping[str, object]]


def store_payments(world: World, count: int) -> None:
    """Let so many payments be stored. Nothing is collected meanwhile, nor ever of what is stored here."""
    merchant = Merchant(world, customer=_PATTERN_CUSTOMER, phone="6281999999900")
    merchant.link()
    merchant.pay_to_the_end(_PATTERN_REF)
    world.loses = lambda record: str(record.keys["pk"].get("S")).startswith(_STORED)  # they were told long ago
    key = {"pk": {"S": f"PAYMENT#{_PATTERN_REF}"}, "sk": {"S": "PAYMENT"}}
    pattern: Item = world.store.get_item(TableName=TRANSACTIONS, Key=key)["Item"]  # type: ignore[assignment]  # items are plain dictionaries
    gc.disable()
    for number in range(count):
        texts = {
            _PATTERN_REF: f"OLD{number:09d}",
            f"PAYMENT#{_PATTERN_REF}": f"{_STORED}{number:09d}",
            _PATTERN_CUSTOMER: f"OLD-{number // _PAYMENTS_OF_A_CUSTOMER}",
        }
        item = {name: _renamed(value, texts) for name, value in pattern.items()}
        world.store.put_item(TableName=TRANSACTIONS, Item=item)
    gc.enable()
    gc.freeze()


def _renamed(value: Mapping[str, object], texts: Mapping[str, str]) -> Mapping[str, object]:
    text = value.get("S")
    return {"S": texts[text]} if isinstance(text, str) and text in texts else value
