"""A code of an unlinking that is given again when an earlier one may have worked: never "surely nothing happened"."""

from collections.abc import Callable

import pytest

from direct_debit.application.errors import CustomerActionRequired, DirectDebitError, NotDone, Rejected
from direct_debit.domain.binding import BindingState
from tests.fakes.invariants import WRONG_OTP, check_at_rest
from tests.fakes.journey import Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Crash, Fault, Weather
from tests.unit.application.support import Strike, linked
from tools.doku_simulator.dials import Dial

CALLS = 8  # more than a repeated code ever needs


def answer_lost() -> Merchant:
    """The bank has unlinked, and the answer is lost."""
    merchant = linked()
    merchant.unbind()
    merchant.world.simulator.add_dial(Dial("otp", "drop"))
    assert merchant.confirm_unbinding().binding.state is BindingState.UNBIND_OTP_PENDING
    return merchant


def sender_died() -> Merchant:
    """The bank has unlinked, and whoever asked has died."""
    merchant = linked()
    merchant.unbind()
    merchant.world.weather = Strike("doku.otp", Fault.CRASH_AFTER)
    with pytest.raises(Crash):
        merchant.confirm_unbinding()
    merchant.world.weather = Weather()
    merchant.world.clock.tick(31)
    return merchant


def unlinking_answer_lost() -> Merchant:
    """The request to unlink was answered with a code for the customer, but nobody heard; the first code then died."""
    merchant = linked()
    merchant.world.simulator.add_dial(Dial("unbinding", "drop"))
    assert merchant.unbind().binding.state is BindingState.UNBIND_OTP_PENDING
    merchant.world.simulator.add_dial(Dial("otp", "status", status=503))
    assert merchant.confirm_unbinding().binding.state is BindingState.UNBIND_OTP_PENDING
    return merchant


BEGINNINGS = [answer_lost, sender_died, unlinking_answer_lost]


@pytest.mark.parametrize("begin", BEGINNINGS)
@pytest.mark.parametrize("fault", [Fault.FAIL, Fault.LOSE])
@pytest.mark.parametrize("call", range(CALLS))
def test_a_code_given_again_is_never_told_as_not_done(begin: Callable[[], Merchant], fault: Fault, call: int) -> None:
    merchant = begin()
    world = merchant.world
    assert not any(one.linked for one in world.simulator.world.bindings.values())
    world.weather = Strike("doku.", fault, skip=call)
    try:
        state = merchant.confirm_unbinding().binding.state
    except DirectDebitError as error:
        pytest.fail(f"told as {type(error).__name__}")
    assert state in (BindingState.UNBOUND, BindingState.UNBIND_OTP_PENDING)
    come_to_rest(world)
    assert merchant.binding().state is BindingState.UNBOUND
    assert check_at_rest(world) == []


@pytest.mark.parametrize("code", ["40100", "40306", "42900", "50000", "40316"])
@pytest.mark.parametrize("operation", ["b2b_token", "b2b2c_token", "otp"])
@pytest.mark.parametrize("begin", BEGINNINGS)
def test_a_code_given_again_and_refused_is_never_told_as_not_done(
    begin: Callable[[], Merchant], operation: str, code: str
) -> None:
    merchant = begin()
    world = merchant.world
    world.simulator.expire_b2b_tokens()
    world.simulator.add_dial(Dial(operation, "code", when="before", code=code, count=3))
    try:
        merchant.confirm_unbinding()
    except NotDone:
        pytest.fail("told as not done")
    except (CustomerActionRequired, Rejected):
        pytest.fail("told as refused")
    come_to_rest(world)
    assert merchant.binding().state is BindingState.UNBOUND


def test_a_first_code_that_was_not_sent_may_be_given_again() -> None:
    """Where nothing can have happened, "not done" is the truth."""
    merchant = linked()
    merchant.unbind()
    merchant.world.weather = Strike("doku.otp", Fault.FAIL)
    with pytest.raises(NotDone):
        merchant.confirm_unbinding()
    with pytest.raises(CustomerActionRequired):
        merchant.confirm_unbinding(WRONG_OTP)
    assert merchant.confirm_unbinding().binding.state is BindingState.UNBOUND


def test_the_answer_to_a_payments_code_ends_no_link() -> None:
    """Both codes have one operation; only the payment that it names tells the two answers apart."""
    merchant = linked()
    merchant.unbind()
    merchant.world.simulator.add_dial(Dial("otp", "code", when="before", code="40415"))  # the bank does not take it
    merchant.world.bend = lambda path, answer: (
        {"responseCode": "2000400", "originalPartnerReferenceNo": "A1"} if path == "otp-verification" else answer
    )
    assert merchant.confirm_unbinding().binding.state is BindingState.UNBIND_OTP_PENDING
    assert [one.linked for one in merchant.world.simulator.world.bindings.values()] == [True]
