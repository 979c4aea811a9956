"""A planted mutant is what runs, for everybody who holds the function or the constant."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.mutation.mutants import Mutant, enumerate_mutants
from tests.mutation.plant import DoesNotFit, live_functions, plant

SOURCE = '''
"""A module of the product, as it were."""
from contextlib import contextmanager
from dataclasses import dataclass, field

LIMIT = 3
TABLE = {"a": 1}


@dataclass(frozen=True, slots=True)
class Order:
    secret: str = field(default="hidden", repr=False)
    tries: int = 0

    @property
    def is_late(self) -> bool:
        return self.tries > LIMIT

    @classmethod
    def first(cls) -> "Order":
        return cls(tries=1)


class Named:
    def __init__(self):
        self.name = "named"


class Dog(Named):
    def __init__(self):
        super().__init__()


def act(a, more=2):
    return [one + more for one in range(a) if one != 1]


@contextmanager
def opened():
    yield 5


def make():
    def inner(a):
        return a == 7
    return inner
'''


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ModuleType]:
    """A module that was imported, and another one that holds its names."""
    path = tmp_path / "shop.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("shop_of_a_test", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["shop_of_a_test"] = module
    spec.loader.exec_module(module)
    live_functions.cache_clear()
    yield module
    del sys.modules["shop_of_a_test"]
    live_functions.cache_clear()


def mutant(shop: ModuleType, part: str) -> Mutant:
    (found,) = [one for one in enumerate_mutants([Path(str(shop.__file__))]) if part in one.name]
    return found


def test_a_function_keeps_its_identity_and_changes(shop: ModuleType) -> None:
    held = shop.act
    plant(mutant(shop, "act compare"))
    assert held is shop.act
    assert held(3) == [3]


def test_a_wrapped_function_a_property_and_a_method(shop: ModuleType) -> None:
    plant(mutant(shop, "opened constant: yield 5 | 5 => 6"))
    plant(mutant(shop, "Order.is_late compare"))
    plant(mutant(shop, "Order.first constant: return cls(tries=1) | 1 => 2"))
    with shop.opened() as value:
        assert value == 6
    assert shop.Order(tries=3).is_late
    assert shop.Order.first().tries == 2


def test_a_call_of_the_parent_class_can_be_left_out(shop: ModuleType) -> None:
    assert shop.Dog().name == "named"
    plant(mutant(shop, "Dog.__init__ delete"))
    assert not hasattr(shop.Dog(), "name")


def test_a_function_inside_another_one(shop: ModuleType) -> None:
    plant(mutant(shop, "inner compare"))
    assert shop.make()(8)


def test_a_constant_changes_wherever_it_is_known_by_its_name(shop: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    user = ModuleType("user_of_a_test")
    vars(user)["LIMIT"] = shop.LIMIT
    monkeypatch.setitem(sys.modules, "user_of_a_test", user)
    plant(mutant(shop, "LIMIT = 3 | 3 => 4"))
    assert (shop.LIMIT, vars(user)["LIMIT"]) == (4, 4)
    assert not shop.Order(tries=4).is_late


def test_a_table_changes_for_those_who_hold_it(shop: ModuleType) -> None:
    held = shop.TABLE
    plant(mutant(shop, "{'a': 1} | 1 => 2"))
    assert held == {"a": 2}


def test_defaults_of_arguments_and_fields(shop: ModuleType) -> None:
    plant(mutant(shop, "| 2 => 3"))
    assert shop.act(1) == [3]
    order = shop.Order
    plant(mutant(shop, "tries: int = 0 | 0 => 1"))
    assert order is shop.Order
    assert order().tries == 1


def test_what_a_dataclass_shows(shop: ModuleType) -> None:
    assert "hidden" not in repr(shop.Order())
    plant(mutant(shop, "False => True"))
    assert "hidden" in repr(shop.Order())


def test_a_mutant_of_another_source_does_not_fit(shop: ModuleType) -> None:
    one = mutant(shop, "act compare")
    Path(str(shop.__file__)).with_name("copy.py").write_text(SOURCE)
    elsewhere = Mutant(one.name, Path(str(shop.__file__)).with_name("copy.py"), one.tree, one.change)
    with pytest.raises(DoesNotFit):
        plant(elsewhere)
