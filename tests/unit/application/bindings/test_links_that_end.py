"""Every link ends: where DOKU does not say whether it was finished, a day after its lease, and somebody is told.

And no link ends for what has nothing to do with it: a key that is being replaced, a late word about an older one.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from direct_debit.application.bindings.get_balance import get_balance
from direct_debit.application.errors import NotDone
from direct_debit.application.ports.inbox import InboxItem, InboxKind, InboxState
from direct_debit.application.ports.telemetry import Metric
from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import PaymentState
from tests.fakes.invariants import check_at_rest
from tests.fakes.journey import Merchant
from tests.fakes.processes import TRANSACTIONS
from tests.fakes.quiescence import come_to_rest
from tests.fakes.world import World
from tests.unit.application.support import linked, requests
from tools.doku_simulator.config import ProviderVariant
from tools.doku_simulator.dials import Dial
from tools.doku_simulator.notifications import Delivery, NoticeDial
from tools.doku_simulator.operations import Json

HOUR = 3600
A_DAY = 24 * HOUR
NO_WORD = ["40001", "40401", "40301", "42900", "40000", "50000"]
"""Answers to an exchange that do not say whether the customer has finished."""


def silence_the_bank(world: World) -> None:
    """Let no notification of a link come, as the contract allows."""
    world.simulator.notifications.dials.append(NoticeDial("drop", kind="binding", count=1_000))


def inbox(world: World) -> list[InboxItem]:
    ports = world.process()
    keys = [item["pk"]["S"].removeprefix("INBOX#") for item in world.store.items(TRANSACTIONS)]
    found = [ports.inbox.get(key) for key in keys]
    return [one for one in found if one is not None and one.kind is InboxKind.BINDING]


# --- links that nobody speaks of -------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("code", NO_WORD)
def test_a_link_of_which_doku_never_says_anything_fails_a_day_after_its_lease(code: str) -> None:
    merchant = Merchant(World())
    world = merchant.world
    begun = world.clock.now()
    merchant.bind(task_token="task")
    silence_the_bank(world)
    world.simulator.add_dial(Dial("b2b2c_token", "code", when="before", code=code, count=100_000))
    come_to_rest(world, A_DAY)
    assert merchant.binding().state is BindingState.PENDING
    come_to_rest(world, A_DAY)
    binding = merchant.binding()
    assert (binding.state, binding.due_at) == (BindingState.FAILED, None)
    ended = binding.evidence.at - begun
    lease = timedelta(seconds=world.settings.link_lease)
    assert timedelta(days=1) + lease <= ended <= timedelta(days=1, minutes=20) + lease
    assert world.telemetry.counts[Metric.BINDING_UNRESOLVED] == 1
    assert [output["state"] for _, output in world.workflows.completed] == ["FAILED"]
    assert [event.name for event in world.events.published] == ["binding.failed"]
    assert check_at_rest(world) == []


def test_a_doku_that_refuses_to_say_is_asked_seldom() -> None:
    merchant = Merchant(World())
    merchant.bind()
    silence_the_bank(merchant.world)
    merchant.world.simulator.add_dial(Dial("b2b2c_token", "code", when="before", code="42900", count=100_000))
    come_to_rest(merchant.world, 2 * A_DAY)
    assert merchant.binding().state is BindingState.FAILED
    assert requests(merchant.world, "b2b2c_token") <= 120  # once in two minutes would be 735


def test_the_account_of_a_link_that_was_given_up_is_free() -> None:
    merchant = Merchant(World())
    world = merchant.world
    merchant.bind()
    silence_the_bank(world)
    world.simulator.add_dial(Dial("b2b2c_token", "code", when="before", code="40001", count=100_000))
    come_to_rest(world, 2 * A_DAY)
    world.simulator.dials.clear()
    other = Merchant(world, customer="CUST-2")
    assert other.link().state is BindingState.ACTIVE


def test_a_link_that_was_finished_while_doku_refused_to_say_is_found_within_the_day() -> None:
    merchant = finished_unheard()
    world = merchant.world
    world.simulator.add_dial(Dial("b2b2c_token", "code", when="before", code="42900", count=100_000))
    come_to_rest(world, 12 * HOUR)
    assert merchant.binding().state is BindingState.PENDING
    world.simulator.dials.clear()
    come_to_rest(world, 20 * 60)
    assert merchant.binding().state is BindingState.ACTIVE
    assert world.telemetry.counts[Metric.BINDING_UNRESOLVED] == 0


def relinking() -> Merchant:
    """A link that the bank ended; its customer was sent to the bank's page again."""
    merchant = linked()
    merchant.world.simulator.unlink_customer(merchant.customer)
    merchant.pay()
    assert merchant.binding().state is BindingState.RELINK_REQUIRED
    assert merchant.bind().redirect_url is not None
    silence_the_bank(merchant.world)
    return merchant


@pytest.mark.long
@pytest.mark.parametrize("code", NO_WORD)
def test_a_page_for_linking_again_of_which_doku_never_says_anything_is_closed(code: str) -> None:
    merchant = relinking()
    world = merchant.world
    before = requests(world, "b2b2c_token")
    world.simulator.add_dial(Dial("b2b2c_token", "code", when="before", code=code, count=100_000))
    come_to_rest(world, 2 * A_DAY)
    binding = merchant.binding()
    assert (binding.state, binding.redirect_url, binding.due_at) == (BindingState.RELINK_REQUIRED, None, None)
    assert world.telemetry.counts[Metric.BINDING_UNRESOLVED] == 1
    # Where DOKU says that it can not, it is asked every two minutes: its answer is worth minutes.
    assert requests(world, "b2b2c_token") - before <= (750 if code == "50000" else 120)
    world.simulator.dials.clear()
    assert merchant.bind().redirect_url is not None
    merchant.come_back(merchant.walk_through_pages())
    assert merchant.binding().state is BindingState.ACTIVE


# --- keys that are being replaced ------------------------------------------------------------------------------------


def finished_unheard() -> Merchant:
    """A link whose customer has finished at the bank, of which nobody told us."""
    merchant = Merchant(World())
    merchant.bind()
    merchant.walk_through_pages()
    silence_the_bank(merchant.world)
    return merchant


class Rotation:
    """DOKU takes our signature no more: it says so with the code of the merchant's token, or of the customer's."""

    def __init__(self, world: World, code: str) -> None:
        self._code = code
        self.over = False
        world.bend = self._bend

    def _bend(self, path: str, answer: Json) -> Json:
        refused: Json = {"responseCode": self._code, "responseMessage": "Unauthorized. Invalid Signature"}
        if self.over or path not in ("b2b", "b2b2c"):
            return answer
        return refused if path == "b2b2c" else {**refused, "responseCode": "4017300"}


@pytest.mark.parametrize("code", ["4017300", "4017400"])
def test_a_rotation_while_a_customers_token_is_renewed_ends_no_link(code: str) -> None:
    merchant = linked()
    world = merchant.world
    world.simulator.expire_customer_tokens(merchant.customer)
    world.clock.tick(600)
    rotation = Rotation(world, code)
    with pytest.raises(NotDone):
        get_balance(merchant.binding().id, world.process(), world.deadline())
    assert merchant.binding().state is BindingState.ACTIVE
    rotation.over = True
    world.clock.tick(60)
    assert get_balance(merchant.binding().id, world.process(), world.deadline()).balances


@pytest.mark.parametrize("code", ["4017300", "4017400"])
def test_a_rotation_at_the_end_of_a_links_lease_ends_no_link(code: str) -> None:
    """The customer has finished, nothing told us so, and the last exchange meets a key that is being replaced."""
    merchant = finished_unheard()
    world = merchant.world
    rotation = Rotation(world, code)
    come_to_rest(world, world.settings.link_lease + 15 * 60)
    assert merchant.binding().state is BindingState.PENDING
    rotation.over = True
    come_to_rest(world, HOUR)
    assert merchant.binding().state is BindingState.ACTIVE
    assert check_at_rest(world) == []


@pytest.mark.parametrize("code", ["4017300", "4017400"])
def test_a_rotation_while_a_link_is_given_up_gives_up_none_that_was_finished(code: str) -> None:
    merchant = finished_unheard()
    world = merchant.world
    world.clock.tick(60)
    rotation = Rotation(world, code)
    with pytest.raises(NotDone):
        merchant.unbind()
    assert merchant.binding().state is BindingState.PENDING
    rotation.over = True
    world.clock.tick(60)
    assert merchant.unbind().binding.state is BindingState.UNBIND_OTP_PENDING


def test_a_suspension_at_the_end_of_a_links_lease_ends_no_link() -> None:
    """403xx16 speaks of no link: DOKU did not look whether the customer has finished."""
    merchant = finished_unheard()
    world = merchant.world
    world.simulator.dials.add(Dial("b2b2c_token", "code", when="before", code="4037416", count=1_000))
    with pytest.raises(NotDone):
        merchant.unbind()
    come_to_rest(world, world.settings.link_lease + 15 * 60)
    assert merchant.binding().state is BindingState.PENDING
    world.simulator.dials.clear()
    come_to_rest(world, HOUR)
    assert merchant.binding().state is BindingState.ACTIVE
    assert check_at_rest(world) == []


def test_a_customer_whom_doku_does_not_know_has_to_link_again() -> None:
    """The other meaning of 401xx00: our signature was taken in between, so it is the customer's token."""
    merchant = linked()
    merchant.world.simulator.unlink_customer(merchant.customer)
    merchant.world.simulator.expire_customer_tokens(merchant.customer)
    assert merchant.pay().payment.state is PaymentState.FAILED
    assert merchant.binding().state is BindingState.RELINK_REQUIRED


# --- late words ------------------------------------------------------------------------------------------------------


def kept_notification(merchant: Merchant) -> Delivery:
    """Take the bank's word about a link off its way."""
    merchant.world.clock.tick(2)
    (delivery,) = merchant.world.simulator.due_deliveries()
    merchant.world.simulator.record_result(delivery, 200)
    assert delivery.kind == "binding"
    return delivery


def test_a_late_notification_of_a_link_that_has_ended_is_nobodys_business() -> None:
    merchant = Merchant(World())
    world = merchant.world
    merchant.bind()
    merchant.come_back(merchant.walk_through_pages())
    delivery = kept_notification(merchant)
    merchant.unbind()
    merchant.confirm_unbinding()
    assert merchant.binding().state is BindingState.UNBOUND
    world.deliver(delivery)
    world.pump()
    assert [(one.state, one.reason) for one in inbox(world)] == [(InboxState.PROCESSED, "ended")]
    assert world.telemetry.counts[Metric.NOTIFICATION_QUARANTINED] == 0
    assert merchant.binding().state is BindingState.UNBOUND


def test_a_late_notification_of_a_link_that_was_followed_by_another_does_not_touch_that_one() -> None:
    merchant = Merchant(World())
    world = merchant.world
    merchant.bind()
    merchant.come_back(merchant.walk_through_pages())
    delivery = kept_notification(merchant)
    merchant.unbind()
    merchant.confirm_unbinding()
    world.clock.tick(5)
    second = merchant.link()
    delivery.body = {**delivery.body, "additionalInfo": {**_info(delivery), "status": "FAILED"}}
    world.deliver(delivery)
    world.pump()
    assert merchant.binding() == second
    assert second.state is BindingState.ACTIVE
    assert {one.state for one in inbox(world)} == {InboxState.PROCESSED}


def _info(delivery: Delivery) -> Json:
    info = delivery.body["additionalInfo"]
    assert isinstance(info, dict)
    return info


def test_a_notification_of_a_link_that_is_not_ours_waits_for_a_person() -> None:
    merchant = Merchant(World(variant=ProviderVariant()))
    world = merchant.world
    merchant.bind()
    merchant.come_back(merchant.walk_through_pages())
    delivery = kept_notification(merchant)
    world.deliver(replace(delivery, body={**delivery.body, "originalExternalId": "4711"}))
    world.pump()
    assert [(one.state, one.reason) for one in inbox(world)] == [(InboxState.QUARANTINED, "unknown_binding")]
    assert world.telemetry.counts[Metric.NOTIFICATION_QUARANTINED] == 1
