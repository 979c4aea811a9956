"""AWS cuts a chain of messages, each sent by the worker of the one before, after sixteen: none of ours gets there.

The sweep begins a new chain, so nothing waits much longer for it.
"""

from datetime import timedelta

import pytest

from direct_debit.application.chains import LONGEST_CHAIN, continue_chain
from direct_debit.application.payments.advance_payment import QUEUE_REACH
from direct_debit.application.settings import Settings
from direct_debit.domain.refund import RefundState
from tests.fakes.journey import REF, Merchant
from tests.fakes.outages import SCENES, Outage, Scene, live_through
from tests.fakes.queues import RECURSION_LIMIT, Message
from tests.fakes.weather import Fault
from tests.fakes.world import World
from tests.unit.application.support import linked, lose_notifications
from tools.doku_simulator.dials import Dial

A_DAY = timedelta(hours=25)


def test_the_longest_chain_is_far_from_where_aws_cuts_it() -> None:
    assert LONGEST_CHAIN + 1 < RECURSION_LIMIT / 2


def test_a_chain_has_a_message_for_each_step_of_the_first_quarter_of_an_hour() -> None:
    """The first of them is sent by whoever lost the answer; what comes later is no nearer than a queue reaches."""
    schedule = Settings(public_base_url="").inquiry_schedule
    steps = [step for step in schedule if step <= QUEUE_REACH.total_seconds()]
    assert len(steps) == LONGEST_CHAIN + 1


@pytest.mark.parametrize("fault", [Fault.FAIL, Fault.LOSE])
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.title)
def test_an_outage_of_a_day_cuts_no_chain(scene: Scene, fault: Fault) -> None:
    world = World()
    scene.begin(Merchant(world))
    world.weather = Outage(world.clock, world.clock.now() + A_DAY, fault=fault)
    live_through(world, A_DAY)
    assert world.cut == []
    assert world.longest_lineage <= LONGEST_CHAIN + 1
    assert world.dead_letters == []


def test_in_an_outage_the_queue_carries_most_steps_and_the_sweep_the_others() -> None:
    merchant = linked()
    world = merchant.world
    merchant.pay_to_the_end()
    lose_notifications(world)
    merchant.refund()
    world.weather = Outage(world.clock, world.clock.now() + timedelta(hours=1))
    live_through(world, timedelta(hours=1))
    refund = merchant.payment().refund
    assert refund is not None
    assert refund.state is RefundState.RETRYING
    # Every two minutes and a bit: where the sweep has to begin a chain, that step waits for its minute.
    looks = [note for note, _ in world.telemetry.notes if note == "refund inquiry without an answer"]
    assert len(looks) >= 20
    assert world.longest_lineage == LONGEST_CHAIN


def test_messages_of_one_worker_go_on_with_its_own_chain() -> None:
    world = World()
    ports = continue_chain(world.process(), 2)
    ports.queues.send_notification("inbox")
    ports.queues.send_refund(REF, 1, 5.0)
    ports.queues.send_inquiry(REF, 1, 5.0)
    assert [message.chain for _, _, message, _ in world.queues.waiting] == [3, 3, 3]
    full = continue_chain(world.process(), LONGEST_CHAIN)
    world.queues.waiting.clear()
    full.queues.send_notification("inbox")
    full.queues.send_refund(REF, 1, 5.0)
    full.queues.send_inquiry(REF, 1, 5.0)
    assert world.queues.waiting == []


def test_a_chain_that_crosses_queues_is_one_chain() -> None:
    """A notification asks for an inquiry, the inquiry finds a late success, which is given back."""
    merchant = linked()
    world = merchant.world
    world.simulator.add_dial(Dial("payment", "drop", when="before"))
    merchant.pay()
    world.queues.push(Message("inquiry", REF, chain=2, lineage=2), 61.0)
    world.clock.tick(70)
    world.work()
    following = [message for _, _, message, _ in world.queues.waiting if message.queue == "inquiry"]
    assert (3, 3) in {(message.chain, message.lineage) for message in following}
