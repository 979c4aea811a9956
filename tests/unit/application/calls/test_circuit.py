"""The circuit breaker: new payments are refused fast while DOKU is down, everything else goes on."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Never
from unittest.mock import patch

import pytest

from direct_debit.application.calls.circuit import pass_circuit, record_answer, record_failure
from direct_debit.application.errors import CircuitOpen, DirectDebitError, NotDone
from direct_debit.application.payments.make_payment import MakePayment, make_payment
from direct_debit.application.ports.fleet import CircuitState
from direct_debit.application.ports.telemetry import Metric
from direct_debit.domain.money import Amount
from direct_debit.domain.payment import PaymentState
from doku_snap.errors import InvalidMessage
from tests.fakes.journey import Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Fault
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, Strike, linked, lose_notifications, requests
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


def test_who_loses_the_race_to_be_the_probe_waits_for_a_second() -> None:
    world = broken().world
    world.clock.tick(world.settings.circuit_open)
    world.weather = Meanwhile("store.update_item", lambda: pass_circuit(world.process()))
    with pytest.raises(CircuitOpen) as refused:
        pass_circuit(world.process())
    assert refused.value.retry_after == timedelta(seconds=1)


def test_failures_add_up_for_the_whole_window_from_the_first_of_them() -> None:
    world = World()
    for _ in range(world.settings.circuit_failures - 1):
        record_failure(world.process())
    world.clock.tick(world.settings.circuit_window)
    record_failure(world.process())
    with pytest.raises(CircuitOpen) as refused:
        pass_circuit(world.process())
    assert refused.value.retry_after == timedelta(seconds=world.settings.circuit_open)
    assert world.telemetry.notes == [("circuit opened", {"reason": "DOKU does not answer"})]


def test_who_has_seen_it_quiet_a_moment_ago_and_sees_failures_looks_again() -> None:
    world = World()
    ports = world.process()
    pass_circuit(ports)
    for _ in range(world.settings.circuit_failures):
        record_failure(ports)
    with pytest.raises(CircuitOpen):
        pass_circuit(ports)


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


# --- only what DOKU did, or did not do, speaks of DOKU ---------------------------------------------------------------


def pay_within(merchant: Merchant, ref: str, seconds: int) -> None:
    """Ask for a payment with so much time left."""
    command = MakePayment(
        binding_id=merchant.binding().id,
        amount=Amount.parse("10000.00"),
        remarks="Order 1",
        partner_reference_no=ref,
    )
    make_payment(command, merchant.world.process(), merchant.world.deadline(seconds))


def assert_the_next_payment_passes(merchant: Merchant) -> None:
    assert merchant.world.telemetry.counts[Metric.CIRCUIT_OPENED] == 0
    assert merchant.pay().payment.state is PaymentState.OTP_PENDING


def test_five_messages_that_our_own_model_refuses_do_not_open_it() -> None:
    """One caller's bad text stops nobody else."""

    def refuse(**_: object) -> Never:
        raise InvalidMessage("additionalInfo.remarks", "pattern")

    merchant = linked()
    with patch("doku_snap.messages.payment.PaymentRequest", refuse):
        for number in range(5):
            with pytest.raises(DirectDebitError):
                merchant.pay(f"BAD{number}")
    assert_the_next_payment_passes(merchant)


def test_five_waits_for_somebody_elses_renewal_of_the_merchants_token_do_not_open_it() -> None:
    merchant = linked()
    world = merchant.world
    now = world.clock.now()
    shared = world.process().b2b_tokens.read().token
    assert shared is not None
    world.clock.set(shared.expires_at)
    lease = world.clock.now() + timedelta(seconds=40)
    assert world.process().b2b_tokens.take_lease("somebody", shared.generation, now, lease)
    for number in range(5):
        with pytest.raises(NotDone):
            pay_within(merchant, f"WAIT{number}", 7)
    world.clock.set(lease + timedelta(seconds=1))
    assert_the_next_payment_passes(merchant)


def test_five_waits_for_somebody_elses_renewal_of_a_customers_token_do_not_open_it() -> None:
    merchant = linked()
    world = merchant.world
    binding = merchant.binding()
    assert binding.tokens is not None
    now = world.clock.now()
    lease = now + timedelta(seconds=40)
    expired = replace(binding.tokens, access_expires_at=now)
    world.process().bindings.save(binding, replace(binding.noted(now), tokens=expired, token_lease_until=lease))
    for number in range(5):
        with pytest.raises(NotDone):
            pay_within(merchant, f"WAIT{number}", 7)
    world.clock.set(lease + timedelta(seconds=1))
    assert_the_next_payment_passes(merchant)


def test_five_times_too_little_time_does_not_open_it() -> None:
    merchant = linked()
    for number in range(5):
        with pytest.raises(NotDone):
            pay_within(merchant, f"HURRY{number}", 5)
    assert_the_next_payment_passes(merchant)


@pytest.mark.parametrize("fault", [Fault.FAIL, Fault.LOSE])
def test_five_silences_do_open_it(fault: Fault) -> None:
    merchant = linked()
    merchant.world.weather = Strike("doku.payment", fault, count=5)
    for number in range(5):
        with suppress(NotDone):
            merchant.pay(f"SILENT{number}")
    with pytest.raises(CircuitOpen):
        merchant.pay()
    assert merchant.world.telemetry.counts[Metric.CIRCUIT_OPENED] == 1


def test_its_own_trouble_never_hides_an_answer() -> None:
    merchant = broken()
    world = merchant.world
    world.simulator.dials.clear()
    world.clock.tick(world.settings.circuit_open)
    names = Strike("store.update_item", Fault.FAIL, skip=1)  # the first is the probe's claim
    world.weather = names
    assert merchant.pay("PROBE").payment.state is PaymentState.OTP_PENDING
    assert ("answer not noted by the circuit breaker", {}) in world.telemetry.notes


def test_its_own_trouble_never_hides_a_failure() -> None:
    world = World()
    world.weather = Strike("store.", Fault.FAIL)
    record_failure(world.process())
    assert world.telemetry.notes == [("failure not noted by the circuit breaker", {})]
