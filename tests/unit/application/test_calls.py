"""What each operation asks of DOKU and of AWS: each call costs time and money, and the fewest are kept (decision 0038).

`D` a request to DOKU, `r` a read of one item, `q` a query, `w` a write or a transaction, `Q` a message, `S` a read of a
secret. Warm: the process has just made such a call, so it has the merchant's token and its secrets, and knows that the
circuit is quiet. Cold: it reads them, each part of the secret that it uses once.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from direct_debit.application.bindings.get_balance import get_balance
from direct_debit.application.calls.circuit import QUIET_FOR
from direct_debit.application.payments.inquire_status import inquire_status
from direct_debit.application.refunds.process_refund import process_refund
from direct_debit.application.resolve_pending import resolve_pending
from tests.fakes.journey import REF, Merchant
from tests.fakes.weather import Fault
from tests.unit.application import support
from tests.unit.application.reading_secrets import WorldOfSecrets
from tests.unit.application.support import Strike

KINDS = {"get_item": "r", "query": "q", "put_item": "w", "update_item": "w", "transact_write_items": "w"}


def count(merchant: Merchant, act: Callable[[], object]) -> str:
    """Return what `act` asked for, for example `D1 r1 w2`."""
    world = merchant.world
    fair, world.weather = world.weather, Strike("", Fault.NONE, count=0)
    recorder = world.weather
    act()
    world.weather = fair
    asked = Counter(_kind(name) for name in recorder.names)
    return " ".join(f"{kind}{asked[kind]}" for kind in "DrqwQS" if asked[kind])


def _kind(name: str) -> str:
    room, _, call = name.partition(".")
    return {"doku": "D", "queue": "Q", "secret": "S"}[room] if room != "store" else KINDS[call]


def linked() -> Merchant:
    return support.linked(WorldOfSecrets())


def paid() -> Merchant:
    return support.paid(WorldOfSecrets())


def awaiting_a_code() -> Merchant:
    merchant = linked()
    merchant.pay()
    return merchant


def unlinking() -> Merchant:
    merchant = linked()
    merchant.unbind()
    return merchant


def due_for_a_look() -> Merchant:
    """A payment whose code was taken and whose notification is lost: DOKU has to be asked."""
    merchant = awaiting_a_code()
    merchant.enter_otp()
    due = merchant.payment().due_at
    assert due is not None
    merchant.world.clock.tick(int((due - merchant.world.clock.now()).total_seconds()) + 1)
    return merchant


def refunding() -> Merchant:
    merchant = paid()
    merchant.refund()
    return merchant


def _balance(merchant: Merchant) -> object:
    return get_balance(merchant.binding().id, merchant._ports(), merchant.world.deadline())


OPERATIONS: dict[str, tuple[Callable[[], Merchant], Callable[[Merchant], object], str, str]] = {
    "make_payment": (linked, lambda one: one.pay(), "D1 r1 w2", "D1 r3 w2 S2"),
    # The payment has to be read to know whose token its code needs.
    "verify_payment_otp": (awaiting_a_code, lambda one: one.enter_otp(), "D1 r2 w2", "D1 r4 w2 S2"),
    "process_refund": (
        refunding,
        lambda one: process_refund(REF, one._ports(), one.world.deadline()),
        "D1 r2 w2",
        "D1 r4 w2 S2",
    ),
    # A look is claimed before DOKU is asked, and written with its answer.
    "inquire_status": (
        due_for_a_look,
        lambda one: inquire_status(REF, one._ports(), one.world.deadline()),
        "D1 r1 w2",
        "D1 r3 w2 S2",
    ),
    "get_balance": (linked, _balance, "D1 r1", "D1 r3 S2"),
    "unbind_account": (linked, lambda one: one.unbind(), "D1 r1 w2", "D1 r3 w2 S2"),
    "confirm_unbinding": (unlinking, lambda one: one.confirm_unbinding(), "D1 r1 w2", "D1 r3 w2 S2"),
    "get_payment": (paid, lambda one: one.look(), "q1", "q1"),
    "refund_payment": (paid, lambda one: one.refund(), "r1 w1 Q1", "r1 w1 Q1 S1"),
    "make_payment, repeated": (awaiting_a_code, lambda one: one.pay(), "r1 w1", "r2 w1 S1"),
    "resolve_pending, nothing due": (
        paid,
        lambda one: resolve_pending(10, one._ports(), one.world.deadline()),
        "q24",
        "q24",
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_warm_function_asks_for_no_more_than_it_needs(name: str) -> None:
    prepare, act, warm, _ = OPERATIONS[name]
    merchant = prepare()
    merchant.ports = merchant.world.process()
    _balance(merchant) if merchant.binding().state == "ACTIVE" else warm_up(merchant)
    assert count(merchant, lambda: act(merchant)) == warm


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_cold_function_reads_the_token_the_circuit_and_its_secrets_too(name: str) -> None:
    prepare, act, _, cold = OPERATIONS[name]
    merchant = prepare()
    assert count(merchant, lambda: act(merchant)) == cold


def warm_up(merchant: Merchant) -> None:
    """Let the process call DOKU for another customer."""
    ports = merchant.ports
    other = Merchant(merchant.world, customer="CUST-2", phone="6281234567891")
    other.link()
    other.ports = ports
    _balance(other)


def test_a_notification_is_a_write_and_a_message_and_repeated_a_write() -> None:
    merchant = awaiting_a_code()
    world = merchant.world
    merchant.enter_otp()
    world.clock.tick(2)
    (delivery,) = world.simulator.due_deliveries()
    assert count(merchant, lambda: world.deliver(delivery)) == "w1 Q1 S1"
    world.work()
    assert count(merchant, lambda: world.deliver(delivery)) == "w1 S1"


def test_the_circuit_is_looked_at_again_when_its_memory_is_over() -> None:
    merchant = linked()
    merchant.ports = merchant.world.process()
    _balance(merchant)
    merchant.world.clock.tick(int(QUIET_FOR / timedelta(seconds=1)) - 1)
    assert count(merchant, lambda: _balance(merchant)) == "D1 r1"
    merchant.world.clock.tick(1)
    assert count(merchant, lambda: _balance(merchant)) == "D1 r2"
