"""DOKU does not take our signature (401xx00), as during a rotation: nothing was done, and nothing ends by it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from direct_debit.adapters.doku import DokuAdapter
from direct_debit.application.bindings.get_balance import get_balance
from direct_debit.application.errors import NotDone, RelinkRequired
from direct_debit.application.ports.telemetry import Metric
from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import PaymentState
from direct_debit.domain.refund import RefundState
from tests.fakes.invariants import check_at_rest
from tests.fakes.journey import REF, Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.world import World
from tests.unit.application.support import linked, requests
from tools.doku_simulator.dials import Dial


def _refuse_keys(merchant: Merchant, operation: str, count: int = 1) -> None:
    merchant.world.simulator.add_dial(Dial(operation, "code", "before", code="40100", count=count))


def test_a_payment_may_be_sent_again_by_the_same_request() -> None:
    merchant = linked()
    _refuse_keys(merchant, "payment")
    with pytest.raises(NotDone) as refused:
        merchant.pay()
    assert refused.value.code == "4015400"
    payment = merchant.payment()
    assert (payment.state, payment.released) == (PaymentState.REQUESTED, True)
    merchant.pay()
    merchant.enter_otp()
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.PAID
    assert check_at_rest(merchant.world) == []


def test_a_code_may_be_entered_again() -> None:
    merchant = linked()
    merchant.pay()
    _refuse_keys(merchant, "otp")
    with pytest.raises(NotDone):
        merchant.enter_otp()
    assert (merchant.payment().state, merchant.payment().otp_attempts) == (PaymentState.OTP_PENDING, 0)
    merchant.enter_otp()
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.PAID


def test_a_refund_is_sent_again_until_the_keys_fit() -> None:
    merchant = linked()
    merchant.pay_to_the_end()
    _refuse_keys(merchant, "refund", count=3)
    merchant.refund()
    come_to_rest(merchant.world)
    refund = merchant.payment().refund
    assert refund is not None
    assert refund.state is RefundState.REFUNDED
    assert requests(merchant.world, "refund") == 4
    assert merchant.world.refunds(REF) == 1


def test_a_refund_whose_keys_never_fit_needs_a_person() -> None:
    merchant = linked()
    merchant.pay_to_the_end()
    _refuse_keys(merchant, "refund", count=10_000)
    merchant.refund()
    come_to_rest(merchant.world, 3 * 86_400)
    refund = merchant.payment().refund
    assert refund is not None
    assert refund.state is RefundState.NEEDS_REVIEW


def test_an_account_is_linked_and_unlinked_by_repeating_the_request() -> None:
    merchant = Merchant(World())
    _refuse_keys(merchant, "binding")
    with pytest.raises(NotDone):
        merchant.link()
    merchant.link()
    assert merchant.binding().state is BindingState.ACTIVE
    _refuse_keys(merchant, "unbinding")
    with pytest.raises(NotDone):
        merchant.unbind()
    assert merchant.binding().state is BindingState.ACTIVE
    merchant.unbind()
    assert merchant.confirm_unbinding().binding.state is BindingState.UNBOUND


def test_a_probe_that_is_refused_for_our_keys_says_nothing_about_the_link() -> None:
    merchant = linked()
    merchant.unbind()
    merchant.world.simulator.add_dial(Dial("otp", "drop", "after"))
    merchant.confirm_unbinding()
    _refuse_keys(merchant, "balance", count=2)
    come_to_rest(merchant.world)
    assert merchant.binding().state is BindingState.UNBOUND


def test_a_balance_is_asked_for_again() -> None:
    merchant = linked()
    _refuse_keys(merchant, "balance")
    world = merchant.world
    with pytest.raises(NotDone):
        get_balance(merchant.binding().id, world.process(), world.deadline())
    get_balance(merchant.binding().id, world.process(), world.deadline())
    assert requests(world, "balance") == 2


# --- 4017400: our signature, or the customer's tokens? --------------------------------------------------------------


def _ask_for_balance(merchant: Merchant) -> None:
    world = merchant.world
    get_balance(merchant.binding().id, world.process(), world.deadline())


def _whose_renewal_is_refused() -> Merchant:
    """A linked customer whose token has expired, and whose renewal DOKU refuses once for our signature."""
    merchant = linked()
    merchant.world.clock.tick(120)
    merchant.world.simulator.expire_customer_tokens(merchant.customer)
    _refuse_keys(merchant, "b2b2c_token", count=2)  # the refresh token, then the auth code
    return merchant


def test_a_token_exchange_that_is_refused_for_our_signature_unlinks_nobody() -> None:
    merchant = _whose_renewal_is_refused()
    asked = requests(merchant.world, "b2b_token")
    _ask_for_balance(merchant)
    assert merchant.binding().state is BindingState.ACTIVE
    assert requests(merchant.world, "b2b_token") == asked + 1


def test_while_doku_does_not_take_our_signature_no_link_is_given_up() -> None:
    merchant = _whose_renewal_is_refused()
    _refuse_keys(merchant, "b2b_token")
    with pytest.raises(NotDone) as refused:
        _ask_for_balance(merchant)
    assert refused.value.code == "4017300"
    assert merchant.world.telemetry.counts[Metric.CREDENTIALS_REFUSED] == 1
    assert merchant.binding().state is BindingState.ACTIVE
    assert merchant.binding().token_lease_until is None
    _ask_for_balance(merchant)


def test_an_account_is_not_called_unlinked_because_of_our_signature() -> None:
    merchant = _whose_renewal_is_refused()
    _refuse_keys(merchant, "b2b_token")
    with pytest.raises(NotDone):
        merchant.unbind()
    assert merchant.binding().state is BindingState.ACTIVE
    assert any(one.linked for one in merchant.world.simulator.world.bindings.values())
    merchant.unbind()
    assert merchant.confirm_unbinding().binding.state is BindingState.UNBOUND


def test_many_links_that_are_gone_share_one_proof_of_our_signature() -> None:
    world = World()
    merchants = [Merchant(world, customer=f"CUST-{n}", phone=f"62812345670{n}0") for n in range(5)]
    for merchant in merchants:
        merchant.link()
    world.clock.tick(120)
    asked = requests(world, "b2b_token")
    for merchant in merchants:
        world.simulator.unlink_customer(merchant.customer)
        with pytest.raises(RelinkRequired):
            _ask_for_balance(merchant)
        assert merchant.binding().state is BindingState.RELINK_REQUIRED
    assert requests(world, "b2b_token") == asked + 1


def test_an_old_proof_of_our_signature_does_not_count() -> None:
    merchant = linked()
    merchant.world.clock.tick(11)
    merchant.world.simulator.unlink_customer(merchant.customer)
    asked = requests(merchant.world, "b2b_token")
    with pytest.raises(RelinkRequired):
        _ask_for_balance(merchant)
    assert requests(merchant.world, "b2b_token") == asked + 1


def test_a_proof_of_another_key_does_not_count() -> None:
    """Seed 21754 of a version: the key before was taken a moment ago, and the new one is not taken yet."""
    merchant = linked()
    ports = merchant.world.process()
    shared = ports.b2b_tokens.read().token
    assert shared is not None
    now = merchant.world.clock.now()
    assert ports.b2b_tokens.take_lease("another", shared.generation, now, now + timedelta(seconds=10))
    other = replace(shared, signed_with="another", issued_at=now, generation=shared.generation + 1)
    assert ports.b2b_tokens.publish("another", other)
    merchant.world.simulator.unlink_customer(merchant.customer)
    asked = requests(merchant.world, "b2b_token")
    with pytest.raises(RelinkRequired):
        _ask_for_balance(merchant)
    assert requests(merchant.world, "b2b_token") == asked + 1


def test_a_key_that_changes_after_its_proof_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    merchant = linked()
    ids = iter(("old", "new"))
    monkeypatch.setattr(DokuAdapter, "key_id", lambda _: next(ids))
    _refuse_keys(merchant, "b2b2c_token", count=4)
    merchant.world.simulator.expire_customer_tokens(merchant.customer)
    with pytest.raises(NotDone):
        _ask_for_balance(merchant)
    assert merchant.binding().state is BindingState.ACTIVE


@pytest.mark.parametrize("operation", ["b2b_token", "balance"])
def test_an_operator_is_told(operation: str) -> None:
    merchant = linked()
    world = merchant.world
    world.simulator.expire_b2b_tokens()
    _refuse_keys(merchant, operation)
    with pytest.raises(NotDone):
        get_balance(merchant.binding().id, world.process(), world.deadline())
    assert world.telemetry.counts[Metric.CREDENTIALS_REFUSED] == 1
    get_balance(merchant.binding().id, world.process(), world.deadline())
    assert world.telemetry.counts[Metric.CREDENTIALS_REFUSED] == 1
