"""The code of an unlinking: what is written before it is sent, how many there may be, and what an answer means."""

from dataclasses import replace
from datetime import timedelta

import pytest

from direct_debit.application.bindings.confirm_unbinding import ConfirmUnbinding, confirm_unbinding
from direct_debit.application.errors import Conflict, CustomerActionRequired, NotFound, Rejected
from direct_debit.domain.binding import Binding, BindingState
from tests.fakes.invariants import WRONG_OTP
from tests.fakes.journey import Merchant
from tests.fakes.weather import Crash, Fault
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, Strike, linked, requests
from tools.doku_simulator.config import ProviderVariant
from tools.doku_simulator.dials import Dial


def unlinking() -> Merchant:
    """A link whose end waits for the customer's code."""
    merchant = linked()
    merchant.unbind()
    return merchant


def test_there_is_no_such_link() -> None:
    world = World()
    with pytest.raises(NotFound):
        confirm_unbinding(ConfirmUnbinding(binding_id="none", otp="111111"), world.process(), world.deadline())


def test_for_an_unlinking_that_was_done_at_once_no_code_is_awaited() -> None:
    merchant = linked(World(variant=ProviderVariant(unbind_otp_required=False)))
    assert merchant.unbind().binding.state is BindingState.UNBOUND
    with pytest.raises(Conflict, match="no code is awaited: the binding is UNBOUND"):
        merchant.confirm_unbinding()
    assert requests(merchant.world, "otp") == 0


def test_who_sends_a_code_and_that_it_counts_is_written_before_it_is_sent() -> None:
    merchant = unlinking()
    seen: list[Binding] = []
    merchant.world.weather = Meanwhile("doku.otp", lambda: seen.append(merchant.binding()))
    with pytest.raises(CustomerActionRequired):
        merchant.confirm_unbinding(WRONG_OTP)
    (while_asking,) = seen
    assert while_asking.attempt is not None
    assert while_asking.attempt_until == merchant.world.clock.now() + timedelta(seconds=30)
    assert (while_asking.otp_attempts, while_asking.unbind_unclear) == (1, False)
    after = merchant.binding()
    assert (after.attempt, after.attempt_until, after.otp_attempts, after.unbind_unclear) == (None, None, 1, False)


def test_our_own_bound_on_codes_holds_whatever_doku_allows() -> None:
    merchant = unlinking()
    allowed = merchant.world.settings.max_otp_attempts
    merchant.world.simulator.add_dial(Dial("otp", "code", when="before", code="40415", count=50))
    for _ in range(allowed):
        with pytest.raises(CustomerActionRequired):
            merchant.confirm_unbinding(WRONG_OTP)
    with pytest.raises(Conflict, match="no more codes"):
        merchant.confirm_unbinding()
    assert requests(merchant.world, "otp") == allowed
    assert merchant.binding().state is BindingState.UNBIND_OTP_PENDING


def test_a_code_after_one_whose_sender_died_is_unclear_before_it_is_sent() -> None:
    merchant = unlinking()
    merchant.world.weather = Strike("doku.otp", Fault.CRASH_BEFORE)
    with pytest.raises(Crash):
        merchant.confirm_unbinding(WRONG_OTP)
    merchant.world.clock.tick(30)
    seen: list[Binding] = []
    merchant.world.weather = Meanwhile("doku.otp", lambda: seen.append(merchant.binding()))
    merchant.confirm_unbinding()
    assert [one.unbind_unclear for one in seen] == [True]


def test_what_was_unclear_stays_unclear_with_the_next_code() -> None:
    merchant = unlinking()
    binding = merchant.binding()
    unclear = replace(binding.noted(merchant.world.clock.now()), unbind_unclear=True)
    merchant.world.process().bindings.save(binding, unclear)
    with pytest.raises(CustomerActionRequired):
        merchant.confirm_unbinding(WRONG_OTP)
    assert merchant.binding().unbind_unclear


@pytest.mark.parametrize("code", ["20200", "40313", "40406"])
def test_an_answer_that_makes_no_sense_here_leaves_the_end_to_be_found_out(code: str) -> None:
    merchant = unlinking()
    merchant.world.simulator.add_dial(Dial("otp", "code", when="before", code=code))
    binding = merchant.confirm_unbinding().binding
    assert (binding.state, binding.unbind_unclear) == (BindingState.UNBIND_OTP_PENDING, True)
    assert binding.response_code == f"{code[:3]}04{code[3:]}"
    assert binding.due_at is not None
    assert binding.due_at <= merchant.world.clock.now() + timedelta(seconds=360)
    assert binding.attempt is None


@pytest.mark.parametrize("code", ["40300", "40311", "40314", "40404"])
def test_a_refused_code_ends_an_unlinking_that_nothing_else_can_have_ended(code: str) -> None:
    merchant = unlinking()
    merchant.world.simulator.add_dial(Dial("otp", "code", when="before", code=code))
    with pytest.raises(Rejected) as refused:
        merchant.confirm_unbinding()
    assert refused.value.code == f"{code[:3]}04{code[3:]}"
    binding = merchant.binding()
    assert (binding.state, binding.attempt, binding.unbind_requested_at) == (BindingState.ACTIVE, None, None)
