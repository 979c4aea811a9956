"""Many at once: exactly one wins, nobody's work is lost. Threads; each request is atomic, as the service has it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from direct_debit.adapters.dynamodb.client import DynamoDb
from direct_debit.application.errors import BindingChanged, LostRace, PaymentChanged
from direct_debit.application.ports.bindings import AccountTaken
from direct_debit.application.ports.payments import BindingUnusable, KeyTaken, PaymentExists, PaymentKey
from direct_debit.domain.binding import BindingEvent, BindingState
from tests.fakes.clock import START
from tests.integration.adapters.conftest import MAX_OPEN, World, make_world
from tests.integration.adapters.faults import SerialDynamoDb
from tests.integration.adapters.records import LEASE, a_binding, a_payment, accepted, step

THREADS = 8


def race[T](client: DynamoDb, act: Callable[[World, int], T]) -> list[T]:
    """Let each of many containers act once, at the same time. Each has its own repositories."""
    shared = SerialDynamoDb(client)
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda number: act(make_world(shared, number + 1), number), range(THREADS)))


def activate(world: World) -> None:
    binding = a_binding()
    world.bindings.create(binding, START)
    pending = world.bindings.save(binding, step(binding, BindingEvent.LINK_STARTED))
    world.bindings.save(pending, step(pending, BindingEvent.PROVED))


def test_one_of_many_gets_the_account(client: DynamoDb, world: World) -> None:
    answers = race(
        client, lambda here, number: here.bindings.create(a_binding(f"b{number}", customer=f"c{number}"), START)
    )
    assert answers.count(None) == 1
    winner = world.bindings.get(f"b{answers.index(None)}")
    assert all(answer == AccountTaken(winner) for answer in answers if answer is not None)


def test_one_of_many_creates_the_payment(client: DynamoDb, world: World) -> None:
    activate(world)
    answers = race(client, lambda here, number: here.payments.create(replace(a_payment(), attempt=f"a{number}")))
    assert answers.count(None) == 1
    stored = world.payments.get("r1")
    assert stored is not None
    assert stored.attempt == f"a{answers.index(None)}"
    assert all(answer == PaymentExists(stored) for answer in answers if answer is not None)


def test_one_of_many_references_gets_the_key(client: DynamoDb, world: World) -> None:
    activate(world)
    key = PaymentKey("fingerprint", "OWN")
    refs = ["OWN", *(f"r{number}" for number in range(1, THREADS))]
    answers = race(client, lambda here, number: here.payments.create(a_payment(refs[number]), key))
    assert answers.count(None) == 1
    winner = refs[answers.index(None)]
    assert all(answer == KeyTaken(winner) for answer in answers if answer is not None)
    assert world.payments.find_key(key) == winner
    assert [ref for ref in refs if world.payments.get(ref) is not None] == [winner]


def test_one_of_many_repeats_gets_the_key(client: DynamoDb, world: World) -> None:
    activate(world)
    key = PaymentKey("fingerprint", "OWN")
    for number in range(MAX_OPEN):
        world.payments.create(a_payment(f"r{number}"))
    answers = race(client, lambda here, number: here.payments.bind_key(key, f"r{number % MAX_OPEN}"))
    winner = world.payments.find_key(key)
    assert winner is not None
    for number, answer in enumerate(answers):
        assert answer == (None if f"r{number % MAX_OPEN}" == winner else KeyTaken(winner))


def test_one_of_many_moves_the_payment(client: DynamoDb, world: World) -> None:
    activate(world)
    before = a_payment()
    world.payments.create(before)

    def move(here: World, number: int) -> bool:
        try:
            here.payments.save(before, replace(accepted(before), doku_reference=str(number)))
        except PaymentChanged:
            return False
        return True

    answers = race(client, move)
    assert answers.count(True) == 1
    stored = world.payments.get("r1")
    assert stored is not None
    assert stored.doku_reference == str(answers.index(True))


def test_open_payments_never_exceed_their_bound(client: DynamoDb, world: World) -> None:
    activate(world)
    answers = race(client, lambda here, number: here.payments.create(a_payment(f"r{number}")))
    assert answers.count(None) == MAX_OPEN
    assert all(isinstance(answer, BindingUnusable) for answer in answers if answer is not None)
    binding = world.bindings.get("b1")
    assert binding is not None
    assert binding.open_payments == {f"r{number}" for number, answer in enumerate(answers) if answer is None}


def test_unlinking_and_paying_exclude_each_other(client: DynamoDb, world: World) -> None:
    activate(world)
    before = world.bindings.get("b1")
    assert before is not None

    def act(here: World, number: int) -> str:
        if number % 2:
            return "paid" if here.payments.create(a_payment(f"r{number}")) is None else "refused"
        try:
            here.bindings.save_when_settled(before, step(before, BindingEvent.UNBIND_REQUESTED))
        except BindingChanged:
            return "refused"
        return "unlinking"

    answers = race(client, act)
    after = world.bindings.get("b1")
    assert after is not None
    if after.state is BindingState.ACTIVE:
        assert "unlinking" not in answers
        assert len(after.open_payments) == answers.count("paid") > 0
    else:
        assert answers.count("unlinking") == 1
        assert "paid" not in answers
        assert after.open_payments == frozenset()


def test_one_of_many_renews_the_token(client: DynamoDb) -> None:
    answers = race(client, lambda here, number: here.tokens.take_lease(f"o{number}", 0, START, START + LEASE))
    assert answers.count(True) == 1


def test_saves_and_open_payments_do_not_disturb_each_other(client: DynamoDb, world: World) -> None:
    activate(world)

    def act(here: World, number: int) -> str:
        if number % 2 == 0:
            ref = f"r{number}"
            here.payments.create(a_payment(ref))
            here.release(ref)
            return "paid"
        while True:
            current = here.bindings.get("b1")
            assert current is not None
            try:
                here.bindings.save(current, current.noted(START))
            except LostRace:
                continue
            return "noted"

    before = world.bindings.get("b1")
    answers = race(client, act)
    after = world.bindings.get("b1")
    assert before is not None
    assert after is not None
    assert after.version == before.version + answers.count("noted")
    assert after.open_payments == frozenset()
