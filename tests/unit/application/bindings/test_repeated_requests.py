"""What a repeated request to link says anew is heard."""

from direct_debit.application.bindings.bind_account import BindAccount, bind_account, open_pages
from direct_debit.application.bindings.result import BindingResult
from direct_debit.domain.binding import BindingState
from tests.fakes.journey import Merchant
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, linked, requests

BINDING = "binding"


def ask(merchant: Merchant, *, cart: str | None = None, where: str = "linked") -> BindingResult:
    command = BindAccount(
        customer_id=merchant.customer,
        phone=merchant.phone,
        success_url=f"https://shop.example/{where}",
        failed_url=f"https://shop.example/not-{where}",
        metadata={} if cart is None else {"cart": cart},
    )
    return bind_account(command, merchant.world.process(), merchant.world.deadline())


def test_the_customer_comes_back_to_the_page_of_the_last_request() -> None:
    merchant = Merchant(World())
    first = ask(merchant, cart="1")
    again = ask(merchant, where="other", cart="2")
    assert (again.replayed, again.binding.id, again.redirect_url) == (True, first.binding.id, first.redirect_url)
    assert again.binding.metadata == {"cart": "2"}
    back = merchant.come_back(merchant.walk_through_pages())
    assert back.url.startswith("https://shop.example/other?")
    assert requests(merchant.world, BINDING) == 1


def test_metadata_that_a_repeat_leaves_out_stays() -> None:
    merchant = Merchant(World())
    ask(merchant, cart="1")
    kept = ask(merchant, where="other").binding
    assert kept.metadata == {"cart": "1"}


def test_a_finished_link_takes_metadata_and_no_pages() -> None:
    merchant = linked()
    before = merchant.binding()
    again = ask(merchant, where="other", cart="3").binding
    assert (again.state, again.metadata) == (BindingState.ACTIVE, {"cart": "3"})
    assert again.success_url == before.success_url


def test_of_two_repeats_at_once_none_is_lost_without_a_word() -> None:
    merchant = Merchant(World())
    ask(merchant)
    # The first two updates are the look whether the customer has finished; the third is the change.
    weather = Meanwhile("store.update_item", lambda: ask(merchant, where="second", cart="2"), skip=2)
    merchant.world.weather = weather
    told = ask(merchant, where="third").binding
    assert weather.done
    page = open_pages(told, merchant.world.process()).success_url
    assert (page, told.metadata) == ("https://shop.example/third", {"cart": "2"})
    assert merchant.binding() == told
