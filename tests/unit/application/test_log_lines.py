"""What the runbooks look for (docs/operations.md): each metric has its line in the log, and the line says of what."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from direct_debit.application.bindings.get_balance import get_balance
from direct_debit.application.errors import NotDone
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.refunds.process_refund import process_refund
from direct_debit.domain.payment import PaymentState
from tests.fakes.journey import REF, Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Fault
from tests.fakes.world import World
from tests.unit.application.support import Strike, linked, lose_notifications, paid
from tools.doku_simulator.dials import Dial
from tools.doku_simulator.notifications import NoticeDial

A_DAY = 86400

type Line = tuple[str, dict[str, str]]


def stale_notification() -> tuple[Merchant, Line]:
    merchant = linked()
    merchant.pay()
    merchant.enter_otp()
    merchant.world.clock.tick(2)
    (delivery,) = merchant.world.simulator.due_deliveries()
    merchant.world.deliver(delivery, fresh=False)
    merchant.world.work()
    return merchant, ("stale notification, asking for the status", {"ref": REF, "code": "00"})


def refused_credentials() -> tuple[Merchant, Line]:
    merchant = linked()
    world = merchant.world
    world.clock.tick(900)
    world.simulator.add_dial(Dial("b2b_token", "code", when="before", code="40100"))
    with pytest.raises(NotDone):
        get_balance(merchant.binding().id, world.process(), world.deadline())
    return merchant, ("DOKU does not take our signature, client id or key", {"code": "4017300"})


def refused_signature() -> tuple[Merchant, Line]:
    merchant = linked()
    world = merchant.world
    world.simulator.add_dial(Dial("balance", "code", when="before", code="40100"))
    with pytest.raises(NotDone):
        get_balance(merchant.binding().id, world.process(), world.deadline())
    return merchant, ("DOKU does not take our signature, client id or key", {"code": "4011100"})


def dead_token() -> tuple[Merchant, Line]:
    merchant = linked()
    merchant.world.simulator.unlink_customer(merchant.customer)
    merchant.pay()
    return merchant, ("relink required", {"binding_id": merchant.binding().id, "code": "4017400"})


def link_given_up() -> tuple[Merchant, Line]:
    merchant = Merchant(World())
    merchant.bind()
    merchant.world.simulator.notifications.dials.append(NoticeDial("drop", kind="binding", count=1_000))
    merchant.world.simulator.add_dial(Dial("b2b2c_token", "code", when="before", code="42900", count=100_000))
    come_to_rest(merchant.world, 2 * A_DAY)
    fields = {"binding_id": merchant.binding().id, "code": "4297400"}
    return merchant, ("link given up without a word of DOKU's", fields)


def unlinking_without_end() -> tuple[Merchant, Line]:
    merchant = linked()
    merchant.unbind()
    merchant.world.simulator.add_dial(Dial("*", "drop", count=100_000))
    come_to_rest(merchant.world, A_DAY + 60)
    return merchant, ("unlinking unresolved", {"binding_id": merchant.binding().id})


def late_news_of_a_payment() -> tuple[Merchant, Line]:
    merchant = linked()
    merchant.world.loses = lambda _: True
    merchant.pay_to_the_end()
    come_to_rest(merchant.world, 700)
    return merchant, ("told by the sweep", {"ref": REF, "state": "PAID"})


def late_news_of_a_link() -> tuple[Merchant, Line]:
    merchant = Merchant(World())
    merchant.world.loses = lambda _: True
    merchant.link()
    come_to_rest(merchant.world, 700)
    return merchant, ("told by the sweep", {"binding_id": merchant.binding().id, "state": "ACTIVE"})


def refused_refund() -> tuple[Merchant, Line]:
    merchant = paid()
    merchant.world.simulator.add_dial(Dial("refund", "code", when="before", code="40301"))
    merchant.refund()
    come_to_rest(merchant.world, 5)
    return merchant, ("refund moved", {"ref": REF, "state": "FAILED", "code": "4035801"})


def refund_without_end() -> tuple[Merchant, Line]:
    merchant = paid()
    merchant.refund()
    merchant.world.simulator.add_dial(Dial("*", "drop", "before", count=100_000))
    come_to_rest(merchant.world, 2 * A_DAY)
    return merchant, ("refund moved", {"ref": REF, "state": "NEEDS_REVIEW"})


@pytest.mark.parametrize(
    ("story", "metric"),
    [
        (stale_notification, Metric.NOTIFICATION_STALE),
        (refused_credentials, Metric.CREDENTIALS_REFUSED),
        (refused_signature, Metric.CREDENTIALS_REFUSED),
        (dead_token, Metric.RELINK_REQUIRED),
        (link_given_up, Metric.BINDING_UNRESOLVED),
        (unlinking_without_end, Metric.BINDING_UNRESOLVED),
        (late_news_of_a_payment, Metric.NEWS_LATE),
        (late_news_of_a_link, Metric.NEWS_LATE),
        (refused_refund, Metric.REFUND_FAILED),
        (refund_without_end, Metric.REFUND_NEEDS_REVIEW),
    ],
)
def test_what_is_counted_is_in_the_log(story: Callable[[], tuple[Merchant, Line]], metric: Metric) -> None:
    merchant, line = story()
    assert merchant.world.telemetry.counts[metric] == 1
    assert merchant.world.telemetry.notes.count(line) == 1


def overtaken_reversal() -> tuple[Merchant, Line]:
    merchant = paid()
    world = merchant.world
    delivery = world.simulator.notifications.resend(REF)
    world.deliver(replace(delivery, body={**delivery.body, "latestTransactionStatus": "05"}))
    world.work()
    return merchant, ("told that a paid payment is not, asking for the status", {"ref": REF, "code": "05"})


def refund_inquiry_in_vain() -> tuple[Merchant, Line]:
    merchant = paid()
    world = merchant.world
    world.simulator.add_dial(Dial("refund", "drop"))
    merchant.refund()
    world.work()
    lose_notifications(world)
    world.clock.tick(70)
    world.simulator.add_dial(Dial("status", "code", when="before", code="40306"))
    process_refund(REF, world.process(), world.deadline())
    return merchant, ("refund inquiry without an answer", {"ref": REF, "code": "4035506"})


def refused_probe() -> tuple[Merchant, Line]:
    merchant = linked()
    merchant.unbind()
    merchant.world.simulator.add_dial(Dial("otp", "drop", "after"))
    merchant.confirm_unbinding()
    merchant.world.simulator.add_dial(Dial("balance", "code", "before", code="40301"))
    come_to_rest(merchant.world, 600)
    fields = {"binding_id": merchant.binding().id, "code": "4031101"}
    return merchant, ("the probe of an unlinking was refused", fields)


def trouble_with_a_due_record() -> tuple[Merchant, Line]:
    merchant = linked()
    merchant.pay()
    merchant.world.clock.tick(600)
    merchant.world.weather = Strike("store.get_item", Fault.FAIL)
    merchant.world.tick()
    return merchant, ("due record not resolved", {"reason": "StoreUnavailable"})


def answer_to_a_payment_not_written() -> tuple[Merchant, Line]:
    merchant = linked()
    _lose_the_store_after(merchant, "payment-host-to-host")
    assert merchant.pay().payment.state is PaymentState.REQUESTED
    return merchant, ("answer not written, left to the resolver", {"ref": REF, "code": "4035413"})


def answer_to_a_code_not_written() -> tuple[Merchant, Line]:
    merchant = linked()
    merchant.pay()
    _lose_the_store_after(merchant, "otp-verification")
    assert merchant.enter_otp().payment.state is PaymentState.OTP_SUBMITTED
    return merchant, ("answer not written, left to the resolver", {"ref": REF, "code": "2000400"})


def release_not_written() -> tuple[Merchant, Line]:
    merchant = linked()
    world = merchant.world
    world.weather = _Unreachable(world)
    with pytest.raises(NotDone):
        merchant.pay()
    return merchant, ("release not written, left to the resolver", {"ref": REF})


def answer_to_an_unlinking_not_written() -> tuple[Merchant, Line]:
    merchant = linked()
    merchant.unbind()
    _lose_the_store_after(merchant, "otp-verification")
    merchant.confirm_unbinding()
    fields = {"binding_id": merchant.binding().id, "code": "2000400"}
    return merchant, ("answer not written, left to the resolver", fields)


class _Unreachable(Strike):
    """DOKU can not be reached, and from then on the store fails too."""

    def __init__(self, world: World) -> None:
        super().__init__("doku.payment", Fault.FAIL)
        self._world = world

    def draw(self, name: str) -> Fault:
        fault = super().draw(name)
        if fault is not Fault.NONE:
            self._world.weather = Strike("store.", Fault.FAIL, count=1_000)
        return fault


def _lose_the_store_after(merchant: Merchant, path: str) -> None:
    def bend(answered: str, answer: dict[str, object]) -> dict[str, object]:
        if answered == path:
            merchant.world.weather = Strike("store.", Fault.FAIL, count=1_000)
        return answer

    merchant.world.bend = bend


@pytest.mark.parametrize(
    "story",
    [
        overtaken_reversal,
        refund_inquiry_in_vain,
        refused_probe,
        trouble_with_a_due_record,
        answer_to_a_payment_not_written,
        answer_to_a_code_not_written,
        release_not_written,
        answer_to_an_unlinking_not_written,
    ],
)
def test_what_is_left_to_another_look_is_in_the_log(story: Callable[[], tuple[Merchant, Line]]) -> None:
    merchant, line = story()
    assert merchant.world.telemetry.notes.count(line) == 1
