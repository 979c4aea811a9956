"""Leases that end by themselves: what their holder asks of DOKU is over when the next one may begin."""

from datetime import timedelta

import pytest

from direct_debit.adapters.doku import DokuAdapter
from direct_debit.application.bindings.prove_binding import prove_binding
from direct_debit.application.calls.obtain_b2b_token import obtain_b2b_token
from direct_debit.application.calls.obtain_customer_token import obtain_customer_token
from direct_debit.application.deadline import Deadline
from direct_debit.application.settings import Settings
from tests.fakes.journey import Merchant
from tests.fakes.world import World
from tests.unit.application.support import linked

TOKEN_LEASE = timedelta(seconds=Settings(public_base_url="").token_lease)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Deadline]:
    """The deadlines of what is asked of DOKU for tokens."""
    deadlines: list[Deadline] = []
    for name in ("exchange_auth_code", "refresh_customer_token", "request_b2b_token"):
        method = getattr(DokuAdapter, name)

        def spy(*arguments: object, method: object = method) -> object:
            deadline = arguments[-1]
            assert isinstance(deadline, Deadline)
            deadlines.append(deadline)
            assert callable(method)
            return method(*arguments)

        monkeypatch.setattr(DokuAdapter, name, spy)
    return deadlines


def an_hour(world: World) -> Deadline:
    return Deadline(world.clock.now() + timedelta(hours=1))


def test_who_proves_a_link_is_done_when_its_attempt_ends(asked: list[Deadline]) -> None:
    merchant = Merchant(World())
    merchant.bind()
    merchant.walk_through_pages()
    asked.clear()
    now = merchant.world.clock.now()
    for last in (False, True):
        prove_binding(merchant.binding(), merchant.world.process(), an_hour(merchant.world), last=last)
    assert asked
    assert all(deadline.at <= now + timedelta(seconds=30) for deadline in asked)


def test_who_renews_a_customers_token_is_done_when_the_lease_ends(asked: list[Deadline]) -> None:
    merchant = linked()
    binding = merchant.binding()
    now = merchant.world.clock.now()
    access = obtain_customer_token(merchant.world.process(), binding.id, an_hour(merchant.world))
    asked.clear()
    obtain_customer_token(merchant.world.process(), binding.id, an_hour(merchant.world), access.token)
    assert [deadline.at for deadline in asked] == [now + timedelta(seconds=25)]


def test_who_renews_the_shared_token_is_done_when_the_lease_ends(asked: list[Deadline]) -> None:
    world = World()
    obtain_b2b_token(world.process(), an_hour(world))
    assert [deadline.at for deadline in asked] == [world.clock.now() + TOKEN_LEASE]
