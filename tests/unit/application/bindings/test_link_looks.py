"""A look at a link whose time has come, to the second: proof, lease, and the end of an unlinking."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

import pytest

from direct_debit.adapters.doku import DokuAdapter
from direct_debit.application.bindings.prove_binding import prove_binding
from direct_debit.application.bindings.resolve_binding import resolve_binding
from direct_debit.application.bindings.return_from_binding import Outcome, ReturnFromBinding, return_from_binding
from direct_debit.application.bindings.unbind_account import unbind_account
from direct_debit.application.bindings.unbinding import lives_on
from direct_debit.application.errors import (
    CustomerActionRequired,
    FreshTokenRefused,
    NotDone,
    NotFound,
    Rejected,
    RelinkRequired,
    StoreUnavailable,
)
from direct_debit.application.ports.doku import Reply, WriteAnswer
from direct_debit.application.ports.telemetry import Metric
from direct_debit.domain.binding import Binding, BindingState
from direct_debit.domain.evidence import EvidenceSource
from tests.fakes.ids import SeededIds
from tests.fakes.invariants import WRONG_OTP
from tests.fakes.journey import Merchant
from tests.fakes.weather import Crash, Fault
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, Strike, linked, paid_untold, requests, touch_binding
from tools.doku_simulator.config import ProviderVariant
from tools.doku_simulator.dials import Dial
from tools.doku_simulator.notifications import NoticeDial
from tools.doku_simulator.operations import Json

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
LEASE = 30 * MINUTE
A_DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def exact_steps() -> Iterator[None]:
    """No jitter: steps come when the schedule says."""
    with patch.object(SeededIds, "jitter", lambda _: 0.0):
        yield


def pending(*, finished: bool = False) -> Merchant:
    """A link whose customer is at the bank's page, or has finished there; no notification comes."""
    merchant = Merchant(World())
    merchant.world.simulator.notifications.dials.append(NoticeDial("drop", kind="binding", count=1_000))
    merchant.bind()
    if finished:
        merchant.walk_through_pages()
    return merchant


def unlinking(world: World | None = None) -> Merchant:
    """A link whose end waits for the customer's code."""
    merchant = linked(world)
    merchant.unbind()
    return merchant


def look(merchant: Merchant) -> Binding:
    world = merchant.world
    resolve_binding(merchant.binding().id, world.process(), world.deadline())
    return merchant.binding()


def prove(merchant: Merchant, binding: Binding | None = None) -> Binding:
    world = merchant.world
    return prove_binding(binding or merchant.binding(), world.process(), world.deadline())


def refuse(merchant: Merchant, operation: str, code: str = "42900", count: int = 1_000) -> None:
    merchant.world.simulator.add_dial(Dial(operation, "code", when="before", code=code, count=count))


# --- the proof -------------------------------------------------------------------------------------------------------


def test_who_proves_a_link_is_written_before_doku_is_asked_and_done_after() -> None:
    merchant = pending(finished=True)
    seen: list[Binding] = []
    merchant.world.weather = Meanwhile("doku.b2b2c", lambda: seen.append(merchant.binding()))
    after = prove(merchant)
    (while_asking,) = seen
    assert while_asking.attempt is not None
    assert while_asking.attempt_until == merchant.world.clock.now() + 30 * SECOND
    assert (after.state, after.attempt, after.attempt_until) == (BindingState.ACTIVE, None, None)
    assert (after.evidence.source, after.evidence.code) == (EvidenceSource.ANSWER, "2007400")
    assert after.tokens is not None


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({}, 1),
        ({"auth_code": None}, 0),
        ({"attempt": "somebody", "attempt_until": 1}, 0),
        ({"attempt": "somebody", "attempt_until": 0}, 1),
        ({"state": BindingState.RELINK_REQUIRED}, 1),
        ({"state": BindingState.RELINK_REQUIRED, "redirect_url": None}, 0),
        ({"state": BindingState.REQUESTED}, 0),
        ({"state": BindingState.ACTIVE}, 0),
    ],
)
def test_only_a_link_that_can_be_proved_is_asked_about(changes: dict[str, object], asked: int) -> None:
    merchant = pending()
    until = changes.get("attempt_until")
    if isinstance(until, int):
        changes = {**changes, "attempt_until": merchant.world.clock.now() + until * SECOND}
    before = touch_binding(merchant, **changes)
    after = prove(merchant)
    assert requests(merchant.world, "b2b2c_token") == asked
    assert after.state is before.state  # the customer has not finished
    if not asked:
        assert after == before


def test_of_two_who_prove_a_link_at_once_one_asks() -> None:
    merchant = pending(finished=True)
    merchant.world.weather = weather = Meanwhile("store.update_item", lambda: prove(merchant))
    assert prove(merchant).state is BindingState.ACTIVE
    assert weather.done
    assert requests(merchant.world, "b2b2c_token") == 1


@pytest.mark.parametrize(("minutes", "wait"), [(1, 2), (10, 10), (25, 12)])
def test_a_proof_that_doku_refuses_to_give_is_put_off_by_how_long_the_link_is_asked_about(
    minutes: int, wait: int
) -> None:
    merchant = pending(finished=True)
    refuse(merchant, "b2b2c_token")
    merchant.world.clock.tick(minutes * 60)
    with pytest.raises(NotDone):
        prove(merchant)
    binding = merchant.binding()
    assert binding.due_at == merchant.world.clock.now() + wait * MINUTE
    assert (binding.attempt, binding.attempt_until) == (None, None)


def test_a_proof_that_is_overtaken_while_it_is_put_off_leaves_the_plan_to_the_other() -> None:
    merchant = pending(finished=True)
    refuse(merchant, "b2b2c_token")
    merchant.world.weather = Meanwhile("store.update_item", lambda: touch_binding(merchant, response_code="1"), skip=1)
    with pytest.raises(NotDone):
        prove(merchant)
    assert (merchant.binding().response_code, merchant.binding().due_at) == ("1", merchant.binding().lease_until)


# --- the lease of a link ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("early", "asked"), [(1, 0), (0, 1)])
def test_a_link_is_looked_at_when_it_is_due_and_not_before(early: int, asked: int) -> None:
    merchant = pending()
    touch_binding(merchant, due_at=merchant.world.clock.now() + early * SECOND)
    look(merchant)
    assert requests(merchant.world, "b2b2c_token") == asked


def test_a_link_about_which_somebody_speaks_to_doku_is_left_alone() -> None:
    merchant = pending()
    now = merchant.world.clock.now()
    before = touch_binding(merchant, due_at=now, attempt="somebody", attempt_until=now + SECOND)
    assert look(merchant) == before


def test_what_is_due_for_nothing_is_due_no_more() -> None:
    merchant = linked()
    before = touch_binding(merchant, due_at=merchant.world.clock.now())
    after = look(merchant)
    assert after == replace(before, due_at=None, version=before.version + 1, updated_at=after.updated_at)
    world = merchant.world
    assert resolve_binding("none", world.process(), world.deadline()) is None


def test_who_is_overtaken_while_planning_returns_what_the_other_wrote() -> None:
    merchant = linked()
    world = merchant.world
    touch_binding(merchant, due_at=world.clock.now())
    world.weather = Meanwhile("store.update_item", lambda: touch_binding(merchant, response_code="1"))
    after = resolve_binding(merchant.binding().id, world.process(), world.deadline())
    assert after == merchant.binding()
    assert after is not None
    assert after.response_code == "1"


@pytest.mark.parametrize(("left", "state"), [(1, BindingState.PENDING), (0, BindingState.FAILED)])
def test_a_link_ends_with_its_lease_and_not_before(left: int, state: BindingState) -> None:
    merchant = pending()
    world = merchant.world
    touch_binding(merchant, due_at=world.clock.now())
    world.clock.tick((LEASE - left * SECOND).total_seconds())
    binding = look(merchant)
    assert binding.state is state
    if state is BindingState.PENDING:
        assert binding.due_at == binding.lease_until
    else:
        assert (binding.due_at, binding.evidence.source) == (None, EvidenceSource.SCHEDULE)


def test_a_new_page_of_an_old_link_is_closed_with_its_lease() -> None:
    merchant = pending()
    touch_binding(merchant, state=BindingState.RELINK_REQUIRED)
    merchant.world.clock.tick(LEASE.total_seconds())
    binding = look(merchant)
    assert (binding.state, binding.redirect_url, binding.due_at) == (BindingState.RELINK_REQUIRED, None, None)


@pytest.mark.parametrize(("left", "state"), [(1, BindingState.PENDING), (0, BindingState.FAILED)])
def test_a_link_of_which_doku_says_nothing_is_given_up_a_day_after_its_lease(left: int, state: BindingState) -> None:
    merchant = pending(finished=True)
    world = merchant.world
    refuse(merchant, "b2b2c_token")
    world.clock.tick((LEASE + A_DAY - left * SECOND).total_seconds())
    binding = look(merchant)
    assert binding.state is state
    given_up = state is BindingState.FAILED
    assert world.telemetry.counts[Metric.BINDING_UNRESOLVED] == int(given_up)
    assert (binding.due_at is None) == given_up


def test_a_store_that_fails_gives_no_link_up() -> None:
    merchant = pending(finished=True)
    world = merchant.world
    world.clock.tick((LEASE + A_DAY).total_seconds())
    world.weather = Strike("store.update_item", Fault.FAIL)
    with pytest.raises(StoreUnavailable):
        look(merchant)
    assert merchant.binding().state is BindingState.PENDING
    assert world.telemetry.counts[Metric.BINDING_UNRESOLVED] == 0


def test_a_link_ends_at_the_time_at_which_doku_has_answered() -> None:
    merchant = pending()
    world = merchant.world
    world.clock.tick(LEASE.total_seconds())

    def slowly(_: str, answer: Json) -> Json:
        world.clock.tick(7)
        return answer

    world.bend = slowly
    asked_at = world.clock.now()
    assert look(merchant).evidence.at == world.clock.now() > asked_at


def test_a_link_that_somebody_asks_about_at_the_end_of_its_lease_is_left_to_that_one() -> None:
    merchant = pending()
    world = merchant.world
    world.clock.tick(LEASE.total_seconds())
    until = world.clock.now() + 30 * SECOND
    world.weather = Meanwhile(
        "store.update_item", lambda: touch_binding(merchant, attempt="other", attempt_until=until)
    )
    assert look(merchant).state is BindingState.PENDING


def test_a_link_that_somebody_else_asks_about_by_the_end_of_a_look_is_left_to_that_one() -> None:
    """Who looked was frozen until its own time was over: perhaps the other is told that the customer has finished."""
    merchant = pending()
    world = merchant.world
    world.clock.tick(LEASE.total_seconds())

    def ask() -> None:
        world.clock.tick(30)
        touch_binding(merchant, attempt="other", attempt_until=world.clock.now() + 30 * SECOND)

    # Three writes before: the look's claim, and the merchant's token, which is got anew.
    world.weather = weather = Meanwhile("store.update_item", ask, skip=3)
    left = look(merchant)
    assert weather.done
    assert (left.state, left.attempt) == (BindingState.PENDING, "other")


# --- the end of an unlinking -----------------------------------------------------------------------------------------


def test_an_unlinking_is_written_before_it_is_asked_for() -> None:
    merchant = linked()
    touch_binding(merchant, unbind_unclear=True, otp_attempts=3, redirect_url="old")
    merchant.world.weather = Strike("doku.registration-account-unbinding", Fault.CRASH_BEFORE)
    with pytest.raises(Crash):
        merchant.unbind()
    now, binding = merchant.world.clock.now(), merchant.binding()
    assert binding.state is BindingState.UNBIND_OTP_PENDING
    assert (binding.unbind_requested_at, binding.attempt_until) == (now, now + 30 * SECOND)
    assert (binding.unbind_unclear, binding.otp_attempts, binding.redirect_url) == (False, 0, None)
    assert binding.due_at == now + 6 * MINUTE
    assert binding.attempt is not None
    assert binding.unbind_external_id is not None


def test_while_the_code_is_awaited_nobody_speaks_to_doku_and_the_end_is_clear() -> None:
    merchant = unlinking()
    now, binding = merchant.world.clock.now(), merchant.binding()
    assert (binding.attempt, binding.attempt_until, binding.unbind_unclear) == (None, None, False)
    assert (binding.due_at, binding.response_code) == (now + 6 * MINUTE, "4030913")
    used = [one.external_id for one in merchant.world.simulator.requests if one.operation == "unbinding"]
    assert used == [binding.unbind_external_id]


def test_the_page_of_an_unlinking_is_kept_sealed_and_shown_until_it_has_ended() -> None:
    merchant = linked()
    answer = WriteAnswer(Reply.OTP_REQUIRED, "4030913", redirect_url="https://bank.example/otp")
    with patch.object(DokuAdapter, "unbind_account", lambda *_: answer):
        assert merchant.unbind().redirect_url == "https://bank.example/otp"
    assert "bank.example" not in str(merchant.binding().unbind_redirect_url)
    wrong = WriteAnswer(Reply.OTP_WRONG, "4040415")
    with patch.object(DokuAdapter, "verify_unbinding_otp", lambda *_: wrong), pytest.raises(CustomerActionRequired):
        merchant.confirm_unbinding(WRONG_OTP)
    assert merchant.unbind().redirect_url == "https://bank.example/otp"


def test_an_unlinking_whose_answer_was_lost_is_unclear_and_looked_at_when_codes_have_had_their_time() -> None:
    merchant = linked()
    merchant.world.simulator.add_dial(Dial("unbinding", "drop"))
    binding = merchant.unbind().binding
    assert (binding.state, binding.unbind_unclear) == (BindingState.UNBIND_OTP_PENDING, True)
    assert (binding.attempt, binding.due_at) == (None, merchant.world.clock.now() + 6 * MINUTE)


def test_who_is_overtaken_while_an_unlinking_is_paused_leaves_it_to_the_other() -> None:
    merchant = linked()
    merchant.world.simulator.add_dial(Dial("unbinding", "drop"))
    until = merchant.world.clock.now() + 30 * SECOND
    merchant.world.weather = weather = Meanwhile(
        "store.update_item", lambda: touch_binding(merchant, attempt="another", attempt_until=until), skip=1
    )
    binding = merchant.unbind().binding
    assert weather.done
    assert binding == merchant.binding()
    assert (binding.attempt, binding.unbind_unclear) == ("another", False)


@pytest.mark.parametrize("fault", [Fault.FAIL, Fault.LOSE])
def test_an_unlinking_whose_pause_can_not_be_written_is_told_as_it_is_and_goes_on_by_itself(fault: Fault) -> None:
    merchant = linked()
    world = merchant.world
    world.simulator.add_dial(Dial("unbinding", "drop"))
    # The writes before are the unlinking's claim, and the circuit's note of the silence.
    world.weather = weather = Strike("store.update_item", fault, skip=2)
    assert merchant.unbind().binding.state is BindingState.UNBIND_OTP_PENDING
    assert weather.count == 0
    assert merchant.binding().is_busy(world.clock.now()) == (fault is Fault.FAIL)  # nobody tries a second time
    assert merchant.binding().due_at == world.clock.now() + 6 * MINUTE
    world.clock.tick(30)
    assert not merchant.binding().is_busy(world.clock.now())


@pytest.mark.parametrize("code", ["40300", "40301", "40309", "40311", "40320", "40404"])
def test_a_refused_unlinking_leaves_the_link_as_it_was(code: str) -> None:
    merchant = linked()
    refuse(merchant, "unbinding", code, 1)
    with pytest.raises(Rejected) as refused:
        merchant.unbind()
    binding = merchant.binding()
    assert refused.value.code == f"{code[:3]}09{code[3:]}"
    assert (binding.state, binding.attempt, binding.unbind_requested_at) == (BindingState.ACTIVE, None, None)
    assert binding.evidence.source is EvidenceSource.ANSWER


def test_an_unlinking_whose_answer_makes_no_sense_is_unclear() -> None:
    merchant = linked()
    refuse(merchant, "unbinding", "20200", 1)
    binding = merchant.unbind().binding
    assert (binding.state, binding.unbind_unclear) == (BindingState.UNBIND_OTP_PENDING, True)


@pytest.mark.parametrize("otp", [True, False])
def test_an_unlinking_that_has_ended_or_waits_is_returned_as_it_is(otp: bool) -> None:
    merchant = unlinking(World(variant=ProviderVariant(unbind_otp_required=otp)))
    before = merchant.binding()
    again = merchant.unbind()
    assert (again.replayed, again.binding) == (True, before)
    assert requests(merchant.world, "unbinding") == 1


def test_a_settled_payment_of_which_the_stream_has_not_told_stops_no_unlinking() -> None:
    merchant = paid_untold()
    assert merchant.binding().open_payments
    assert merchant.unbind().binding.state is BindingState.UNBIND_OTP_PENDING
    assert merchant.binding().open_payments == frozenset()


def test_there_is_nothing_to_unlink() -> None:
    world = pending().world
    with pytest.raises(NotFound):
        unbind_account("none", world.process(), world.deadline())


@pytest.mark.parametrize(
    ("age", "unclear", "due"),
    [
        (0 * MINUTE, False, 6 * MINUTE),
        (20 * MINUTE, False, 40 * MINUTE),
        (20 * MINUTE, True, 6 * MINUTE),  # what became of a lost code is looked up when codes have had their time
        (59 * MINUTE, True, MINUTE),
        (2 * A_DAY, False, A_DAY),
    ],
)
def test_an_unlinking_is_probed_in_the_steps_of_its_schedule_and_then_each_day(
    age: timedelta, unclear: bool, due: timedelta
) -> None:
    merchant = unlinking()
    now = merchant.world.clock.now()
    touch_binding(merchant, unbind_requested_at=now - age)
    merchant.world.simulator.add_dial(
        Dial("otp", "drop", "before") if unclear else Dial("otp", "code", when="before", code="40415")
    )
    with suppress(CustomerActionRequired):
        merchant.confirm_unbinding()
    assert (merchant.binding().unbind_unclear, merchant.binding().due_at) == (unclear, now + due)


def test_a_probe_is_claimed_for_two_minutes_before_doku_is_asked() -> None:
    merchant = unlinking()
    touch_binding(merchant, due_at=merchant.world.clock.now())
    seen: list[Binding] = []
    merchant.world.weather = Meanwhile("doku.balance-inquiry", lambda: seen.append(merchant.binding()))
    after = look(merchant)
    assert [one.due_at for one in seen] == [merchant.world.clock.now() + 2 * MINUTE]
    assert (after.state, after.evidence.source) == (BindingState.ACTIVE, EvidenceSource.PROBE)
    assert after.unbind_requested_at is None


@pytest.mark.parametrize(("age", "unresolved"), [(A_DAY - SECOND, 0), (A_DAY, 1), (3 * A_DAY, 1)])
def test_an_unlinking_without_an_end_is_counted_once_its_schedule_has_ended(age: timedelta, unresolved: int) -> None:
    merchant = unlinking()
    now = merchant.world.clock.now()
    touch_binding(merchant, unbind_requested_at=now - age, due_at=now)
    merchant.world.weather = Strike("doku.balance-inquiry", Fault.FAIL)
    look(merchant)
    assert merchant.world.telemetry.counts[Metric.BINDING_UNRESOLVED] == unresolved


@pytest.mark.parametrize(("code", "wait"), [("42900", 12 * MINUTE), ("50000", 2 * MINUTE)])
def test_a_probe_without_an_answer_is_asked_again(code: str, wait: timedelta) -> None:
    merchant = unlinking()
    now = merchant.world.clock.now()
    touch_binding(merchant, unbind_requested_at=now - 60 * MINUTE, due_at=now)
    refuse(merchant, "balance", code)
    after = look(merchant)
    assert (after.state, after.due_at) == (BindingState.UNBIND_OTP_PENDING, now + wait)


@pytest.mark.parametrize(
    ("code", "unclear", "state"),
    [
        ("40301", False, BindingState.ACTIVE),
        ("40301", True, BindingState.UNBIND_OTP_PENDING),
        ("40318", False, BindingState.ACTIVE),
    ],
)
def test_a_refused_probe_shows_the_link_where_nothing_else_can_have_ended_it(
    code: str, unclear: bool, state: BindingState
) -> None:
    merchant = unlinking()
    now = merchant.world.clock.now()
    touch_binding(merchant, unbind_unclear=unclear, due_at=now)
    refuse(merchant, "balance", code)
    after = look(merchant)
    assert after.state is state
    if state is BindingState.UNBIND_OTP_PENDING:
        assert after.due_at == now + 6 * MINUTE  # the next look decides
    else:
        assert after.evidence.code == f"{code[:3]}11{code[3:]}"


def test_a_store_that_fails_during_a_probe_is_told_and_the_probe_comes_again_when_its_claim_ends() -> None:
    merchant = unlinking()
    now = merchant.world.clock.now()
    touch_binding(merchant, due_at=now)
    merchant.world.weather = Strike("store.get_item", Fault.FAIL, skip=1)  # the first one reads the link
    with pytest.raises(StoreUnavailable):
        look(merchant)
    assert merchant.binding().due_at == now + 2 * MINUTE


def test_who_is_overtaken_before_a_probe_asks_nothing() -> None:
    merchant = unlinking()
    touch_binding(merchant, due_at=merchant.world.clock.now())
    merchant.world.weather = Meanwhile("store.update_item", lambda: touch_binding(merchant, response_code="1"))
    assert look(merchant).response_code == "1"
    assert requests(merchant.world, "balance") == 0


@pytest.mark.parametrize(
    ("refusal", "code", "alive"),
    [
        (RelinkRequired, None, False),  # there was no token left to ask with
        (RelinkRequired, "4010902", False),
        (RelinkRequired, "4040911", False),
        (RelinkRequired, "4030916", True),
        (FreshTokenRefused, "4010902", True),  # the renewal has shown that the link lives
        (FreshTokenRefused, "4040911", False),
        (FreshTokenRefused, None, True),
    ],
)
def test_a_refused_token_ends_a_link_only_where_the_refusal_speaks_of_the_link(
    refusal: type[RelinkRequired], code: str | None, alive: bool
) -> None:
    assert lives_on(refusal("the customer has to link the account again", code=code)) == alive


# --- the browser comes back ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "outcome", "good"),
    [
        (BindingState.ACTIVE, "success", True),
        (BindingState.ACTIVE, "failed", True),
        (BindingState.PENDING, "success", True),
        (BindingState.PENDING, "failed", False),
        (BindingState.RELINK_REQUIRED, "success", True),
        (BindingState.RELINK_REQUIRED, "failed", False),
        (BindingState.UNBIND_OTP_PENDING, "success", False),
    ],
)
def test_the_browser_goes_on_to_the_page_for_how_the_link_stands(
    state: BindingState, outcome: Outcome, good: bool
) -> None:
    merchant = pending()
    (page,) = merchant.world.simulator.world.bindings.values()
    touch_binding(
        merchant, state=state, success_url="https://shop.example/yes?cart=7#top", failed_url="https://shop.example/no"
    )
    command = ReturnFromBinding(state=page.success_url.rsplit("/", 2)[1], outcome=outcome)
    redirect = return_from_binding(command, merchant.world.process(), merchant.world.deadline())
    query = f"bindingId={merchant.binding().id}&state={state}"
    expected = f"https://shop.example/yes?{query}&cart=7#top" if good else f"https://shop.example/no?{query}"
    assert (redirect.url, redirect.binding_state) == (expected, state)


def test_the_browser_does_not_wait_for_a_doku_that_is_away() -> None:
    merchant = pending(finished=True)
    (page,) = merchant.world.simulator.world.bindings.values()
    merchant.world.weather = Strike("doku.b2b2c", Fault.FAIL)
    assert merchant.come_back(page.success_url).binding_state is BindingState.PENDING
    assert ("link not proved yet", {"binding_id": merchant.binding().id}) in merchant.world.telemetry.notes
