"""Paying: every reply of DOKU, repetitions, refusals, and what happens when nothing was sent."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from direct_debit.application.errors import CircuitOpen, Conflict, InvalidRequest, NotDone, NotFound
from direct_debit.application.payments.make_payment import MakePayment, make_payment
from direct_debit.application.ports.payments import BindingUnusable
from direct_debit.application.ports.telemetry import Metric
from direct_debit.domain.binding import BindingState
from direct_debit.domain.evidence import EvidenceSource
from direct_debit.domain.money import Amount
from direct_debit.domain.payment import FailureReason, PaymentSituation, PaymentState
from tests.fakes.invariants import check_at_rest
from tests.fakes.journey import REF, Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Fault
from tests.fakes.world import World
from tests.unit.application.support import Strike, linked, lose_notifications, requests
from tools.doku_simulator.config import ProviderVariant
from tools.doku_simulator.dials import Dial


def cut_off(merchant: Merchant) -> None:
    """Let a payment request fail before a byte has left."""
    merchant.world.weather = Strike("doku.payment", Fault.FAIL)
    with pytest.raises(NotDone):
        merchant.pay()


def test_a_payment_asks_for_the_otp_and_is_recorded_before_it_is_sent() -> None:
    merchant = linked()
    result = merchant.pay()
    assert (result.payment.state, result.replayed) == (PaymentState.OTP_PENDING, False)
    assert result.payment.response_code == "4035413"
    assert result.payment.due_at is not None
    assert merchant.binding().open_payments == {REF}
    sent = merchant.world.simulator.world.payments[REF][0]
    assert sent.external_ids == [result.payment.external_id]


def test_a_repeat_returns_the_payment_as_it_is_and_never_sends() -> None:
    merchant = linked()
    first = merchant.pay().payment
    again = merchant.pay()
    assert again.replayed
    assert again.payment == first
    assert requests(merchant.world, "payment") == 1


def test_a_repeat_a_day_later_still_returns_the_settled_payment() -> None:
    merchant = linked()
    merchant.pay_to_the_end()
    come_to_rest(merchant.world)
    again = merchant.pay()
    assert (again.payment.state, again.replayed) == (PaymentState.PAID, True)
    assert merchant.world.debits(REF) == 1


def test_the_same_reference_with_another_body_is_a_conflict() -> None:
    merchant = linked()
    merchant.pay()
    with pytest.raises(Conflict):
        merchant.pay(amount="20000.00")
    assert requests(merchant.world, "payment") == 1


def test_an_idempotency_key_stands_for_one_reference_for_ever() -> None:
    merchant = linked()
    command = MakePayment(
        binding_id=merchant.binding().id, amount=Amount.parse("10000.00"), remarks="x", idempotency_key="cart-7"
    )
    one = make_payment(command, merchant.world.process(), merchant.world.deadline())
    other = make_payment(command, merchant.world.process(), merchant.world.deadline())
    assert one.payment.ref == other.payment.ref
    assert other.replayed
    assert requests(merchant.world, "payment") == 1


def test_without_reference_and_key_nothing_is_done() -> None:
    merchant = linked()
    command = MakePayment(binding_id=merchant.binding().id, amount=Amount.parse("10000.00"), remarks="x")
    with pytest.raises(InvalidRequest):
        make_payment(command, merchant.world.process(), merchant.world.deadline())


def test_a_missing_return_page_is_named() -> None:
    merchant = linked()
    merchant.world.settings = replace(merchant.world.settings, default_failed_url=None)
    with pytest.raises(InvalidRequest) as refused:
        merchant.pay()
    assert refused.value.field == "failedUrl"


def test_an_unknown_binding_is_not_found() -> None:
    world = World()
    command = MakePayment(binding_id="none", amount=Amount.parse("10000.00"), remarks="x", partner_reference_no=REF)
    with pytest.raises(NotFound):
        make_payment(command, world.process(), world.deadline())


def test_a_binding_that_is_not_active_takes_no_payment() -> None:
    merchant = Merchant(World())
    merchant.bind()
    with pytest.raises(Conflict):
        merchant.pay()
    assert requests(merchant.world, "payment") == 0


def test_too_many_unfinished_payments_are_refused() -> None:
    world = World()
    world.settings = replace(world.settings, max_open_payments=2)
    merchant = linked(world)
    merchant.pay("A")
    merchant.pay("B")
    with pytest.raises(Conflict):
        merchant.pay("C")
    assert "C" not in world.simulator.world.payments


@pytest.mark.parametrize(
    ("amount", "code"),
    [("10014.00", "4035414"), ("10002.00", "4035402"), ("10007.00", "4035407"), ("10023.00", "4035423")],
)
def test_a_refusal_is_final_and_carries_the_code(amount: str, code: str) -> None:
    merchant = linked()
    payment = merchant.pay(amount=amount).payment
    assert payment.state is PaymentState.FAILED
    assert payment.failure is not None
    assert (payment.failure.reason, payment.failure.code) == (FailureReason.DECLINED, code)
    assert merchant.pay(amount=amount).replayed
    come_to_rest(merchant.world)
    assert check_at_rest(merchant.world) == []


@pytest.mark.parametrize(
    ("case", "state", "reason"),
    [
        ("40313", PaymentState.OTP_PENDING, None),
        ("20200", PaymentState.PROCESSING, None),
        ("20000", PaymentState.PROCESSING, None),
        ("40001", PaymentState.FAILED, FailureReason.DECLINED),
        ("40300", PaymentState.FAILED, FailureReason.EXPIRED),
        ("40303", PaymentState.FAILED, FailureReason.DECLINED),
        ("40311", PaymentState.FAILED, FailureReason.OTP_BLOCKED),
        ("40404", PaymentState.FAILED, FailureReason.CANCELLED),
        ("20054", PaymentState.UNKNOWN, None),
        ("40003", PaymentState.UNKNOWN, None),
        ("40400", PaymentState.FAILED, FailureReason.DECLINED),
        ("40406", PaymentState.UNKNOWN, None),
        ("40418", PaymentState.UNKNOWN, None),
        ("40900", PaymentState.UNKNOWN, None),
        ("40901", PaymentState.UNKNOWN, None),
        ("42900", PaymentState.UNKNOWN, None),
        ("50000", PaymentState.UNKNOWN, None),
        ("50001", PaymentState.UNKNOWN, None),
        ("50002", PaymentState.UNKNOWN, None),
        ("50400", PaymentState.UNKNOWN, None),
        ("99999", PaymentState.UNKNOWN, None),
    ],
)
def test_every_reply_has_its_state(case: str, state: PaymentState, reason: FailureReason | None) -> None:
    merchant = linked()
    merchant.world.simulator.dials.add(Dial("payment", "code", when="before", code=case))
    payment = merchant.pay().payment
    assert payment.state is state
    assert (payment.failure.reason if payment.failure else None) == reason
    assert requests(merchant.world, "payment") == 1  # whatever was answered: no payment is posted twice
    assert (payment.due_at is None) == payment.is_final


@pytest.mark.parametrize(
    "fault",
    [
        lambda: Dial("payment", "drop"),
        lambda: Dial("payment", "status", status=502),
        lambda: Dial("payment", "garbage", garbage="html"),
        lambda: Dial("payment", "garbage", garbage="empty"),
        lambda: Dial("payment", "garbage", garbage="truncated"),
        lambda: Dial("payment", "garbage", garbage="wrong_type"),
        lambda: Dial("payment", "code", code="50400"),
        lambda: Dial("payment", "code", code="40901"),
        lambda: Dial("payment", "code", code="42900"),
    ],
)
def test_a_lost_or_ambiguous_answer_is_unknown_and_resolved_without_a_person(fault: Callable[[], Dial]) -> None:
    merchant = linked()
    world = merchant.world
    world.simulator.dials.add(fault())
    payment = merchant.pay().payment
    assert payment.state is PaymentState.UNKNOWN
    assert payment.evidence.source is EvidenceSource.NO_ANSWER
    assert world.telemetry.counts[Metric.PAYMENT_OUTCOME_UNKNOWN] == 1
    assert [one[2].queue for one in world.queues.waiting] == ["inquiry"]
    come_to_rest(world, 95)
    assert merchant.payment().state is PaymentState.OTP_PENDING  # DOKU had it all along
    merchant.enter_otp()
    come_to_rest(world)
    assert merchant.payment().state is PaymentState.PAID
    assert check_at_rest(world) == []


def test_the_lost_answer_amount_is_paid_within_95_seconds() -> None:
    merchant = linked()
    world = merchant.world
    assert merchant.pay(amount="10504.00").payment.state is PaymentState.UNKNOWN
    lose_notifications(world)
    come_to_rest(world, 95)
    assert merchant.payment().state is PaymentState.PAID
    assert world.telemetry.counts[Metric.PAYMENT_RESOLVED] == 1


def test_no_status_is_asked_within_the_first_minute() -> None:
    merchant = linked()
    merchant.pay(amount="10504.00")
    lose_notifications(merchant.world)
    come_to_rest(merchant.world, 59)
    merchant.look(refresh=True)
    assert requests(merchant.world, "status") == 0


def test_what_was_surely_not_sent_is_released_and_sent_by_the_same_request() -> None:
    merchant = linked()
    cut_off(merchant)
    released = merchant.payment()
    assert (released.state, released.released) == (PaymentState.REQUESTED, True)
    assert released.evidence.source is EvidenceSource.NOTHING_SENT
    result = merchant.pay()
    assert (result.payment.state, result.replayed) == (PaymentState.OTP_PENDING, False)
    assert result.payment.external_id != released.external_id
    assert requests(merchant.world, "payment") == 1


def test_a_released_payment_may_not_be_sent_once_its_binding_is_gone() -> None:
    merchant = linked()
    cut_off(merchant)
    ports = merchant.world.process()
    binding = merchant.binding()
    ports.bindings.save(binding, replace(binding.noted(binding.updated_at), state=BindingState.RELINK_REQUIRED))
    with pytest.raises(Conflict):
        merchant.pay()
    assert requests(merchant.world, "payment") == 0
    payment = merchant.payment()
    assert isinstance(ports.payments.reclaim(payment, payment.noted(payment.updated_at)), BindingUnusable)


def test_a_released_payment_that_nobody_repeats_ends_as_not_found() -> None:
    merchant = linked()
    cut_off(merchant)
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.FAILED
    assert check_at_rest(merchant.world) == []


def test_a_reference_is_posted_again_only_by_the_setting_and_after_not_found() -> None:
    world = World()
    merchant = linked(world)
    world.simulator.dials.add(Dial("payment", "drop", when="before"))
    merchant.pay()
    come_to_rest(world, 1000)
    assert merchant.payment().state is PaymentState.FAILED
    first = merchant.payment().external_id
    assert merchant.pay().payment.state is PaymentState.FAILED
    assert requests(world, "payment") == 1
    world.settings = replace(world.settings, repost_after_not_found=True)
    result = merchant.pay()
    assert result.payment.state is PaymentState.OTP_PENDING
    assert result.payment.external_id != first
    merchant.enter_otp()
    come_to_rest(world)
    assert check_at_rest(world) == []


def test_a_refusal_of_the_payment_sent_again_is_not_the_end_of_the_first_sending() -> None:
    """Seed 10442: DOKU did not know the payment, refused it when it was sent again, then acted on the first sending."""
    world = World(variant=ProviderVariant(duplicate_refused_by="both", otp_required=False))
    merchant = linked(world)
    world.simulator.add_dial(Dial("payment", "late", delay_seconds=3_600.0))
    merchant.pay()
    come_to_rest(world, 1_300)
    assert merchant.payment().situation is PaymentSituation.FAILED_NOT_FOUND
    world.settings = replace(world.settings, repost_after_not_found=True)
    world.simulator.add_dial(Dial("payment", "code", "before", code="40314"))
    assert merchant.pay().payment.state is PaymentState.UNKNOWN
    come_to_rest(world)
    assert merchant.payment().late_success
    assert merchant.payment().state is PaymentState.REFUNDED
    assert check_at_rest(world) == []


def test_a_payment_refused_for_its_tokens_names_the_request_id_that_was_used() -> None:
    merchant = linked()
    merchant.world.simulator.expire_b2b_tokens()
    payment = merchant.pay().payment
    assert payment.state is PaymentState.OTP_PENDING
    used = [one.external_id for one in merchant.world.simulator.requests if one.operation == "payment"]
    assert len(set(used)) == len(used) == 2
    assert payment.external_id == used[-1]


def test_a_link_that_the_bank_ended_fails_the_payment_and_asks_to_link_again() -> None:
    merchant = linked()
    merchant.world.simulator.unlink_customer(merchant.customer)
    payment = merchant.pay().payment
    assert payment.state is PaymentState.FAILED
    assert merchant.binding().state is BindingState.RELINK_REQUIRED
    assert merchant.world.telemetry.counts[Metric.RELINK_REQUIRED] == 1
    with pytest.raises(Conflict):
        merchant.pay("ANOTHER")


def test_a_new_workflow_takes_over_the_waiting_task() -> None:
    merchant = linked()
    merchant.pay(task_token="first")
    merchant.pay(task_token="second")
    merchant.enter_otp()
    merchant.world.clock.tick(2)
    merchant.world.pump()
    assert [token for token, _ in merchant.world.workflows.completed] == ["second"]
    merchant.pay(task_token="third")  # final already: completed at once
    assert merchant.world.workflows.completed[-1] == (
        "third",
        {"partnerReferenceNo": REF, "state": "PAID", "reason": None},
    )


def test_with_the_circuit_open_a_new_payment_is_refused_and_no_record_made() -> None:
    merchant = linked()
    world = merchant.world
    world.simulator.dials.add(Dial("payment", "drop", count=10))
    for number in range(world.settings.circuit_failures):
        merchant.pay(f"LOST{number}")
    with pytest.raises(CircuitOpen):
        merchant.pay()
    assert world.process().payments.get(REF) is None
