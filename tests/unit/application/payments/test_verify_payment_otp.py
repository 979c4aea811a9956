"""The customer's code: every reply, the lost answer, and that no code is ever sent twice blindly."""

from dataclasses import replace

import pytest

from direct_debit.application.errors import (
    Conflict,
    CustomerActionRequired,
    NotDone,
    NotFound,
    Rejected,
    RelinkRequired,
)
from direct_debit.application.payments.advance_payment import advance_payment
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.payment import FailureReason, Payment, PaymentEvent, PaymentState
from tests.fakes.invariants import WRONG_OTP, check_at_rest
from tests.fakes.journey import REF, Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Crash, Fault
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, Strike, linked, lose_notifications, requests
from tools.doku_simulator.config import ProviderVariant
from tools.doku_simulator.dials import Dial
from tools.doku_simulator.magic_values import EXPIRED_OTP


def awaiting(world: World | None = None) -> Merchant:
    merchant = linked(world)
    merchant.pay()
    return merchant


def test_the_right_code_is_accepted_and_the_notification_pays() -> None:
    merchant = awaiting()
    assert merchant.enter_otp().payment.state is PaymentState.PROCESSING
    assert merchant.payment().otp_accepted
    come_to_rest(merchant.world, 5)
    assert merchant.payment().state is PaymentState.PAID


def test_a_wrong_code_is_the_customers_to_correct() -> None:
    merchant = awaiting()
    with pytest.raises(CustomerActionRequired) as wrong:
        merchant.enter_otp(WRONG_OTP)
    assert wrong.value.code == "4040415"
    assert merchant.payment().state is PaymentState.OTP_PENDING
    assert merchant.enter_otp().payment.state is PaymentState.PROCESSING


def test_a_blocked_code_ends_the_payment() -> None:
    merchant = awaiting()
    for _ in range(2):
        with pytest.raises(CustomerActionRequired):
            merchant.enter_otp(WRONG_OTP)
    with pytest.raises(Rejected):
        merchant.enter_otp(WRONG_OTP)
    failure = merchant.payment().failure
    assert failure is not None
    assert failure.reason is FailureReason.OTP_BLOCKED
    come_to_rest(merchant.world)
    assert check_at_rest(merchant.world) == []


def test_our_own_bound_on_codes_holds_whatever_doku_allows() -> None:
    merchant = awaiting()
    merchant.world.simulator.dials.add(Dial("otp", "code", when="before", count=50, code="40415"))
    for _ in range(merchant.world.settings.max_otp_attempts):
        with pytest.raises(CustomerActionRequired):
            merchant.enter_otp(WRONG_OTP)
    with pytest.raises(Conflict):
        merchant.enter_otp()
    assert requests(merchant.world, "otp") == merchant.world.settings.max_otp_attempts


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("40300", FailureReason.EXPIRED),
        ("40312", FailureReason.EXPIRED),
        ("40311", FailureReason.OTP_BLOCKED),
        ("40314", FailureReason.DECLINED),
        ("40305", FailureReason.DECLINED),
        ("40404", FailureReason.CANCELLED),
    ],
)
def test_a_final_refusal_fails_the_payment(case: str, reason: FailureReason) -> None:
    merchant = awaiting()
    merchant.world.simulator.dials.add(Dial("otp", "code", when="before", code=case))
    with pytest.raises(Rejected):
        merchant.enter_otp()
    failure = merchant.payment().failure
    assert failure is not None
    assert failure.reason is reason
    with pytest.raises(Conflict):
        merchant.enter_otp()


@pytest.mark.parametrize("case", ["50000", "50400", "42900", "40900", "40401", "40406", "40418", "40320", "99999"])
def test_an_answer_that_is_not_clear_is_unknown_and_the_status_decides(case: str) -> None:
    merchant = awaiting()
    merchant.world.simulator.dials.add(Dial("otp", "code", code=case))  # after the effect: the debit happened
    if case == "40320":  # refused for now, in plain words
        merchant.enter_otp()
    else:
        assert merchant.enter_otp().payment.state is PaymentState.UNKNOWN
    lose_notifications(merchant.world)
    come_to_rest(merchant.world)
    assert requests(merchant.world, "otp") == 1
    assert merchant.payment().state is PaymentState.PAID
    assert check_at_rest(merchant.world) == []


def test_a_lost_answer_with_the_code_unused_asks_for_the_code_again() -> None:
    merchant = awaiting()
    merchant.world.simulator.dials.add(Dial("otp", "drop", when="before"))
    assert merchant.enter_otp().payment.state is PaymentState.UNKNOWN
    with pytest.raises(Conflict):
        merchant.enter_otp()
    come_to_rest(merchant.world, 95)
    assert merchant.payment().state is PaymentState.OTP_PENDING
    merchant.enter_otp()
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.PAID
    assert check_at_rest(merchant.world) == []


def _await_again_while_a_code_is_under_way(merchant: Merchant, effect_after: float) -> None:
    """Lose a code's answer, its effect comes later; meanwhile the status says that a code is awaited."""
    merchant.world.simulator.dials.add(Dial("otp", "late", delay_seconds=effect_after))
    assert merchant.enter_otp().payment.state is PaymentState.UNKNOWN
    come_to_rest(merchant.world, 95)
    assert merchant.payment().state is PaymentState.OTP_PENDING


@pytest.mark.parametrize("case", ["40300", "40311", "40312", "40305", "40404"])
def test_a_refusal_while_an_earlier_code_is_under_way_is_not_the_end(case: str) -> None:
    """DOKU waits for a code and refuses it, then takes the money for the one before: the status decides."""
    merchant = awaiting()
    _await_again_while_a_code_is_under_way(merchant, 200)
    merchant.world.simulator.dials.add(Dial("otp", "code", when="before", code=case))
    assert merchant.enter_otp().payment.state is PaymentState.UNKNOWN
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.PAID
    assert check_at_rest(merchant.world) == []


def test_a_refusal_after_a_lost_code_is_believed_when_the_status_says_so() -> None:
    merchant = awaiting()
    merchant.world.simulator.dials.add(Dial("otp", "drop", when="before"))
    merchant.enter_otp()
    come_to_rest(merchant.world, 95)
    lose_notifications(merchant.world)
    assert merchant.enter_otp(EXPIRED_OTP).payment.state is PaymentState.UNKNOWN
    lose_notifications(merchant.world)
    come_to_rest(merchant.world, 95)
    failure = merchant.payment().failure
    assert failure is not None
    assert merchant.payment().evidence.source is EvidenceSource.STATUS


def test_an_older_codes_refusal_is_not_the_end_of_the_payment() -> None:
    """The first code's answer is slow; meanwhile the status says "awaited", and another code is on its way."""
    merchant = awaiting()
    world = merchant.world
    world.simulator.dials.add(Dial("otp", "code", when="before", code="40305"))

    def send_another() -> None:
        payment = merchant.payment()
        newer = replace(payment.noted(world.clock.now()), attempt="another", otp_attempts=2, otp_unclear=True)
        world.process().payments.save(payment, newer)

    world.weather = Meanwhile("doku.otp", send_another)
    assert merchant.enter_otp().payment.attempt == "another"
    payment = merchant.payment()
    assert (payment.state, payment.attempt) == (PaymentState.OTP_SUBMITTED, "another")


def test_a_code_refused_for_its_token_is_repeated_only_while_the_payment_waits_for_its_answer() -> None:
    merchant = awaiting()
    world = merchant.world
    world.simulator.expire_b2b_tokens()

    def send_another() -> None:
        payment = merchant.payment()
        newer = replace(payment.noted(world.clock.now()), attempt="another", otp_attempts=2, otp_unclear=True)
        world.process().payments.save(payment, newer)

    world.weather = Meanwhile("doku.b2b", send_another)
    with pytest.raises(NotDone):
        merchant.enter_otp()
    assert requests(world, "otp") == 1
    payment = merchant.payment()
    assert (payment.state, payment.attempt, payment.otp_attempts) == (PaymentState.OTP_SUBMITTED, "another", 2)


def test_a_crash_after_sending_is_resolved_by_status() -> None:
    merchant = awaiting()
    merchant.world.weather = Strike("doku.otp", Fault.CRASH_AFTER)
    with pytest.raises(Crash):
        merchant.enter_otp()
    lose_notifications(merchant.world)
    assert merchant.payment().state is PaymentState.OTP_SUBMITTED
    come_to_rest(merchant.world, 130)
    assert merchant.payment().state is PaymentState.PAID


def test_while_a_code_is_being_verified_another_is_refused() -> None:
    merchant = awaiting()
    other = Merchant(merchant.world)

    def meddle() -> None:
        with pytest.raises(Conflict):
            other.enter_otp()

    merchant.world.weather = Meanwhile("doku.otp", meddle)
    assert merchant.enter_otp().payment.state is PaymentState.PROCESSING
    assert requests(merchant.world, "otp") == 1


def test_a_code_that_was_not_sent_does_not_count() -> None:
    merchant = awaiting()
    merchant.world.weather = Strike("doku.otp", Fault.FAIL)
    with pytest.raises(NotDone):
        merchant.enter_otp()
    payment = merchant.payment()
    assert (payment.state, payment.otp_attempts) == (PaymentState.OTP_PENDING, 0)


def test_a_link_that_ended_meanwhile_is_told_and_the_payment_expires_by_status() -> None:
    merchant = awaiting()
    merchant.world.simulator.unlink_customer(merchant.customer)
    with pytest.raises(RelinkRequired):
        merchant.enter_otp()
    assert merchant.payment().state is PaymentState.OTP_PENDING
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.FAILED


def test_no_code_is_taken_where_none_is_awaited() -> None:
    merchant = linked()
    with pytest.raises(NotFound):
        merchant.enter_otp()
    merchant.pay()
    merchant.world.simulator.dials.add(Dial("otp", "code", when="before", code="40311"))
    with pytest.raises(Rejected):
        merchant.enter_otp()
    with pytest.raises(Conflict, match="is FAILED; start a new one"):
        merchant.enter_otp()


def test_a_repeat_of_an_accepted_code_is_answered_with_the_payment_and_sends_nothing() -> None:
    merchant = awaiting()
    assert not merchant.enter_otp().replayed
    again = merchant.enter_otp()
    assert (again.replayed, again.payment.state) == (True, PaymentState.PROCESSING)
    come_to_rest(merchant.world)
    again = merchant.enter_otp()
    assert (again.replayed, again.payment.state) == (True, PaymentState.PAID)
    assert requests(merchant.world, "otp") == 1


def test_an_abandoned_code_fails_by_status_after_a_day_and_no_sooner() -> None:
    merchant = awaiting(World(variant=ProviderVariant(otp_expiry_final=False)))
    come_to_rest(merchant.world, 23 * 3600)
    assert merchant.payment().state is PaymentState.OTP_PENDING
    come_to_rest(merchant.world)
    failure = merchant.payment().failure
    assert failure is not None
    assert failure.reason is FailureReason.OTP_ABANDONED
    assert check_at_rest(merchant.world) == []


def test_an_abandoned_code_that_doku_expires_is_known_soon() -> None:
    merchant = awaiting()
    lose_notifications(merchant.world)
    merchant.world.simulator.notifications.dials.clear()
    come_to_rest(merchant.world, 1000)
    failure = merchant.payment().failure
    assert failure is not None
    assert check_at_rest(merchant.world) == []


@pytest.mark.long
def test_time_alone_never_abandons_a_code() -> None:
    merchant = awaiting(World(variant=ProviderVariant(otp_expiry_final=False)))
    merchant.world.simulator.dials.add(Dial("status", "drop", count=1000))
    come_to_rest(merchant.world, 3 * 86400)
    payment = merchant.payment()
    assert payment.state is PaymentState.NEEDS_REVIEW  # nobody said that it ended
    assert payment.ref == REF


def test_a_status_of_before_the_code_was_accepted_asks_for_no_other() -> None:
    """It was asked for while the code was on its way, answered before it, and is written after its acceptance."""
    merchant = linked()
    merchant.pay()
    world = merchant.world
    ports = world.process()
    seen: list[Payment] = []
    world.weather = Meanwhile("doku.otp", lambda: seen.append(merchant.payment()))
    merchant.enter_otp()
    assert [one.state for one in seen] == [PaymentState.OTP_SUBMITTED]
    said = Evidence(EvidenceSource.STATUS, world.clock.now(), "03")
    advance_payment(ports, seen[0], PaymentEvent.OTP_REQUIRED, said, attempt=seen[0].attempt)
    assert merchant.payment().state is PaymentState.PROCESSING
