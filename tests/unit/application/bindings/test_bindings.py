"""Linking and unlinking: claims, leases, proofs, lost answers, and never while money may move."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest

from direct_debit.application.bindings.get_balance import get_balance
from direct_debit.application.bindings.get_binding import get_binding
from direct_debit.application.bindings.list_bindings import ListBindings, list_bindings
from direct_debit.application.bindings.result import BindingResult
from direct_debit.application.bindings.return_from_binding import ReturnFromBinding, return_from_binding
from direct_debit.application.bindings.unbind_account import unbind_account
from direct_debit.application.errors import (
    Conflict,
    CustomerActionRequired,
    NotDone,
    NotFound,
    Rejected,
    RelinkRequired,
)
from direct_debit.application.ports.pages import OfCustomer
from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import PaymentState
from tests.fakes.invariants import WRONG_OTP, check_at_rest
from tests.fakes.journey import PHONE, REF, Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Crash, Fault
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, Strike, linked, lose_notifications, paid_untold, requests
from tools.doku_simulator.config import ProviderVariant
from tools.doku_simulator.dials import Dial


def started(world: World | None = None, customer: str = "CUST-1", phone: str = PHONE) -> Merchant:
    merchant = Merchant(world or World(), customer=customer, phone=phone)
    merchant.bind()
    return merchant


def links_of(merchant: Merchant) -> Sequence[BindingResult]:
    query = ListBindings(selection=OfCustomer(merchant.customer))
    return list_bindings(query, merchant.world.process()).shown


# --- linking ---------------------------------------------------------------------------------------------------------


def test_a_link_begins_with_the_banks_page_and_becomes_active_by_proof_only() -> None:
    merchant = Merchant(World())
    result = merchant.bind()
    assert (result.binding.state, result.replayed) == (BindingState.PENDING, False)
    assert result.redirect_url is not None
    url = merchant.walk_through_pages()
    redirect = merchant.come_back(url)
    assert redirect.binding_state is BindingState.ACTIVE
    assert redirect.url.startswith("https://shop.example/linked?bindingId=")


def test_a_browser_that_claims_success_proves_nothing() -> None:
    merchant = started()
    (page,) = merchant.world.simulator.world.bindings.values()
    redirect = merchant.come_back(page.success_url)
    assert redirect.binding_state is BindingState.PENDING


def test_a_browser_that_claims_failure_does_not_undo_a_link() -> None:
    merchant = started()
    merchant.walk_through_pages()
    (page,) = merchant.world.simulator.world.bindings.values()
    assert merchant.come_back(page.failed_url).binding_state is BindingState.ACTIVE


def test_an_unknown_return_state_is_not_found() -> None:
    world = World()
    command = ReturnFromBinding(state="0" * 32, outcome="success")
    with pytest.raises(NotFound):
        return_from_binding(command, world.process(), world.deadline())


def test_a_repeat_returns_the_pending_link_with_its_page() -> None:
    merchant = Merchant(World())
    first = merchant.bind()
    again = merchant.bind()
    assert again.replayed
    assert again.redirect_url == first.redirect_url
    assert requests(merchant.world, "binding") == 1


def test_an_account_belongs_to_one_customer() -> None:
    merchant = linked()
    other = Merchant(merchant.world, customer="CUST-2")
    with pytest.raises(Conflict):
        other.bind()
    assert requests(merchant.world, "binding") == 1


def test_a_customer_has_one_link() -> None:
    merchant = linked()
    with pytest.raises(Conflict):
        Merchant(merchant.world, phone="6289876543210").bind()


def test_two_customers_who_race_for_one_account_get_one_link() -> None:
    world = World()
    one, other = Merchant(world), Merchant(world, customer="CUST-2")
    world.weather = Meanwhile("store.transact", one.bind)
    other.bind()
    assert requests(world, "binding") == 2
    one.come_back(one.walk_through_pages())
    other.come_back(other.walk_through_pages())
    assert (one.binding().state, other.binding().state) == (BindingState.ACTIVE, BindingState.PENDING)
    come_to_rest(world)
    assert (one.binding().state, other.binding().state) == (BindingState.ACTIVE, BindingState.FAILED)


@pytest.mark.parametrize(("phone", "code"), [("6281234560015", "4030715"), ("6281234560018", "4030718")])
def test_a_refused_link_frees_account_and_customer(phone: str, code: str) -> None:
    merchant = Merchant(World(), phone=phone)
    result = merchant.bind()
    assert (result.binding.state, result.binding.response_code) == (BindingState.FAILED, code)
    merchant.phone = PHONE
    assert merchant.bind().binding.state is BindingState.PENDING


def test_what_was_not_sent_may_be_asked_for_again() -> None:
    merchant = Merchant(World())
    merchant.world.weather = Strike("doku.registration", Fault.FAIL)
    with pytest.raises(NotDone):
        merchant.bind()
    result = merchant.bind()
    assert result.binding.state is BindingState.PENDING
    assert requests(merchant.world, "binding") == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_answer_is_asked_again_by_the_repeat(when: str) -> None:
    merchant = Merchant(World())
    merchant.world.simulator.dials.add(Dial("binding", "drop", when="before" if when == "before" else "after"))
    assert merchant.bind().binding.state is BindingState.REQUESTED
    assert merchant.bind().binding.state is BindingState.PENDING
    merchant.come_back(merchant.walk_through_pages())
    come_to_rest(merchant.world)
    assert merchant.binding().state is BindingState.ACTIVE
    assert check_at_rest(merchant.world) == []


def test_an_unfinished_link_fails_after_its_lease_and_frees_the_account() -> None:
    merchant = started()
    lose_notifications(merchant.world)
    come_to_rest(merchant.world, 1700)
    assert merchant.binding().state is BindingState.PENDING
    come_to_rest(merchant.world, 200)
    assert merchant.binding().state is BindingState.FAILED
    assert started(merchant.world, "CUST-2").binding().state is BindingState.PENDING


def test_a_lease_that_is_over_may_be_taken_over_before_the_sweep_comes() -> None:
    world = World()
    slow = started(world)
    world.clock.tick(1801)
    other = started(world, "CUST-2")
    assert other.binding().state is BindingState.PENDING
    come_to_rest(world, 120)
    assert slow.binding().state is BindingState.FAILED
    assert other.binding().state is BindingState.PENDING  # its claims were not given up with the old link


def test_a_proof_that_comes_after_the_take_over_wins_while_the_other_is_not_confirmed() -> None:
    world = World()
    slow = started(world)
    url = slow.walk_through_pages()
    lose_notifications(world)
    world.clock.tick(1801)
    quick = Merchant(world, customer="CUST-2")
    world.simulator.dials.add(Dial("binding", "drop", when="before"))
    quick.bind()
    assert slow.come_back(url).binding_state is BindingState.ACTIVE
    with pytest.raises(Conflict, match="another customer"):
        quick.bind()


def test_of_two_accounts_that_a_customer_confirmed_the_first_stays() -> None:
    world = World()
    first = started(world)
    url = first.walk_through_pages()
    lose_notifications(world)
    second = Merchant(world, phone="6285700000002")
    second.bind()
    second.come_back(second.walk_through_pages())
    assert second.binding().state is BindingState.ACTIVE
    assert first.come_back(url).binding_state is BindingState.FAILED
    world.run_for(7_200)
    assert [one.binding.state for one in links_of(first)] == [
        BindingState.ACTIVE,
        BindingState.FAILED,
    ]


def test_a_link_that_the_bank_ended_is_linked_again_under_the_same_record() -> None:
    merchant = linked()
    merchant.world.simulator.unlink_customer(merchant.customer)
    merchant.pay()
    before = merchant.binding()
    assert before.state is BindingState.RELINK_REQUIRED
    assert merchant.bind().redirect_url is not None
    merchant.come_back(merchant.walk_through_pages())
    come_to_rest(merchant.world)
    assert (merchant.binding().id, merchant.binding().state) == (before.id, BindingState.ACTIVE)
    assert merchant.pay("SECOND").payment.state is PaymentState.OTP_PENDING


def test_bindings_are_shown() -> None:
    merchant = linked()
    ports = merchant.world.process()
    assert get_binding(merchant.binding().id, ports).redirect_url is None
    assert [one.binding.id for one in links_of(merchant)] == [merchant.binding().id]
    with pytest.raises(NotFound):
        get_binding("none", ports)


# --- unlinking -------------------------------------------------------------------------------------------------------


def test_unlinking_waits_for_the_code_and_ends_with_no_token_kept() -> None:
    merchant = linked()
    assert merchant.unbind().binding.state is BindingState.UNBIND_OTP_PENDING
    assert merchant.unbind().replayed
    assert merchant.confirm_unbinding().binding.state is BindingState.UNBOUND
    assert merchant.binding().tokens is None
    with pytest.raises(Conflict):
        merchant.pay()
    assert check_at_rest(merchant.world) == []
    assert merchant.bind().binding.state is BindingState.PENDING


def test_unlinking_without_a_code_is_done_at_once() -> None:
    merchant = linked(World(variant=ProviderVariant(unbind_otp_required=False)))
    assert merchant.unbind().binding.state is BindingState.UNBOUND


def test_a_wrong_code_keeps_the_unlinking_waiting_and_a_blocked_one_ends_it() -> None:
    merchant = linked()
    merchant.unbind()
    for _ in range(2):
        with pytest.raises(CustomerActionRequired):
            merchant.confirm_unbinding(WRONG_OTP)
    with pytest.raises(Rejected):
        merchant.confirm_unbinding(WRONG_OTP)
    assert merchant.binding().state is BindingState.ACTIVE


def test_no_unlinking_while_a_payment_or_a_refund_is_open() -> None:
    merchant = linked()
    merchant.pay()
    with pytest.raises(Conflict) as refused:
        merchant.unbind()
    assert REF in refused.value.detail
    merchant.enter_otp()
    come_to_rest(merchant.world, 5)
    merchant.refund()
    with pytest.raises(Conflict):
        merchant.unbind()
    come_to_rest(merchant.world, 5)
    assert merchant.unbind().binding.state is BindingState.UNBIND_OTP_PENDING


def test_a_refund_holds_an_account_whose_token_died() -> None:
    merchant = linked()
    merchant.pay_to_the_end()
    merchant.world.simulator.unlink_customer(merchant.customer)
    with pytest.raises(RelinkRequired):
        get_balance(merchant.binding().id, merchant.world.process(), merchant.world.deadline())
    assert merchant.binding().state is BindingState.RELINK_REQUIRED
    merchant.refund()
    with pytest.raises(Conflict) as refused:
        merchant.unbind()
    assert REF in refused.value.detail


def test_a_refund_that_slips_in_while_a_settled_payment_is_let_go_stops_the_unlinking() -> None:
    merchant = paid_untold()
    world = merchant.world
    world.weather = weather = Meanwhile("store.transact_write_items", merchant.refund)
    with pytest.raises(Conflict):
        merchant.unbind()
    assert weather.done
    assert requests(world, "unbinding") == 0


def test_a_refund_asked_for_while_the_code_is_awaited_comes_first() -> None:
    merchant = linked()
    merchant.pay_to_the_end()
    merchant.unbind()
    merchant.refund()
    with pytest.raises(Conflict) as refused:
        merchant.confirm_unbinding()
    assert REF in refused.value.detail
    assert requests(merchant.world, "otp") == 1  # the payment's; the code of the unlinking was not sent
    come_to_rest(merchant.world, 5)
    assert merchant.payment().state is PaymentState.REFUNDED
    assert merchant.confirm_unbinding().binding.state is BindingState.UNBOUND
    assert check_at_rest(merchant.world) == []


def test_a_refund_that_slips_in_before_the_code_is_claimed_comes_first() -> None:
    merchant = linked()
    merchant.pay_to_the_end()
    merchant.unbind()
    merchant.world.weather = weather = Meanwhile("store.update_item", merchant.refund)
    with pytest.raises(Conflict):
        merchant.confirm_unbinding()
    assert weather.done
    assert requests(merchant.world, "otp") == 1


def test_a_refund_that_slips_in_while_the_codes_tokens_are_renewed_comes_first() -> None:
    merchant = linked()
    merchant.pay_to_the_end()
    merchant.unbind()
    world = merchant.world
    world.simulator.expire_b2b_tokens()
    world.weather = weather = Meanwhile("doku.b2b", merchant.refund)
    with pytest.raises(NotDone):
        merchant.confirm_unbinding()
    assert weather.done
    assert requests(world, "otp") == 2  # the payment's, and the unlinking's that was refused for its token
    come_to_rest(world, 5)
    assert merchant.payment().state is PaymentState.REFUNDED
    assert merchant.confirm_unbinding().binding.state is BindingState.UNBOUND


def test_a_refund_that_slips_in_while_the_unlinkings_tokens_are_renewed_comes_first() -> None:
    merchant = linked(World(variant=ProviderVariant(unbind_otp_required=False)))
    merchant.pay_to_the_end()
    world = merchant.world
    world.simulator.expire_b2b_tokens()
    world.weather = weather = Meanwhile("doku.b2b", merchant.refund)
    with pytest.raises(NotDone):
        merchant.unbind()
    assert weather.done
    assert requests(world, "unbinding") == 1
    assert merchant.binding().state is BindingState.ACTIVE
    come_to_rest(world, 5)
    assert merchant.payment().state is PaymentState.REFUNDED
    assert merchant.unbind().binding.state is BindingState.UNBOUND


def test_a_code_is_repeated_after_a_renewal_only_by_who_still_asks() -> None:
    merchant = linked()
    merchant.unbind()
    world = merchant.world
    world.simulator.expire_b2b_tokens()

    def take_over() -> None:
        binding = merchant.binding()
        until = world.clock.now() + timedelta(seconds=30)
        other = replace(binding.noted(world.clock.now()), attempt="another", attempt_until=until)
        world.process().bindings.save(binding, other)

    world.weather = Meanwhile("doku.b2b", take_over)
    with pytest.raises(NotDone):
        merchant.confirm_unbinding()
    assert requests(world, "otp") == 1
    assert (merchant.binding().attempt, merchant.binding().state) == ("another", BindingState.UNBIND_OTP_PENDING)


def test_an_unlinking_that_expired_does_not_begin_again_while_a_refund_is_open() -> None:
    """Seed 27576: the refund was asked for while a code was awaited, and nobody held the account afterwards."""
    merchant = linked(World(variant=ProviderVariant(refund_outcome="pending", refund_delay=(7_200.0, 7_200.0))))
    merchant.pay_to_the_end()
    merchant.unbind()
    merchant.refund()
    merchant.world.run_for(1_200)
    assert merchant.binding().state is BindingState.ACTIVE
    with pytest.raises(Conflict):
        merchant.unbind()


def test_a_payment_that_slips_in_before_the_claim_stops_the_unlinking() -> None:
    merchant = linked()
    merchant.world.weather = Meanwhile("store.update_item", merchant.pay)
    with pytest.raises(Conflict):
        merchant.unbind()
    assert merchant.payment().state is PaymentState.OTP_PENDING
    assert requests(merchant.world, "unbinding") == 0


def test_an_unlinking_that_slips_in_before_the_record_stops_the_payment() -> None:
    merchant = linked()
    merchant.world.weather = Meanwhile("store.transact", merchant.unbind)
    with pytest.raises(Conflict):
        merchant.pay()
    assert requests(merchant.world, "payment") == 0


@pytest.mark.parametrize("operation", ["unbinding", "otp"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("otp", [True, False])
def test_a_lost_answer_is_found_out_by_a_harmless_question(operation: str, when: str, otp: bool) -> None:
    merchant = linked(World(variant=ProviderVariant(unbind_otp_required=otp)))
    world = merchant.world
    world.simulator.dials.add(Dial(operation, "drop", when="before" if when == "before" else "after"))
    merchant.unbind()
    if operation == "otp" and otp:
        merchant.confirm_unbinding()
    come_to_rest(world)
    at_bank = any(one.linked for one in world.simulator.world.bindings.values())
    assert merchant.binding().state is (BindingState.ACTIVE if at_bank else BindingState.UNBOUND)
    assert check_at_rest(world) == []


def _refuse_the_second_code(merchant: Merchant) -> None:
    merchant.world.simulator.add_dial(Dial("otp", "code", "before", code="40316"))
    assert merchant.confirm_unbinding().binding.state is BindingState.UNBIND_OTP_PENDING
    come_to_rest(merchant.world)


@pytest.mark.parametrize(("when", "end"), [("after", BindingState.UNBOUND), ("before", BindingState.ACTIVE)])
def test_a_refusal_after_a_lost_code_is_no_proof_that_the_link_lives(
    when: Literal["before", "after"], end: BindingState
) -> None:
    """Seed 4168: the first code had unlinked the account; its answer was lost, and the second one was refused."""
    merchant = linked()
    merchant.unbind()
    merchant.world.simulator.add_dial(Dial("otp", "drop", when))
    assert merchant.confirm_unbinding().binding.state is BindingState.UNBIND_OTP_PENDING
    _refuse_the_second_code(merchant)
    assert merchant.binding().state is end
    assert check_at_rest(merchant.world) == []


def test_a_refusal_after_a_code_whose_sender_died_is_no_proof_that_the_link_lives() -> None:
    merchant = linked()
    merchant.unbind()
    merchant.world.weather = Strike("doku.otp", Fault.CRASH_AFTER)
    with pytest.raises(Crash):
        merchant.confirm_unbinding()
    merchant.world.clock.tick(40)
    _refuse_the_second_code(merchant)
    assert merchant.binding().state is BindingState.UNBOUND


@pytest.mark.parametrize("code", ["40316", "40301", "40001", "40309"])
def test_a_refused_probe_after_a_lost_code_is_no_proof_that_the_link_lives(code: str) -> None:
    """Seed 7039221: the code has ended the link, and DOKU refuses the question for a reason of its own."""
    merchant = linked()
    merchant.unbind()
    merchant.world.simulator.add_dial(Dial("otp", "drop", "after"))
    merchant.confirm_unbinding()
    merchant.world.simulator.add_dial(Dial("balance", "code", "before", code=code))
    come_to_rest(merchant.world)
    assert merchant.binding().state is BindingState.UNBOUND


def test_a_refused_probe_after_a_code_whose_sender_died_is_no_proof_that_the_link_lives() -> None:
    merchant = linked()
    merchant.unbind()
    merchant.world.weather = Strike("doku.otp", Fault.CRASH_AFTER)
    with pytest.raises(Crash):
        merchant.confirm_unbinding()
    merchant.world.simulator.add_dial(Dial("balance", "code", "before", code="40316"))
    come_to_rest(merchant.world)
    assert merchant.binding().state is BindingState.UNBOUND


@pytest.mark.parametrize("code", ["40316", "40301", "40001", "40309"])
def test_a_refused_probe_does_not_keep_an_unlinking_that_nobody_confirmed(code: str) -> None:
    merchant = linked()
    merchant.unbind()
    merchant.world.simulator.add_dial(Dial("balance", "code", "before", code=code, count=1_000))
    come_to_rest(merchant.world)
    assert merchant.binding().state is BindingState.ACTIVE


def test_an_unlinking_that_nobody_confirms_expires_by_proof() -> None:
    merchant = linked()
    merchant.unbind()
    come_to_rest(merchant.world, 1000)
    assert merchant.binding().state is BindingState.ACTIVE
    assert requests(merchant.world, "balance") == 1


@pytest.mark.long
def test_time_alone_does_not_end_an_unlinking() -> None:
    merchant = linked()
    merchant.unbind()
    merchant.world.simulator.dials.add(Dial("*", "drop", count=100_000))
    come_to_rest(merchant.world, 3 * 86400)
    assert merchant.binding().state is BindingState.UNBIND_OTP_PENDING
    assert merchant.binding().due_at is not None


def test_a_refused_unlinking_leaves_the_link() -> None:
    merchant = linked()
    merchant.world.simulator.dials.add(Dial("unbinding", "code", when="before", code="40301"))
    with pytest.raises(Rejected):
        merchant.unbind()
    assert merchant.binding().state is BindingState.ACTIVE
    assert merchant.pay().payment.state is PaymentState.OTP_PENDING


def test_an_unlinking_that_was_not_sent_leaves_the_link() -> None:
    merchant = linked()
    merchant.world.weather = Strike("doku.registration", Fault.FAIL)
    with pytest.raises(NotDone):
        merchant.unbind()
    assert merchant.binding().state is BindingState.ACTIVE


def test_a_link_that_doku_does_not_know_any_more_is_unlinked() -> None:
    merchant = linked()
    merchant.world.simulator.unlink_customer(merchant.customer)
    assert merchant.unbind().binding.state is BindingState.UNBOUND


def test_nothing_to_unlink() -> None:
    merchant = started()
    with pytest.raises(Conflict):
        merchant.confirm_unbinding()
    with pytest.raises(NotFound):
        unbind_account("none", merchant.world.process(), merchant.world.deadline())


def test_a_dead_attempt_does_not_lock_the_link() -> None:
    merchant = linked()
    ports = merchant.world.process()
    merchant.unbind()
    binding = merchant.binding()
    now = merchant.world.clock.now()
    ports.bindings.save(binding, replace(binding.noted(now), attempt="dead", attempt_until=now + timedelta(seconds=30)))
    with pytest.raises(Conflict):
        merchant.confirm_unbinding()
    merchant.world.clock.tick(31)
    assert merchant.confirm_unbinding().binding.state is BindingState.UNBOUND


def test_a_refusal_of_a_token_just_renewed_does_not_end_a_link_that_lives() -> None:
    merchant = linked()
    merchant.unbind()
    merchant.world.simulator.dials.add(Dial("otp", "code", when="before", code="40102", count=2))
    with pytest.raises(NotDone):
        merchant.confirm_unbinding()
    assert merchant.binding().state is BindingState.UNBIND_OTP_PENDING
    assert merchant.confirm_unbinding().binding.state is BindingState.UNBOUND


@pytest.mark.parametrize("code", ["40316", "40305"])
def test_an_unlinking_whose_token_could_not_be_renewed_for_another_reason_is_not_done(code: str) -> None:
    """Seed 48902: "suspended" is no word about the link."""
    merchant = linked()
    merchant.unbind()
    merchant.world.simulator.expire_customer_tokens(merchant.customer)
    merchant.world.simulator.dials.add(Dial("b2b2c_token", "code", when="before", code=code, count=2))
    with pytest.raises(NotDone):
        merchant.confirm_unbinding()
    assert merchant.binding().state is BindingState.UNBIND_OTP_PENDING
    failed_at = merchant.world.clock.now()
    assert merchant.confirm_unbinding().binding.state is BindingState.UNBOUND
    assert merchant.world.clock.now() == failed_at  # nobody had to wait for the failed renewal's lease


def test_an_unlinking_refused_for_a_token_just_renewed_is_not_done() -> None:
    merchant = linked()
    merchant.world.simulator.dials.add(Dial("unbinding", "code", when="before", code="40102", count=2))
    with pytest.raises(NotDone):
        merchant.unbind()
    assert merchant.binding().state is BindingState.ACTIVE
