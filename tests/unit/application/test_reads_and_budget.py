"""Reading balance and payments, and that no call is begun that could outlive its function."""

from datetime import timedelta

import pytest

from direct_debit.application.bindings.get_balance import get_balance
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import Conflict, CustomerActionRequired, NotDone, NotFound, Rejected
from direct_debit.application.payments.get_payment import GetPayment, get_payment
from direct_debit.application.payments.make_payment import MakePayment, make_payment
from direct_debit.application.refunds.get_refund import get_refund
from direct_debit.domain.binding import BindingState
from direct_debit.domain.money import Amount
from direct_debit.domain.payment import PaymentState
from tests.fakes.clock import START
from tests.fakes.journey import REF, Merchant
from tests.fakes.world import World
from tests.unit.application.support import linked, requests
from tools.doku_simulator.dials import Dial


def test_the_balance_is_read() -> None:
    merchant = linked()
    result = get_balance(merchant.binding().id, merchant.world.process(), merchant.world.deadline())
    assert [(one.amount, one.currency) for one in result.balances] == [("100000000.00", "IDR")]


def test_no_balance_without_an_active_link() -> None:
    merchant = Merchant(World())
    merchant.bind()
    with pytest.raises(Conflict):
        get_balance(merchant.binding().id, merchant.world.process(), merchant.world.deadline())
    with pytest.raises(NotFound):
        get_balance("none", merchant.world.process(), merchant.world.deadline())


@pytest.mark.parametrize(
    ("case", "error"),
    [("50000", NotDone), ("42900", NotDone), ("40318", CustomerActionRequired), ("40301", Rejected)],
)
def test_what_doku_says_instead_of_a_balance(case: str, error: type[Exception]) -> None:
    merchant = linked()
    merchant.world.simulator.dials.add(Dial("balance", "code", when="before", code=case))
    with pytest.raises(error):
        get_balance(merchant.binding().id, merchant.world.process(), merchant.world.deadline())
    assert merchant.binding().state is BindingState.ACTIVE


def test_an_unknown_payment_is_not_found() -> None:
    world = World()
    with pytest.raises(NotFound):
        get_payment(GetPayment(ref=REF), world.process(), world.deadline())


def test_a_payment_is_shown_with_its_history() -> None:
    merchant = linked()
    merchant.pay_to_the_end()
    view = get_payment(GetPayment(ref=REF, refresh=True), merchant.world.process(), merchant.world.deadline())
    assert view.payment.state is PaymentState.PAID
    assert [one.version for one in view.history] == list(range(1, view.payment.version + 1))
    assert requests(merchant.world, "status") == 0  # a settled payment needs no question


def test_a_refund_is_shown_with_its_payment_and_what_is_not_there_is_not_found() -> None:
    merchant = linked()
    world = merchant.world
    with pytest.raises(NotFound, match="no such payment"):
        get_refund(REF, world.process())
    merchant.pay_to_the_end()
    with pytest.raises(NotFound, match="no refund"):
        get_refund(REF, world.process())
    merchant.refund()
    assert get_refund(REF, world.process()) == merchant.payment()


def test_a_refresh_asks_from_the_second_on_in_which_it_may() -> None:
    merchant = linked()
    world = merchant.world
    world.simulator.add_dial(Dial("payment", "drop", when="before"))
    merchant.pay()
    asked = []
    for seconds in (59, 1, 59, 1):
        world.clock.tick(seconds)
        merchant.look(refresh=True)
        asked.append(requests(world, "status"))
    assert asked == [0, 1, 1, 2]  # a minute after the sending, and a minute after the question before


def test_who_only_looks_asks_nothing() -> None:
    merchant = linked()
    merchant.pay()
    merchant.world.clock.tick(600)
    get_payment(GetPayment(ref=REF), merchant.world.process(), merchant.world.deadline())
    assert requests(merchant.world, "status") == 0


def test_a_settled_payment_is_not_asked_about_by_a_refresh() -> None:
    merchant = linked()
    merchant.pay_to_the_end()
    merchant.world.clock.tick(600)
    merchant.look(refresh=True)
    assert requests(merchant.world, "status") == 0


def test_what_is_left_of_a_budget_is_never_less_than_nothing() -> None:
    deadline = Deadline(START)
    left = [deadline.remaining(START + timedelta(seconds=seconds)) for seconds in (-1.5, 0, 1)]
    assert left == [1.5, 0.0, 0.0]


@pytest.mark.parametrize("seconds", [0, 1, 3, 5])
def test_with_too_little_time_nothing_is_sent_and_the_payment_may_be_repeated(seconds: int) -> None:
    merchant = linked()
    world = merchant.world
    command = MakePayment(
        binding_id=merchant.binding().id, amount=Amount.parse("10000.00"), remarks="Order 1", partner_reference_no=REF
    )
    with pytest.raises(NotDone):
        make_payment(command, world.process(), world.deadline(seconds))
    assert requests(world, "payment") == 0
    assert merchant.payment().released
    assert make_payment(command, world.process(), world.deadline()).payment.state is PaymentState.OTP_PENDING
