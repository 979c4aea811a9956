from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from direct_debit.adapters.dynamodb.history_item import read_history, write_history
from direct_debit.adapters.dynamodb.items import Item
from direct_debit.adapters.dynamodb.keys import payment_key
from direct_debit.application.errors import NotFound, PaymentChanged
from direct_debit.application.ports.pages import OfCustomer, Page
from direct_debit.application.ports.payments import (
    BindingUnusable,
    KeyTaken,
    PaymentExists,
    PaymentKey,
)
from direct_debit.domain.binding import BindingEvent
from direct_debit.domain.payment import Payment
from direct_debit.domain.values import DayCount, day_in_jakarta
from tests.fakes.clock import START
from tests.integration.adapters.conftest import MAX_OPEN, MAX_PER_DAY, World
from tests.integration.adapters.records import (
    TRANSACTIONS,
    a_binding,
    a_payment,
    a_refund,
    a_step,
    accepted,
    step,
)

LATER = START + timedelta(days=2)


@pytest.fixture(autouse=True)
def _active_binding(world: World) -> None:
    activate(world, "b1", "c1", "a1")


def activate(world: World, name: str, customer: str, account: str) -> None:
    binding = a_binding(name, customer=customer, account=account)
    assert world.bindings.create(binding, START) is None
    pending = world.bindings.save(binding, step(binding, BindingEvent.LINK_STARTED))
    world.bindings.save(pending, step(pending, BindingEvent.PROVED))


def open_payments(world: World, name: str = "b1") -> frozenset[str]:
    binding = world.bindings.get(name)
    assert binding is not None
    return binding.open_payments


# --- create ----------------------------------------------------------------------------------------------------------


def test_a_new_payment_is_stored_and_open_on_its_binding(world: World) -> None:
    payment = a_payment()
    assert world.payments.create(payment) is None
    assert world.payments.get("r1") == payment
    assert open_payments(world) == {"r1"}


def test_noting_an_open_payment_leaves_the_bindings_version(world: World) -> None:
    before = world.bindings.get("b1")
    world.payments.create(a_payment())
    after = world.bindings.get("b1")
    assert before is not None
    assert after == replace(before, open_payments=frozenset({"r1"}), charges=DayCount(day_in_jakarta(START), 1))


def test_a_binding_takes_so_many_payments_a_day_and_others_the_next_day(world: World) -> None:
    for number in range(MAX_PER_DAY):
        binding = world.bindings.get("b1")
        assert binding is not None
        assert world.payments.create(a_payment(f"r{number}"), charges=binding.charges) is None
        world.release(f"r{number}")
    full = world.bindings.get("b1")
    assert full is not None
    assert full.charges == DayCount(day_in_jakarta(START), MAX_PER_DAY)
    assert world.payments.create(a_payment("more"), charges=full.charges) == BindingUnusable(full)
    tomorrow = START + timedelta(days=1)
    next_day = replace(a_payment("tomorrow"), created_at=tomorrow)
    assert world.payments.create(next_day, charges=full.charges) is None
    after = world.bindings.get("b1")
    assert after is not None
    assert after.charges == DayCount(day_in_jakarta(tomorrow), 1)


def test_a_reference_is_used_once(world: World) -> None:
    world.payments.create(a_payment(amount="10000.00"))
    again = world.payments.create(a_payment(amount="20000.00"))
    assert again == PaymentExists(a_payment(amount="10000.00"))
    assert world.payments.get("r1") == a_payment(amount="10000.00")


def test_an_existing_payment_is_told_even_when_the_binding_is_unusable(world: World) -> None:
    world.payments.create(a_payment())
    world.release("r1")
    binding = world.bindings.get("b1")
    assert binding is not None
    world.bindings.save_when_settled(binding, step(binding, BindingEvent.UNBIND_REQUESTED))
    assert world.payments.create(a_payment()) == PaymentExists(a_payment())


def test_no_payment_without_its_binding(world: World) -> None:
    assert world.payments.create(a_payment(binding="nobody")) == BindingUnusable(None)
    assert world.payments.get("r1") is None


def test_no_payment_on_a_binding_that_is_not_active(world: World) -> None:
    pending = a_binding("b2", customer="c2", account="a2")
    world.bindings.create(pending, START)
    assert world.payments.create(a_payment(binding="b2", customer="c2")) == BindingUnusable(pending)
    assert world.payments.get("r1") is None


def test_no_payment_on_another_customers_binding(world: World) -> None:
    refused = world.payments.create(a_payment(customer="somebody-else"))
    assert isinstance(refused, BindingUnusable)
    assert world.payments.get("r1") is None
    assert open_payments(world) == frozenset()


def test_open_payments_are_bounded(world: World) -> None:
    refs = [f"r{number}" for number in range(MAX_OPEN)]
    for ref in refs:
        assert world.payments.create(a_payment(ref)) is None
    refused = world.payments.create(a_payment("one-too-many"))
    assert isinstance(refused, BindingUnusable)
    assert refused.binding is not None
    assert refused.binding.open_payments == set(refs)
    assert world.payments.get("one-too-many") is None
    world.release("r0")
    assert world.payments.create(a_payment("one-too-many")) is None


# --- a key names one payment -----------------------------------------------------------------------------------------

KEY = PaymentKey("fingerprint-1", "OWN1")
OTHER_KEY = PaymentKey("fingerprint-2", "OWN2")


def test_a_key_is_recorded_with_its_payment(world: World) -> None:
    assert world.payments.find_key(KEY) is None
    assert world.payments.create(a_payment("r1"), KEY) is None
    assert world.payments.find_key(KEY) == "r1"
    assert world.payments.find_key(OTHER_KEY) is None


def test_a_key_of_another_payment_makes_none(world: World) -> None:
    world.payments.create(a_payment("r1"), KEY)
    assert world.payments.create(a_payment("r2"), KEY) == KeyTaken("r1")
    assert world.payments.get("r2") is None
    assert open_payments(world) == {"r1"}
    assert world.payments.find_key(KEY) == "r1"


def test_a_key_may_come_alone_first_or_later(world: World) -> None:
    assert world.payments.create(a_payment("OWN1"), KEY) is None
    assert world.payments.create(a_payment("r1"), KEY) == KeyTaken("OWN1")
    assert world.payments.create(a_payment("r2"), OTHER_KEY) is None
    assert world.payments.create(a_payment("OWN2"), OTHER_KEY) == KeyTaken("r2")


def test_a_payment_that_an_earlier_release_made_by_the_key_alone_has_the_key(world: World) -> None:
    world.payments.create(a_payment("OWN1"))
    assert world.payments.create(a_payment("r1"), KEY) == KeyTaken("OWN1")
    assert world.payments.get("r1") is None
    world.payments.create(a_payment("r1"))
    assert world.payments.bind_key(KEY, "r1") == KeyTaken("OWN1")
    assert world.payments.find_key(KEY) is None
    assert world.payments.bind_key(KEY, "OWN1") is None
    assert world.payments.find_key(KEY) == "OWN1"


def test_an_existing_payment_is_told_before_its_key(world: World) -> None:
    world.payments.create(a_payment("r1"), KEY)
    world.payments.create(a_payment("r2"))
    assert world.payments.create(a_payment("r2"), KEY) == PaymentExists(a_payment("r2"))
    assert world.payments.create(a_payment("r1"), KEY) == PaymentExists(a_payment("r1"))


def test_a_taken_key_is_told_before_an_unusable_link(world: World) -> None:
    world.payments.create(a_payment("r1"), KEY)
    assert world.payments.create(a_payment("r2", binding="nobody"), KEY) == KeyTaken("r1")
    assert world.payments.create(a_payment("r2", binding="nobody"), OTHER_KEY) == BindingUnusable(None)
    assert world.payments.find_key(OTHER_KEY) is None


def test_a_key_is_bound_once_and_a_repetition_changes_nothing(world: World) -> None:
    world.payments.create(a_payment("r1"))
    world.payments.create(a_payment("r2"))
    assert world.payments.bind_key(KEY, "r1") is None
    assert world.payments.bind_key(KEY, "r1") is None
    assert world.payments.bind_key(KEY, "r2") == KeyTaken("r1")
    assert world.payments.find_key(KEY) == "r1"


def test_one_payment_may_have_several_keys(world: World) -> None:
    world.payments.create(a_payment("r1"), KEY)
    assert world.payments.bind_key(OTHER_KEY, "r1") is None
    assert world.payments.find_key(OTHER_KEY) == "r1"


def test_a_key_is_due_to_nobody_and_expires_never(world: World) -> None:
    world.payments.create(replace(a_payment("r1"), due_at=None), KEY)
    stored = world.payments.get("r1")
    assert stored is not None
    world.payments.confirm_told(stored)
    assert world.payments.list_due(LATER, 10) == []
    item = world.client.get_item(TableName=TRANSACTIONS, Key={"pk": {"S": "KEY#fingerprint-1"}, "sk": {"S": "KEY"}})[
        "Item"
    ]
    assert item == {
        "pk": {"S": "KEY#fingerprint-1"},
        "sk": {"S": "KEY"},
        "kind": {"S": "key"},
        "ref": {"S": "r1"},
    }


# --- save ------------------------------------------------------------------------------------------------------------


def saved(world: World, payment: Payment) -> Payment:
    world.payments.create(payment)
    return payment


def test_a_save_returns_and_stores_what_is_new(world: World) -> None:
    before = saved(world, a_payment())
    after = accepted(before)
    assert world.payments.save(before, after) == after
    assert world.payments.get("r1") == after


def test_the_second_of_two_saves_loses_and_sees_the_first(world: World) -> None:
    before = saved(world, a_payment())
    first = world.payments.save(before, replace(accepted(before), doku_reference="first"))
    with pytest.raises(PaymentChanged) as lost:
        world.payments.save(before, replace(accepted(before), doku_reference="second"))
    assert lost.value.current == first
    assert world.payments.get("r1") == first


def test_a_save_of_the_right_version_but_another_state_loses(world: World) -> None:
    before = saved(world, a_payment())
    mistaken = replace(accepted(before), version=before.version)
    with pytest.raises(PaymentChanged):
        world.payments.save(mistaken, accepted(before))


def test_a_payment_that_is_not_there_can_not_be_saved(world: World) -> None:
    with pytest.raises(NotFound):
        world.payments.save(a_payment("ghost"), accepted(a_payment("ghost")))
    assert world.payments.get("ghost") is None


def test_attributes_of_newer_code_survive_a_save(world: World) -> None:
    before = saved(world, replace(a_payment(), web_redirect_url="https://doku.example/3ds"))
    key = {"pk": {"S": "PAYMENT#r1"}, "sk": {"S": "PAYMENT"}}
    world.client.update_item(
        TableName=TRANSACTIONS,
        Key=key,
        UpdateExpression="SET #new = :new",
        ExpressionAttributeNames={"#new": "fromTheFuture"},
        ExpressionAttributeValues={":new": {"M": {"x": {"N": "1"}}}},
    )
    world.payments.save(before, replace(accepted(before), web_redirect_url=None))
    item = world.client.get_item(TableName=TRANSACTIONS, Key=key)["Item"]
    assert isinstance(item, dict)
    assert item["fromTheFuture"] == {"M": {"x": {"N": "1"}}}
    assert "webRedirectUrl" not in item


# --- reclaim ---------------------------------------------------------------------------------------------------------


def test_a_reclaimed_payment_is_open_again(world: World) -> None:
    before = saved(world, a_payment())
    world.release("r1")
    after = replace(before.noted(START), attempt="another")
    assert world.payments.reclaim(before, after) == after
    assert world.payments.get("r1") == after
    assert open_payments(world) == {"r1"}


def test_a_payment_that_is_still_open_needs_no_further_room(world: World) -> None:
    for number in range(MAX_OPEN):
        world.payments.create(a_payment(f"r{number}"))
    before = a_payment("r0")
    assert isinstance(world.payments.reclaim(before, before.noted(START)), Payment)


def test_a_settled_payment_needs_room_to_be_reclaimed(world: World) -> None:
    before = saved(world, a_payment("r0"))
    world.release("r0")
    for number in range(1, MAX_OPEN + 1):
        world.payments.create(a_payment(f"r{number}"))
    assert isinstance(world.payments.reclaim(before, before.noted(START)), BindingUnusable)
    assert world.payments.get("r0") == before


def test_a_payment_can_not_be_reclaimed_once_unlinking_began(world: World) -> None:
    before = saved(world, a_payment())
    world.release("r1")
    binding = world.bindings.get("b1")
    assert binding is not None
    unbinding = world.bindings.save_when_settled(binding, step(binding, BindingEvent.UNBIND_REQUESTED))
    assert world.payments.reclaim(before, before.noted(START)) == BindingUnusable(unbinding)
    assert world.payments.get("r1") == before


def test_only_one_reclaims(world: World) -> None:
    before = saved(world, a_payment())
    first = world.payments.reclaim(before, replace(before.noted(START), attempt="first"))
    with pytest.raises(PaymentChanged) as lost:
        world.payments.reclaim(before, replace(before.noted(START), attempt="second"))
    assert lost.value.current == first


# --- an account is held, and let go ----------------------------------------------------------------------------------


def test_a_refund_holds_the_account_of_a_settled_payment(world: World) -> None:
    before = saved(world, a_payment())
    world.release("r1")
    after = replace(before.noted(START), refund=a_refund())
    assert world.payments.hold_account(before, after) == after
    assert open_payments(world) == {"r1"}


def test_a_refund_holds_an_account_that_has_to_be_linked_again(world: World) -> None:
    before = saved(world, a_payment())
    world.release("r1")
    binding = world.bindings.get("b1")
    assert binding is not None
    world.bindings.save(binding, step(binding, BindingEvent.TOKEN_REJECTED))
    assert isinstance(world.payments.hold_account(before, replace(before.noted(START), refund=a_refund())), Payment)
    assert open_payments(world) == {"r1"}


def test_a_refund_needs_no_room_among_the_open_payments(world: World) -> None:
    before = saved(world, a_payment("r0"))
    world.release("r0")
    for number in range(1, MAX_OPEN + 1):
        world.payments.create(a_payment(f"r{number}"))
    assert isinstance(world.payments.hold_account(before, before.noted(START)), Payment)


def test_a_refund_holds_an_account_whose_unlinking_waits_and_not_one_that_is_gone(world: World) -> None:
    before = saved(world, a_payment())
    world.release("r1")
    binding = world.bindings.get("b1")
    assert binding is not None
    unbinding = world.bindings.save_when_settled(binding, step(binding, BindingEvent.UNBIND_REQUESTED))
    held = world.payments.hold_account(before, before.noted(START))
    assert isinstance(held, Payment)
    assert open_payments(world) == {"r1"}
    gone = world.bindings.save(unbinding, step(unbinding, BindingEvent.UNBOUND))
    refused = world.payments.hold_account(held, held.noted(START))
    assert isinstance(refused, BindingUnusable)
    assert refused.binding is not None
    assert refused.binding.state is gone.state
    assert world.payments.get("r1") == held


def test_an_account_is_not_let_go_by_who_read_the_payment_too_early(world: World) -> None:
    read = saved(world, a_payment())
    now = world.payments.hold_account(read, replace(read.noted(START), refund=a_refund()))
    with pytest.raises(PaymentChanged) as lost:
        world.payments.release_account("b1", "r1", read)
    assert lost.value.current == now
    assert open_payments(world) == {"r1"}


def test_an_account_is_not_let_go_for_a_payment_that_was_not_there_and_is(world: World) -> None:
    saved(world, a_payment())
    with pytest.raises(PaymentChanged):
        world.payments.release_account("b1", "r1", None)
    assert open_payments(world) == {"r1"}


# --- the due index ---------------------------------------------------------------------------------------------------


def test_a_payment_is_due_when_its_time_has_come(world: World) -> None:
    saved(world, replace(a_payment(), due_at=START + timedelta(seconds=61)))
    assert world.payments.list_due(START + timedelta(seconds=60, microseconds=999_999), 10) == []
    assert world.payments.list_due(START + timedelta(seconds=61), 10) == ["r1"]


def test_a_payment_leaves_the_index_and_comes_back(world: World) -> None:
    before = saved(world, a_payment())
    after = world.payments.save(before, replace(accepted(before), due_at=None))
    world.payments.confirm_told(after)
    assert world.payments.list_due(LATER, 10) == []
    world.payments.save(after, replace(after.noted(START), due_at=START))
    assert world.payments.list_due(LATER, 10) == ["r1"]


@pytest.mark.parametrize(
    ("own", "refund", "expected"),
    [(None, 5, 5), (5, None, 5), (5, 9, 5), (9, 5, 5)],
    ids=["only the refund", "only the payment", "payment first", "refund first"],
)
def test_the_index_has_the_earlier_of_payment_and_refund(
    world: World, own: int | None, refund: int | None, expected: int
) -> None:
    def at(hours: int | None) -> datetime | None:
        return None if hours is None else START + timedelta(hours=hours)

    before = saved(world, a_payment())
    after = replace(accepted(before), due_at=at(own), refund=replace(a_refund(), due_at=at(refund)))
    stored = world.payments.save(before, after)
    assert stored == after
    world.payments.confirm_told(stored)
    due = START + timedelta(hours=expected)
    assert world.payments.list_due(due - timedelta(microseconds=1), 10) == []
    assert world.payments.list_due(due, 10) == ["r1"]


def test_news_that_nobody_tells_is_due(world: World) -> None:
    before = saved(world, replace(a_payment(), due_at=None))
    stored = world.payments.save(before, replace(accepted(before), due_at=None))
    assert [move.version for move in stored.untold] == [2]
    assert stored.tell_by is not None
    assert world.payments.list_due(stored.tell_by - timedelta(microseconds=1), 10) == []
    assert world.payments.list_due(stored.tell_by, 10) == ["r1"]


def test_what_is_told_is_carried_no_longer_and_no_writer_notices(world: World) -> None:
    before = saved(world, a_payment())
    stored = world.payments.save(before, replace(accepted(before), due_at=None))
    world.payments.confirm_told(stored)
    done = world.payments.get("r1")
    assert done is not None
    assert (done.tell_by, done.untold, done.version) == (None, (), stored.version)
    assert world.payments.list_due(LATER, 10) == []
    # Who read it before goes on as if nothing had been written.
    after = world.payments.save(stored, replace(stored.noted(START), response_code="2005400"))
    assert after.response_code == "2005400"


def test_news_that_is_put_off_is_due_later_and_no_writer_notices(world: World) -> None:
    before = saved(world, a_payment())
    stored = world.payments.save(before, replace(accepted(before), due_at=None))
    until = START + timedelta(hours=3)
    assert world.payments.put_off_news(stored, until)
    assert world.payments.put_off_news(replace(stored, tell_by=until), until)  # nothing to write
    assert world.payments.list_due(until - timedelta(microseconds=1), 10) == []
    assert world.payments.list_due(until, 10) == ["r1"]
    kept = world.payments.get("r1")
    assert kept is not None
    assert (kept.untold, kept.version) == (stored.untold, stored.version)
    after = world.payments.save(stored, replace(stored.noted(START), response_code="2005400"))
    assert after.response_code == "2005400"


def test_told_news_are_not_put_off_by_who_read_them_before(world: World) -> None:
    """Seed 32249: the sweep's write was retried by its client after the news had been told."""
    before = saved(world, a_payment())
    stored = world.payments.save(before, replace(accepted(before), due_at=None))
    world.payments.confirm_told(stored)
    assert not world.payments.put_off_news(stored, START + timedelta(hours=3))
    kept = world.payments.get("r1")
    assert kept is not None
    assert (kept.tell_by, kept.untold) == (None, ())
    assert world.payments.list_due(START + timedelta(hours=3), 10) == []


def test_news_of_a_payment_that_has_changed_is_not_put_off(world: World) -> None:
    before = saved(world, a_payment())
    stored = world.payments.save(before, replace(accepted(before), due_at=None))
    assert not world.payments.put_off_news(before, START + timedelta(hours=3))
    kept = world.payments.get("r1")
    assert kept is not None
    assert kept.tell_by == stored.tell_by


def test_what_is_told_is_carried_no_longer_without_a_binding_either(world: World) -> None:
    before = saved(world, a_payment())
    stored = world.payments.save(before, replace(accepted(before), due_at=None))
    world.payments.release_account("a-binding-that-is-gone", "r1", stored, told=True)
    done = world.payments.get("r1")
    assert done is not None
    assert (done.tell_by, done.untold) == (None, ())


def test_a_newer_payment_keeps_its_news(world: World) -> None:
    before = saved(world, a_payment())
    after = world.payments.save(before, replace(accepted(before), due_at=None))
    world.payments.confirm_told(before)
    with pytest.raises(PaymentChanged):
        world.payments.release_account(before.binding_id, "r1", before, told=True)
    kept = world.payments.get("r1")
    assert kept is not None
    assert (kept.untold, kept.tell_by) == (after.untold, after.tell_by)


def test_the_longest_overdue_come_first_over_all_shards(world: World) -> None:
    activate(world, "b2", "c2", "a2")
    expected = []
    for number in range(12):
        name = f"b{number + 10}"
        activate(world, name, f"c{name}", f"a{name}")
        due = START + timedelta(minutes=(number * 7) % 12)
        ref = f"ref-{number}"
        world.payments.create(replace(a_payment(ref, binding=name, customer=f"c{name}"), due_at=due))
        expected.append((due, ref))
    ordered = [ref for _, ref in sorted(expected)]
    assert world.payments.list_due(LATER, 100) == ordered
    assert world.payments.list_due(LATER, 5) == ordered[:5]
    assert world.payments.list_due(START + timedelta(minutes=3), 100) == ordered[:4]


def test_kinds_do_not_mix_in_the_index(world: World) -> None:
    saved(world, a_payment())
    assert world.inbox.list_due(LATER, 10) == []


# --- a customer's payments -------------------------------------------------------------------------------------------


def several(world: World, count: int) -> list[str]:
    """Payments of one customer, each a minute after the one before; their references, newest first."""
    for number in range(count):
        saved(world, replace(a_payment(f"r{number}"), created_at=START + timedelta(minutes=number)))
    return [f"r{number}" for number in reversed(range(count))]


def test_a_customers_payments_come_page_by_page_newest_first(world: World) -> None:
    refs = several(world, MAX_OPEN)
    page = world.payments.list_page(OfCustomer("c1"), 1, None)
    for number, ref in enumerate(refs):
        assert [payment.ref for payment in page.records] == [ref]
        assert (page.following is None) == (number == MAX_OPEN - 1)
        page = world.payments.list_page(OfCustomer("c1"), 1, page.following)
    assert len(refs) > 2


def test_a_page_that_ends_with_the_last_payment_has_no_next_one(world: World) -> None:
    several(world, 2)
    assert world.payments.list_page(OfCustomer("c1"), 2, None).following is None
    assert world.payments.list_page(OfCustomer("another"), 2, None) == Page((), ())


def test_a_payment_that_can_not_be_read_is_named_and_hides_no_other(world: World) -> None:
    refs = several(world, 3)
    item = world.client.get_item(TableName=TRANSACTIONS, Key=payment_key(refs[1]))["Item"]
    assert isinstance(item, dict)
    world.client.put_item(TableName=TRANSACTIONS, Item={**item, "state": {"S": "SETTLING"}})
    page = world.payments.list_page(OfCustomer("c1"), 2, None)
    assert [payment.ref for payment in page.records] == refs[:1]
    assert page.unreadable == (refs[1],)
    assert page.following is not None
    assert [one.ref for one in world.payments.list_page(OfCustomer("c1"), 2, page.following).records] == refs[2:]


# --- history ---------------------------------------------------------------------------------------------------------


def test_history_is_ordered_by_version_and_written_once(world: World) -> None:
    saved(world, a_payment())
    for version in (10, 2, 1):
        assert world.payments.add_history("r1", a_step(version))
    assert not world.payments.add_history("r1", replace(a_step(2), state="FAILED"))
    assert world.payments.history("r1") == [a_step(1), a_step(2), a_step(10)]
    assert world.payments.history("r2") == []


# A step as the release before who asked was in it wrote it, and all that it reads of one.
STEP_BEFORE: Item = {
    "pk": {"S": "PAYMENT#r1"},
    "sk": {"S": "HISTORY#0000000005"},
    "kind": {"S": "history"},
    "version": {"N": "5"},
    "at": {"S": "2026-03-02T09:00:00.000000Z"},
    "state": {"S": "PAID"},
    "refundState": {"S": "REQUESTED"},
    "source": {"S": "caller"},
    "responseCode": {"S": "2005400"},
}


def test_a_step_of_the_release_before_is_read_and_it_finds_in_ours_what_it_reads() -> None:
    """Two releases run side by side, and a rollback reads what the newer one wrote: it ignores what it never knew."""
    entry = read_history(STEP_BEFORE)
    assert (entry.version, entry.refund_state, entry.requested_by) == (5, "REQUESTED", None)
    ours = write_history("r1", replace(entry, requested_by="arn:aws:iam::1:role/shop"))
    assert ours == {**STEP_BEFORE, "requestedBy": {"S": "arn:aws:iam::1:role/shop"}}
    assert write_history("r1", entry) == STEP_BEFORE


def test_a_payment_and_its_history_are_read_together(world: World) -> None:
    payment = saved(world, a_payment())
    assert world.payments.get_with_history("r1") == (payment, [])
    for version in (10, 2):
        world.payments.add_history("r1", a_step(version))
    assert world.payments.get_with_history("r1") == (payment, [a_step(2), a_step(10)])


def test_without_the_payment_its_history_is_nothing(world: World) -> None:
    world.payments.add_history("r1", a_step(2))
    assert world.payments.get_with_history("r1") is None
