"""How much may be asked of one customer in a day (findings/security.md, S6): each may be a message to the phone."""

from datetime import UTC, datetime

import pytest

from direct_debit.application.errors import Conflict, NotDone
from direct_debit.domain.binding import BindingEvent, BindingState
from direct_debit.domain.evidence import Evidence, EvidenceSource
from tests.fakes.journey import Merchant
from tests.fakes.records import with_fields
from tests.fakes.weather import Fault
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, Strike, linked, lose_notifications, requests

BEFORE_MIDNIGHT = datetime(2026, 3, 2, 16, 30, tzinfo=UTC)  # half past eleven at night in Jakarta
HALF_AN_HOUR = 1800


def bounded(**most: int) -> World:
    world = World()
    world.settings = with_fields(world.settings, **most)
    world.clock.set(BEFORE_MIDNIGHT)
    return world


def pay_to_the_end(merchant: Merchant, *refs: str) -> None:
    for ref in refs:
        merchant.pay_to_the_end(ref)


def test_an_account_has_so_many_new_payments_a_day() -> None:
    world = bounded(max_payments_per_day=2)
    merchant = linked(world)
    pay_to_the_end(merchant, "A", "B")
    with pytest.raises(Conflict, match=r"had its 2 new payments of a day.*nothing was sent"):
        merchant.pay("C")
    assert requests(world, "payment") == 2
    assert merchant.pay("A").replayed  # a repeat is no new one
    other = Merchant(world, customer="CUST-2", phone="6285700000002")
    other.link()
    assert other.pay("D").payment.ref == "D"
    world.clock.tick(HALF_AN_HOUR)
    pay_to_the_end(merchant, "C")
    assert (merchant.binding().charges.day, merchant.binding().charges.count) == ("2026-03-03", 1)


def test_payments_at_once_are_counted_each() -> None:
    world = bounded(max_payments_per_day=2)
    merchant = linked(world)
    merchant.pay("A")
    world.weather = weather = Meanwhile("store.transact_write_items", lambda: merchant.pay("B"))
    with pytest.raises(Conflict, match="new payments of a day"):
        merchant.pay("C")
    assert weather.done
    assert merchant.binding().charges.count == 2


@pytest.mark.parametrize("most", [2, 3])
def test_who_read_the_day_before_begins_no_count_anew(most: int) -> None:
    """A slow request: while it stands still, others begin the day and use it up, or nearly."""
    world = bounded(max_payments_per_day=most)
    merchant = linked(world)

    def pay_twice() -> None:
        merchant.pay("A")
        merchant.pay("B")

    world.weather = weather = Meanwhile("store.transact_write_items", pay_twice)
    if most == 2:
        with pytest.raises(Conflict, match="new payments of a day"):
            merchant.pay("C")
    else:
        assert merchant.pay("C").payment.ref == "C"
    assert weather.done
    assert merchant.binding().charges.count == most
    assert requests(world, "payment") == most


def test_a_payment_that_was_not_made_is_not_counted() -> None:
    world = bounded(max_payments_per_day=5, max_open_payments=1)
    merchant = linked(world)
    merchant.pay("A")
    with pytest.raises(Conflict, match="unfinished"):
        merchant.pay("B")
    assert merchant.binding().charges.count == 1


def test_a_customer_is_given_so_many_pages_a_day_over_all_links() -> None:
    world = bounded(max_pages_per_day=3)
    merchant = Merchant(world)
    lose_notifications(world)
    merchant.bind()
    merchant.unbind()
    merchant.phone = "6285700000002"
    merchant.bind()
    merchant.come_back(world.simulator.customer.refuse(page(merchant)).redirect_url or "")
    again = merchant.bind()
    assert again.redirect_url is not None
    assert merchant.bind().replayed  # the same page
    assert requests(world, "binding") == 3
    merchant.come_back(world.simulator.customer.refuse(page(merchant)).redirect_url or "")
    with pytest.raises(Conflict, match=r"had the 3 pages"):
        merchant.bind()
    merchant.phone = "6285700000003"
    with pytest.raises(Conflict, match=r"had the 3 pages.*nothing was sent"):
        merchant.bind()
    assert requests(world, "binding") == 3
    assert Merchant(world, customer="CUST-2").bind().redirect_url is not None
    world.clock.tick(HALF_AN_HOUR)
    assert merchant.bind().redirect_url is not None


def test_who_has_had_all_pages_is_shown_the_link_that_there_is() -> None:
    world = bounded(max_pages_per_day=1)
    merchant = Merchant(world)
    first = merchant.bind()
    again = merchant.bind()
    assert (again.replayed, again.redirect_url) == (True, first.redirect_url)
    merchant.walk_through_pages()
    assert merchant.bind().binding.state is BindingState.ACTIVE  # also that it was finished is found out


def test_an_unlinking_is_begun_so_often_a_day() -> None:
    world = bounded(max_unlinkings_per_day=2)
    merchant = linked(world)
    for _ in range(2):
        assert merchant.unbind().binding.state is BindingState.UNBIND_OTP_PENDING
        assert merchant.unbind().replayed  # while one is under way no other is begun
        for _ in range(3):
            with pytest.raises(Exception, match=r"wrong|refused"):
                merchant.confirm_unbinding("000000")
        assert merchant.binding().state is BindingState.ACTIVE
    with pytest.raises(Conflict, match=r"had its 2 unlinkings of a day.*stays linked"):
        merchant.unbind()
    assert requests(world, "unbinding") == 2
    world.clock.tick(HALF_AN_HOUR)
    assert merchant.unbind().binding.state is BindingState.UNBIND_OTP_PENDING


def test_what_was_never_sent_is_not_counted() -> None:
    """A shop that repeats while DOKU is away uses up nobody's day."""
    world = bounded(max_pages_per_day=1, max_unlinkings_per_day=1)
    merchant = Merchant(world)
    world.weather = Strike("doku.b2b", Fault.FAIL, count=3)
    for _ in range(3):
        with pytest.raises(NotDone):
            merchant.bind()
        world.clock.tick(31)
    merchant.link()
    world.clock.tick(1_000)
    world.weather = Strike("doku.b2b", Fault.FAIL, count=3)
    for _ in range(3):
        with pytest.raises(NotDone):
            merchant.unbind()
        world.clock.tick(31)
    assert merchant.unbind().binding.state is BindingState.UNBIND_OTP_PENDING


def test_without_bounds_nothing_is_counted_out() -> None:
    world = bounded(max_payments_per_day=0, max_pages_per_day=0, max_unlinkings_per_day=0)
    merchant = linked(world)
    pay_to_the_end(merchant, *(f"R{number}" for number in range(60)))
    for _ in range(12):
        merchant.unbind()
        for _ in range(3):
            with pytest.raises(Exception, match=r"wrong|refused"):
                merchant.confirm_unbinding("000000")
    assert merchant.unbind().binding.state is BindingState.UNBIND_OTP_PENDING


def page(merchant: Merchant) -> str:
    return list(merchant.world.simulator.world.bindings)[-1]


# --- over all links of a customer -------------------------------------------------------------------------------------


def unlink(merchant: Merchant) -> None:
    merchant.unbind()
    merchant.confirm_unbinding()
    assert merchant.binding().state is BindingState.UNBOUND


def link_anew(merchant: Merchant, phone: str) -> None:
    merchant.phone = phone
    merchant.link()


def test_payments_are_counted_on_when_a_customer_unlinks_and_links_again() -> None:
    world = bounded(max_payments_per_day=3)
    merchant = linked(world)
    pay_to_the_end(merchant, "A", "B")
    unlink(merchant)
    link_anew(merchant, "6285700000002")
    assert merchant.binding().charges.count == 2
    pay_to_the_end(merchant, "C")
    with pytest.raises(Conflict, match="had its 3 new payments of a day"):
        merchant.pay("D")
    unlink(merchant)
    link_anew(merchant, "6285700000003")
    with pytest.raises(Conflict, match="had its 3 new payments of a day"):
        merchant.pay("D")
    world.clock.tick(HALF_AN_HOUR)
    pay_to_the_end(merchant, "D")


def test_unlinkings_are_counted_on_when_a_customer_links_again() -> None:
    world = bounded(max_unlinkings_per_day=2)
    merchant = linked(world)
    for phone in ("6285700000002", "6285700000003"):
        unlink(merchant)
        link_anew(merchant, phone)
    with pytest.raises(Conflict, match="had its 2 unlinkings of a day"):
        merchant.unbind()
    assert requests(world, "unbinding") == 2


def test_a_link_that_was_never_confirmed_forgets_no_count() -> None:
    world = bounded(max_payments_per_day=2)
    merchant = linked(world)
    pay_to_the_end(merchant, "A", "B")
    unlink(merchant)
    merchant.phone = "6285700000002"
    merchant.bind()
    merchant.unbind()  # given up
    world.clock.tick(1)
    link_anew(merchant, "6285700000003")
    with pytest.raises(Conflict, match="had its 2 new payments of a day"):
        merchant.pay("C")


def test_pages_that_are_asked_for_at_once_are_counted_each() -> None:
    """Both have read that there is one page left."""
    world = bounded(max_pages_per_day=2)
    merchant = Merchant(world)
    lose_notifications(world)
    merchant.bind()
    merchant.unbind()
    rival = Merchant(world, phone="6285700000002")
    merchant.phone = "6285700000003"
    world.weather = weather = Meanwhile("store.transact_write_items", rival.bind)
    with pytest.raises(Conflict, match="had the 2 pages"):
        merchant.bind()
    assert weather.done
    assert requests(world, "binding") == 2


def test_another_page_for_a_link_is_counted_with_those_for_others_at_once() -> None:
    world = bounded(max_pages_per_day=3)
    merchant = Merchant(world)
    lose_notifications(world)
    for _ in range(2):
        merchant.bind()
        merchant.come_back(world.simulator.customer.refuse(page(merchant)).redirect_url or "")
    rival = Merchant(world, phone="6285700000002")
    world.weather = weather = Meanwhile("store.transact_write_items", rival.bind)
    with pytest.raises(Conflict, match=r"had the 3 pages|linked meanwhile"):
        merchant.bind()
    assert weather.done
    assert requests(world, "binding") == 3


def test_a_page_for_a_link_that_the_bank_has_ended_is_counted() -> None:
    world = bounded(max_pages_per_day=2)
    merchant = linked(world)
    relink(merchant)
    merchant.bind()
    assert requests(world, "binding") == 2
    merchant.come_back(world.simulator.customer.refuse(page(merchant)).redirect_url or "")
    with pytest.raises(Conflict, match="had the 2 pages"):
        merchant.bind()


def relink(merchant: Merchant) -> None:
    binding = merchant.binding()
    now = merchant.world.clock.now()
    rejected = binding.moved(BindingEvent.TOKEN_REJECTED, Evidence(EvidenceSource.ANSWER, now, "4010701"))
    assert rejected is not None
    merchant.world.process().bindings.save(binding, rejected)
