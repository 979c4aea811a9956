"""Races in threads over the in-memory store: many equal requests, rival customers, rival refunds, pay against unlink.

Threads really run at once: the store serialises single requests as DynamoDB does, the bank one call at a time.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import pytest

from direct_debit.application.bindings.get_balance import get_balance
from direct_debit.application.bindings.result import BindingResult
from direct_debit.application.calls.obtain_b2b_token import obtain_b2b_token
from direct_debit.application.errors import Conflict, DirectDebitError, NotDone
from direct_debit.application.notifications.process_notification import process_notification
from direct_debit.application.payments.result import PaymentResult
from direct_debit.application.refunds.process_refund import process_refund
from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import PaymentState
from tests.fakes.clock import FakeClock
from tests.fakes.invariants import check_at_rest
from tests.fakes.journey import REF, Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.world import World
from tests.unit.application.support import linked, requests
from tools.doku_simulator.core import Simulator
from tools.doku_simulator.records import SimulatedResponse

CALLERS = 64
ROUNDS = 5


@pytest.fixture(autouse=True)
def quick_switches() -> Iterator[None]:
    """Let threads change places often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def race(acts: Sequence[Callable[[], object]]) -> list[object]:
    """Let all acts begin at once; returns what each returned or raised."""
    gate = threading.Barrier(len(acts))
    one_at_a_time = threading.Lock()
    handle = Simulator.handle

    def queue_up(
        self: Simulator, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> SimulatedResponse:
        with one_at_a_time:
            return handle(self, method, target, headers, body)

    def run(act: Callable[[], object]) -> object:
        gate.wait()
        try:
            return act()
        except DirectDebitError as error:
            return error

    def give_way(_: FakeClock, seconds: float) -> None:
        """The clock of all must not run ahead because many wait: leases would end under their holders."""
        os.sched_yield()

    with (
        patch.object(Simulator, "handle", queue_up),
        patch.object(FakeClock, "sleep", give_way),
        ThreadPoolExecutor(len(acts)) as pool,
    ):
        return list(pool.map(run, acts))


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_64_equal_payments_are_one_payment(seed: int) -> None:
    merchant = linked(World(seed=seed))
    results = race([merchant.pay] * CALLERS)
    paid = [one for one in results if isinstance(one, PaymentResult)]
    assert len(paid) == CALLERS
    assert sum(not one.replayed for one in paid) == 1
    assert {(one.payment.ref, one.payment.amount, one.payment.binding_id) for one in paid} == {
        (REF, merchant.payment().amount, merchant.binding().id)
    }
    assert requests(merchant.world, "payment") == 1
    otps = race([merchant.enter_otp] * CALLERS)
    assert sum(isinstance(one, PaymentResult) and not one.replayed for one in otps) == 1
    assert all(isinstance(one, (PaymentResult, Conflict)) for one in otps)
    assert requests(merchant.world, "otp") == 1
    come_to_rest(merchant.world)
    assert merchant.world.debits(REF) == 1
    assert merchant.pay().payment == merchant.payment()
    assert check_at_rest(merchant.world) == []


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_one_reference_for_two_carts_is_one_payment_and_conflicts(seed: int) -> None:
    merchant = linked(World(seed=seed))
    results = race([lambda: merchant.pay(amount="10000.00"), lambda: merchant.pay(amount="20000.00")] * 8)
    won = {str(one.payment.amount) for one in results if isinstance(one, PaymentResult)}
    assert len(won) == 1
    assert sum(isinstance(one, Conflict) for one in results) == 8
    assert requests(merchant.world, "payment") == 1


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_many_customers_one_account_one_link(seed: int) -> None:
    world = World(seed=seed)
    rivals = [Merchant(world, customer=f"CUST-{number}") for number in range(16)]
    results = race([rival.bind for rival in rivals])
    linking = [rival for rival, one in zip(rivals, results, strict=True) if isinstance(one, BindingResult)]
    assert sum(isinstance(one, NotDone) for one in results) == len(rivals) - len(linking)
    assert linking
    for rival in linking:  # the bank links the account of the first only
        rival.come_back(rival.walk_through_pages())
    come_to_rest(world)
    assert [one.binding().state for one in linking].count(BindingState.ACTIVE) == 1
    assert check_at_rest(world) == []


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_rival_refunds_are_one_refund(seed: int) -> None:
    merchant = linked(World(seed=seed))
    merchant.pay_to_the_end()
    results = race([lambda number=number: merchant.refund(number=f"R{number % 2}") for number in range(16)])  # type: ignore[misc]  # the default binds the number
    numbers = {one.payment.refund.number for one in results if isinstance(one, PaymentResult) and one.payment.refund}
    assert len(numbers) == 1
    assert sum(isinstance(one, Conflict) for one in results) == 8
    world = merchant.world
    race([lambda: process_refund(REF, world.process(), world.deadline())] * 16)
    assert requests(world, "refund") == 1
    come_to_rest(world)
    assert world.refunds(REF) == 1
    assert check_at_rest(world) == []


@pytest.mark.parametrize("seed", range(3 * ROUNDS))
def test_a_payment_and_an_unlinking_exclude_each_other(seed: int) -> None:
    merchant = linked(World(seed=seed))
    acts: list[Callable[[], object]] = [merchant.pay, merchant.unbind]
    results = race(acts * 4)
    paid = any(isinstance(one, PaymentResult) for one in results)
    unlinking = any(isinstance(one, BindingResult) for one in results)
    assert paid != unlinking
    world = merchant.world
    assert requests(world, "payment") == int(paid)
    assert requests(world, "unbinding") == int(unlinking)
    come_to_rest(world)
    assert check_at_rest(world) == []


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_equal_notifications_at_once_have_one_effect(seed: int) -> None:
    merchant = linked(World(seed=seed))
    merchant.pay()
    merchant.enter_otp()
    world = merchant.world
    world.clock.tick(1)
    (delivery,) = [one for one in world.simulator.due_deliveries() if one.kind == "payment"]
    race([lambda: world.deliver(delivery)] * 16)
    subjects = {entry[2].subject for entry in world.queues.waiting if entry[2].queue == "notification"}
    (subject,) = subjects
    race([lambda: process_notification(subject, world.process(), world.deadline())] * 16)
    come_to_rest(world)
    assert merchant.payment().state is PaymentState.PAID
    assert sum(event.name == "payment.paid" for event in world.events.published) == 1
    assert check_at_rest(world) == []


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_200_cold_processes_ask_for_one_token(seed: int) -> None:
    world = World(seed=seed)
    results = race([lambda: obtain_b2b_token(world.process(), world.deadline())] * 200)
    tokens = [one for one in results if isinstance(one, str)]
    assert len(set(tokens)) == 1
    assert requests(world, "b2b_token") == 1


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_one_refresh_serves_all(seed: int) -> None:
    merchant = linked(World(seed=seed))
    world = merchant.world
    binding = merchant.binding()
    world.simulator.expire_customer_tokens(merchant.customer)
    asked = requests(world, "b2b2c_token")
    race([lambda: get_balance(binding.id, world.process(), world.deadline())] * 8)
    assert requests(world, "b2b2c_token") == asked + 1
    assert merchant.binding().state is BindingState.ACTIVE
