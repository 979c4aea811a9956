"""People mistype, cancel, close the browser and come again: the next request works, and no link is lost or doubled."""

from itertools import pairwise

import pytest

from direct_debit.application.bindings.advance_binding import advance_binding
from direct_debit.application.bindings.bind_account import BindAccount, bind_account, open_pages
from direct_debit.application.bindings.list_bindings import ListBindings, list_bindings
from direct_debit.application.bindings.resolve_binding import resolve_binding
from direct_debit.application.bindings.result import BindingResult
from direct_debit.application.errors import Conflict, NotDone
from direct_debit.application.ports.pages import OfCustomer
from direct_debit.application.ports.vault import SealedField
from direct_debit.domain.binding import Binding, BindingEvent, BindingState
from direct_debit.domain.evidence import Evidence, EvidenceSource
from tests.fakes.invariants import bindings_of, check_at_rest
from tests.fakes.journey import PHONE, Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Fault, Weather
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, Strike, linked, lose_notifications, requests, touch_binding
from tools.doku_simulator.config import ProviderVariant
from tools.doku_simulator.dials import Dial
from tools.doku_simulator.magic_values import RIGHT_OTP, WRONG_PIN
from tools.doku_simulator.operations import Json
from tools.doku_simulator.records import Binding as Page

OTHER_PHONE = "6285700000002"
NO_LINK = "https://shop.example/not-linked"


def started(world: World | None = None, *, told: bool = False) -> Merchant:
    """A link that waits for its customer. The contract says not to depend on the notification: none comes."""
    merchant = Merchant(world or World())
    if not told:
        lose_notifications(merchant.world)
    merchant.bind()
    return merchant


def pages(merchant: Merchant) -> list[Page]:
    """What the bank showed the customer, the latest last."""
    return [one for one in merchant.world.simulator.world.bindings.values() if one.customer == merchant.customer]


def finish(merchant: Merchant, page: Page) -> str:
    return str(merchant.world.simulator.customer.complete(page.code).redirect_url)


def code_of(result: BindingResult) -> str:
    assert result.redirect_url is not None
    return result.redirect_url.rsplit("/", 1)[1]


def links_at_the_bank(merchant: Merchant) -> int:
    return sum(one.linked for one in pages(merchant))


def state_of(merchant: Merchant, binding: Binding) -> BindingState:
    return next(one.state for one in bindings_of(merchant.world) if one.id == binding.id)


# --- a wrong phone ---------------------------------------------------------------------------------------------------


def test_a_mistyped_phone_is_replaced_by_the_next_request() -> None:
    merchant = started()
    mistyped = merchant.binding()
    merchant.phone = OTHER_PHONE
    again = merchant.bind()
    assert (again.binding.state, again.replayed) == (BindingState.PENDING, False)
    merchant.come_back(finish(merchant, pages(merchant)[-1]))
    assert state_of(merchant, again.binding) is BindingState.ACTIVE
    come_to_rest(merchant.world)
    assert state_of(merchant, mistyped) is BindingState.FAILED
    assert links_at_the_bank(merchant) == 1
    assert check_at_rest(merchant.world) == []


@pytest.mark.parametrize("told", [True, False])
def test_the_first_phones_page_may_be_finished_after_all(*, told: bool) -> None:
    """Told by the bank's notification, or by nobody: then its lease ends, and DOKU is asked a last time."""
    merchant = started(told=told)
    first = merchant.binding()
    merchant.phone = OTHER_PHONE
    second = merchant.bind().binding
    finish(merchant, pages(merchant)[0])
    come_to_rest(merchant.world)
    assert (state_of(merchant, first), state_of(merchant, second)) == (BindingState.ACTIVE, BindingState.FAILED)
    assert links_at_the_bank(merchant) == 1
    assert check_at_rest(merchant.world) == []


def test_another_account_is_refused_once_the_first_is_confirmed() -> None:
    merchant = started()
    first = merchant.binding()
    merchant.phone = OTHER_PHONE
    merchant.bind()
    merchant.come_back(finish(merchant, pages(merchant)[0]))
    with pytest.raises(Conflict, match=first.id):
        merchant.bind()


def test_a_link_that_is_confirmed_while_it_is_replaced_stays() -> None:
    merchant = started()
    first = merchant.binding()
    merchant.phone = OTHER_PHONE
    world = merchant.world

    def confirm() -> None:
        merchant.come_back(finish(merchant, pages(merchant)[0]))

    world.weather = weather = Meanwhile("store.transact_write_items", confirm, skip=1)
    with pytest.raises(Conflict, match=first.id):
        merchant.bind()
    assert weather.done
    assert state_of(merchant, first) is BindingState.ACTIVE
    assert requests(world, "binding") == 1


# --- a stranger with the customer's phone ----------------------------------------------------------------------------


@pytest.mark.parametrize("customer", ["CUST-2", "CUST-1"], ids=["another", "the same"])
def test_a_link_that_ends_while_it_is_in_the_way_keeps_nobody_out(customer: str) -> None:
    """It held the account when the request was refused, and has failed by when it is looked at (seed 1519)."""
    first = started()
    world, ended = first.world, first.binding()

    def end() -> None:
        world.weather = Weather()
        evidence = Evidence(EvidenceSource.ANSWER, world.clock.now(), "4030715")
        advance_binding(world.process(), ended, BindingEvent.LINK_REFUSED, evidence)

    world.weather = weather = Meanwhile("store.get_item", end)
    second = Merchant(world, customer=customer).bind()
    assert weather.done
    assert second.binding.state is BindingState.PENDING
    assert second.binding.id != ended.id
    assert not second.replayed


@pytest.mark.parametrize("reads", range(8))
def test_another_link_that_ends_while_it_is_looked_at_keeps_nobody_out(reads: int) -> None:
    """It had the customer's place, and had failed by when it was read: it was told as his other link (seed 111508)."""
    merchant = started()
    first = merchant.binding()
    merchant.phone = OTHER_PHONE
    other = merchant.bind().binding
    merchant.phone = PHONE
    world = merchant.world

    def end() -> None:
        world.weather = Weather()
        evidence = Evidence(EvidenceSource.ANSWER, world.clock.now(), "4030715")
        advance_binding(world.process(), other, BindingEvent.LINK_REFUSED, evidence)

    world.weather = Meanwhile("store.get_item", end, skip=reads)
    again = merchant.bind()
    assert (again.binding.id, again.binding.state) == (first.id, BindingState.PENDING)


def test_nobodys_request_keeps_the_owner_of_an_account_out() -> None:
    stranger = started()
    owner = Merchant(stranger.world, customer="CUST-2")
    assert owner.bind().binding.state is BindingState.PENDING
    assert stranger.bind().replayed  # and takes nothing back by it
    owner.come_back(finish(owner, pages(owner)[-1]))
    assert owner.binding().state is BindingState.ACTIVE
    with pytest.raises(Conflict, match="another customer"):
        Merchant(stranger.world, customer="CUST-3").bind()
    come_to_rest(stranger.world)
    assert stranger.binding().state is BindingState.FAILED
    assert check_at_rest(stranger.world) == []


def test_an_owner_who_is_at_the_bank_meanwhile_loses_nothing() -> None:
    owner = started()
    stranger = Merchant(owner.world, customer="CUST-2")
    stranger.bind()
    owner.come_back(finish(owner, pages(owner)[-1]))
    assert owner.binding().state is BindingState.ACTIVE
    with pytest.raises(Conflict, match="another customer"):
        stranger.bind()


# --- a page that brought no link -------------------------------------------------------------------------------------


def cancel(merchant: Merchant) -> str:
    return str(merchant.world.simulator.customer.refuse(pages(merchant)[-1].code).redirect_url)


def mistype_pins(merchant: Merchant) -> str:
    customer, code = merchant.world.simulator.customer, pages(merchant)[-1].code
    customer.enter_phone(code)
    customer.enter_otp(code, RIGHT_OTP)
    for _ in range(2):
        customer.enter_pin(code, WRONG_PIN)
    return str(customer.enter_pin(code, WRONG_PIN).redirect_url)


@pytest.mark.parametrize("fail", [cancel, mistype_pins])
def test_who_came_back_without_a_link_gets_another_page(fail: object) -> None:
    assert callable(fail)
    merchant = started()
    before = merchant.binding()
    back = merchant.come_back(fail(merchant))
    assert back.url.startswith(NO_LINK)
    again = merchant.bind()
    assert (again.binding.id, again.binding.state, again.replayed) == (before.id, BindingState.PENDING, False)
    assert code_of(again) == pages(merchant)[-1].code != pages(merchant)[0].code
    assert code_of(merchant.bind()) == code_of(again)  # a repeat of the same
    assert requests(merchant.world, "binding") == 2
    assert merchant.come_back(finish(merchant, pages(merchant)[-1])).binding_state is BindingState.ACTIVE
    come_to_rest(merchant.world)
    assert check_at_rest(merchant.world) == []
    assert merchant.pay().payment.binding_id == before.id


def test_a_browser_that_was_closed_goes_on_with_the_same_page() -> None:
    merchant = started()
    merchant.world.simulator.customer.enter_phone(pages(merchant)[-1].code)
    assert code_of(merchant.bind()) == pages(merchant)[-1].code
    assert requests(merchant.world, "binding") == 1


def test_a_dead_page_that_nobody_came_back_from_is_left_by_opening_it() -> None:
    """The customer closed the browser on it, and no notification came: the bank sends them on when they open it."""
    merchant = started()
    cancel(merchant)
    dead = code_of(merchant.bind())
    sent_on = merchant.world.simulator.customer.open(dead).redirect_url
    assert sent_on is not None
    merchant.come_back(sent_on)
    assert code_of(merchant.bind()) != dead


def test_another_return_of_an_older_page_ends_nothing() -> None:
    merchant = started()
    url = cancel(merchant)
    merchant.come_back(url)
    newer = code_of(merchant.bind())
    merchant.come_back(url)
    assert code_of(merchant.bind()) == newer


def test_a_return_in_bad_weather_goes_on_to_the_shop() -> None:
    merchant = started()
    url = cancel(merchant)
    merchant.world.weather = Strike("store.update_item", Fault.FAIL, count=1, skip=2)
    assert merchant.come_back(url).url.startswith(NO_LINK)
    told = ("the page's end was not written", {"binding_id": merchant.binding().id})
    assert told in merchant.world.telemetry.notes


def test_a_page_that_brought_no_link_is_replaced_though_its_link_changed_meanwhile() -> None:
    merchant = started()
    url = cancel(merchant)
    # The first two writes are the look whether the customer has finished; the third is the page's end.
    change = Meanwhile("store.update_item", lambda: touch_binding(merchant, metadata={"cart": "2"}), skip=2)
    merchant.world.weather = change
    merchant.come_back(url)
    assert change.done
    assert (merchant.binding().page_ended, merchant.binding().metadata) == (True, {"cart": "2"})


@pytest.mark.parametrize("way", ["return", "notification", "request", "lease"])
def test_an_earlier_page_may_be_finished_after_all(way: str) -> None:
    """Whoever holds the address can say that a page failed: it is a hint. The bank's word counts."""
    merchant = started(told=way == "notification")
    first = pages(merchant)[0]
    merchant.come_back(first.failed_url)
    merchant.bind()
    url = finish(merchant, first)
    if way == "return":
        merchant.come_back(url)
    elif way == "request":
        assert merchant.bind().binding.state is BindingState.ACTIVE
    else:
        come_to_rest(merchant.world)
    link = merchant.binding()
    assert (link.state, link.external_id) == (BindingState.ACTIVE, first.external_id)
    assert (link.page_ended, link.earlier_pages) == (False, {})
    assert link.auth_code is not None
    auth_code = merchant.world.process().vault.unseal(link.auth_code, SealedField.AUTH_CODE, link.id)
    assert merchant.world.simulator.world.bindings[auth_code] is first
    come_to_rest(merchant.world)
    assert links_at_the_bank(merchant) == 1
    assert check_at_rest(merchant.world) == []
    merchant.world.simulator.expire_customer_tokens(merchant.customer, refresh=True)
    assert merchant.pay().payment.binding_id == link.id  # its auth code, too, is the right one


def test_a_page_that_is_refused_because_an_earlier_one_was_finished() -> None:
    merchant = started(World(variant=ProviderVariant(rebind_same_customer="refuse")))
    first = pages(merchant)[0]
    merchant.come_back(first.failed_url)

    def finish_first() -> None:
        finish(merchant, first)

    merchant.world.weather = weather = Meanwhile("doku.registration", finish_first)
    again = merchant.bind()
    assert weather.done
    assert (again.binding.state, again.binding.external_id) == (BindingState.ACTIVE, first.external_id)


def test_a_page_that_is_refused_leaves_the_earlier_ones_their_time() -> None:
    merchant = started()
    first = pages(merchant)[0]
    merchant.come_back(first.failed_url)
    merchant.world.simulator.dials.add(Dial("binding", "code", "before", code="4030718"))
    again = merchant.bind()
    assert (again.binding.state, again.redirect_url) == (BindingState.PENDING, None)
    fields = {"binding_id": again.binding.id, "code": "4030718"}
    assert ("another page was refused", fields) in merchant.world.telemetry.notes
    finish(merchant, first)
    come_to_rest(merchant.world)
    assert merchant.binding().state is BindingState.ACTIVE


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_page_whose_answer_was_lost_is_asked_for_again(when: str) -> None:
    merchant = started()
    merchant.come_back(cancel(merchant))
    merchant.world.simulator.dials.add(Dial("binding", "drop", "before" if when == "before" else "after"))
    assert merchant.bind().redirect_url is None
    again = merchant.bind()
    assert code_of(again) == pages(merchant)[-1].code
    assert merchant.come_back(finish(merchant, pages(merchant)[-1])).binding_state is BindingState.ACTIVE


def test_the_latest_five_pages_may_be_finished() -> None:
    merchant = started()
    for _ in range(7):
        merchant.world.clock.tick(1)
        merchant.come_back(cancel(merchant))
        merchant.bind()
    assert set(merchant.binding().earlier_pages) == {one.external_id for one in pages(merchant)[-6:-1]}
    assert all(one.external_id < other.external_id for one, other in pairwise(pages(merchant)))


def test_a_late_answer_belongs_to_the_page_that_was_asked_for() -> None:
    """Whose clock is ahead, or who was frozen, has asked for another page meanwhile: both may be finished."""
    merchant = Merchant(World())
    lose_notifications(merchant.world)
    shown: list[BindingResult] = []

    def ask() -> None:
        merchant.world.clock.tick(31)
        shown.append(merchant.bind())

    merchant.world.weather = Meanwhile("doku.registration", ask)
    late = merchant.bind()
    (second,) = shown
    for_second, for_late = pages(merchant)
    assert code_of(late) == code_of(second) == for_second.code
    assert merchant.binding().external_id == for_second.external_id
    assert set(merchant.binding().earlier_pages) == {for_late.external_id}
    finish(merchant, for_late)
    come_to_rest(merchant.world)
    assert merchant.binding().state is BindingState.ACTIVE


def test_a_late_answer_takes_the_place_of_the_oldest_page_that_may_be_finished() -> None:
    merchant = started()
    for _ in range(5):
        merchant.world.clock.tick(1)
        merchant.come_back(cancel(merchant))
        merchant.bind()
    merchant.world.clock.tick(1)
    merchant.come_back(cancel(merchant))

    def ask() -> None:
        merchant.world.clock.tick(31)
        merchant.bind()

    merchant.world.weather = weather = Meanwhile("doku.registration", ask)
    merchant.bind()
    assert weather.done
    latest = sorted((one.external_id for one in pages(merchant)), reverse=True)
    assert merchant.binding().external_id == latest[0]
    assert set(merchant.binding().earlier_pages) == set(latest[1:6])


def test_a_late_refusal_of_a_page_ends_no_link_with_another() -> None:
    merchant = Merchant(World())
    lose_notifications(merchant.world)

    def ask() -> None:
        merchant.world.clock.tick(31)
        merchant.bind()
        merchant.world.simulator.dials.add(Dial("binding", "code", when="before", code="4030701"))

    merchant.world.weather = weather = Meanwhile("doku.registration", ask)
    assert merchant.bind().binding.state is BindingState.PENDING
    assert weather.done
    merchant.come_back(finish(merchant, pages(merchant)[0]))
    assert merchant.binding().state is BindingState.ACTIVE


def test_the_code_of_a_link_that_has_ended_proves_no_new_page() -> None:
    """DOKU may answer without an auth code (contract 3.3): the notification brings it, and the old one is not tried."""
    merchant = linked()
    world = merchant.world
    world.simulator.unlink_customer(merchant.customer)
    merchant.pay()
    assert merchant.binding().state is BindingState.RELINK_REQUIRED

    def withhold(path: str, answer: Json) -> Json:
        more = answer.get("additionalInfo")
        kept = {name: value for name, value in more.items() if name != "authCode"} if isinstance(more, dict) else more
        return {**answer, "additionalInfo": kept} if path == "registration-account-binding" else answer

    world.bend = withhold
    merchant.bind()
    assert merchant.binding().auth_codes == {}
    finish(merchant, pages(merchant)[-1])
    come_to_rest_soon(merchant)
    assert merchant.binding().state is BindingState.ACTIVE


def test_the_banks_word_ends_a_page_and_keeps_a_link_with_others() -> None:
    merchant = started(told=True)
    first = pages(merchant)[0]
    merchant.come_back(first.failed_url)
    merchant.bind()
    cancel(merchant)
    come_to_rest_soon(merchant)
    assert (merchant.binding().state, merchant.binding().page_ended) == (BindingState.PENDING, True)
    finish(merchant, first)
    come_to_rest(merchant.world)
    assert merchant.binding().state is BindingState.ACTIVE


def test_the_banks_word_on_a_page_that_was_replaced_leaves_the_newer_one() -> None:
    merchant = started(told=True)
    first = pages(merchant)[0]
    merchant.come_back(first.failed_url)
    newer = code_of(merchant.bind())
    merchant.world.simulator.customer.refuse(first.code)
    come_to_rest_soon(merchant)
    assert not merchant.binding().page_ended
    assert code_of(merchant.bind()) == newer


def test_the_banks_word_on_the_only_page_ends_the_link() -> None:
    merchant = started(told=True)
    cancel(merchant)
    come_to_rest_soon(merchant)
    assert merchant.binding().state is BindingState.FAILED
    assert merchant.bind().binding.state is BindingState.PENDING


def test_a_page_to_link_again_is_replaced_like_any_other() -> None:
    merchant = linked()
    merchant.world.simulator.unlink_customer(merchant.customer)
    merchant.pay()
    assert merchant.binding().state is BindingState.RELINK_REQUIRED
    dead = code_of(merchant.bind())
    cancel(merchant)
    come_to_rest_soon(merchant)
    again = merchant.bind()
    assert code_of(again) != dead
    assert again.binding.state is BindingState.RELINK_REQUIRED
    merchant.come_back(finish(merchant, pages(merchant)[-1]))
    assert merchant.binding().state is BindingState.ACTIVE


def test_an_earlier_page_to_link_again_may_be_finished_after_all() -> None:
    merchant = linked()
    merchant.world.simulator.unlink_customer(merchant.customer)
    merchant.pay()
    merchant.bind()
    first = pages(merchant)[-1]
    merchant.come_back(first.failed_url)
    merchant.bind()
    merchant.come_back(finish(merchant, first))
    link = merchant.binding()
    assert (link.state, link.external_id) == (BindingState.ACTIVE, first.external_id)


def come_to_rest_soon(merchant: Merchant) -> None:
    """Let what is on its way arrive."""
    merchant.world.clock.tick(2)
    merchant.world.pump()


# --- a merchant's change of mind -------------------------------------------------------------------------------------


def test_the_browser_goes_where_the_latest_request_says() -> None:
    merchant = started()
    command = BindAccount(
        customer_id=merchant.customer,
        phone=PHONE,
        success_url="https://shop.example/elsewhere",
        failed_url="https://shop.example/not-there",
    )
    again = bind_account(command, merchant.world.process(), merchant.world.deadline())
    assert again.replayed
    told = open_pages(again.binding, merchant.world.process())
    assert (told.success_url, told.failed_url) == (command.success_url, command.failed_url)
    back = merchant.come_back(finish(merchant, pages(merchant)[-1]))
    assert back.url.startswith("https://shop.example/elsewhere?")
    assert requests(merchant.world, "binding") == 1


def test_a_link_that_is_not_confirmed_can_be_given_up() -> None:
    merchant = started()
    given_up = merchant.unbind()
    assert (given_up.binding.state, given_up.replayed) == (BindingState.FAILED, False)
    told = ("link abandoned", {"binding_id": given_up.binding.id, "state": "FAILED"})
    assert told in merchant.world.telemetry.notes
    assert merchant.unbind().replayed
    assert requests(merchant.world, "unbinding") == 0
    merchant.phone = OTHER_PHONE
    again = merchant.bind()
    assert again.binding.id != given_up.binding.id
    assert Merchant(merchant.world, customer="CUST-2").bind().binding.state is BindingState.PENDING


def test_a_link_that_was_never_sent_can_be_given_up() -> None:
    merchant = Merchant(World())
    merchant.world.simulator.dials.add(Dial("binding", "drop", "before"))
    merchant.bind()
    assert merchant.unbind().binding.state is BindingState.FAILED


def test_a_link_that_changes_while_it_is_given_up_is_given_up_all_the_same() -> None:
    merchant = started()
    change = Meanwhile("store.transact_write_items", lambda: touch_binding(merchant, metadata={"cart": "2"}))
    merchant.world.weather = change
    given_up = merchant.unbind()
    assert change.done
    assert (given_up.binding.state, given_up.replayed) == (BindingState.FAILED, False)


def test_a_link_is_not_given_up_while_its_page_is_asked_for() -> None:
    merchant = Merchant(World())

    def abandon() -> None:
        with pytest.raises(NotDone, match="right now"):
            merchant.unbind()

    merchant.world.weather = weather = Meanwhile("doku.registration", abandon)
    assert merchant.bind().binding.state is BindingState.PENDING
    assert weather.done
    assert merchant.come_back(finish(merchant, pages(merchant)[0])).binding_state is BindingState.ACTIVE


def test_a_link_that_has_just_been_finished_is_unlinked() -> None:
    merchant = started()
    finish(merchant, pages(merchant)[0])
    assert merchant.unbind().binding.state is BindingState.UNBIND_OTP_PENDING
    assert merchant.confirm_unbinding().binding.state is BindingState.UNBOUND
    assert links_at_the_bank(merchant) == 0


def test_a_link_is_not_given_up_while_doku_is_asked_or_silent() -> None:
    merchant = started()
    world = merchant.world

    def abandon() -> None:
        with pytest.raises(NotDone, match="right now"):
            merchant.unbind()

    world.weather = weather = Meanwhile("doku.b2b2c", abandon)
    merchant.come_back(finish(merchant, pages(merchant)[0]))
    assert weather.done
    assert merchant.binding().state is BindingState.ACTIVE
    other = Merchant(world, customer="CUST-2", phone=OTHER_PHONE)
    other.bind()
    world.weather = Strike("doku.b2b2c", Fault.FAIL)
    with pytest.raises(NotDone):
        other.unbind()
    assert other.binding().state is BindingState.PENDING


def ask_in_vain(merchant: Merchant) -> Weather:
    """Right before the next claim of a link is written, somebody else claims it, and DOKU does not answer him."""
    world = merchant.world

    def ask() -> None:
        usual, world.weather = world.weather, Strike("doku.b2b2c", Fault.FAIL)
        with pytest.raises(NotDone):
            merchant.unbind()
        world.weather = usual

    return Meanwhile("store.update_item", ask)


def test_a_link_is_not_given_up_by_who_has_not_asked_doku_himself() -> None:
    merchant = started()
    finish(merchant, pages(merchant)[0])
    merchant.world.weather = ask_in_vain(merchant)
    with pytest.raises(NotDone, match="right now"):
        merchant.unbind()
    assert merchant.binding().state is BindingState.PENDING
    assert merchant.unbind().binding.state is BindingState.UNBIND_OTP_PENDING


def test_a_links_lease_is_not_ended_by_who_has_not_asked_doku_himself() -> None:
    merchant = started()
    world = merchant.world
    finish(merchant, pages(merchant)[0])
    world.clock.tick(1_800)
    world.weather = ask_in_vain(merchant)
    resolve_binding(merchant.binding().id, world.process(), world.deadline())
    assert merchant.binding().state is BindingState.PENDING
    come_to_rest_soon(merchant)
    assert merchant.binding().state is BindingState.ACTIVE


def test_a_link_that_is_confirmed_while_it_is_given_up_is_unlinked() -> None:
    merchant = started()
    world = merchant.world

    def confirm() -> None:
        merchant.come_back(finish(merchant, pages(merchant)[0]))

    # The proof is looked for, and not found; then the customer finishes; then the end is written.
    world.weather = weather = Meanwhile("store.transact_write_items", confirm)
    assert merchant.unbind().binding.state is BindingState.UNBIND_OTP_PENDING
    assert weather.done


def test_what_was_given_up_tells_its_workflow() -> None:
    merchant = Merchant(World())
    merchant.bind(task_token="waiting")
    merchant.unbind()
    come_to_rest(merchant.world)
    assert [(token, out["state"]) for token, out in merchant.world.workflows.completed] == [("waiting", "FAILED")]
    shown = list_bindings(ListBindings(selection=OfCustomer(merchant.customer)), merchant.world.process()).shown
    assert [one.binding.state for one in shown] == [BindingState.FAILED]
