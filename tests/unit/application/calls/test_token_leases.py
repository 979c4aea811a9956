"""Tokens at their edges: how long one serves, who renews it, how the others wait, and what is written afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

import pytest

from direct_debit.application.calls.obtain_b2b_token import obtain_b2b_token, prove_key
from direct_debit.application.calls.obtain_customer_token import obtain_customer_token, require_relink, seal_tokens
from direct_debit.application.errors import DokuSilent, NotDone, RelinkRequired
from direct_debit.application.ports.doku_tokens import CustomerTokens
from direct_debit.application.ports.fleet import SharedToken
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.ports.vault import SealedField
from direct_debit.domain.binding import Binding, BindingState
from tests.fakes.clock import START, FakeClock
from tests.fakes.ids import SeededIds
from tests.fakes.journey import Merchant
from tests.fakes.weather import Fault
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, Strike, linked, requests, touch_binding

SECOND = timedelta(seconds=1)
STEP_BACK = timedelta(seconds=0.1)  # in case others start at the same moment


@contextmanager
def waits() -> Iterator[list[float]]:
    """With a jitter of one half: how long is waited each time."""
    slept: list[float] = []
    sleep = FakeClock.sleep

    def note(clock: FakeClock, seconds: float) -> None:
        slept.append(seconds)
        sleep(clock, seconds)

    with patch.object(SeededIds, "jitter", lambda _: 0.5), patch.object(FakeClock, "sleep", note):
        yield slept


def shared(world: World) -> SharedToken:
    token = world.process().b2b_tokens.read().token
    assert token is not None
    return token


def obtain(world: World, seconds: float = 28) -> str:
    deadline = world.deadline(0)
    return obtain_b2b_token(world.process(), replace(deadline, at=deadline.at + seconds * SECOND))


# --- the merchant's token --------------------------------------------------------------------------------------------


def test_each_renewal_is_one_generation_more() -> None:
    world = World()
    generations = []
    for _ in range(3):
        obtain(world)
        generations.append(shared(world).generation)
        world.clock.tick(900)
    assert generations == [1, 2, 3]


def test_a_token_serves_until_ninety_seconds_before_its_end() -> None:
    world = World()
    obtain(world)
    kept = world.process()
    obtain_b2b_token(kept, world.deadline())
    for tick, asked in ((809, 1), (1, 2)):
        world.clock.tick(tick)
        obtain(world)
        assert requests(world, "b2b_token") == asked
    obtain_b2b_token(kept, world.deadline())
    assert requests(world, "b2b_token") == 2  # its own copy has ended too: it takes the shared one


def test_who_waits_for_somebody_elses_renewal_looks_five_times_a_second() -> None:
    world = World()
    now = world.clock.now()
    assert world.process().b2b_tokens.take_lease("somebody", 0, now, now + SECOND)
    with waits() as slept:
        obtain(world)
    assert slept == [pytest.approx(0.3)] * 4


@pytest.mark.parametrize(("seconds", "looks"), [(2.0, 1), (1.999, 0)])
def test_with_less_than_two_seconds_left_nobody_waits_for_a_token(seconds: float, looks: int) -> None:
    world = World()
    now = world.clock.now()
    assert world.process().b2b_tokens.take_lease("somebody", 0, now, now + 3600 * SECOND)
    with waits() as slept, pytest.raises(NotDone):
        obtain(world, seconds)
    assert len(slept) == looks


def test_a_doku_that_does_not_answer_is_told_as_silent_and_its_lease_is_free() -> None:
    world = World()
    world.weather = Strike("doku.b2b", Fault.FAIL)
    with pytest.raises(DokuSilent):
        obtain(world)
    assert world.telemetry.counts[Metric.CREDENTIALS_REFUSED] == 0
    began = world.clock.now()
    obtain(world)
    assert world.clock.now() - began <= STEP_BACK


def test_whose_lease_has_passed_on_uses_its_token_once_and_keeps_the_others() -> None:
    world = World()
    slow = world.process()

    def overtake() -> None:
        world.clock.tick(11)
        obtain(world)

    world.weather = Meanwhile("doku.b2b", overtake)
    token = obtain_b2b_token(slow, world.deadline())
    newest = shared(world)
    assert newest.generation == 1
    assert slow.token_memory.token is None
    assert obtain_b2b_token(slow, world.deadline()) != token
    assert requests(world, "b2b_token") == 2


@pytest.mark.parametrize(("age", "asked"), [(10, 1), (11, 2)])
def test_a_proof_of_our_key_holds_for_ten_seconds(age: int, asked: int) -> None:
    world = World()
    obtain(world)
    world.clock.tick(age)
    ports = world.process()
    assert prove_key(ports, world.deadline()) == ports.doku.key_id() == shared(world).signed_with
    assert requests(world, "b2b_token") == asked


def test_a_key_is_not_proved_by_what_a_process_remembers() -> None:
    world = World()
    ports = world.process()
    obtain_b2b_token(ports, world.deadline())
    world.clock.tick(60)
    prove_key(ports, world.deadline())
    assert requests(world, "b2b_token") == 2


# --- a customer's token ----------------------------------------------------------------------------------------------


def expiring_in(seconds: float | None) -> Merchant:
    """A linked customer whose token ends so soon; None: DOKU did not say when."""
    merchant = linked()
    tokens = merchant.binding().tokens
    assert tokens is not None
    at = None if seconds is None else merchant.world.clock.now() + seconds * SECOND
    touch_binding(merchant, tokens=replace(tokens, access_expires_at=at))
    return merchant


def obtain_customers(merchant: Merchant, seconds: float = 28) -> str:
    deadline = merchant.world.deadline(0)
    until = replace(deadline, at=deadline.at + seconds * SECOND)
    return obtain_customer_token(merchant.world.process(), merchant.binding().id, until).token


@pytest.mark.parametrize(("seconds", "renewed"), [(61, 0), (60, 1), (-5, 1), (None, 0)])
def test_a_customers_token_serves_until_a_minute_before_its_end(seconds: float | None, renewed: int) -> None:
    merchant = expiring_in(seconds)
    asked = requests(merchant.world, "b2b2c_token")
    obtain_customers(merchant)
    assert requests(merchant.world, "b2b2c_token") == asked + renewed


def test_who_waits_for_a_customers_token_looks_three_times_a_second() -> None:
    merchant = expiring_in(0)
    touch_binding(merchant, token_lease_until=merchant.world.clock.now() + SECOND)
    with waits() as slept:
        obtain_customers(merchant)
    assert slept == [pytest.approx(0.45)] * 3


@pytest.mark.parametrize(("seconds", "looks"), [(3.0, 1), (2.999, 0)])
def test_with_less_than_three_seconds_left_nobody_waits_for_a_customers_token(seconds: float, looks: int) -> None:
    merchant = expiring_in(0)
    touch_binding(merchant, token_lease_until=merchant.world.clock.now() + 3600 * SECOND)
    with waits() as slept, pytest.raises(NotDone):
        obtain_customers(merchant, seconds)
    assert len(slept) == looks


def test_a_lease_of_a_renewal_ends_with_its_second() -> None:
    merchant = expiring_in(0)
    touch_binding(merchant, token_lease_until=merchant.world.clock.now())
    with waits() as slept:
        obtain_customers(merchant)
    assert slept == []


def test_a_renewal_is_leased_for_25_seconds_and_gives_the_lease_up() -> None:
    merchant = expiring_in(0)
    seen: list[Binding] = []
    merchant.world.weather = Meanwhile("doku.b2b2c", lambda: seen.append(merchant.binding()))
    token = obtain_customers(merchant)
    now = merchant.world.clock.now()
    assert [one.token_lease_until for one in seen] == [now + 25 * SECOND]
    kept = merchant.binding()
    assert kept.token_lease_until is None
    assert kept.tokens is not None
    assert merchant.world.process().vault.unseal(kept.tokens.access_token, SealedField.ACCESS_TOKEN, kept.id) == token


def test_a_renewal_whose_lease_somebody_else_has_by_now_leaves_it_to_them() -> None:
    merchant = expiring_in(0)
    theirs = merchant.world.clock.now() + 60 * SECOND
    merchant.world.weather = Meanwhile("doku.b2b2c", lambda: touch_binding(merchant, token_lease_until=theirs))
    obtain_customers(merchant)
    assert merchant.binding().token_lease_until == theirs


@pytest.mark.parametrize("fault", [Fault.FAIL, Fault.LOSE])
def test_a_renewal_that_failed_gives_its_lease_up_and_keeps_the_tokens(fault: Fault) -> None:
    merchant = expiring_in(0)
    before = merchant.binding().tokens
    merchant.world.weather = Strike("doku.b2b2c", fault)
    with pytest.raises(NotDone):
        obtain_customers(merchant)
    assert (merchant.binding().tokens, merchant.binding().token_lease_until) == (before, None)


def test_two_who_begin_a_renewal_at_once_ask_once() -> None:
    merchant = expiring_in(0)
    asked = requests(merchant.world, "b2b2c_token")
    merchant.world.weather = weather = Meanwhile("store.update_item", lambda: obtain_customers(merchant))
    obtain_customers(merchant)
    assert weather.done
    assert requests(merchant.world, "b2b2c_token") == asked + 1


def test_without_a_link_there_is_no_token() -> None:
    merchant = linked()
    touch_binding(merchant, tokens=None)
    with pytest.raises(RelinkRequired) as refused:
        obtain_customers(merchant)
    assert refused.value.code is None
    with pytest.raises(RelinkRequired):
        obtain_customer_token(merchant.world.process(), "none", merchant.world.deadline())


def test_tokens_are_sealed_for_their_own_link_alone() -> None:
    ports = World().process()
    sealed = seal_tokens(ports, "one", CustomerTokens("access", START, "refresh", START + SECOND))
    assert ports.vault.unseal(sealed.access_token, SealedField.ACCESS_TOKEN, "one") == "access"
    assert sealed.refresh_token is not None
    assert ports.vault.unseal(sealed.refresh_token, SealedField.REFRESH_TOKEN, "one") == "refresh"
    assert (sealed.access_expires_at, sealed.refresh_expires_at) == (START, START + SECOND)
    assert seal_tokens(ports, "one", CustomerTokens("access", None, None, None)).refresh_token is None


# --- giving a link up ------------------------------------------------------------------------------------------------


def test_a_link_given_up_ends_its_renewals_lease_and_is_counted_once() -> None:
    merchant = linked()
    binding = touch_binding(merchant, token_lease_until=merchant.world.clock.now() + 25 * SECOND)
    ports = merchant.world.process()
    merchant.world.weather = weather = Meanwhile("store.", lambda: touch_binding(merchant, otp_attempts=1))
    with pytest.raises(RelinkRequired) as refused:
        require_relink(ports, binding, "4011102")
    assert weather.done
    assert refused.value.code == "4011102"
    after = merchant.binding()
    assert (after.state, after.token_lease_until, after.otp_attempts) == (BindingState.RELINK_REQUIRED, None, 1)
    assert (after.evidence.code, after.response_code) == ("4011102", "4011102")
    with pytest.raises(RelinkRequired):
        require_relink(ports, after, "4011102")
    assert merchant.world.telemetry.counts[Metric.RELINK_REQUIRED] == 1
    assert merchant.world.telemetry.notes.count(("relink required", {"binding_id": after.id, "code": "4011102"})) == 1


def test_without_a_refresh_token_the_auth_code_is_used_and_without_either_the_link_is_gone() -> None:
    merchant = expiring_in(0)
    tokens = merchant.binding().tokens
    assert tokens is not None
    touch_binding(merchant, tokens=replace(tokens, refresh_token=None))
    obtain_customers(merchant)
    merchant = expiring_in(0)
    tokens = merchant.binding().tokens
    assert tokens is not None
    touch_binding(merchant, tokens=replace(tokens, refresh_token=None), auth_code=None)
    asked = requests(merchant.world, "b2b2c_token")
    with pytest.raises(RelinkRequired):
        obtain_customers(merchant)
    assert requests(merchant.world, "b2b2c_token") == asked
    assert merchant.binding().state is BindingState.RELINK_REQUIRED


def test_a_refused_refresh_without_an_auth_code_is_told_with_dokus_code() -> None:
    merchant = expiring_in(0)
    touch_binding(merchant, auth_code=None)
    merchant.world.simulator.unlink_customer(merchant.customer)
    with pytest.raises(RelinkRequired) as refused:
        obtain_customers(merchant)
    assert refused.value.code == "4017400"


def test_who_renews_too_late_writes_nothing_and_sees_the_newer_record() -> None:
    merchant = expiring_in(0)
    ports = merchant.world.process()
    tokens = merchant.binding().tokens
    assert tokens is not None
    newer = replace(tokens, access_token=ports.vault.seal("newer", SealedField.ACCESS_TOKEN, merchant.binding().id))
    merchant.world.weather = Meanwhile("doku.b2b2c", lambda: touch_binding(merchant, tokens=newer))
    access = obtain_customer_token(ports, merchant.binding().id, merchant.world.deadline())
    assert access.binding == merchant.binding()
    assert merchant.binding().tokens == newer
