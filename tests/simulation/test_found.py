"""Every seed that once found something in the product, or in the judge, for good.

What a draw means changes with the simulation, so a seed alone does not keep its story. The story is kept by the mutant
that puts the bug back (`found-...` in mutants.py), and where the scene is simple, by a test that plays it by hand.
"""

import pytest

from tests.fakes.journey import REF, Merchant
from tests.fakes.weather import Crash
from tests.fakes.world import World
from tests.simulation.coverage import Coverage
from tests.simulation.history import run_history
from tools.doku_simulator.config import ProviderVariant
from tools.doku_simulator.dials import Dial

FOUND = {
    13: "a refund was FAILED although the money went back: 'not found' of a lagging status let it be sent again",
    79: "the same, by the refusal of the repetition",
    68: "an expired token made the link UNBOUND while it lived at the bank",
    87: "the same, by a token that a newer one had replaced",
    166: "an account was unlinked while its redriven refund was under way",
    1068: "a refund was sent again although DOKU had reported the payment as refunded",
    8524: "an unlinking was called done because DOKU refused a token that it had just renewed",
    7965: "a refund was sent once more after its token was renewed, although another worker had taken it over",
    27576: "an account was unlinked while a refund was open that had been asked for during an earlier unlinking",
    48902: "an unlinking was called done because the token's renewal was refused as suspended",
    6323: "a refund was sent once more on a history that was older than another worker's sending",
    1001581: "a refund that had ended while it was taken over was due for ever",
    1001632: "the same",
    4168: "an account was unlinked by a code whose answer was lost, and called linked when the next code was refused",
    10442: "a payment sent again and refused was FAILED for good, although DOKU acted on the first sending later",
    3000044: "the judge: a payment needs review although DOKU had told its end, to a worker that died with the answer",
    769: "an account was called unlinked because DOKU did not take our signature on the token's renewal",
    21754: "a link was given up because the key before the one that DOKU did not take had been taken a moment ago",
    7039221: "an unlinking's probe that DOKU refused for another reason counted as proof that the link lives",
    1578: "a late stream record released an account whose refund was under way",
    459: "a refund that completed its payment dropped the payment's question",
    9790: "a look that DOKU refused was put off beyond what a queue holds back, and the sweep came late besides",
    6586: "a notification put a question off that was to be repeated within minutes",
    46541: "a question was called answered by the first word of DOKU after an outage, which was that it did not look",
    28297: "the judge: a look brought nothing, beside another look that had its answer at the same moment",
    32249: "told news were put off and filed again, by the sweep's write that its client had repeated",
    36559: "the judge: the second look came late by as much as the clock of the first was ahead",
    50657: "the judge: a question was early by a code that was sent after its sender had claimed the look",
    71594: "a link was given up by who found somebody else asking DOKU about it, in vain",
    73001: "an answer that came after another page was asked for was taken for that page's",
    580: "the code of a link that had ended stood under the id of the next request for a page",
    74492: "the judge: a link's end was looked at again after the other link, to which it gave way, had ended too",
    771: "the judge: what could not be proved while the secret was not readable is a question, which a lag can waste",
    75546: "the judge: DOKU's token outlives a key that is replaced without an overlap",
    4678: "the judge: a replaced key was heard after its overlap, by who could not read the secret",
    70989: "the judge: another amount was disbelieved before it was read, since the secret could not be confirmed",
    134083: "the judge: an answer could not be written down at the very moment at which the faults stopped",
    123311: "a notification that had waited settled a payment whose refund had been told to a worker that died",
    199179: "a token signed with a new key was refused by who had read the secret a moment before it was put",
    111508: "a link that ended while it was looked at was told as the customer's other link, which keeps him out",
    1519: "a request met a link that ended right then, and was told that its account is linked to another customer",
}


@pytest.mark.parametrize("seed", FOUND)
def test_a_seed_that_found_something_finds_nothing_any_more(seed: int) -> None:
    assert run_history(seed, Coverage()).violations == []


def _paid(world: World) -> Merchant:
    merchant = Merchant(world)
    merchant.link()
    merchant.pay_to_the_end()
    return merchant


def test_a_refund_whose_answer_was_lost_is_not_repeated_on_a_status_that_does_not_show_the_payment() -> None:
    """Seed 13: the status lags by 40 minutes, so it knows neither the payment nor the refund that was made."""
    world = World(variant=ProviderVariant(status_lag=2_400.0, refund_repeat="wrong_state"))
    merchant = _paid(world)
    world.simulator.add_dial(Dial("refund", "drop", "after"))
    merchant.refund()
    world.run_for(1_200)
    assert sum(one.operation == "refund" for one in world.simulator.requests) == 1
    world.run_for(7_200)
    assert merchant.payment().state == "REFUNDED"
    refund = merchant.payment().refund
    assert refund is not None
    assert refund.state == "REFUNDED"
    assert world.refunds(REF) == 1


def test_an_expired_token_does_not_unlink() -> None:
    """Seed 68: DOKU refuses the unlinking for its token; the link is asked about with a fresh one."""
    world = World()
    merchant = _paid(world)
    world.simulator.expire_customer_tokens()
    assert merchant.unbind().binding.state == "UNBIND_OTP_PENDING"
    assert merchant.confirm_unbinding().binding.state == "UNBOUND"
    assert not any(one.linked for one in world.simulator.world.bindings.values())


def test_repeated_messages_of_a_refund_do_not_multiply() -> None:
    """Seed 101872: twenty messages for one refund that waits leave no more than one behind."""
    world = World()
    merchant = _paid(world)
    world.simulator.add_dial(Dial("refund", "code", "before", code="42900", count=50))
    merchant.refund()
    world.run_for(30)
    for _ in range(20):
        world.queues.send_refund(REF, 0, 0.0)
    world.run_for(300)
    assert sum(message.queue == "refund" for _, _, message, _ in world.queues.waiting) <= 1


def test_a_notified_refund_ends_the_refund_that_waits() -> None:
    """Seed 1068: the answer is lost, the notification says 04; nothing more is sent."""
    world = World(variant=ProviderVariant(status_lag=2_400.0))
    merchant = _paid(world)
    world.simulator.add_dial(Dial("refund", "drop", "after"))
    merchant.refund()
    world.pump()
    world.clock.tick(2)
    world.pump()
    refund = merchant.payment().refund
    assert refund is not None
    assert (merchant.payment().state, refund.state, refund.due_at) == ("REFUNDED", "REFUNDED", None)


def test_a_process_that_dies_is_no_exception() -> None:
    """The simulation depends on it: no handler of the application may catch the death of its process."""
    assert not issubclass(Crash, Exception)
