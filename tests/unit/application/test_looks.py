"""When DOKU is asked again that gave no answer: soon where it was away, ever less often where it refused."""

from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

import pytest

from direct_debit.application.errors import CustomerActionRequired, DokuSilent, NotDone, Rejected, Unsendable
from direct_debit.application.looks import NO_ANSWER, SOON, claim_until, next_try
from direct_debit.application.payments.advance_payment import QUEUE_REACH
from direct_debit.application.ports.ports import Ports
from tests.fakes.clock import START
from tests.fakes.ids import SeededIds
from tests.fakes.world import World

MINUTE = timedelta(minutes=1)


def wait(
    code: str | None,
    *,
    asked_for: timedelta = MINUTE,
    step: timedelta | None = None,
    jitter: float = 0.0,
    ports: Ports | None = None,
) -> timedelta:
    now = START
    with patch.object(SeededIds, "jitter", lambda _: jitter):
        due = next_try(
            ports or World().process(),
            NotDone("no answer", code=code),
            since=now - asked_for,
            now=now,
            step=None if step is None else now + step,
        )
    return due - now


def test_a_claim_lasts_as_long_as_its_setting() -> None:
    world = World()
    assert claim_until(world.process(), START) == START + 2 * MINUTE
    world.settings = replace(world.settings, claim_lease=300)
    assert claim_until(world.process(), START) == START + 5 * MINUTE


@pytest.mark.parametrize("code", [None, "5005500", "5045500"])
@pytest.mark.parametrize("asked_for", [MINUTE, 600 * MINUTE])
def test_a_doku_that_is_away_is_asked_again_in_two_minutes_however_long_it_is_away(
    code: str | None, asked_for: timedelta
) -> None:
    assert wait(code, asked_for=asked_for) == SOON == 2 * MINUTE
    assert wait(code, asked_for=asked_for, jitter=0.8) == 1.2 * SOON


@pytest.mark.parametrize(("step", "expected"), [(1, 1), (2, 2), (3, 2), (-1, -1)])
def test_a_step_of_the_schedule_that_comes_first_is_kept(step: int, expected: int) -> None:
    assert wait(None, step=step * MINUTE) == expected * MINUTE


@pytest.mark.parametrize(("asked_for", "expected"), [(0, 2), (1, 2), (3, 3), (11, 11), (12, 12), (13, 12), (600, 12)])
@pytest.mark.parametrize("code", ["4035506", "4295500", "4015500"])
def test_a_doku_that_refuses_to_answer_is_asked_ever_less_often_up_to_a_quarter_of_an_hour(
    code: str, asked_for: int, expected: int
) -> None:
    assert wait(code, asked_for=asked_for * MINUTE) == expected * MINUTE
    assert wait(code, asked_for=asked_for * MINUTE, step=MINUTE) == expected * MINUTE  # whatever the schedule says
    assert wait(code, asked_for=asked_for * MINUTE, jitter=0.4) == 1.1 * expected * MINUTE


def test_the_longest_pause_with_its_jitter_is_what_a_queue_holds_back() -> None:
    """Then the next look has a message of its own, and does not wait for the sweep besides."""
    longest = wait("4295500", asked_for=600 * MINUTE, jitter=1.0)
    assert longest == QUEUE_REACH == 15 * MINUTE


def test_what_may_take_the_place_of_an_answer() -> None:
    for kind in (NotDone, DokuSilent, Rejected, CustomerActionRequired, Unsendable):
        assert issubclass(kind, NO_ANSWER)
