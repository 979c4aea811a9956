"""The circuit breaker: new payments are refused fast while DOKU is down, everything else goes on."""

from datetime import timedelta

import pytest

from direct_debit.application.circuit import pass_circuit, record_answer, record_failure
from direct_debit.application.errors import CircuitOpen
from direct_debit.application.ports import CircuitState, Metric
from direct_debit.domain.payment import PaymentState
from tests.fakes.journey import Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Fault
from tests.fakes.world import World
from tests.unit.application.support import Strike, linked, lose_notifications, requests
from tools.doku_simulator.dials import Dial


def broken() -> Merchant:
    """Five payments without an answer: the circuit is open."""
    merchant = linked()
    merchant.world.simulator.dials.add(Dial("payment", "drop", count=1000))
    for number in range(merchant.world.settings.circuit_failures):
        merchant.pay(f"LOST{number}")
    return merchant


def test_failures_in_a_row_open_it_and_new_payments_are_refused_at_once() -> None:
    merchant = broken()
    world = merchant.world
    assert world.telemetry.counts[Metric.CIRCUIT_OPENED] == 1
    sent = len(world.simulator.requests)
    with pytest.raises(CircuitOpen) as refused:
        merchant.pay()
    assert timedelta(0) < refused.value.retry_after <= timedelta(seconds=world.settings.circuit_open)
    assert len(world.simulator.requests) == sent


def test_failures_far_apart_do_not_open_it() -> None:
    world = World()
    for _ in range(20):
        record_failure(world.process())
        world.clock.tick(world.settings.circuit_window + 1)
    pass_circuit(world.process())


def test_an_answer_in_between_forgets_the_failures() -> None:
    world = World()
    for _ in range(world.settings.circuit_failures - 1):
        record_failure(world.process())
    record_answer(world.process())
    record_failure(world.process())
    pass_circuit(world.process())


def test_one_probe_at_a_time_and_an_answer_closes_it() -> None:
    merchant = broken()
    world = merchant.world
    world.simulator.dials.clear()
    world.clock.tick(world.settings.circuit_open)
    pass_circuit(world.process())  # the probe
    with pytest.raises(CircuitOpen):
        pass_circuit(world.process())
    world.clock.tick(world.settings.circuit_open)
    assert merchant.pay("PROBE").payment.state is PaymentState.OTP_PENDING
    assert merchant.pay("NEXT").payment.state is PaymentState.OTP_PENDING
    assert world.process().circuit.read() == CircuitState()


def test_a_failed_probe_keeps_it_open() -> None:
    merchant = broken()
    merchant.world.clock.tick(merchant.world.settings.circuit_open)
    assert merchant.pay("PROBE").payment.state is PaymentState.UNKNOWN
    with pytest.raises(CircuitOpen):
        merchant.pay("NEXT")


def test_status_refund_code_and_notification_go_on_while_it_is_open() -> None:
    merchant = linked()
    world = merchant.world
    merchant.pay_to_the_end("PAID-1")
    merchant.pay("CODE-1")
    world.simulator.dials.add(Dial("payment", "drop", count=1000))
    for number in range(world.settings.circuit_failures):
        merchant.pay(f"LOST{number}")
    for _ in range(5):
        record_failure(world.process())
    with pytest.raises(CircuitOpen):
        merchant.pay()
    merchant.refund("PAID-1")
    world.work()
    assert requests(world, "refund") == 1
    assert merchant.enter_otp(ref="CODE-1").payment.state is PaymentState.PROCESSING
    lose_notifications(world)
    come_to_rest(world, 95)
    assert merchant.payment("LOST0").state is PaymentState.OTP_PENDING


def test_a_refusal_is_an_answer() -> None:
    merchant = linked()
    for number in range(20):
        merchant.pay(f"NO{number}", amount="10014.00")
    pass_circuit(merchant.world.process())


def test_its_own_trouble_never_hides_an_answer() -> None:
    merchant = broken()
    world = merchant.world
    world.simulator.dials.clear()
    world.clock.tick(world.settings.circuit_open)
    names = Strike("store.update_item", Fault.FAIL, skip=1)  # the first is the probe's claim
    world.weather = names
    assert merchant.pay("PROBE").payment.state is PaymentState.OTP_PENDING
