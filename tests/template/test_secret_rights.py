"""With three secrets: a whole journey on roles that can read their own parts only, and what a thief in one would get.

Each function starts anew for each call, so that it reads what it needs itself; what its role does not allow is refused
as AWS refuses it.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from direct_debit.application.bindings.get_balance import get_balance
from direct_debit.application.bindings.get_binding import get_binding
from direct_debit.application.bindings.list_bindings import ListBindings, list_bindings
from direct_debit.application.notifications.inbound_ports import SnapReply
from direct_debit.application.ports.pages import OfCustomer
from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import PaymentState
from direct_debit.domain.refund import RefundState
from tests.fakes.journey import Merchant
from tests.fakes.keyed_world import SECRET_KEY, KeyedWorld, Warm
from tests.fakes.secrets_manager import SeveralSecrets
from tests.fakes.world import PUBLIC_URL, World
from tests.template.test_permissions import PARTS, secrets_of
from tests.template.test_rights_suffice import _CALLERS, _WORKERS
from tools.deploy.public_routes import BINDING_NOTIFICATION, PAYMENT_NOTIFICATION, TOKEN
from tools.doku_simulator.dials import Dial
from tools.ops.onboard import FromDoku, onboard
from tools.secret_fields import FIELDS

_DOORS = {
    TOKEN: "IssueToken",
    PAYMENT_NOTIFICATION: "ReceivePaymentNotification",
    BINDING_NOTIFICATION: "ReceiveBindingNotification",
}


@dataclass
class Guard:
    """Whose rights count just now, and what was read in whose name."""

    acting: list[str] = field(default_factory=list)
    read: dict[str, set[str]] = field(default_factory=dict)

    @contextlib.contextmanager
    def role(self, function: str) -> Iterator[None]:
        """Let a function's rights count."""
        self.acting.append(function)
        try:
            yield
        finally:
            self.acting.pop()

    def check(self, secret: str) -> None:
        """Refuse what the role that acts may not read. An operator may read all."""
        if not self.acting:
            return
        part = f"{secret.capitalize()}Secret"
        self.read.setdefault(self.acting[-1], set()).add(part)
        if part not in secrets_of(self.acting[-1], SecretLayout="three"):
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetSecretValue")


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> Guard:
    """Let everything that is done in a keyed world be done by its function."""
    watch = Guard()

    def named(owner: type, method: str, function: str) -> None:
        call = getattr(owner, method)

        def wrapped(*given: Any, **more: Any) -> Any:  # noqa: ANN401 - passes everything on
            with watch.role(function):
                return call(*given, **more)

        monkeypatch.setattr(owner, method, wrapped)

    for method, function in _CALLERS.items():
        named(Merchant, method, function)
    named(World, "stream", "PublishEvents")
    named(World, "tick", "ResolvePending")
    delivered, received, read = World._deliver, KeyedWorld.receive, SeveralSecrets.get_secret_value

    def deliver(world: World, message: Any, receives: int) -> None:  # noqa: ANN401 - passed on
        with watch.role(_WORKERS[message.queue]):
            delivered(world, message, receives)

    def receive(world: KeyedWorld, path: str, headers: Mapping[str, str], body: bytes) -> SnapReply:
        with watch.role(_DOORS[path.removeprefix(urlsplit(PUBLIC_URL).path)]):
            return received(world, path, headers, body)

    def get_secret_value(secrets: SeveralSecrets, **asked: str) -> Mapping[str, object]:
        watch.check(asked["SecretId"])
        return read(secrets, **asked)

    def start(world: KeyedWorld) -> Warm:
        return world._start()

    monkeypatch.setattr(World, "_deliver", deliver)
    monkeypatch.setattr(KeyedWorld, "receive", receive)
    monkeypatch.setattr(KeyedWorld, "environment", start)
    monkeypatch.setattr(SeveralSecrets, "get_secret_value", get_secret_value)
    return watch


@pytest.fixture
def world(guard: Guard, tmp_path: Path) -> KeyedWorld:
    """A stack that has three secrets, each with its own fields."""
    world = KeyedWorld(layout="three")
    (tmp_path / "key").write_text(SECRET_KEY)
    (tmp_path / "doku.pem").write_text(world.doku_public_key)
    keys = {"secret_key": str(tmp_path / "key"), "public_key": str(tmp_path / "doku.pem")}
    facts = onboard(FromDoku(client_id=world.client_id, **keys), world.system()).facts
    world.register(merchant_public_key=str(facts["merchantPublicKey"]))
    return world


def test_a_journey_needs_of_the_secrets_what_each_role_may_read_and_all_of_it(guard: Guard, world: KeyedWorld) -> None:
    merchant = Merchant(world)
    merchant.bind(task_token="link")
    merchant.come_back(merchant.walk_through_pages())
    world.clock.tick(2)
    world.pump()
    merchant.pay(task_token="pay")
    merchant.enter_otp()
    world.run_for(600)
    assert merchant.payment().state is PaymentState.PAID
    merchant.refund(reason="broken")
    world.run_for(600)
    refund = merchant.payment().refund
    assert refund is not None
    assert refund.state is RefundState.REFUNDED
    binding = merchant.binding()
    with guard.role("GetBalance"):
        get_balance(binding.id, world.process(), world.deadline())
    other = Merchant(world, customer="CUST-2", phone="6281234567899")
    other.bind()  # the page of a link that waits is sealed
    with guard.role("GetBinding"):
        get_binding(other.binding().id, world.process())
    with guard.role("ListBindings"):
        list_bindings(ListBindings(selection=OfCustomer("CUST-2")), world.process())
    for ref in ("LOST-1", "LOST-2"):
        world.simulator.dials.add(Dial("payment", "drop", count=1))
        merchant.pay(ref)
        if ref == "LOST-1":
            world.clock.tick(65)
            merchant.look(ref, refresh=True)
    undecided = Merchant(world, customer="CUST-3", phone="6281234567898")
    undecided.link()
    undecided.unbind()
    world.run_for(90_000)  # what nobody goes on with is asked for, and ended
    merchant.unbind()
    merchant.confirm_unbinding()
    world.run_for(60)
    assert merchant.binding().state is BindingState.UNBOUND
    assert guard.read == PARTS
    assert not world.refused


@pytest.mark.parametrize("function", _DOORS.values())
def test_a_thief_at_a_public_door_reads_nothing_that_signs_or_opens_records(
    guard: Guard, world: KeyedWorld, function: str
) -> None:
    found: dict[str, object] = {}
    with guard.role(function):
        for part in FIELDS:
            with contextlib.suppress(ClientError):
                found |= json.loads(str(world.manager.get_secret_value(SecretId=part)["SecretString"]))
    assert found["issuedTokenKey"]
    assert not set(found) & {"merchantPrivateKey", "tokenKeys", "phonePepper"}
