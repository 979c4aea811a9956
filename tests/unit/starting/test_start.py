"""What a function does while it starts in Lambda, and after it was restored from a snapshot."""

import gc
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import ModuleType

import pytest

from direct_debit.adapters.ids import SystemIds
from direct_debit.application.calls.obtain_b2b_token import obtain_b2b_token
from direct_debit.application.ports.ports import CircuitMemory, Ports, TokenMemory
from direct_debit.entrypoint import container
from direct_debit.entrypoint.lazily import Lazily
from direct_debit.entrypoint.snapshot import register_hooks
from direct_debit.starting import start
from tests.fakes.environment import COMPLETE
from tests.fakes.world import World
from tests.unit.application.support import requests


@pytest.fixture
def in_lambda(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {**COMPLETE, "AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_DEFAULT_REGION": "ap-southeast-3"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(container, "_installed", [])
    monkeypatch.delenv("PYDANTIC_DISABLE_PLUGINS", raising=False)
    with warnings.catch_warnings():
        yield
    gc.unfreeze()
    gc.enable()
    os.environ.pop("PYDANTIC_DISABLE_PLUGINS", None)


@pytest.mark.usefixtures("in_lambda")
def test_nothing_is_collected_while_modules_load_and_they_never_are() -> None:
    start.begin_start()
    assert not gc.isenabled()
    assert os.environ["PYDANTIC_DISABLE_PLUGINS"] == "__all__"
    container.start()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_elsewhere_nothing_is_done_to_the_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    before = gc.get_freeze_count()
    start.begin_start()
    container.start()
    assert gc.isenabled()
    assert gc.get_freeze_count() == before


@pytest.mark.usefixtures("in_lambda")
def test_what_the_front_door_names_is_loaded_and_nothing_else() -> None:
    container.start("payments", "inbound")
    services = container.current()
    loaded = {
        name
        for name in ("bindings", "payments", "doku", "queues")
        if (port := getattr(services.ports, name)) and isinstance(port, Lazily) and port._made is not None
    }
    assert loaded == {"payments"}
    assert isinstance(services.inbound, Lazily)
    assert services.inbound._made is not None


def test_what_is_made_lazily_is_made_once_and_is_what_it_stands_for() -> None:
    made: list[list[int]] = []

    def make() -> list[int]:
        made.append([1, 2])
        return made[-1]

    lazily = Lazily(make)
    assert not made
    assert lazily.index(2) == 1  # type: ignore[operator]  # a list's, in the end
    assert lazily.index(1) == 0  # type: ignore[operator]  # what is lazy has the methods of what it makes
    assert lazily.load() is made[0]
    assert len(made) == 1
    assert not hasattr(lazily, "nothing_of_a_list")


class Hooks(ModuleType):
    """Lambda's module of the runtime hooks."""

    def __init__(self) -> None:
        super().__init__("snapshot_restore_py")
        self.after: list[tuple[Callable[[Ports], None], Ports]] = []

    def register_after_restore(self, hook: Callable[[Ports], None], ports: Ports) -> None:
        self.after.append((hook, ports))


def test_a_restored_function_asks_for_the_token_and_the_circuit_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = Hooks()
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", hooks)
    world = World()
    ports = world.process()
    register_hooks(ports)
    obtain_b2b_token(ports, world.deadline())
    ports.circuit_memory.quiet_at = world.clock.now()
    ((hook, given),) = hooks.after
    hook(given)
    assert (ports.token_memory, ports.circuit_memory) == (TokenMemory(), CircuitMemory())
    world.clock.tick(timedelta(hours=1).total_seconds())  # the snapshot was taken long ago
    obtain_b2b_token(ports, world.deadline())
    assert requests(world, "b2b_token") == 2


def test_two_restored_copies_share_no_randomness(monkeypatch: pytest.MonkeyPatch) -> None:
    """The copies have the same memory; what they draw comes from the system, each time."""
    drawn: list[int] = []

    def draw(count: int) -> bytes:
        drawn.append(count)
        return bytes(count)

    monkeypatch.setattr("secrets.token_bytes", draw)
    ids = SystemIds()
    ids.new_id()
    ids.entropy(12)
    ids.entropy(12)
    assert drawn[-2:] == [12, 12]


@pytest.mark.usefixtures("in_lambda")
def test_a_start_registers_the_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = Hooks()
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", hooks)
    container.start()
    assert [given for _, given in hooks.after] == [container.current().ports]
