"""Tokens: one B2B request per lifetime for the whole fleet, one refresh per refusal, never another customer's."""

from dataclasses import replace
from datetime import timedelta

import pytest

from direct_debit.application.bindings.get_balance import get_balance
from direct_debit.application.calls.call_doku import call_doku
from direct_debit.application.calls.obtain_b2b_token import obtain_b2b_token
from direct_debit.application.calls.obtain_customer_token import obtain_customer_token, require_relink
from direct_debit.application.errors import NotDone, RelinkRequired
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.ports.vault import SealedField, UnsealFailed
from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import PaymentState
from tests.fakes.journey import Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Crash, Fault
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, Strike, linked, requests
from tools.doku_simulator.config import ProviderVariant
from tools.doku_simulator.dials import Dial


def obtain(world: World, ports: Ports | None = None) -> str:
    return obtain_b2b_token(ports or world.process(), world.deadline())


# --- the merchant's token -------------------------------------------------------------------------------------------


def test_a_fleet_of_cold_processes_makes_one_request_per_lifetime() -> None:
    world = World()
    tokens = {obtain(world) for _ in range(200)}
    assert len(tokens) == 1
    assert requests(world, "b2b_token") == 1
    world.clock.tick(900 - world.settings.token_renew_before)
    tokens = {obtain(world) for _ in range(200)}
    assert requests(world, "b2b_token") == 2


@pytest.mark.parametrize("effect", ["store.get_item", "store.update_item", "doku.b2b"])
def test_one_asks_at_a_time_wherever_the_others_come_in(effect: str) -> None:
    world = World()
    others: list[str] = []
    for skip in range(3):
        world = World()

        def come_in(world: World = world) -> None:
            try:
                others.append(obtain(world))
            except NotDone:
                others.append("waited in vain")

        world.weather = Meanwhile(effect, come_in, skip=skip)
        obtain(world)
        assert requests(world, "b2b_token") == 1 or world.clock.slept  # a second request only after the lease's end


def test_a_follower_waits_for_the_leaders_token() -> None:
    world = World()
    leader, follower = world.process(), world.process()
    now = world.clock.now()
    assert leader.b2b_tokens.take_lease("leader", 0, now, now + timedelta(seconds=10))
    polls: list[float] = []

    def publish() -> None:
        polls.append(world.clock.now().timestamp())
        leader.b2b_tokens.release_lease("leader")
        obtain(world, leader)

    world.weather = Meanwhile("store.get_item", publish, skip=3)
    token = obtain(world, follower)
    assert token == leader.token_memory.token
    assert requests(world, "b2b_token") == 1
    assert world.clock.slept


def test_a_follower_writes_nothing_while_somebody_renews() -> None:
    """Two hundred cold starts at once would write in vain by the hundred, on one item."""
    world = World()
    now = world.clock.now()
    until = now + timedelta(seconds=10)
    assert world.process().b2b_tokens.take_lease("leader", 0, now, until)
    seen = Strike("", Fault.NONE, count=0)
    world.weather = seen
    obtain(world)
    waited = seen.names[: seen.names.index("store.update_item")]
    assert set(waited) == {"store.get_item"}
    assert len(waited) > 10
    assert world.clock.now() >= until


def test_a_leader_that_died_delays_nobody_beyond_its_lease() -> None:
    world = World()
    world.weather = Strike("doku.b2b", Fault.CRASH_BEFORE)
    with pytest.raises(Crash):
        obtain(world)
    began = world.clock.now()
    obtain(world)
    assert world.clock.now() - began <= timedelta(seconds=world.settings.token_lease + 1)


def test_without_a_token_in_time_nothing_is_sent() -> None:
    world = World()
    ports = world.process()
    now = world.clock.now()
    ports.b2b_tokens.take_lease("somebody", 0, now, now + timedelta(hours=1))
    with pytest.raises(NotDone):
        obtain(world)
    assert world.clock.now() - now < timedelta(seconds=28)


def test_a_failed_renewal_gives_the_lease_up_at_once() -> None:
    world = World()
    world.simulator.dials.add(Dial("b2b_token", "drop"))
    with pytest.raises(NotDone):
        obtain(world)
    began = world.clock.now()
    obtain(world)
    assert world.clock.now() - began <= timedelta(seconds=0.1)  # in case others start at the same moment


def test_wrong_credentials_are_not_done_and_named_by_their_code() -> None:
    world = World()
    world.simulator.dials.add(Dial("b2b_token", "code", when="before", code="40100", count=5))
    with pytest.raises(NotDone) as refused:
        obtain(world)
    assert refused.value.code == "4017300"


def test_a_refused_token_is_read_again_before_it_is_renewed() -> None:
    """DOKU may honour only its newest token: whoever holds an older one finds the newer in the table."""
    world = World(variant=ProviderVariant(newest_b2b_token_only=True))
    merchant = linked(world)
    old = world.process()
    obtain(world, old)
    world.clock.tick(900 - world.settings.token_renew_before + 1)
    obtain(world)  # another process renews; the first one's memory still lives by its own clock
    old.token_memory.expires_at = world.clock.now() + timedelta(hours=1)
    asked = requests(world, "b2b_token")
    get_balance(merchant.binding().id, old, world.deadline())
    assert requests(world, "b2b_token") == asked
    assert requests(world, "balance") == 2


def test_a_refused_token_that_is_still_the_newest_is_renewed_once() -> None:
    world = World()
    merchant = linked(world)
    world.simulator.expire_b2b_tokens()
    asked = requests(world, "b2b_token")
    get_balance(merchant.binding().id, world.process(), world.deadline())
    assert requests(world, "b2b_token") == asked + 1


def test_a_token_that_is_refused_twice_is_not_tried_a_third_time() -> None:
    world = World()
    merchant = linked(world)
    world.simulator.dials.add(Dial("balance", "code", when="before", code="40101", count=10))
    with pytest.raises(NotDone):
        get_balance(merchant.binding().id, world.process(), world.deadline())
    assert requests(world, "balance") == 2


def test_a_payment_refused_for_its_token_twice_is_released_not_lost() -> None:
    world = World()
    merchant = linked(world)
    world.simulator.dials.add(Dial("payment", "code", when="before", code="40101", count=2))
    with pytest.raises(NotDone):
        merchant.pay()
    assert merchant.payment().released
    assert merchant.pay().payment.state is PaymentState.OTP_PENDING


def test_one_request_is_counted_per_renewal() -> None:
    world = World()
    obtain(world)
    assert world.telemetry.counts[Metric.B2B_TOKEN_REQUESTED] == 1


# --- the customer's token -------------------------------------------------------------------------------------------


def test_an_expired_token_is_refreshed_once_and_kept() -> None:
    merchant = linked()
    world = merchant.world
    world.simulator.expire_customer_tokens(merchant.customer)
    asked = requests(world, "b2b2c_token")
    get_balance(merchant.binding().id, world.process(), world.deadline())
    get_balance(merchant.binding().id, world.process(), world.deadline())
    assert requests(world, "b2b2c_token") == asked + 1
    assert merchant.binding().token_lease_until is None


def test_a_token_that_no_refresh_saves_asks_to_link_again() -> None:
    merchant = linked()
    world = merchant.world
    world.simulator.unlink_customer(merchant.customer)
    with pytest.raises(RelinkRequired):
        get_balance(merchant.binding().id, world.process(), world.deadline())
    assert merchant.binding().state is BindingState.RELINK_REQUIRED
    assert requests(world, "balance") == 1


def test_a_fresh_token_that_is_refused_as_well_asks_to_link_again() -> None:
    merchant = linked()
    world = merchant.world
    world.simulator.dials.add(Dial("balance", "code", when="before", code="40102", count=10))
    with pytest.raises(RelinkRequired):
        get_balance(merchant.binding().id, world.process(), world.deadline())
    assert requests(world, "balance") == 2
    assert merchant.binding().state is BindingState.RELINK_REQUIRED


def test_an_expired_refresh_token_falls_back_on_the_auth_code() -> None:
    merchant = linked()
    merchant.world.simulator.expire_customer_tokens(merchant.customer, refresh=True)
    result = get_balance(merchant.binding().id, merchant.world.process(), merchant.world.deadline())
    assert result.balances
    assert merchant.binding().state is BindingState.ACTIVE


def test_a_lost_answer_to_a_refresh_unlinks_nobody() -> None:
    merchant = linked()
    world = merchant.world
    world.simulator.expire_customer_tokens(merchant.customer)
    world.simulator.dials.add(Dial("b2b2c_token", "drop"))  # the refresh token is used up
    with pytest.raises(NotDone):
        get_balance(merchant.binding().id, world.process(), world.deadline())
    assert merchant.binding().state is BindingState.ACTIVE
    get_balance(merchant.binding().id, world.process(), world.deadline())


def test_one_process_refreshes_while_the_others_wait() -> None:
    merchant = linked()
    world = merchant.world
    world.simulator.expire_customer_tokens(merchant.customer)
    asked = requests(world, "b2b2c_token")
    seen: list[str] = []

    def come_in() -> None:
        try:
            get_balance(merchant.binding().id, world.process(), world.deadline(10))
        except NotDone as error:
            seen.append(error.detail)

    world.weather = Meanwhile("doku.b2b2c", come_in)
    get_balance(merchant.binding().id, world.process(), world.deadline())
    assert requests(world, "b2b2c_token") == asked + 1
    assert len(seen) == 1


def test_a_slow_refresh_does_not_overwrite_the_tokens_of_a_faster_one() -> None:
    """The refresh token is used up by the faster one: writing the old pair back would lose the link."""
    merchant = linked()
    world = merchant.world
    world.simulator.expire_customer_tokens(merchant.customer)

    def overtake() -> None:
        world.clock.tick(26)  # the slow one's lease is over
        get_balance(merchant.binding().id, world.process(), world.deadline())

    world.weather = Meanwhile("doku.b2b2c", overtake)
    world.simulator.dials.add(Dial("b2b2c_token", "drop", skip=1))
    with pytest.raises(NotDone):
        get_balance(merchant.binding().id, world.process(), world.deadline(60))
    world.simulator.dials.clear()
    asked = requests(world, "b2b2c_token")
    get_balance(merchant.binding().id, world.process(), world.deadline())
    assert requests(world, "b2b2c_token") == asked  # the faster one's token is still there


def test_a_slow_refresh_that_is_refused_does_not_end_a_link_that_a_faster_one_renewed() -> None:
    merchant = linked()
    world = merchant.world
    world.simulator.expire_customer_tokens(merchant.customer)
    binding = merchant.binding()
    stripped = binding.noted(world.clock.now())
    world.process().bindings.save(binding, replace(stripped, auth_code=None))

    def overtake() -> None:
        world.clock.tick(26)
        get_balance(merchant.binding().id, world.process(), world.deadline())

    world.weather = Meanwhile("doku.b2b2c", overtake)
    with pytest.raises((NotDone, RelinkRequired)):
        get_balance(merchant.binding().id, world.process(), world.deadline(60))
    assert merchant.binding().state is BindingState.ACTIVE


def test_a_token_put_into_another_customers_record_is_never_used() -> None:
    world = World()
    one = linked(world)
    other = Merchant(world, customer="CUST-2", phone="6289876543210")
    other.link()
    ports = world.process()
    mine, theirs = one.binding(), other.binding()
    assert theirs.tokens is not None
    ports.bindings.save(mine, replace(mine.noted(world.clock.now()), tokens=theirs.tokens))
    sent = requests(world, "payment")
    with pytest.raises(UnsealFailed) as refusal:
        one.pay()
    assert isinstance(refusal.value, NotDone)  # and so the caller hears that nothing was sent
    assert one.payment().released
    assert requests(world, "payment") == sent
    come_to_rest(world)
    assert one.payment().state is PaymentState.FAILED


def test_tokens_of_two_customers_stay_apart_in_one_process() -> None:
    world = World()
    one = linked(world)
    other = Merchant(world, customer="CUST-2", phone="6289876543210")
    other.link()
    ports = world.process()
    first = obtain_customer_token(ports, one.binding().id, world.deadline()).token
    second = obtain_customer_token(ports, other.binding().id, world.deadline()).token
    owners = world.simulator.world.access_tokens
    assert (owners[first].binding.customer, owners[second].binding.customer) == ("CUST-1", "CUST-2")


def test_a_call_whose_tokens_are_both_refused_is_done_with_both_renewed() -> None:
    merchant = linked()
    world = merchant.world
    world.simulator.add_dial(Dial("balance", "code", when="before", code="40101"))
    world.simulator.add_dial(Dial("balance", "code", when="before", code="40102"))
    assert get_balance(merchant.binding().id, world.process(), world.deadline()).balances
    ids = [one.external_id for one in world.simulator.requests if one.operation == "balance"]
    assert len(set(ids)) == 3


def test_a_call_without_a_customer_that_is_refused_for_a_customers_token_is_not_done() -> None:
    merchant = linked()
    world = merchant.world
    world.simulator.add_dial(Dial("status", "code", when="before", code="40102"))
    payment = merchant.pay().payment
    ports = world.process()
    with pytest.raises(NotDone) as refused:
        call_doku(ports, world.deadline(), lambda call: ports.doku.inquire_status(payment, call))
    assert refused.value.code == "4015502"
    assert requests(world, "status") == 1
    assert merchant.binding().state is BindingState.ACTIVE


# --- giving a link up -----------------------------------------------------------------------------------------------


def test_tokens_that_somebody_has_renewed_meanwhile_give_no_link_up() -> None:
    merchant = linked()
    ports, binding = merchant.world.process(), merchant.binding()
    assert binding.tokens is not None
    renewed = replace(binding.tokens, access_token="sealed-anew")
    ports.bindings.save(binding, replace(binding.noted(merchant.world.clock.now()), tokens=renewed))
    with pytest.raises(NotDone):
        require_relink(ports, binding, "4017402")
    assert (merchant.binding().state, merchant.binding().tokens) == (BindingState.ACTIVE, renewed)
    assert merchant.world.telemetry.counts[Metric.RELINK_REQUIRED] == 0


def test_a_link_that_has_ended_meanwhile_is_not_taken_for_one_with_renewed_tokens() -> None:
    merchant = linked()
    ports, binding = merchant.world.process(), merchant.binding()
    merchant.unbind()
    merchant.confirm_unbinding()
    with pytest.raises(RelinkRequired):
        require_relink(ports, binding, "4017402")
    assert merchant.binding().state is BindingState.UNBOUND


# --- texts that were sealed by an earlier version, or with a key before ----------------------------------------------


def replace_data_key(world: World) -> None:
    """A new key seals from now on; the one before opens what it sealed."""
    keys = {**world.secret.token_keys, "k2": b"2" * 32}
    world.secret = replace(world.secret, token_keys=keys, active_token_key="k2")


def test_a_links_texts_are_sealed_anew_at_their_first_use_and_then_no_more() -> None:
    merchant = linked()
    world = merchant.world
    replace_data_key(world)
    before = merchant.binding()
    merchant.pay("INV-1")
    after = merchant.binding()
    assert before.tokens is not None
    assert after.tokens is not None
    for old, new in (
        (before.tokens.access_token, after.tokens.access_token),
        (before.tokens.refresh_token, after.tokens.refresh_token),
        (before.auth_code, after.auth_code),
    ):
        assert str(old).startswith("2.k1.")
        assert str(new).startswith("2.k2.")
    merchant.enter_otp(ref="INV-1")
    assert merchant.binding().tokens == after.tokens
    assert after.version == before.version + 1


def test_what_can_not_be_sealed_anew_now_holds_up_nobody() -> None:
    merchant = linked()
    world = merchant.world
    replace_data_key(world)
    before = merchant.binding()
    world.weather = Strike("store.update_item", Fault.FAIL)
    assert merchant.pay("INV-1").payment.state is PaymentState.OTP_PENDING
    assert merchant.binding().tokens == before.tokens


def test_a_text_whose_key_is_gone_holds_up_nobody_whose_token_opens() -> None:
    """The auth code is the fallback of a fallback: a payment needs the access token alone."""
    merchant = linked()
    world = merchant.world
    replace_data_key(world)
    ports = world.process()
    binding = merchant.binding()
    assert binding.tokens is not None
    token = ports.vault.unseal(binding.tokens.access_token, SealedField.ACCESS_TOKEN, binding.id)
    renewed = replace(binding.tokens, access_token=ports.vault.seal(token, SealedField.ACCESS_TOKEN, binding.id))
    ports.bindings.save(binding, replace(binding.noted(world.clock.now()), tokens=renewed))
    obtain_b2b_token(ports, world.deadline(), refused=obtain(world))  # the shared one is sealed with the new key by now
    world.secret = replace(world.secret, token_keys={"k2": world.secret.token_keys["k2"]})
    assert merchant.pay("INV-1").payment.state is PaymentState.OTP_PENDING
    assert merchant.binding().auth_code == binding.auth_code
