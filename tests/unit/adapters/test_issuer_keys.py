import json
from collections.abc import Iterator
from functools import partial
from io import BytesIO

import pytest

from direct_debit.adapters.issuer_keys import (
    COOL_DOWN,
    KEPT,
    LONGEST_WITHOUT_ISSUER,
    IssuerKeys,
    IssuerUnavailable,
    UnknownKey,
)
from tests.fakes.clock import FakeClock
from tools.local_cloud.issuer import Issuer, local_issuer


class World:
    """An issuer, and somebody who knows its keys; time passes by hand."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer, self.clock = issuer, FakeClock()
        self.keys = IssuerKeys(issuer.jwks_url, self.clock)
        self.first = issuer.rotate(withdraw=True)

    def knows(self, key_id: str) -> bool:
        try:
            return self.keys.find(key_id).key_id == key_id
        except UnknownKey:
            return False


@pytest.fixture
def world() -> Iterator[World]:
    with local_issuer() as issuer:
        yield World(issuer)


def test_keys_are_fetched_once_and_used_for_a_while(world: World) -> None:
    for _ in range(3):
        assert world.knows(world.first)
    assert world.issuer.fetches == 1
    world.clock.tick(KEPT.total_seconds())
    assert world.knows(world.first)
    assert world.issuer.fetches == 2


def test_a_new_key_counts_at_once_beside_the_one_before(world: World) -> None:
    assert world.knows(world.first)
    second = world.issuer.rotate()
    assert world.knows(second)
    assert world.knows(world.first)
    third = world.issuer.rotate()
    assert world.knows(third), "nobody asked for what is not there, so nobody has to wait"


def test_a_key_that_is_taken_back_ends_within_a_minute(world: World) -> None:
    assert world.knows(world.first)
    world.issuer.rotate(withdraw=True)
    world.clock.tick(KEPT.total_seconds() - 1)
    assert world.knows(world.first)
    world.clock.tick(1)
    assert not world.knows(world.first)


def test_names_that_strangers_make_up_do_not_reach_the_issuer_each_time(world: World) -> None:
    assert world.knows(world.first)
    for number in range(50):
        assert not world.knows(f"made up {number}")
    assert world.issuer.fetches == 2
    second = world.issuer.rotate()
    world.clock.tick(COOL_DOWN.total_seconds() - 1)
    assert not world.knows(second)
    assert world.knows(world.first)
    world.clock.tick(1)
    assert world.knows(second)
    assert world.issuer.fetches == 3


def test_while_the_issuer_is_away_its_last_keys_count_for_an_hour() -> None:
    with local_issuer() as issuer:
        world = World(issuer)
        assert world.knows(world.first)
    world.clock.tick(LONGEST_WITHOUT_ISSUER.total_seconds())
    assert world.knows(world.first)
    with pytest.raises(IssuerUnavailable):  # a key that it may have by now is not called unknown
        world.keys.find("another")
    world.clock.tick(1)
    with pytest.raises(IssuerUnavailable):
        world.keys.find(world.first)


def test_an_issuer_that_is_back_is_asked_again() -> None:
    clock = FakeClock()
    with local_issuer() as issuer:
        port = int(issuer.url.rpartition(":")[2])
        keys = IssuerKeys(issuer.jwks_url, clock)
    with pytest.raises(IssuerUnavailable):
        keys.find("any")
    with local_issuer(port) as issuer:
        world = World(issuer)
        with pytest.raises(IssuerUnavailable):
            keys.find(world.first)
        assert issuer.fetches == 0, "it was asked a moment ago"
        clock.tick(COOL_DOWN.total_seconds())
        assert keys.find(world.first).key_id == world.first


@pytest.mark.parametrize(
    "published",
    [
        {},
        {"keys": []},
        {"keys": "none"},
        ["keys"],
        {"keys": [{"kty": "oct", "kid": "a"}]},
        {"keys": [{"kid": "a"}, 7]},
        {"keys": [{"kty": "RSA", "kid": "a", "n": "?", "e": 1}]},
    ],
)
def test_what_is_no_set_of_keys_is_an_outage_and_takes_no_key_away(
    world: World, monkeypatch: pytest.MonkeyPatch, published: object
) -> None:
    assert world.knows(world.first)
    monkeypatch.setattr(Issuer, "publish", lambda _: published)
    world.clock.tick(KEPT.total_seconds())
    assert world.knows(world.first)
    with pytest.raises(IssuerUnavailable):
        world.keys.find("a")


def test_the_first_key_of_a_name_counts_and_what_is_odd_or_for_encryption_is_left_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.issuer.rotate()
    first, second = world.issuer.publish()["keys"]
    secret = {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"}
    odd = [secret, {"kty": "oct", "kid": "odd"}, {"kty": "RSA", "kid": "odd", "n": "?", "e": "AQAB"}, 7]
    told = [*odd, first, {**second, "kid": first["kid"]}, {**second, "kid": "sealing", "use": "enc"}]
    monkeypatch.setattr(Issuer, "publish", lambda _: {"keys": told})
    assert (
        world.keys.find(world.first).Algorithm.to_jwk(world.keys.find(world.first).key, as_dict=True)["n"] == first["n"]
    )
    assert not world.knows("sealing")
    assert not world.knows("odd")
    assert not world.knows("secret")


NESTED = b"[" * 100_000


def test_an_issuer_that_answers_nonsense_keeps_the_keys_that_it_published(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.knows(world.first)
    for document in (NESTED, b'{"keys":' + NESTED, b"NaN", b"[]", b'{"keys":{}}', b"\xff"):
        world.clock.tick(KEPT.total_seconds())
        monkeypatch.setattr("urllib.request.OpenerDirector.open", staticmethod(partial(answer, document)))
        assert world.knows(world.first), document[:20]


def test_a_key_that_can_not_be_read_takes_nothing_from_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreadable: list[object] = [{"kty": ["EC"]}, {"kty": {}}, {"kty": "EC", "use": []}, {"kty": "RSA", "alg": []}, 5]
    for told in unreadable:
        document = json.dumps({"keys": [told, *world.issuer.publish()["keys"]]}).encode()
        monkeypatch.setattr("urllib.request.OpenerDirector.open", staticmethod(partial(answer, document)))
        fresh = IssuerKeys(world.issuer.jwks_url, world.clock)
        assert fresh.find(world.first).key_id == world.first, told


def answer(document: bytes, *_: object, **__: object) -> BytesIO:
    """Answer whatever is asked."""
    return BytesIO(document)
