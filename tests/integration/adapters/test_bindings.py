from dataclasses import replace
from datetime import timedelta

import pytest

from direct_debit.adapters.dynamodb.binding_item import read_binding, write_binding
from direct_debit.application.errors import BindingChanged, NotFound
from direct_debit.application.ports.bindings import AccountClaimLost, AccountTaken, CustomerBindings
from direct_debit.domain.binding import Binding, BindingEvent, BindingState, SealedTokens
from direct_debit.domain.values import DayCount, day_in_jakarta
from tests.fakes.clock import START
from tests.integration.adapters.conftest import World
from tests.integration.adapters.records import BINDINGS, LEASE, a_binding, a_payment, a_step, step

AFTER_LEASE = START + LEASE
LATER = START + timedelta(days=2)
TODAY = day_in_jakarta(START)


def pending(world: World, binding: Binding | None = None) -> Binding:
    binding = binding or a_binding()
    assert world.bindings.create(binding, START) is None
    return world.bindings.save(binding, step(binding, BindingEvent.LINK_STARTED))


def active(world: World, binding: Binding | None = None) -> Binding:
    before = pending(world, binding)
    return world.bindings.save(before, step(before, BindingEvent.PROVED))


def confirm(world: World, binding_id: str) -> Binding:
    before = world.bindings.get(binding_id)
    assert before is not None
    if before.state is BindingState.REQUESTED:
        before = world.bindings.save(before, step(before, BindingEvent.LINK_STARTED))
    return world.bindings.save(before, step(before, BindingEvent.PROVED))


def unbinding(world: World, before: Binding) -> Binding:
    return world.bindings.save_when_settled(before, step(before, BindingEvent.UNBIND_REQUESTED))


# --- create ----------------------------------------------------------------------------------------------------------


def test_a_new_binding_is_found_by_id_customer_and_return_state(world: World) -> None:
    binding = a_binding()
    assert world.bindings.create(binding, START) is None
    assert world.bindings.get("b1") == binding
    assert world.bindings.find_by_customer("c1") == binding
    assert world.bindings.find_by_return_state("state-of-b1") == binding
    assert world.bindings.list_by_customer("c1") == CustomerBindings((binding,))


def test_a_binding_in_a_state_of_newer_code_hides_none_of_the_others(world: World) -> None:
    world.bindings.create(a_binding(), START)
    other = a_binding("b2", account="a2")
    item = {**write_binding(replace(other, created_at=START + LEASE)), "state": {"S": "SETTLING"}}
    world.client.put_item(TableName=BINDINGS, Item=item)
    assert world.bindings.list_by_customer("c1") == CustomerBindings((a_binding(),), ("b2",))


def test_what_is_not_there_is_not_found(world: World) -> None:
    assert world.bindings.get("b1") is None
    assert world.bindings.find_by_customer("c1") is None
    assert world.bindings.find_by_return_state("state") is None
    assert world.bindings.list_by_customer("c1") == CustomerBindings(())


def test_a_claimed_account_is_taken_for_another_customer(world: World) -> None:
    holder = pending(world)
    assert world.bindings.create(a_binding("b2", customer="c2"), START) == AccountTaken(holder)
    assert world.bindings.get("b2") is None
    assert world.bindings.find_by_customer("c2") is None


def test_a_customer_has_one_place(world: World) -> None:
    holder = pending(world)
    assert world.bindings.create(a_binding("b2", account="a2"), START) == AccountTaken(holder)
    assert world.bindings.get("b2") is None
    assert world.bindings.create(a_binding("b3", customer="c3", account="a2"), START) is None


def test_of_two_holders_the_accounts_is_told(world: World) -> None:
    account_holder = pending(world, a_binding("b1", customer="c1", account="a1"))
    pending(world, a_binding("b2", customer="c2", account="a2"))
    taken = world.bindings.create(a_binding("b3", customer="c2", account="a1"), START)
    assert taken == AccountTaken(account_holder)


def test_a_claim_is_held_to_the_end_of_its_lease(world: World) -> None:
    holder = pending(world)
    just_before = AFTER_LEASE - timedelta(microseconds=1)
    assert world.bindings.create(a_binding("b2", customer="c2"), just_before) == AccountTaken(holder)
    assert world.bindings.create(a_binding("b2", customer="c2"), AFTER_LEASE) is None


def test_an_active_bindings_claims_have_no_lease(world: World) -> None:
    holder = active(world)
    assert world.bindings.create(a_binding("b2", customer="c2"), LATER) == AccountTaken(holder)
    assert world.bindings.create(a_binding("b2", account="a2"), LATER) == AccountTaken(holder)


def test_a_binding_is_created_once(world: World) -> None:
    first = a_binding()
    assert world.bindings.create(first, START) is None
    assert world.bindings.create(replace(first, phone_hint="000"), START) == AccountTaken(first)
    assert world.bindings.get("b1") == first


def test_bindings_of_a_customer_are_listed_newest_first(world: World) -> None:
    for number in range(3):
        created = START + timedelta(hours=number)
        binding = replace(a_binding(f"b{number}"), created_at=created, lease_until=created + LEASE)
        assert world.bindings.create(binding, created) is None
    assert [binding.id for binding in world.bindings.list_by_customer("c1").bindings] == ["b2", "b1", "b0"]


# --- save ------------------------------------------------------------------------------------------------------------


def test_the_second_of_two_saves_loses_and_sees_the_first(world: World) -> None:
    before = a_binding()
    first = pending(world, before)
    with pytest.raises(BindingChanged) as lost:
        world.bindings.save(before, step(before, BindingEvent.LINK_STARTED))
    assert lost.value.current == first


def test_a_binding_that_is_not_there_can_not_be_saved(world: World) -> None:
    ghost = a_binding()
    with pytest.raises(NotFound):
        world.bindings.save(ghost, step(ghost, BindingEvent.LINK_STARTED))
    with pytest.raises(NotFound):
        world.bindings.save(ghost, step(ghost, BindingEvent.LINK_REFUSED))
    assert world.bindings.get("b1") is None


def test_becoming_active_is_stored(world: World) -> None:
    before = pending(world)
    after = replace(step(before, BindingEvent.PROVED), tokens=SealedTokens("a", LATER, None, None), due_at=None)
    assert world.bindings.save(before, after) == after
    assert world.bindings.get("b1") == after


@pytest.mark.parametrize(
    "other",
    [{"customer": "c2"}, {"account": "a2"}],
    ids=["the account was taken over", "the customer's place was taken over"],
)
def test_a_binding_whose_claim_passed_on_can_not_become_active(world: World, other: dict[str, str]) -> None:
    before = pending(world)
    assert world.bindings.create(a_binding("b2", **other), AFTER_LEASE) is None
    confirm(world, "b2")
    with pytest.raises(AccountClaimLost):
        world.bindings.save(before, step(before, BindingEvent.PROVED))
    assert world.bindings.get("b1") == before


@pytest.mark.parametrize("other", [{"customer": "c2"}, {"account": "a2"}], ids=["the account", "the customer's place"])
def test_a_binding_that_is_confirmed_takes_what_an_unconfirmed_one_claims(world: World, other: dict[str, str]) -> None:
    before = pending(world)
    rival = a_binding("b2", **other)
    assert world.bindings.create(rival, AFTER_LEASE) is None
    world.bindings.save(before, step(before, BindingEvent.PROVED))
    with pytest.raises(AccountClaimLost):
        confirm(world, "b2")
    ended = world.bindings.get("b2")
    assert ended is not None
    world.bindings.save(ended, step(ended, BindingEvent.LINK_EXPIRED))  # gives up what it has, and nothing else
    assert world.bindings.create(a_binding("b3"), LATER) == AccountTaken(world.bindings.get("b1"))


def test_a_named_link_is_replaced_until_it_is_confirmed(world: World) -> None:
    before = pending(world)
    rival = a_binding("b2", customer="c2")
    assert world.bindings.create(rival, START, replacing=["another"]) == AccountTaken(before)
    assert world.bindings.create(rival, START, replacing=["another", "b1"]) is None
    kept = world.bindings.get("b1")
    assert kept == before
    confirm(world, "b2")
    held = AccountTaken(world.bindings.get("b2"))
    assert world.bindings.create(a_binding("b3", customer="c3"), START, replacing=["b2"]) == held


def test_a_race_for_becoming_active_is_lost_like_any_other(world: World) -> None:
    before = pending(world)
    first = world.bindings.save(before, step(before, BindingEvent.PROVED))
    with pytest.raises(BindingChanged) as lost:
        world.bindings.save(before, step(before, BindingEvent.PROVED))
    assert lost.value.current == first


@pytest.mark.parametrize("event", [BindingEvent.LINK_REFUSED, BindingEvent.LINK_EXPIRED])
def test_a_failed_link_gives_account_and_customer_free(world: World, event: BindingEvent) -> None:
    before = pending(world)
    world.bindings.save(before, step(before, event))
    assert world.bindings.find_by_customer("c1") is None
    assert world.bindings.create(a_binding("b2"), START) is None


def test_an_unlinked_account_is_free(world: World) -> None:
    before = unbinding(world, active(world))
    ended = world.bindings.save(before, step(before, BindingEvent.UNBOUND))
    assert ended.state is BindingState.UNBOUND
    assert world.bindings.create(a_binding("b2", customer="c2"), START) is None
    assert world.bindings.create(a_binding("b3", account="a3"), START) is None


@pytest.mark.parametrize(
    ("customer", "account"),
    [("c2", "a1"), ("c1", "a2"), ("c1", "a1")],
    ids=["the account's passed on", "the customer's passed on", "both passed on"],
)
def test_an_ended_binding_leaves_claims_of_others(world: World, customer: str, account: str) -> None:
    before = pending(world)
    successor = replace(a_binding("b2", customer=customer, account=account), lease_until=LATER)
    assert world.bindings.create(successor, AFTER_LEASE) is None
    after = step(before, BindingEvent.LINK_EXPIRED)
    assert world.bindings.save(before, after) == after
    assert world.bindings.find_by_customer(customer) == successor
    # Of b1's own claims those that it still held are free, before their lease would have ended; the others are not.
    third = world.bindings.create(a_binding("b3", customer="c3", account="a1"), START)
    assert (third is None) == (account != "a1")
    fourth = world.bindings.create(a_binding("b4", customer="c1", account="a4"), START)
    assert (fourth is None) == (customer != "c1")


def test_a_prolonged_lease_keeps_the_claims(world: World) -> None:
    before = pending(world)
    longer = AFTER_LEASE + LEASE
    after = world.bindings.save(before, replace(before.noted(START), lease_until=longer))
    assert world.bindings.create(a_binding("b2", customer="c2"), AFTER_LEASE) == AccountTaken(after)
    assert world.bindings.create(a_binding("b2", customer="c2"), longer) is None


def test_a_lease_that_passed_on_can_not_be_prolonged(world: World) -> None:
    before = pending(world)
    world.bindings.create(a_binding("b2", customer="c2"), AFTER_LEASE)
    confirm(world, "b2")
    with pytest.raises(AccountClaimLost):
        world.bindings.save(before, replace(before.noted(START), lease_until=LATER))
    assert world.bindings.get("b1") == before


def test_linking_again_hands_out_a_new_return_state(world: World) -> None:
    before = active(world)
    required = world.bindings.save(before, step(before, BindingEvent.TOKEN_REJECTED))
    after = replace(required.noted(START), return_state_hash="another", lease_until=LATER)
    assert world.bindings.save(required, after) == after
    assert world.bindings.find_by_return_state("another") == after
    assert world.bindings.find_by_return_state("state-of-b1") == after
    assert world.bindings.create(a_binding("b2", customer="c2"), LATER + LEASE) == AccountTaken(after)


def test_a_return_state_in_use_is_not_handed_out_again(world: World) -> None:
    pending(world, a_binding("b2", customer="c2", account="a2", state="used"))
    before = active(world)
    required = world.bindings.save(before, step(before, BindingEvent.TOKEN_REJECTED))
    with pytest.raises(AccountClaimLost):
        world.bindings.save(required, replace(required.noted(START), return_state_hash="used"))
    found = world.bindings.find_by_return_state("used")
    assert found is not None
    assert found.id == "b2"


# --- open payments ---------------------------------------------------------------------------------------------------


def test_a_save_keeps_payments_that_were_opened_meanwhile(world: World) -> None:
    before = active(world)
    world.payments.create(a_payment("r1"))
    after = world.bindings.save(before, before.noted(START))
    assert after.open_payments == {"r1"}
    stored = world.bindings.get("b1")
    assert stored is not None
    assert stored.open_payments == {"r1"}


def test_a_save_from_a_stale_set_brings_no_settled_payment_back(world: World) -> None:
    active(world)
    world.payments.create(a_payment("r1"))
    before = world.bindings.get("b1")
    assert before is not None
    world.release("r1")
    assert world.bindings.save(before, before.noted(START)).open_payments == frozenset()


def test_forgetting_is_harmless_when_repeated(world: World) -> None:
    before = active(world)
    world.payments.create(a_payment("r1"))
    world.payments.create(a_payment("r2"))
    for _ in range(2):
        world.release("r1")
    assert world.bindings.get("b1") == replace(before, open_payments=frozenset({"r2"}), charges=DayCount(TODAY, 1))


def test_forgetting_on_a_binding_that_is_not_there_makes_none(world: World) -> None:
    world.release("r1", binding="ghost")
    item = world.client.get_item(TableName=BINDINGS, Key={"pk": {"S": "BINDING#ghost"}, "sk": {"S": "BINDING"}})
    assert "Item" not in item


def test_unlinking_waits_for_open_payments(world: World) -> None:
    before = active(world)
    world.payments.create(a_payment("r1"))
    with pytest.raises(BindingChanged) as refused:
        unbinding(world, before)
    assert refused.value.current == replace(before, open_payments=frozenset({"r1"}), charges=DayCount(TODAY, 1))
    world.release("r1")
    assert unbinding(world, before).state is BindingState.UNBIND_OTP_PENDING


def test_unlinking_loses_to_another_change(world: World) -> None:
    before = active(world)
    changed = world.bindings.save(before, before.noted(START))
    with pytest.raises(BindingChanged) as lost:
        unbinding(world, before)
    assert lost.value.current == changed


# --- the due index ---------------------------------------------------------------------------------------------------


def test_a_binding_enters_and_leaves_the_index(world: World) -> None:
    before = pending(world)
    assert world.bindings.list_due(AFTER_LEASE - timedelta(microseconds=1), 10) == []
    assert world.bindings.list_due(AFTER_LEASE, 10) == ["b1"]
    proved = world.bindings.save(before, replace(step(before, BindingEvent.PROVED), due_at=None))
    assert world.bindings.list_due(LATER, 10) == ["b1"]  # for its news
    world.bindings.confirm_told(proved)
    assert world.bindings.list_due(LATER, 10) == []
    told = world.bindings.get("b1")
    assert told is not None
    assert (told.untold, told.tell_by, told.version) == ((), None, proved.version)


def test_a_newer_binding_keeps_its_news(world: World) -> None:
    before = pending(world)
    proved = world.bindings.save(before, replace(step(before, BindingEvent.PROVED), due_at=None))
    world.bindings.confirm_told(before)
    kept = world.bindings.get("b1")
    assert kept is not None
    assert [move.state for move in kept.untold] == ["ACTIVE"]
    assert kept.tell_by == proved.tell_by


def test_told_news_of_a_binding_are_not_put_off_by_who_read_them_before(world: World) -> None:
    before = pending(world)
    proved = world.bindings.save(before, replace(step(before, BindingEvent.PROVED), due_at=None))
    world.bindings.confirm_told(proved)
    assert not world.bindings.put_off_news(proved, LATER)
    kept = world.bindings.get("b1")
    assert kept is not None
    assert (kept.tell_by, kept.untold) == (None, ())


def test_news_of_a_binding_that_is_put_off_is_due_later(world: World) -> None:
    before = pending(world)
    proved = world.bindings.save(before, replace(step(before, BindingEvent.PROVED), due_at=None))
    assert not world.bindings.put_off_news(before, LATER)  # it has changed
    assert world.bindings.put_off_news(proved, LATER)
    assert world.bindings.put_off_news(replace(proved, tell_by=LATER), LATER)  # nothing to write
    assert world.bindings.list_due(LATER - timedelta(microseconds=1), 10) == []
    assert world.bindings.list_due(LATER, 10) == ["b1"]
    kept = world.bindings.get("b1")
    assert kept is not None
    assert (kept.untold, kept.version) == (proved.untold, proved.version)


def test_a_due_time_that_older_code_wrote_is_read(world: World) -> None:
    item = dict(write_binding(replace(a_binding(), due_at=AFTER_LEASE)))
    del item["ownDueAt"]
    assert read_binding(item).due_at == AFTER_LEASE


def test_a_link_s_history_is_ordered_by_version_and_written_once(world: World) -> None:
    binding = active(world)
    asked = replace(a_step(2), state="UNBIND_OTP_PENDING", requested_by="arn:aws:iam::1:role/shop")
    assert world.bindings.add_history(binding.id, a_step(10))
    assert world.bindings.add_history(binding.id, asked)
    assert not world.bindings.add_history(binding.id, replace(asked, state="FAILED"))
    assert world.bindings.history(binding.id) == [asked, a_step(10)]
    assert world.bindings.history("another") == []
    assert world.bindings.get(binding.id) == binding
    assert [one.id for one in world.bindings.list_by_customer("c1").bindings] == [binding.id]


def test_of_a_link_s_codes_those_are_kept_that_look_like_codes(world: World) -> None:
    told = replace(a_step(3), code="Budi, 0812", response_code="2000700")
    world.bindings.add_history("b1", told)
    assert world.bindings.history("b1") == [replace(told, code=None)]


def test_attributes_of_newer_code_survive_a_save(world: World) -> None:
    before = pending(world)
    key = {"pk": {"S": "BINDING#b1"}, "sk": {"S": "BINDING"}}
    world.client.update_item(
        TableName=BINDINGS,
        Key=key,
        UpdateExpression="SET #new = :new",
        ExpressionAttributeNames={"#new": "fromTheFuture"},
        ExpressionAttributeValues={":new": {"S": "x"}},
    )
    world.bindings.save(before, step(before, BindingEvent.PROVED))
    item = world.client.get_item(TableName=BINDINGS, Key=key)["Item"]
    assert isinstance(item, dict)
    assert item["fromTheFuture"] == {"S": "x"}
