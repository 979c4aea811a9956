from datetime import UTC

from direct_debit.adapters.clock import SystemClock
from direct_debit.adapters.ids import SystemIds
from direct_debit.application.ports.time_and_chance import Clock, Ids


def test_the_clock_is_aware_and_goes_on() -> None:
    clock: Clock = SystemClock()
    first = clock.now()
    clock.sleep(0.0)
    assert first.tzinfo is UTC
    assert clock.now() >= first


def test_ids_have_their_form_and_differ() -> None:
    ids: Ids = SystemIds()
    names = {ids.new_id() for _ in range(100)}
    assert len(names) == 100
    assert all(len(name) == 32 and set(name) <= set("0123456789abcdef") for name in names)
    assert all(len(ids.digits(12)) == 12 and ids.digits(3).isdecimal() for _ in range(100))
    assert all(0.0 <= ids.jitter() < 1.0 for _ in range(100))
    assert len(ids.entropy(12)) == 12
    assert ids.entropy(12) != ids.entropy(12)
