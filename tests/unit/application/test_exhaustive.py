"""Every operation, struck at every one of its side effects by every fault, alone and with an equal second caller.

After the fault the weather is fair: the impatient client repeats its request, time passes until nothing is due any
more, and the records must agree with the bank's ledger. What was reported as "not done" must not have happened.
With FAULT_PAIRS=1 in the environment every pair of positions and faults is run as well, which takes minutes.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations, product
from typing import Literal

import pytest

from direct_debit.application.bindings.get_balance import get_balance
from direct_debit.application.errors import DirectDebitError, NotDone
from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import PaymentState
from tests.fakes.invariants import WRONG_OTP, bindings_of, check_at_rest, payments_of
from tests.fakes.journey import REF, Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Crash, Failures, Fault, Weather
from tests.fakes.world import World
from tools.doku_simulator.config import ProviderVariant
from tools.doku_simulator.dials import Dial
from tools.doku_simulator.records import BindingState as BankBindingState
from tools.doku_simulator.records import PaymentState as BankPaymentState

FAULTS = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.FAIL, Fault.LOSE)

ALL_PAIRS = os.environ.get("FAULT_PAIRS") == "1"
MORE_EFFECTS_AFTER_A_FAULT = 3  # an operation that handles a fault does more than one that meets none

USUAL = ProviderVariant()

type Company = Literal["alone", "repeated at once", "repeated later"]
COMPANIES: tuple[Company, ...] = ("alone", "repeated at once", "repeated later")


class Faults(Weather):
    """The faults at these positions, fair weather otherwise; counts the effects."""

    def __init__(self, planned: Mapping[int, Fault]) -> None:
        self._planned = planned
        self.names: list[str] = []

    def draw(self, name: str) -> Fault:
        self.names.append(name)
        return self._planned.get(len(self.names) - 1, Fault.NONE)


class AppliedTwice(Weather):
    """The answer to each write of the store is lost, and the AWS client repeats the same request by itself."""

    def effect[T](self, name: str, run: Callable[[], T], failures: Failures) -> T:  # noqa: ARG002 - nothing fails
        if name.startswith("store.") and name not in ("store.get_item", "store.query"):
            run()
        return run()


@dataclass(frozen=True)
class Operation:
    """How to get there, what is struck, and what may not have happened when it was reported as not done."""

    name: str
    prepare: Callable[[Merchant], None]
    act: Callable[[Merchant], None]
    untouched: Callable[[World], bool] = lambda _: True
    variant: ProviderVariant = USUAL


def _nothing(_: Merchant) -> None:
    return


def _linked(merchant: Merchant) -> None:
    merchant.link()


def _at_the_bank(merchant: Merchant) -> None:
    merchant.bind()
    merchant.walk_through_pages()


def _come_back(merchant: Merchant) -> None:
    pages = [one for one in merchant.world.simulator.world.bindings.values() if one.customer == merchant.customer]
    merchant.come_back(pages[-1].success_url)


def _awaiting_otp(merchant: Merchant) -> None:
    merchant.link()
    merchant.pay()


def _answer_lost(merchant: Merchant) -> None:
    merchant.link()
    merchant.pay(amount="10504.00")
    merchant.world.simulator.notifications.deliveries.clear()
    merchant.world.simulator.notifications._waiting.clear()
    merchant.world.stream()
    merchant.world.queues.waiting.clear()
    merchant.world.clock.tick(95)


def _debited_unnoticed(merchant: Merchant) -> None:
    merchant.link()
    merchant.pay()
    merchant.enter_otp()
    merchant.world.clock.tick(1)


def _notified(merchant: Merchant) -> None:
    _debited_unnoticed(merchant)
    merchant.world.notify()


def _paid(merchant: Merchant) -> None:
    merchant.link()
    merchant.pay_to_the_end()


def _refund_accepted(merchant: Merchant) -> None:
    _paid(merchant)
    merchant.refund()


def _refund_answer_lost(merchant: Merchant) -> None:
    _paid(merchant)
    merchant.world.simulator.dials.add(Dial("refund", "drop"))
    merchant.refund()
    merchant.world.work()
    merchant.world.clock.tick(70)


def _unbinding(merchant: Merchant) -> None:
    merchant.link()
    merchant.unbind()


def _unbinding_forgotten(merchant: Merchant) -> None:
    _unbinding(merchant)
    merchant.world.clock.tick(400)


def _tokens_expired(merchant: Merchant) -> None:
    merchant.link()
    merchant.world.simulator.expire_customer_tokens(merchant.customer)
    merchant.world.simulator.expire_b2b_tokens()


def _no_payment(world: World) -> bool:
    return REF not in world.simulator.world.payments


def _otp_not_used(world: World) -> bool:
    return world.simulator.world.payments[REF][0].state is BankPaymentState.OTP_PENDING


def _no_link(world: World) -> bool:
    return not world.simulator.world.bindings


def _still_linked(world: World) -> bool:
    return any(one.linked for one in world.simulator.world.bindings.values())


def _not_unlinking(world: World) -> bool:
    return any(one.state is BankBindingState.ACTIVE for one in world.simulator.world.bindings.values())


def _work(merchant: Merchant) -> None:
    merchant.world.work()


def _sweep(merchant: Merchant) -> None:
    merchant.world.tick()
    merchant.world.work()


def _bind(merchant: Merchant) -> None:
    merchant.bind()


def _balance(merchant: Merchant) -> None:
    get_balance(merchant.binding().id, merchant.world.process(), merchant.world.deadline())


def _pay(merchant: Merchant) -> None:
    merchant.pay()


def _pay_with_lost_answer(merchant: Merchant) -> None:
    merchant.pay(amount="10504.00")


def _pay_declined(merchant: Merchant) -> None:
    merchant.pay(amount="10014.00")


def _pay_with_a_key(merchant: Merchant) -> None:
    merchant.pay(idempotency_key="basket-7")


def _repeat_with_a_key(merchant: Merchant) -> None:
    merchant.pay(idempotency_key="basket-8")


def _enter_otp(merchant: Merchant) -> None:
    merchant.enter_otp()


def _enter_wrong_otp(merchant: Merchant) -> None:
    merchant.enter_otp(WRONG_OTP)


def _be_notified(merchant: Merchant) -> None:
    merchant.world.notify()


def _be_notified_of_the_link(merchant: Merchant) -> None:
    merchant.world.clock.tick(1)
    merchant.world.notify()
    merchant.world.work()


def _stream(merchant: Merchant) -> None:
    merchant.world.stream()


def _settled_but_not_streamed(merchant: Merchant) -> None:
    _notified(merchant)
    merchant.world.work()


def _refund(merchant: Merchant) -> None:
    merchant.refund()


def _unbind(merchant: Merchant) -> None:
    merchant.unbind()


def _confirm_unbinding(merchant: Merchant) -> None:
    merchant.confirm_unbinding()


def _confirm_unbinding_wrongly(merchant: Merchant) -> None:
    merchant.confirm_unbinding(WRONG_OTP)


def _never_came_back(merchant: Merchant) -> None:
    _at_the_bank(merchant)
    merchant.world.clock.tick(1900)


OPERATIONS = (
    Operation("link", _nothing, _bind, _no_link),
    Operation("return", _at_the_bank, _come_back),
    Operation("binding notification", _at_the_bank, _be_notified_of_the_link),
    Operation("resolve a link", _never_came_back, _sweep),
    Operation("balance", _linked, _balance),
    Operation("balance, tokens expired", _tokens_expired, _balance),
    Operation("pay", _linked, _pay, _no_payment),
    Operation("pay, with a key", _linked, _pay_with_a_key, _no_payment),
    Operation("pay again, with a new key", _awaiting_otp, _repeat_with_a_key),
    Operation("pay, answer lost", _linked, _pay_with_lost_answer, _no_payment),
    Operation("pay, tokens expired", _tokens_expired, _pay, _no_payment),
    Operation("pay, no OTP asked", _linked, _pay, _no_payment, ProviderVariant(otp_required=False)),
    Operation("pay, declined", _linked, _pay_declined, _no_payment),
    Operation("OTP right", _awaiting_otp, _enter_otp, _otp_not_used),
    Operation("OTP wrong", _awaiting_otp, _enter_wrong_otp, _otp_not_used),
    Operation("notification delivery", _debited_unnoticed, _be_notified),
    Operation("notification processing", _notified, _work),
    Operation("outbox", _settled_but_not_streamed, _stream),
    Operation("status inquiry", _answer_lost, _sweep),
    Operation("refund accept", _paid, _refund),
    Operation("refund send", _refund_accepted, _work),
    Operation("refund confirm", _refund_answer_lost, _sweep),
    Operation("unlink", _linked, _unbind, _not_unlinking),
    Operation("unlink, no OTP asked", _linked, _unbind, _still_linked, ProviderVariant(unbind_otp_required=False)),
    Operation("unlink OTP right", _unbinding, _confirm_unbinding, _still_linked),
    Operation("unlink OTP wrong", _unbinding, _confirm_unbinding_wrongly, _still_linked),
    Operation("resolve an unlinking", _unbinding_forgotten, _sweep),
)


def _attempt(operation: Operation, merchant: Merchant) -> list[str]:
    """Act once; returns what is wrong with what the caller was told."""
    try:
        operation.act(merchant)
    except NotDone as error:
        return [] if operation.untouched(merchant.world) else [f"{type(error).__name__} was told, but it was done"]
    except (DirectDebitError, Crash):
        return []
    return []


def _carry_on(merchant: Merchant) -> None:
    """Let the customer do what is waited for."""
    for payment in payments_of(merchant.world):
        if payment.state is PaymentState.OTP_PENDING:
            merchant.enter_otp(ref=payment.ref)
    for binding in bindings_of(merchant.world):
        if binding.state is BindingState.PENDING:
            merchant.walk_through_pages()
        if binding.state is BindingState.UNBIND_OTP_PENDING:
            merchant.confirm_unbinding()


def _strike(operation: Operation, planned: Mapping[int, Fault], company: Company) -> tuple[list[str], int]:
    """Run one case; returns what is wrong, and how many side effects the operation had."""
    world = World(variant=operation.variant)
    merchant = Merchant(world)
    operation.prepare(merchant)
    weather = world.weather = Faults(planned)
    wrong = _attempt(operation, merchant)
    world.weather = Weather()
    if company != "alone":
        if company == "repeated later":
            world.clock.tick(35)
        wrong += _attempt(operation, merchant)
        with suppress(DirectDebitError):
            _carry_on(merchant)
    come_to_rest(world)
    wrong += check_at_rest(world)
    struck = ", ".join(
        f"{fault} at {name}" for position, fault in planned.items() for name in weather.names[position : position + 1]
    )
    return [f"{operation.name}, {company}, {struck} {dict(planned)}: {one}" for one in wrong], len(weather.names)


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_single_faults(operation: Operation, company: Company, count_cases: Callable[[int], None]) -> None:
    wrong, effects = _strike(operation, {}, company)
    cases = list(product(range(effects), FAULTS))
    for position, fault in cases:
        wrong += _strike(operation, {position: fault}, company)[0]
    count_cases(len(cases))
    assert effects > 0
    assert wrong == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_every_write_applied_twice_is_one_write(operation: Operation) -> None:
    """A write whose condition its own first application made false is recognised, and nobody is told otherwise."""
    world = World(variant=operation.variant)
    merchant = Merchant(world)
    operation.prepare(merchant)
    fair = World(variant=operation.variant)
    happy = Merchant(fair)
    operation.prepare(happy)
    world.weather = AppliedTwice()
    told: list[type[DirectDebitError]] = []
    expected: list[type[DirectDebitError]] = []
    for one, answers in ((merchant, told), (happy, expected)):
        try:
            operation.act(one)
        except DirectDebitError as error:
            answers.append(type(error))
    assert told == expected
    assert [one.state for one in payments_of(world)] == [one.state for one in payments_of(fair)]
    assert [one.state for one in bindings_of(world)] == [one.state for one in bindings_of(fair)]
    come_to_rest(world)
    assert check_at_rest(world) == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_pairs_of_faults(operation: Operation, count_cases: Callable[[int], None]) -> None:
    """One pair of positions in each operation's middle per default; all of them with FAULT_PAIRS=1."""
    _, effects = _strike(operation, {}, "repeated later")
    span = effects + MORE_EFFECTS_AFTER_A_FAULT
    positions = list(combinations(range(span), 2)) if ALL_PAIRS else [(effects // 2, effects // 2 + 1)]
    wrong: list[str] = []
    cases = [
        {first: one, second: other}
        for first, second in positions
        for one, other in product((Fault.FAIL, Fault.LOSE), FAULTS)  # nothing follows a crash
    ]
    for planned in cases:
        wrong += _strike(operation, planned, "repeated later")[0]
    count_cases(len(cases))
    assert wrong == []
