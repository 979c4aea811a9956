"""What is written of a link as it is asked for, asked for again, and answered."""

from datetime import timedelta
from unittest.mock import patch

import pytest

from direct_debit.adapters.dynamodb.bindings import DynamoDbBindings
from direct_debit.application.bindings.bind_account import BindAccount, bind_account, open_pages
from direct_debit.application.bindings.get_binding import get_binding
from direct_debit.application.bindings.result import BindingResult
from direct_debit.application.errors import Conflict, NotDone
from direct_debit.application.ports.bindings import AccountTaken
from direct_debit.application.ports.vault import SealedField
from direct_debit.domain.binding import Binding, BindingState
from tests.fakes.invariants import bindings_of
from tests.fakes.journey import PHONE, Merchant
from tests.fakes.weather import Crash, Fault
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, Rivals, Strike, linked, requests, touch_binding
from tools.doku_simulator.operations import Json

BIND = "doku.registration-account-binding"
LEASE = timedelta(minutes=30)
ATTEMPT = timedelta(seconds=30)


def ask(merchant: Merchant, **more: str) -> BindingResult:
    """Ask for a link with pages of its own."""
    command = BindAccount(
        **{  # type: ignore[arg-type]  # texts only
            "customer_id": merchant.customer,
            "phone": merchant.phone,
            "success_url": "https://shop.example/linked",
            "failed_url": "https://shop.example/not-linked",
            **more,
        }
    )
    return bind_account(command, merchant.world.process(), merchant.world.deadline())


def died_while_asking(**more: str) -> Merchant:
    """A link whose request never left: who asked has died."""
    merchant = Merchant(World())
    merchant.world.weather = Strike(BIND, Fault.CRASH_BEFORE)
    with pytest.raises(Crash):
        ask(merchant, **more)
    merchant.world.weather = Strike("", Fault.NONE)
    return merchant


def kept_token(merchant: Merchant, binding: Binding) -> str:
    """The task token that a link keeps, opened."""
    return merchant.world.process().vault.unseal(binding.task_token or "", SealedField.LINK_TASK, binding.id)


# --- the record ------------------------------------------------------------------------------------------------------


def test_a_link_is_recorded_before_it_is_asked_for_with_its_lease_and_who_asks() -> None:
    merchant = died_while_asking(task_token="task")
    binding = merchant.binding()
    now = binding.created_at
    assert (binding.state, kept_token(merchant, binding)) == (BindingState.REQUESTED, "task")
    assert (binding.lease_until, binding.due_at, binding.attempt_until) == (now + LEASE, now + LEASE, now + ATTEMPT)
    assert binding.attempt is not None
    assert binding.phone_hint == PHONE[-3:]
    assert PHONE not in repr(binding)


def test_while_one_asks_for_a_link_others_wait_for_half_a_minute() -> None:
    merchant = died_while_asking()
    merchant.world.clock.tick(29)
    waiting = merchant.bind()
    assert (waiting.replayed, waiting.binding.state) == (True, BindingState.REQUESTED)
    assert requests(merchant.world, "binding") == 0
    merchant.world.clock.tick(1)
    assert merchant.bind().binding.state is BindingState.PENDING
    assert requests(merchant.world, "binding") == 1


def test_what_the_bank_answered_is_kept_and_who_asked_is_done() -> None:
    merchant = Merchant(World())
    merchant.bind()
    binding = merchant.binding()
    assert (binding.state, binding.response_code) == (BindingState.PENDING, "2000700")
    assert (binding.attempt, binding.attempt_until) == (None, None)
    (page,) = merchant.world.simulator.world.bindings.values()
    assert binding.auth_code is not None
    assert merchant.world.process().vault.unseal(binding.auth_code, SealedField.AUTH_CODE, binding.id) == page.code


# --- asked for again -------------------------------------------------------------------------------------------------


def test_a_link_that_is_asked_for_again_is_written_anew() -> None:
    merchant = died_while_asking(task_token="first")
    world = merchant.world
    world.clock.tick(40)
    now, before = world.clock.now(), merchant.binding()
    seen: list[Binding] = []
    world.weather = Meanwhile(BIND, lambda: seen.append(merchant.binding()))
    ask(merchant, success_url="https://shop.example/yes", failed_url="https://shop.example/sorry", task_token="second")
    (while_asking,) = seen
    assert (while_asking.id, while_asking.state) == (before.id, BindingState.REQUESTED)
    assert while_asking.attempt not in (None, before.attempt)
    assert while_asking.attempt_until == now + ATTEMPT
    assert (while_asking.lease_until, while_asking.due_at) == (now + LEASE, now + LEASE)
    assert kept_token(merchant, while_asking) == "second"
    assert while_asking.external_id != before.external_id
    (sent,) = [one for one in world.simulator.requests if one.operation == "binding"]
    assert sent.external_id == merchant.binding().external_id == while_asking.external_id
    redirect = merchant.come_back(merchant.walk_through_pages())  # the return state of the newest request
    assert redirect.url.startswith("https://shop.example/yes?")
    assert open_pages(merchant.binding(), world.process()).failed_url == "https://shop.example/sorry"


def test_a_repeat_without_a_workflow_keeps_the_waiting_one() -> None:
    merchant = died_while_asking(task_token="first")
    merchant.world.clock.tick(40)
    ask(merchant)
    assert kept_token(merchant, merchant.binding()) == "first"


def test_a_link_that_somebody_else_resumes_is_returned_as_it_is() -> None:
    merchant = died_while_asking()
    world = merchant.world
    world.clock.tick(40)
    world.weather = Meanwhile("store.transact_write_items", lambda: touch_binding(merchant, attempt="another"), skip=1)
    result = ask(merchant, task_token="mine")
    assert (result.replayed, result.binding.attempt, kept_token(merchant, result.binding)) == (True, "another", "mine")
    assert requests(world, "binding") == 0


def test_a_link_whose_account_another_customer_got_meanwhile_is_a_conflict() -> None:
    merchant = died_while_asking()
    world = merchant.world
    world.clock.tick(40)
    other = Merchant(world, customer="CUST-2")

    def link() -> None:
        other.bind()
        other.come_back(other.walk_through_pages())

    world.weather = weather = Meanwhile("store.transact_write_items", link, skip=1)
    with pytest.raises(Conflict, match="linked meanwhile"):
        ask(merchant)
    assert weather.done
    assert requests(world, "binding") == 1
    assert other.binding().state is BindingState.ACTIVE


def test_an_account_that_is_just_being_released_is_worth_another_try() -> None:
    merchant = Merchant(World())
    with patch.object(DynamoDbBindings, "create", lambda *_, **__: AccountTaken(None)), pytest.raises(NotDone):
        merchant.bind()
    assert requests(merchant.world, "binding") == 0


def test_a_repeat_while_doku_is_away_shows_the_link_as_it_was_written_last() -> None:
    merchant = Merchant(World())
    merchant.bind()
    merchant.walk_through_pages()
    merchant.world.weather = Strike("doku.", Fault.FAIL, count=1_000)
    again = merchant.bind()
    assert again.binding == merchant.binding()
    assert again.binding.due_at is not None
    assert again.binding.due_at <= merchant.world.clock.now() + timedelta(minutes=3)
    assert ("link not proved yet", {"binding_id": again.binding.id}) in merchant.world.telemetry.notes


# --- others in the way -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("customer", ["CUST-1", "CUST-2"])
def test_a_link_that_ends_while_it_is_found_in_the_way_keeps_nobody_out(customer: str) -> None:
    merchant = linked()
    world, ended = merchant.world, merchant.binding()
    world.clock.tick(1)

    def end() -> None:
        merchant.unbind()
        merchant.confirm_unbinding()

    # The first look is for what the customer's pages are counted in, the second for who is in the way.
    world.weather = weather = Meanwhile("store.get_item", end, skip=1)
    begun = Merchant(world, customer=customer).bind()
    assert weather.done
    assert begun.binding.id != ended.id
    assert (begun.binding.state, begun.replayed) == (BindingState.PENDING, False)


def overtaken(world: World, times: int) -> Rivals:
    """So often another customer asks for the same account right before the claims are written."""
    rivals = iter(range(times))

    def ask_first() -> None:
        if (number := next(rivals, None)) is not None:
            Merchant(world, customer=f"RIVAL-{number}").bind()

    world.weather = weather = Rivals("store.transact_write_items", ask_first)
    return weather


def test_a_link_begins_though_four_others_were_faster() -> None:
    merchant = Merchant(World())
    overtaken(merchant.world, 4)
    assert merchant.bind().binding.state is BindingState.PENDING


def test_who_is_always_overtaken_begins_no_link_and_is_told_to_repeat_the_request() -> None:
    merchant = Merchant(World())
    rivals = overtaken(merchant.world, 1_000)
    with pytest.raises(NotDone, match="other links of this account are being started or ended; repeat the request"):
        merchant.bind()
    assert requests(merchant.world, "binding") == rivals.count  # the rivals' alone
    assert [one for one in bindings_of(merchant.world) if one.customer_id == merchant.customer] == []


# --- answers ---------------------------------------------------------------------------------------------------------


def with_old_token() -> Merchant:
    """A customer who begins to link while DOKU no longer takes the merchant's token."""
    world = linked().world
    world.simulator.expire_b2b_tokens()
    return Merchant(world, customer="CUST-2", phone="6289876543210")


def test_a_request_refused_for_its_token_is_repeated_under_an_id_that_the_record_names() -> None:
    merchant = with_old_token()
    assert merchant.bind().binding.state is BindingState.PENDING
    used = [one.external_id for one in merchant.world.simulator.requests if one.operation == "binding"][1:]
    assert len(set(used)) == 2
    assert merchant.binding().external_id == used[-1]


def test_a_request_refused_for_its_token_is_not_repeated_for_a_link_that_changed_meanwhile() -> None:
    merchant = with_old_token()
    merchant.world.weather = Meanwhile("doku.b2b", lambda: touch_binding(merchant, attempt="another"))
    assert merchant.bind().binding.state is BindingState.REQUESTED
    assert requests(merchant.world, "binding") == 2  # the other customer's, and the refused one


def test_an_answer_without_a_page_starts_no_link_and_the_request_may_be_repeated() -> None:
    merchant = Merchant(World())
    merchant.world.bend = _without_page
    result = merchant.bind()
    assert (result.binding.state, result.redirect_url) == (BindingState.REQUESTED, None)
    fields = {"binding_id": result.binding.id, "code": "2000700"}
    assert ("link started without a page", fields) in merchant.world.telemetry.notes
    merchant.world.bend = None
    assert merchant.bind().redirect_url is not None
    assert requests(merchant.world, "binding") == 2


def _without_page(path: str, answer: Json) -> Json:
    return {name: value for name, value in answer.items() if name != "redirectUrl"} if "binding" in path else answer


def test_an_answer_that_could_not_be_written_may_be_asked_for_again() -> None:
    merchant = Merchant(World())
    world = merchant.world

    def lose_the_store(path: str, answer: Json) -> Json:
        if "binding" in path:
            world.weather = Strike("store.", Fault.FAIL, count=1_000)
        return answer

    world.bend = lose_the_store
    result = merchant.bind()
    assert (result.binding.state, result.redirect_url) == (BindingState.REQUESTED, None)
    fields = {"binding_id": result.binding.id, "code": "2000700"}
    assert ("answer not written; repeat the request", fields) in world.telemetry.notes
    world.weather, world.bend = Strike("", Fault.NONE), None
    world.clock.tick(30)
    assert merchant.bind().redirect_url is not None


def test_a_link_that_is_linked_again_shows_its_new_page_and_what_doku_said_of_it() -> None:
    merchant = linked()
    merchant.world.simulator.unlink_customer(merchant.customer)
    merchant.pay()
    touch_binding(merchant, response_code="4017402")
    page = merchant.bind().redirect_url
    binding = merchant.binding()
    assert (binding.state, binding.response_code) == (BindingState.RELINK_REQUIRED, "2000700")
    assert get_binding(binding.id, merchant.world.process()).redirect_url == page is not None


def test_a_page_is_shown_only_while_the_customer_needs_it() -> None:
    merchant = linked()
    ports = merchant.world.process()
    linking = ports.vault.seal("page", SealedField.LINK_PAGE, merchant.binding().id)
    unlinking = ports.vault.seal("page of the unlinking", SealedField.UNLINK_PAGE, merchant.binding().id)
    touch_binding(merchant, state=BindingState.UNBIND_OTP_PENDING, redirect_url=linking, unbind_redirect_url=unlinking)
    assert get_binding(merchant.binding().id, ports).redirect_url == "page of the unlinking"
    touch_binding(merchant, state=BindingState.PENDING)
    assert get_binding(merchant.binding().id, ports).redirect_url == "page"
    touch_binding(merchant, state=BindingState.ACTIVE)
    assert get_binding(merchant.binding().id, ports).redirect_url is None
