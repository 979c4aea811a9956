"""Asking for the status: not found, late successes, contradictions, the end of the schedule."""

from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

import pytest

from direct_debit.adapters.doku import DokuAdapter
from direct_debit.application.payments.inquire_status import inquire_status, request_inquiry
from direct_debit.application.ports.doku_reads import StatusAnswer
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.settings import LateSuccess
from direct_debit.domain.evidence import EvidenceSource
from direct_debit.domain.payment import FailureReason, PaymentState, ReviewReason
from direct_debit.domain.refund import RefundState
from tests.fakes.invariants import check_at_rest
from tests.fakes.journey import REF, Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Fault
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, Strike, linked, lose_notifications, requests
from tools.doku_simulator.config import ProviderVariant
from tools.doku_simulator.dials import Dial


def unknown(world: World | None = None) -> Merchant:
    """A payment whose request DOKU never saw, and whose answer is missing."""
    merchant = linked(world)
    merchant.world.simulator.dials.add(Dial("payment", "drop", when="before"))
    merchant.pay()
    return merchant


def late(merchant: Merchant, seconds: float) -> None:
    merchant.world.simulator.dials.add(Dial("payment", "late", delay_seconds=seconds))
    merchant.pay()


@pytest.mark.parametrize("variant", [ProviderVariant(not_found_as="code"), ProviderVariant(not_found_as="status")])
def test_not_found_is_believed_at_15_minutes_and_not_before(variant: ProviderVariant) -> None:
    merchant = unknown(World(variant=variant))
    come_to_rest(merchant.world, 890)
    assert merchant.payment().state is PaymentState.UNKNOWN
    assert merchant.payment().not_found_count >= 2
    come_to_rest(merchant.world, 130)
    payment = merchant.payment()
    assert payment.failure is not None
    assert payment.failure.reason is FailureReason.NOT_FOUND
    assert (payment.evidence.source, payment.evidence.code) == (EvidenceSource.STATUS, "07")


def test_not_found_said_only_once_is_not_believed_whatever_the_hour() -> None:
    merchant = unknown()
    merchant.world.queues.waiting.clear()
    merchant.world.clock.tick(1000)  # nobody asked so far
    inquire_status(REF, merchant.world.process(), merchant.world.deadline())
    assert merchant.payment().state is PaymentState.UNKNOWN
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.FAILED
    assert check_at_rest(merchant.world) == []


def test_after_an_outage_the_truth_is_known_within_five_minutes() -> None:
    merchant = linked()
    merchant.pay(amount="10504.00")
    lose_notifications(merchant.world)
    merchant.world.simulator.dials.add(Dial("*", "drop", count=10_000))
    come_to_rest(merchant.world, 9 * 3600)  # the schedule's next step is 15 hours away
    assert merchant.payment().state is PaymentState.UNKNOWN
    merchant.world.simulator.dials.clear()
    come_to_rest(merchant.world, 300)
    assert merchant.payment().state is PaymentState.PAID


def test_asking_goes_on_for_a_day_after_not_found() -> None:
    merchant = unknown()
    come_to_rest(merchant.world, 1100)
    asked = requests(merchant.world, "status")
    come_to_rest(merchant.world)
    assert requests(merchant.world, "status") > asked
    assert merchant.payment().due_at is None
    last = max(one.at for one in merchant.world.simulator.requests if one.operation == "status")
    assert last - merchant.payment().sent_at >= timedelta(hours=24)


def direct() -> World:
    """A bank that debits without asking for a code."""
    return World(variant=ProviderVariant(otp_required=False))


def test_a_late_success_is_paid_and_given_back_by_itself() -> None:
    merchant = linked(direct())
    late(merchant, 3600)
    come_to_rest(merchant.world, 2000)
    assert merchant.payment().state is PaymentState.FAILED
    lose_notifications(merchant.world)
    come_to_rest(merchant.world)
    payment = merchant.payment()
    assert payment.state is PaymentState.REFUNDED
    assert payment.late_success
    assert payment.refund is not None
    assert payment.refund.automatic
    assert merchant.world.telemetry.counts[Metric.LATE_SUCCESS] == 1
    assert check_at_rest(merchant.world) == []


def test_a_late_success_is_kept_where_the_merchant_wants_it() -> None:
    merchant = linked(direct())
    merchant.world.settings = replace(merchant.world.settings, late_success=LateSuccess.ACCEPT)
    late(merchant, 3600)
    come_to_rest(merchant.world, 2000)
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.PAID
    assert merchant.payment().refund is None
    assert check_at_rest(merchant.world) == []


def test_a_late_success_is_found_even_if_every_notification_is_lost() -> None:
    merchant = linked(direct())
    late(merchant, 50 * 60)
    for _ in range(30):
        come_to_rest(merchant.world, 3600)
        lose_notifications(merchant.world)
    assert merchant.payment().state is PaymentState.REFUNDED
    assert check_at_rest(merchant.world) == []


def test_a_success_after_a_refusal_is_a_contradiction_for_a_person() -> None:
    merchant = linked(direct())
    merchant.world.simulator.dials.add(Dial("payment", "code", code="40305"))  # refused in words, debited in truth
    assert merchant.pay().payment.state is PaymentState.FAILED
    come_to_rest(merchant.world)
    payment = merchant.payment()
    assert (payment.state, payment.review) == (PaymentState.NEEDS_REVIEW, ReviewReason.CONTRADICTION)
    assert payment.refund is None
    assert merchant.world.telemetry.counts[Metric.PAYMENT_NEEDS_REVIEW] == 1
    assert any(event.name == "payment.needs_review" for event in merchant.world.events.published)


@pytest.mark.long
def test_without_any_answer_to_the_end_of_the_schedule_a_person_must_look() -> None:
    merchant = linked()
    merchant.pay(amount="10504.00")
    lose_notifications(merchant.world)
    merchant.world.simulator.dials.add(Dial("*", "drop", count=10_000))
    come_to_rest(merchant.world, 2 * 86400)
    payment = merchant.payment()
    assert (payment.state, payment.review) == (PaymentState.NEEDS_REVIEW, ReviewReason.EXHAUSTED)
    assert payment.evidence.source is EvidenceSource.SCHEDULE
    assert merchant.world.telemetry.counts[Metric.PAYMENT_NEEDS_REVIEW] == 1
    assert payment.due_at is None


@pytest.mark.long
def test_the_truth_ends_an_exhausted_review() -> None:
    merchant = linked()
    merchant.pay(amount="10504.00")
    lose_notifications(merchant.world)
    merchant.world.simulator.dials.add(Dial("*", "drop", count=10_000))
    come_to_rest(merchant.world, 2 * 86400)
    merchant.world.simulator.dials.clear()
    merchant.world.simulator.notifications.resend(REF)
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.PAID


@pytest.mark.parametrize(
    ("status", "original", "state"),
    [
        ("00", "2005400", PaymentState.PAID),
        ("01", None, PaymentState.PROCESSING),
        ("02", "2025400", PaymentState.PROCESSING),
        ("03", None, PaymentState.PROCESSING),
        ("03", "4035413", PaymentState.OTP_PENDING),
        ("04", None, PaymentState.REFUNDED),
        ("05", None, PaymentState.FAILED),
        ("06", "4035414", PaymentState.FAILED),
        ("07", None, PaymentState.UNKNOWN),
        ("99", None, PaymentState.UNKNOWN),
    ],
)
def test_every_status_is_followed(status: str, original: str | None, state: PaymentState) -> None:
    merchant = unknown()
    merchant.world.clock.tick(70)
    assert _ask_scripted(merchant, StatusAnswer(status, "2005500", original, "R1")) is state


def _ask_scripted(merchant: Merchant, answer: StatusAnswer) -> PaymentState:
    ports = merchant.world.process()
    with patch.object(DokuAdapter, "inquire_status", lambda *_: answer):
        inquire_status(REF, ports, merchant.world.deadline())
    return merchant.payment().state


def test_only_one_of_two_inquirers_asks() -> None:
    merchant = unknown()
    world = merchant.world
    world.clock.tick(70)
    world.weather = Meanwhile("store.update_item", lambda: inquire_status(REF, world.process(), world.deadline()))
    inquire_status(REF, world.process(), world.deadline())
    assert requests(world, "status") == 1


def test_an_early_or_needless_inquiry_does_nothing() -> None:
    merchant = linked()
    assert inquire_status("NONE", merchant.world.process(), merchant.world.deadline()) is None
    merchant.pay()
    inquire_status(REF, merchant.world.process(), merchant.world.deadline())
    merchant.enter_otp()
    come_to_rest(merchant.world, 10)
    inquire_status(REF, merchant.world.process(), merchant.world.deadline())
    assert requests(merchant.world, "status") == 0


def test_a_crash_after_the_claim_costs_one_step_only() -> None:
    merchant = unknown()
    merchant.world.weather = Strike("doku.status", Fault.CRASH_BEFORE)
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.FAILED
    assert check_at_rest(merchant.world) == []


def test_a_refresh_asks_at_most_once_a_minute() -> None:
    merchant = unknown()
    merchant.world.queues.waiting.clear()
    merchant.world.clock.tick(62)
    for _ in range(5):
        merchant.look(refresh=True)
        merchant.world.clock.tick(10)
    assert requests(merchant.world, "status") == 1


def test_an_inquiry_about_a_settled_payment_that_gets_no_answer_is_asked_again() -> None:
    """A stale or odd notification leaves only the status to believe: one lost answer must not silence it."""
    merchant = linked(direct())
    merchant.world.simulator.dials.add(Dial("payment", "code", code="40305"))
    merchant.pay()
    lose_notifications(merchant.world)
    request_inquiry(merchant.world.process(), merchant.payment())
    merchant.world.simulator.dials.add(Dial("status", "drop", count=3))
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.NEEDS_REVIEW


def test_statuses_that_lag_behind_change_nothing_wrong() -> None:
    merchant = linked(World(variant=ProviderVariant(status_lag=120.0)))
    merchant.pay(amount="10504.00")
    lose_notifications(merchant.world)
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.PAID
    assert merchant.world.debits(REF) == 1
    assert check_at_rest(merchant.world) == []


def test_a_refund_seen_only_in_the_status_counts() -> None:
    merchant = linked()
    merchant.pay_to_the_end()
    merchant.refund()
    merchant.world.simulator.dials.add(Dial("refund", "drop"))
    come_to_rest(merchant.world)
    refund = merchant.payment().refund
    assert refund is not None
    assert refund.state is RefundState.REFUNDED
    assert check_at_rest(merchant.world) == []
