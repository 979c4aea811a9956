"""Moving a link on: what a state has no use for is not kept, and what changes nothing is not written."""

from dataclasses import replace
from datetime import timedelta

import pytest

from direct_debit.application.bindings.advance_binding import advance_binding, end_attempt, without_attempt
from direct_debit.domain.binding import Binding, BindingEvent, BindingState, SealedTokens
from direct_debit.domain.evidence import Evidence, EvidenceSource
from tests.fakes.journey import Merchant
from tests.fakes.records import with_fields
from tests.fakes.weather import Fault
from tests.fakes.world import World
from tests.unit.application.support import Strike, linked


def pending() -> Merchant:
    """A merchant whose customer was sent to the bank's page."""
    merchant = Merchant(World())
    merchant.bind()
    return merchant


def in_state(merchant: Merchant, state: BindingState, **changes: object) -> Binding:
    """Bring the link into a state, with whatever a link can hold."""
    now = merchant.world.clock.now()
    binding = merchant.binding()
    full = replace(
        binding.noted(now),
        state=state,
        redirect_url="sealed page",
        unbind_redirect_url="sealed page of the unlinking",
        unbind_unclear=True,
        otp_attempts=2,
        due_at=now + timedelta(hours=1),
        auth_code="sealed code",
        tokens=SealedTokens("sealed token", None, "sealed refresh token", None),
        attempt="somebody",
        attempt_until=now + timedelta(seconds=30),
    )
    return merchant.world.process().bindings.save(binding, with_fields(full, **changes))


def advance(merchant: Merchant, binding: Binding, event: BindingEvent) -> Binding:
    evidence = Evidence(EvidenceSource.ANSWER, merchant.world.clock.now(), "4030715")
    return advance_binding(merchant.world.process(), binding, event, evidence)


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (BindingState.REQUESTED, BindingEvent.LINK_REFUSED),
        (BindingState.PENDING, BindingEvent.LINK_EXPIRED),
        (BindingState.UNBIND_OTP_PENDING, BindingEvent.UNBOUND),
    ],
)
def test_a_link_that_has_ended_keeps_neither_pages_code_tokens_attempt_nor_due_time(
    state: BindingState, event: BindingEvent
) -> None:
    merchant = pending()
    advance(merchant, in_state(merchant, state), event)
    ended = merchant.binding()
    assert not ended.holds_account
    kept = (ended.redirect_url, ended.unbind_redirect_url, ended.auth_code, ended.tokens, ended.attempt, ended.due_at)
    assert kept == (None,) * 6


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (BindingState.PENDING, BindingEvent.PROVED),
        (BindingState.UNBIND_OTP_PENDING, BindingEvent.UNBIND_REFUSED),
    ],
)
def test_a_link_that_is_active_keeps_tokens_and_code_and_nothing_of_how_it_came_to_be(
    state: BindingState, event: BindingEvent
) -> None:
    merchant = pending()
    before = in_state(merchant, state)
    advance(merchant, before, event)
    active = merchant.binding()
    assert active.state is BindingState.ACTIVE
    assert (active.tokens, active.auth_code) == (before.tokens, before.auth_code)
    assert (active.redirect_url, active.unbind_redirect_url, active.due_at) == (None, None, None)
    assert (active.unbind_unclear, active.otp_attempts) == (False, 0)


def test_an_event_that_changes_nothing_writes_nothing() -> None:
    merchant = linked()
    before = merchant.binding()
    assert advance(merchant, before, BindingEvent.LINK_REFUSED) == before
    assert merchant.binding() == before


def test_what_an_answer_brought_is_written_although_the_state_stays_unless_the_link_has_ended() -> None:
    def change(after: Binding) -> Binding:
        return replace(after, response_code="2000700")

    def note(binding: Binding) -> Binding:
        evidence = Evidence(EvidenceSource.ANSWER, merchant.world.clock.now(), "2000700")
        ports, event = merchant.world.process(), BindingEvent.LINK_STARTED
        return advance_binding(ports, binding, event, evidence, change=change, note_if_unmoved=True)

    merchant = linked()
    before = merchant.binding()
    after = note(before)
    assert (after.state, after.version, after.response_code) == (BindingState.ACTIVE, before.version + 1, "2000700")
    merchant.unbind()
    ended = merchant.confirm_unbinding().binding
    assert note(ended) == ended
    assert merchant.binding() == ended


def test_each_move_that_an_event_brings_is_in_the_log_once() -> None:
    merchant = linked()
    merchant.unbind()
    merchant.confirm_unbinding()
    moves = [fields for text, fields in merchant.world.telemetry.notes if text == "binding moved"]
    assert [fields["state"] for fields in moves] == ["PENDING", "ACTIVE", "UNBOUND"]
    assert {fields["binding_id"] for fields in moves} == {merchant.binding().id}


def test_what_was_noted_without_a_move_is_no_move_in_the_log() -> None:
    merchant = linked()
    notes = len(merchant.world.telemetry.notes)
    evidence = Evidence(EvidenceSource.ANSWER, merchant.world.clock.now())
    ports = merchant.world.process()
    advance_binding(ports, merchant.binding(), BindingEvent.LINK_STARTED, evidence, note_if_unmoved=True)
    assert len(merchant.world.telemetry.notes) == notes


def test_the_end_of_an_attempt_is_written_whole() -> None:
    merchant = linked()
    busy = in_state(merchant, BindingState.RELINK_REQUIRED)
    assert busy.is_busy(merchant.world.clock.now())
    ended = end_attempt(busy, merchant.world.process())
    assert ended == replace(without_attempt(busy), version=busy.version + 1, updated_at=ended.updated_at)
    assert (ended.attempt, ended.attempt_until) == (None, None)
    assert merchant.binding() == ended


@pytest.mark.parametrize("fault", [Fault.FAIL, Fault.LOSE])
def test_an_attempt_whose_end_can_not_be_written_ends_by_itself(fault: Fault) -> None:
    merchant = linked()
    busy = in_state(merchant, BindingState.RELINK_REQUIRED)
    merchant.world.weather = Strike("store.update_item", fault)
    assert end_attempt(busy, merchant.world.process()) == busy
    merchant.world.clock.tick(30)
    assert not merchant.binding().is_busy(merchant.world.clock.now())
