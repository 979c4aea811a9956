"""The ends of every state (tools/ends.py, docs/states.md): complete, with commands that exist, and true."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

import pytest

from direct_debit.application.bindings.result import BindingResult
from direct_debit.application.errors import Conflict, DirectDebitError, Rejected
from direct_debit.application.payments.advance_payment import plan_next_look
from direct_debit.application.refunds.process_refund import redrive_refund
from direct_debit.domain.binding import BINDING_TRANSITIONS, Binding, BindingState
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.payment import (
    PAYMENT_TRANSITIONS,
    FailureReason,
    Payment,
    PaymentFailure,
    PaymentSituation,
    PaymentState,
    ReviewReason,
)
from direct_debit.domain.refund import REFUND_TRANSITIONS, Refund, RefundState
from direct_debit.domain.transitions import TransitionRefused
from tests.fakes.journey import REF, Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.records import with_fields
from tests.fakes.world import World
from tests.template.routes import ROUTES
from tests.unit.application.support import linked
from tools.diagrams import draw
from tools.doku_simulator.dials import Dial
from tools.ends import BINDING_ENDS, NOBODY, PAYMENT_ENDS, REFUND_ENDS, Rests, Waits, tell
from tools.ops.__main__ import main

AT_REST = {BindingState.ACTIVE, BindingState.RELINK_REQUIRED, BindingState.UNBOUND, BindingState.FAILED}
FINAL_REFUNDS = {RefundState.REFUNDED, RefundState.FAILED, RefundState.NEEDS_REVIEW}
FINAL_PAYMENTS = {PaymentState.PAID, PaymentState.FAILED, PaymentState.REFUNDED, PaymentState.NEEDS_REVIEW}
SLACK = timedelta(minutes=20)  # a refused question is asked again every quarter of an hour at least


def test_every_state_of_every_machine_has_its_end() -> None:
    assert set(PAYMENT_ENDS) == set(PaymentSituation)
    assert set(REFUND_ENDS) == set(RefundState)
    assert set(BINDING_ENDS) == set(BindingState)


@pytest.mark.parametrize(
    ("ends", "rest"),
    [
        (PAYMENT_ENDS, {one for one in PaymentSituation if one.state in FINAL_PAYMENTS}),
        (REFUND_ENDS, FINAL_REFUNDS),
        (BINDING_ENDS, AT_REST),
    ],
    ids=["payment", "refund", "binding"],
)
def test_an_unfinished_state_has_somebody_and_a_final_one_says_what_is_left(
    ends: Mapping[StrEnum, Waits | Rests], rest: set[StrEnum]
) -> None:
    assert {state for state, end in ends.items() if isinstance(end, Rests)} == rest


def test_commands_and_routes_exist(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    commands = set(re.findall(r"^    ([a-z-]+) ", capsys.readouterr().out, re.MULTILINE))
    page = draw()
    events = {*PAYMENT_TRANSITIONS.commands, *REFUND_TRANSITIONS.commands, *BINDING_TRANSITIONS.commands}
    assert set(re.findall(r"`([a-z][a-z-]+)`", page)) <= commands | events
    routes = {tuple(route.split(" ")) for route in re.findall(r"`((?:GET|POST|DELETE) /[^`]*)`", page)}
    assert routes <= set(ROUTES)
    assert len(routes) >= 5


def test_durations_in_words() -> None:
    assert [tell(seconds) for seconds in (61, 120, 900, 86_400, 88_200)] == [
        "61 s",
        "2 min",
        "15 min",
        "24 h",
        "24 h 30 min",
    ]


# --- what callers may do ---------------------------------------------------------------------------------------------


def in_situation(merchant: Merchant, situation: PaymentSituation, **more: object) -> Payment:
    """Bring the stored payment into a situation, as its record would stand there."""
    world = merchant.world
    payment = merchant.payment()
    failure = None
    if situation.state is PaymentState.FAILED:
        lost = situation is PaymentSituation.FAILED_NOT_FOUND
        failure = PaymentFailure(FailureReason.NOT_FOUND if lost else FailureReason.DECLINED)
    review = None
    if situation.state is PaymentState.NEEDS_REVIEW:
        exhausted = situation is PaymentSituation.NEEDS_REVIEW_EXHAUSTED
        review = ReviewReason.EXHAUSTED if exhausted else ReviewReason.CONTRADICTION
    now = world.clock.now()
    after = replace(
        payment.noted(now),
        state=situation.state,
        failure=failure,
        review=review,
        attempt="gone",
        sent_at=now,
        evidence=Evidence(EvidenceSource.CALLER, now),
    )
    after = replace(after, due_at=plan_next_look(world.process(), after, now))
    return world.process().payments.save(payment, with_fields(after, **more))


def named(end: Waits | Rests) -> str:
    return f"{end.mover} {end.net}" if isinstance(end, Waits) else f"{end.merchant} {end.operator}"


@pytest.mark.parametrize("situation", PaymentSituation)
def test_a_payment_can_be_refunded_where_the_table_says_so(situation: PaymentSituation) -> None:
    merchant = linked()
    merchant.pay()
    in_situation(merchant, situation)
    try:
        merchant.refund()
    except Conflict:
        accepted = False
    else:
        accepted = True
    assert accepted == ("`POST /payments/{ref}/refund`" in named(PAYMENT_ENDS[situation]))


@pytest.mark.parametrize("situation", PaymentSituation)
def test_a_code_is_taken_where_the_table_says_so(situation: PaymentSituation) -> None:
    merchant = linked()
    merchant.pay()
    in_situation(merchant, situation)
    try:
        merchant.enter_otp()
    except Conflict:
        accepted = False
    else:
        accepted = True
    assert accepted == ("`POST /payments/{ref}/otp`" in named(PAYMENT_ENDS[situation]))


def a_refund(merchant: Merchant, state: RefundState) -> Refund:
    now = merchant.world.clock.now()
    sent = state is not RefundState.REQUESTED
    return Refund(
        number="RF1",
        reason="r",
        request_hash="",
        state=state,
        requested_at=now,
        due_at=None if state in FINAL_REFUNDS else now,
        attempt="gone" if sent else None,
        attempts=1 if sent else 0,
        external_id="1" if sent else None,
        sent_at=now if sent else None,
        evidence=Evidence(EvidenceSource.CALLER, now),
    )


@pytest.mark.parametrize("state", RefundState)
def test_a_refund_can_be_redriven_where_the_table_says_so(state: RefundState) -> None:
    merchant = linked()
    merchant.pay_to_the_end()
    world = merchant.world
    payment = merchant.payment()
    refund = a_refund(merchant, state)
    world.process().payments.save(payment, replace(payment.noted(world.clock.now()), refund=refund))
    try:
        redrive_refund(REF, world.process())
    except (Rejected, TransitionRefused):
        accepted = False
    else:
        accepted = True
    assert accepted == ("`redrive-refund`" in named(REFUND_ENDS[state]))


def in_state(merchant: Merchant, state: BindingState, **more: object) -> Binding:
    """Bring the stored link into a state, as its record would stand there."""
    world = merchant.world
    binding = merchant.binding()
    now = world.clock.now()
    changes = {"attempt": None, "attempt_until": None, **more}
    after = with_fields(binding.noted(now), state=state, **changes)
    return world.process().bindings.save(binding, after)


@pytest.mark.parametrize("state", BindingState)
def test_a_link_can_be_unlinked_linked_again_and_confirmed_where_the_table_says_so(state: BindingState) -> None:
    text = named(BINDING_ENDS[state])
    calls: dict[str, Callable[[Merchant], BindingResult]] = {
        "`DELETE /bindings/{id}`": Merchant.unbind,
        "`POST /bindings/{id}/otp`": Merchant.confirm_unbinding,
        "`POST /bindings`": Merchant.bind,
    }
    for route, call in calls.items():
        merchant = linked()
        in_state(merchant, state, unbind_requested_at=merchant.world.clock.now())
        try:
            repeated = call(merchant).replayed
        except DirectDebitError:
            repeated = True
        assert (not repeated) == (route in text), route


# --- by when it ends -------------------------------------------------------------------------------------------------


@pytest.fixture
def no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notifications of DOKU's are lost on their way."""
    monkeypatch.setattr(World, "deliver", lambda world, one: world.simulator.notifications.record_result(one, 200))


def silence(merchant: Merchant) -> None:
    """DOKU answers nothing any more."""
    world = merchant.world
    world.settings = replace(world.settings, circuit_failures=10**6)
    world.simulator.dials.add(Dial("*", "drop", when="before", count=10**6))


@pytest.mark.usefixtures("no_news")
@pytest.mark.parametrize("situation", [one for one, end in PAYMENT_ENDS.items() if isinstance(end, Waits)])
def test_a_payment_ends_in_time_whatever_doku_does(situation: PaymentSituation) -> None:
    end = PAYMENT_ENDS[situation]
    assert isinstance(end, Waits)
    assert end.bound is not None
    merchant = linked()
    merchant.pay()
    silence(merchant)
    in_situation(merchant, situation)
    come_to_rest(merchant.world, (end.bound - SLACK) / timedelta(seconds=1))
    assert merchant.payment().situation is situation
    come_to_rest(merchant.world, 2 * SLACK / timedelta(seconds=1))
    assert f"`{merchant.payment().situation}`" == end.then


@pytest.mark.usefixtures("no_news")
@pytest.mark.parametrize("state", [one for one, end in REFUND_ENDS.items() if isinstance(end, Waits)])
def test_a_refund_ends_in_time_whatever_doku_does(state: RefundState) -> None:
    end = REFUND_ENDS[state]
    assert isinstance(end, Waits)
    assert end.bound is not None
    merchant = linked()
    merchant.pay_to_the_end()
    world = merchant.world
    come_to_rest(world, 120)
    payment = merchant.payment()
    assert payment.state is PaymentState.PAID
    silence(merchant)
    refund = a_refund(merchant, state)
    world.process().payments.save(payment, replace(payment.noted(world.clock.now()), refund=refund))
    come_to_rest(world, (end.bound + 2 * SLACK) / timedelta(seconds=1))
    ended = merchant.payment().refund
    assert ended is not None
    assert f"`{ended.state}`" == end.then


@pytest.mark.usefixtures("no_news")
@pytest.mark.parametrize("state", [one for one, end in BINDING_ENDS.items() if isinstance(end, Waits) and end.bound])
def test_a_link_ends_in_time_whatever_doku_does(state: BindingState) -> None:
    end = BINDING_ENDS[state]
    assert isinstance(end, Waits)
    assert end.bound is not None
    merchant = Merchant(linked().world, customer="CUST-2", phone="6281234567891")
    merchant.bind()
    merchant.walk_through_pages()
    silence(merchant)
    in_state(merchant, state)
    come_to_rest(merchant.world, (end.bound - SLACK) / timedelta(seconds=1))
    assert merchant.binding().state is state
    come_to_rest(merchant.world, 2 * SLACK / timedelta(seconds=1))
    assert f"`{merchant.binding().state}`" == end.then


@pytest.mark.usefixtures("no_news")
def test_an_unlinking_is_probed_until_doku_answers() -> None:
    end = BINDING_ENDS[BindingState.UNBIND_OTP_PENDING]
    assert isinstance(end, Waits)
    assert end.bound is None
    merchant = linked()
    merchant.unbind()
    silence(merchant)
    come_to_rest(merchant.world, 5 * 86_400)
    assert merchant.binding().state is BindingState.UNBIND_OTP_PENDING
    merchant.world.simulator.dials.clear()
    come_to_rest(merchant.world)
    assert merchant.binding().state in AT_REST


def test_where_nobody_can_do_anything_doku_says_nothing_either() -> None:
    for line in draw().splitlines():
        if f"| {NOBODY} | {NOBODY} | {NOBODY} |" in line:
            assert line.endswith("| nothing |"), line
