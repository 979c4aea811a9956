"""A refund that DOKU refuses is not dead: what passes is tried again, what does not may be started again by a person.

Whatever is answered, the number stays, and the money goes back once at most.
"""

from itertools import pairwise

import pytest

from direct_debit.application.errors import Rejected
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.refunds.process_refund import redrive_refund
from direct_debit.domain.payment import PaymentState
from direct_debit.domain.refund import RefundState
from tests.fakes.invariants import check_at_rest
from tests.fakes.journey import REF, Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.world import World
from tests.unit.application.support import linked, lose_notifications, paid, refund_of, requests
from tools.doku_simulator.config import ProviderVariant
from tools.doku_simulator.dials import Dial
from tools.doku_simulator.operations import Json

A_DAY = 86400

# Contract section 5 and 12.5: the merchant's balance, a payment that DOKU does not know as paid yet, limits, times.
PASSING = ["40314", "40400", "40401", "40501", "42900", "40304", "40306", "40320", "40323"]
FINAL = [
    *("40000", "40001", "40002", "40004"),
    *("40300", "40301", "40302", "40303", "40305", "40307", "40308", "40309", "40310", "40312", "40315", "40316"),
    *("40317", "40318", "40319", "40321", "40322"),
    *("40402", "40403", "40404", "40405", "40407", "40408", "40409", "40410", "40411", "40412", "40413", "40416"),
    *("40417", "40419", "40500"),
]
# They make no sense for a refund, or say that it may have happened: the history tells.
UNCLEAR = ["40003", "40311", "40313", "40406", "40414", "40415", "40418", "40900", "40901", "20200", "50000", "50400"]
# Keys and tokens: nothing was done.
AT_THE_GATE = ["40100", "40101", "40102", "40103", "40104"]


def refuse(merchant: Merchant, case: str, count: int = 100_000) -> None:
    merchant.world.simulator.add_dial(Dial("refund", "code", when="before", code=case, count=count))


def calls(merchant: Merchant) -> list[str]:
    """Status and refund requests in their order."""
    return [one.operation for one in merchant.world.simulator.requests if one.operation in ("status", "refund")]


def assert_refunded_once(merchant: Merchant) -> None:
    assert (merchant.payment().state, refund_of(merchant).state) == (PaymentState.REFUNDED, RefundState.REFUNDED)
    assert merchant.world.refunds(REF) == 1
    assert merchant.binding().open_payments == frozenset()
    assert check_at_rest(merchant.world) == []


# --- what passes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", PASSING)
def test_what_passes_is_tried_again_until_it_has_passed(case: str) -> None:
    merchant = paid()
    refuse(merchant, case, count=4)
    number = merchant.refund().payment.refund
    merchant.world.work()
    assert refund_of(merchant).state is RefundState.RETRYING
    come_to_rest(merchant.world)
    assert_refunded_once(merchant)
    assert number is not None
    assert refund_of(merchant).number == number.number
    sent = calls(merchant)
    assert sent.count("refund") == 5
    assert all(before == "status" for before, after in pairwise(sent) if after == "refund")


@pytest.mark.parametrize("case", PASSING)
def test_what_passes_only_after_hours_is_done_within_the_hour(case: str) -> None:
    """The merchant tops its balance at DOKU up in the evening: the next step of the schedule lies a day away."""
    merchant = paid()
    refuse(merchant, case)
    merchant.refund()
    come_to_rest(merchant.world, 8 * 3600)
    assert refund_of(merchant).state is RefundState.RETRYING
    merchant.world.simulator.dials.clear()
    come_to_rest(merchant.world, 3700)
    assert_refunded_once(merchant)


@pytest.mark.parametrize("case", PASSING)
def test_what_never_passes_ends_with_a_person_who_may_start_it_again(case: str) -> None:
    merchant = paid()
    refuse(merchant, case)
    merchant.refund()
    come_to_rest(merchant.world, 2 * A_DAY)
    assert (merchant.payment().state, refund_of(merchant).state) == (PaymentState.PAID, RefundState.NEEDS_REVIEW)
    assert merchant.world.telemetry.counts[Metric.REFUND_NEEDS_REVIEW] == 1
    assert merchant.world.refunds(REF) == 0
    assert requests(merchant.world, "refund") < 40
    merchant.world.simulator.dials.clear()
    redrive_refund(REF, merchant.world.process())
    come_to_rest(merchant.world)
    assert_refunded_once(merchant)


# How DOKU takes a number that it knows, and how far its status lags behind. Nobody can be safe from one that makes the
# same refund twice and hides the first.
KNOWING = [("replay", 150.0), ("wrong_state", 150.0), ("inconsistent", 150.0), ("execute", 0.0)]


@pytest.mark.parametrize("case", PASSING)
@pytest.mark.parametrize(("repeat", "lag"), KNOWING)
def test_a_refund_that_was_done_and_refused_in_words_is_never_made_twice(case: str, repeat: str, lag: float) -> None:
    variant = ProviderVariant(refund_repeat=repeat, status_lag=lag)  # type: ignore[arg-type]  # one of its values
    merchant = paid(World(variant=variant))
    merchant.world.clock.tick(600)
    merchant.world.simulator.add_dial(Dial("refund", "code", code=case))
    merchant.refund()
    merchant.world.work()
    assert refund_of(merchant).state is RefundState.RETRYING
    lose_notifications(merchant.world)
    come_to_rest(merchant.world)
    assert_refunded_once(merchant)


def test_the_merchants_balance_is_topped_up_for_an_automatic_refund_too() -> None:
    merchant = linked(World(variant=ProviderVariant(otp_required=False)))
    merchant.world.simulator.add_dial(Dial("payment", "late", delay_seconds=3600))
    refuse(merchant, "40314", count=3)
    merchant.pay()
    come_to_rest(merchant.world, 2 * A_DAY)
    assert refund_of(merchant).automatic
    assert_refunded_once(merchant)


# --- what does not pass ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", FINAL)
def test_what_does_not_pass_ends_and_may_be_started_again_under_its_number(case: str) -> None:
    merchant = paid()
    refuse(merchant, case)
    number = merchant.refund().payment.refund
    come_to_rest(merchant.world, A_DAY)
    assert (merchant.payment().state, refund_of(merchant).state) == (PaymentState.PAID, RefundState.FAILED)
    assert refund_of(merchant).response_code == f"{case[:3]}58{case[3:]}"
    assert requests(merchant.world, "refund") == 1
    merchant.world.simulator.dials.clear()
    redrive_refund(REF, merchant.world.process())
    come_to_rest(merchant.world)
    assert_refunded_once(merchant)
    assert calls(merchant) == ["refund", "status", "refund"]  # the history was asked in between
    assert number is not None
    assert refund_of(merchant).number == number.number


def test_a_refund_that_is_refused_for_good_after_a_redrive_too_ends_with_a_person() -> None:
    """A second refusal may be due to a first sending that worked: the history is asked each time, to the end."""
    merchant = paid()
    refuse(merchant, "40316")
    merchant.refund()
    come_to_rest(merchant.world, 600)
    assert refund_of(merchant).state is RefundState.FAILED
    redrive_refund(REF, merchant.world.process())
    come_to_rest(merchant.world, 2 * A_DAY)
    assert refund_of(merchant).state is RefundState.NEEDS_REVIEW
    assert requests(merchant.world, "refund") < 15
    assert merchant.world.refunds(REF) == 0
    merchant.world.simulator.dials.clear()
    redrive_refund(REF, merchant.world.process())
    come_to_rest(merchant.world)
    assert_refunded_once(merchant)


@pytest.mark.parametrize("case", [*UNCLEAR, *AT_THE_GATE])
def test_what_proves_nothing_ends_by_the_history(case: str) -> None:
    merchant = paid()
    refuse(merchant, case, count=1)
    merchant.refund()
    come_to_rest(merchant.world)
    assert_refunded_once(merchant)


# --- our own row 06 --------------------------------------------------------------------------------------------------


def failed_in_the_history() -> Merchant:
    """A refund whose answer was lost, and that DOKU then shows as failed."""
    variant = ProviderVariant(refund_outcome="accepted_then_failed", refund_delay=(30.0, 30.0))
    merchant = paid(World(variant=variant))
    merchant.world.simulator.add_dial(Dial("refund", "drop"))
    merchant.refund()
    come_to_rest(merchant.world, A_DAY)
    return merchant


def test_a_refund_that_doku_shows_as_failed_is_not_sent_again_by_itself() -> None:
    merchant = failed_in_the_history()
    assert refund_of(merchant).state is RefundState.FAILED
    merchant.world.simulator.set_variant(ProviderVariant())
    come_to_rest(merchant.world, 10 * A_DAY)
    assert calls(merchant).count("refund") == 1
    assert refund_of(merchant).state is RefundState.FAILED


def test_a_refund_that_doku_shows_as_failed_is_sent_again_after_a_redrive() -> None:
    merchant = failed_in_the_history()
    merchant.world.simulator.set_variant(ProviderVariant())
    asked = calls(merchant)
    redrive_refund(REF, merchant.world.process())
    come_to_rest(merchant.world)
    assert_refunded_once(merchant)
    assert calls(merchant)[len(asked) :] == ["status", "refund"]


def test_a_refund_that_doku_takes_back_without_a_word_stays_refunded() -> None:
    """The contract calls its success final, so nobody asks again: the settlement report is the only teller."""
    variant = ProviderVariant(refund_outcome="accepted_then_failed", refund_delay=(30.0, 30.0))
    merchant = paid(World(variant=variant))
    merchant.refund()
    come_to_rest(merchant.world, 10 * A_DAY)
    assert (merchant.payment().state, refund_of(merchant).state) == (PaymentState.REFUNDED, RefundState.REFUNDED)
    assert merchant.world.refunds(REF) == 0
    assert (merchant.payment().due_at, refund_of(merchant).due_at) == (None, None)
    assert calls(merchant) == ["refund"]
    assert merchant.world.telemetry.counts[Metric.REFUND_NEEDS_REVIEW] == 0


def test_a_redrive_sends_nothing_while_the_history_shows_the_refund_as_under_way() -> None:
    merchant = failed_in_the_history()
    world = merchant.world
    redrive_refund(REF, world.process())

    def pending(path: str, answer: Json) -> Json:
        rows = answer.get("refundHistory")
        if path != "status" or not isinstance(rows, list):
            return answer
        return {**answer, "refundHistory": [{**row, "refundStatus": "03"} for row in rows]}

    world.bend = pending
    come_to_rest(world, 3 * A_DAY)
    assert calls(merchant).count("refund") == 1
    assert refund_of(merchant).state is RefundState.NEEDS_REVIEW


def test_a_redrive_finds_that_the_money_is_back_already() -> None:
    merchant = paid()
    refuse(merchant, "40316", count=1)
    merchant.refund()
    come_to_rest(merchant.world, 600)
    assert refund_of(merchant).state is RefundState.FAILED
    bend_status(merchant, "04")
    redrive_refund(REF, merchant.world.process())
    come_to_rest(merchant.world)
    assert (merchant.payment().state, refund_of(merchant).state) == (PaymentState.REFUNDED, RefundState.REFUNDED)
    assert calls(merchant).count("refund") == 1


def bend_status(merchant: Merchant, status: str) -> None:
    merchant.world.bend = lambda path, answer: (
        {**answer, "latestTransactionStatus": status} if path == "status" else answer
    )


def test_a_payment_that_is_not_paid_any_more_is_not_refunded_by_a_redrive() -> None:
    merchant = paid()
    with pytest.raises(Rejected):
        redrive_refund(REF, merchant.world.process())  # no refund was asked for
    merchant.refund()
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.REFUNDED
    with pytest.raises(Rejected):
        redrive_refund(REF, merchant.world.process())
    assert calls(merchant).count("refund") == 1


def test_a_refund_that_is_started_again_keeps_its_account_linked() -> None:
    merchant = paid()
    refuse(merchant, "40316", count=1)
    merchant.refund()
    come_to_rest(merchant.world, 600)
    assert merchant.binding().open_payments == frozenset()
    redrive_refund(REF, merchant.world.process())
    assert merchant.binding().open_payments == {REF}
    come_to_rest(merchant.world)
    assert_refunded_once(merchant)
