"""Each sealed text of each kind of item, moved to each other place: it opens at its own and nowhere else."""

from itertools import product
from typing import cast

import pytest

from direct_debit.adapters.credentials import FixedCredentials
from direct_debit.adapters.dynamodb.client import Store
from direct_debit.adapters.dynamodb.items import AttributeValue, Item, read_text_map, text, text_map, text_set
from direct_debit.adapters.dynamodb.sealed_item import SEALED_FIELDS, SealedText, kind_of, list_sealed, list_strangers
from direct_debit.adapters.vault import AesGcmVault, find_key_id
from direct_debit.application.ports.vault import SealedField, UnsealFailed
from tests.fakes.clock import FakeClock
from tests.fakes.credentials import CREDENTIALS
from tests.fakes.ids import SeededIds
from tests.fakes.in_memory_dynamodb import InMemoryDynamoDb
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tests.integration.handlers.sealed_records import put_records, put_shared_token, say

VAULT = AesGcmVault(FixedCredentials(CREDENTIALS), SeededIds())


@pytest.fixture(scope="module")
def items() -> list[Item]:
    """Two of each kind, and the one shared token."""
    tables = InMemoryDynamoDb(BINDINGS, TRANSACTIONS)
    for name in ("one", "two"):
        put_records(tables, VAULT, VAULT, name)
    put_shared_token(Store(tables, FakeClock(), SeededIds()), VAULT)
    return [cast("Item", item) for table in (BINDINGS, TRANSACTIONS) for item in tables.items(table)]


def with_text(item: Item, place: SealedText, moved: str) -> Item:
    """Return an item as somebody with write access leaves it."""
    if place.member is None:
        return {**item, place.attribute: text(moved)}
    return {**item, place.attribute: text_map({**read_text_map(item, place.attribute), place.member: moved})}


def test_each_field_has_its_place_and_each_place_is_filled_here(items: list[Item]) -> None:
    places = {(kind, name) for kind, names in SEALED_FIELDS.items() for name in names}
    assert {field for names in SEALED_FIELDS.values() for field in names.values()} == set(SealedField)
    assert {(kind_of(item), one.attribute) for item in items for one in list_sealed(item)} == places


def test_what_was_emptied_is_no_text(items: list[Item]) -> None:
    for item in items:
        places = {one.attribute for one in list_sealed(item)}
        emptied = {name: text_map({"1": ""}) if name == "earlierPages" else text("") for name in places}
        assert list_sealed({**item, **emptied}) == []


def test_each_text_opens_at_its_own_place(items: list[Item]) -> None:
    for item in items:
        for one in list_sealed(item):
            assert VAULT.unseal(one.text, one.field, one.owner) == say(one.field, one.owner)


def test_a_text_moved_to_any_other_place_does_not_open(items: list[Item]) -> None:
    places = [(item, one) for item in items for one in list_sealed(item)]
    tried, alike = 0, set()
    for (_, origin), (item, place) in product(places, places):
        if origin is place or origin.text == place.text:
            continue
        changed = with_text(item, place, origin.text)
        (moved,) = [
            one for one in list_sealed(changed) if (one.attribute, one.member) == (place.attribute, place.member)
        ]
        tried += 1
        try:
            VAULT.unseal(moved.text, moved.field, moved.owner)
        except UnsealFailed:
            continue
        alike.add((origin.owner == place.owner, frozenset({origin.attribute, place.attribute})))
    assert tried > 700
    # The codes of one link's pages are all the bank's word about the same customer's same account.
    assert alike == {(True, frozenset({"authCode", "earlierPages"})), (True, frozenset({"earlierPages"}))}


@pytest.mark.parametrize("field", SealedField)
def test_a_text_of_a_field_opens_for_no_other_owner(field: SealedField) -> None:
    sealed = VAULT.seal("https://shop.example/", field, "b-1")
    for other in ("", "b-", "b-11", "B-1", " b-1", "b-1 ", f"{field}|b-1", f"|{field}|b-1", "b-1|", "b2b-token"):
        with pytest.raises(UnsealFailed):
            VAULT.unseal(sealed, field, other)


def test_what_looks_sealed_where_nothing_should_be_is_found(items: list[Item]) -> None:
    sealed = VAULT.seal("token", SealedField.ACCESS_TOKEN, "one")
    for item in items:
        assert list_strangers(item) == []
        values: list[AttributeValue] = [text(sealed), text_map({"a": sealed}), text_set(["a", sealed])]
        values.append({"L": [text(sealed)]})
        for value in values:
            assert list_strangers({**item, "newer": value}) == [("newer", "k1")]
        assert list_strangers({**item, "metadata": text_map({"a": sealed}), "remarks": text(sealed)}) == []
    assert list_strangers({"pk": text("x"), "kind": text("of-tomorrow"), "secret": text(sealed)}) == [("secret", "k1")]


@pytest.mark.parametrize(
    "told",
    ["", "k1", "2.k1", "INV.2026.1", "2.k1.n.c", "https://shop.example/a.b.c", "2.k1.AAAAAAAAAAAAAAAA.AAAA", "2..a.b"],
)
def test_what_was_never_sealed_names_no_key(told: str) -> None:
    assert find_key_id(told) is None


def test_a_sealed_text_names_its_key_in_both_forms() -> None:
    sealed = VAULT.seal("", SealedField.ACCESS_TOKEN, "b")
    assert find_key_id(sealed) == "k1"
    assert find_key_id(sealed.removeprefix("2.")) == "k1"
    assert find_key_id("x." + sealed) is None
    assert find_key_id(sealed.replace("2.", "3.", 1)) is None
