"""Each function's role allows what its code does: whole stories, lived with the rights of the template.

A right that is missing shows on AWS, and in the local cloud that enforces roles, as a store that is "unavailable"; here
it is named.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from direct_debit.adapters.dynamodb.keys import record_kind
from direct_debit.application.bindings.get_balance import get_balance
from direct_debit.application.bindings.get_binding import get_binding
from direct_debit.application.bindings.list_bindings import ListBindings, list_bindings
from direct_debit.application.payments.list_payments import ListPayments, find_by_doku_reference, list_payments
from direct_debit.application.ports.inbox import InboxKind
from direct_debit.application.ports.pages import OfCustomer, OfDay, Unresolved
from direct_debit.application.refunds.get_refund import get_refund
from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import PaymentState
from tests.fakes.journey import REF, Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.world import World
from tests.template.translation import as_list, kinds, name_of, statements
from tests.unit.application.support import lose_notifications
from tools.doku_simulator.dials import Dial

_STEPS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
_WORKERS = {"notification": "ProcessNotification", "inquiry": "InquireStatus", "refund": "ProcessRefund"}
_QUEUES = {"notification": "NotificationQueue", "inquiry": "StatusInquiryQueue", "refund": "RefundRetryQueue"}
_CALLERS = {
    "bind": "BindAccount",
    "come_back": "ReturnFromBinding",
    "pay": "MakePayment",
    "enter_otp": "VerifyPaymentOtp",
    "look": "GetPayment",
    "refund": "RefundPayment",
    "unbind": "UnbindAccount",
    "confirm_unbinding": "ConfirmUnbinding",
}


type Right = tuple[str, str, str]
"""(function, action, resource); of a table, the resource is that of one kind of item: `Transactions:PAYMENT`"""
type Needs = Callable[[dict[str, Any]], list[tuple[str, str]]]
"""The actions that a request takes, each with its resource."""


def rights() -> set[Right]:
    """What the roles of the template allow."""
    return {
        (role.removesuffix("Role"), action, name_of(resource) + kind)
        for role, statement in statements()
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        for kind in ([f":{kind}" for kind in kinds(statement)] or [""])
    }


@dataclass
class Guard:
    """Notes what is done in whose name, and what of it its role does not allow."""

    allowed: set[Right] = field(default_factory=rights)
    acting: list[str] = field(default_factory=list)
    done: set[Right] = field(default_factory=set)

    def check(self, action: str, resource: str) -> None:
        if self.acting:
            self.done.add((self.acting[-1], action, resource))

    @property
    def missing(self) -> set[Right]:
        return {one for one in self.done if one not in self.allowed and (one[0], one[1], "*") not in self.allowed}

    @contextlib.contextmanager
    def role(self, name: str) -> Iterator[None]:
        self.acting.append(name)
        try:
            yield
        finally:
            self.acting.pop()

    def named(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Make a call in a function's name."""

        def wrapped(*arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - passes everything on
            with self.role(name):
                return call(*arguments, **more)

        return wrapped

    def watched(self, what: Needs, call: Callable[..., Any]) -> Callable[..., Any]:
        """Note a request before it is made."""

        def wrapped(*arguments: Any, **request: Any) -> Any:  # noqa: ANN401 - passes everything on
            for action, resource in what(request):
                self.check(action, resource)
            return call(*arguments, **request)

        return wrapped


def _of(action: str, resource: str) -> Needs:
    return lambda _: [(action, resource)]


def _items_of(step: dict[str, Any]) -> str:
    key = step.get("Key") or step["Item"]
    return f"{step['TableName']}:{record_kind(key['pk']['S'])}"


def _of_table(action: str) -> Needs:
    return lambda request: [(f"dynamodb:{action}", _items_of(request))]


def _of_search(request: dict[str, Any]) -> list[tuple[str, str]]:
    if "IndexName" in request:
        return [("dynamodb:Query", f"{request['TableName']}/index/{request['IndexName']}")]
    partition = request["ExpressionAttributeValues"][":pk"]["S"]
    return [("dynamodb:Query", f"{request['TableName']}:{record_kind(partition)}")]


def _of_transaction(request: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (f"dynamodb:{_STEPS[kind]}", _items_of(step)) for one in request["TransactItems"] for kind, step in one.items()
    ]


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Guard]:
    """Watch every world; at the end every right that was needed must have been there."""
    watch = Guard()
    created = World.__post_init__

    def watched_world(world: World) -> None:
        created(world)
        store = world.store
        for name, action in (("get_item", "GetItem"), ("put_item", "PutItem"), ("update_item", "UpdateItem")):
            monkeypatch.setattr(store, name, watch.watched(_of_table(action), getattr(store, name)))
        monkeypatch.setattr(store, "query", watch.watched(_of_search, store.query))
        monkeypatch.setattr(store, "transact_write_items", watch.watched(_of_transaction, store.transact_write_items))
        for name in ("publish", "publish_together"):
            put = watch.watched(_of("events:PutEvents", "EventBus"), getattr(world.events, name))
            monkeypatch.setattr(world.events, name, put)
        monkeypatch.setattr(
            world.workflows,
            "succeed",
            watch.watched(_of("states:SendTaskSuccess", "*"), world.workflows.succeed),
        )
        for kind, queue in _QUEUES.items():
            name = f"send_{kind}"
            send = watch.watched(_of("sqs:SendMessage", queue), getattr(world.queues, name))
            monkeypatch.setattr(world.queues, name, send)

    monkeypatch.setattr(World, "__post_init__", watched_world)
    monkeypatch.setattr(World, "stream", watch.named("PublishEvents", World.stream))
    monkeypatch.setattr(World, "tick", watch.named("ResolvePending", World.tick))
    delivered = World._deliver

    def deliver(world: World, message: Any, receives: int) -> None:  # noqa: ANN401 - passed on
        with watch.role(_WORKERS[message.queue]):
            delivered(world, message, receives)

    monkeypatch.setattr(World, "_deliver", deliver)
    accepted = World.deliver

    def accept(world: World, delivery: Any) -> None:  # noqa: ANN401 - passed on
        kind = "Payment" if InboxKind(delivery.kind) is InboxKind.PAYMENT else "Binding"
        with watch.role(f"Receive{kind}Notification"):
            accepted(world, delivery)

    monkeypatch.setattr(World, "deliver", accept)
    for method, function in _CALLERS.items():
        monkeypatch.setattr(Merchant, method, watch.named(function, getattr(Merchant, method)))
    yield watch
    assert watch.missing == set()


def linked_merchant() -> Merchant:
    merchant = Merchant(World())
    merchant.bind(task_token="link")
    merchant.come_back(merchant.walk_through_pages())
    merchant.world.clock.tick(2)
    merchant.world.pump()
    return merchant


def test_the_whole_life_of_a_link_with_a_refund_and_an_unlinking(guard: Guard) -> None:
    merchant = linked_merchant()
    merchant.pay(task_token="pay")
    merchant.enter_otp()
    come_to_rest(merchant.world, 5)
    merchant.look(refresh=True)
    merchant.refund()
    come_to_rest(merchant.world, 300)
    merchant.unbind()
    merchant.confirm_unbinding()
    come_to_rest(merchant.world)
    assert merchant.binding().state is BindingState.UNBOUND
    assert ("PublishEvents", "dynamodb:Query", "Transactions:PAYMENT") in guard.done
    assert ("PublishEvents", "dynamodb:UpdateItem", "Transactions:PAYMENT") in guard.done


def test_lost_answers_and_an_outage(guard: Guard) -> None:
    merchant = linked_merchant()
    world = merchant.world
    world.simulator.dials.add(Dial("payment", "drop", count=1))
    merchant.pay("LOST-1")
    lose_notifications(world)
    world.simulator.dials.add(Dial("refund", "drop", count=1))
    come_to_rest(world)
    merchant.pay("PAID-1")
    merchant.enter_otp(ref="PAID-1")
    world.simulator.dials.add(Dial("status", "drop", count=2))
    come_to_rest(world, 400)
    merchant.refund("PAID-1")
    come_to_rest(world)
    assert ("InquireStatus", "dynamodb:UpdateItem", "Transactions:PAYMENT") in guard.done
    assert ("ProcessRefund", "dynamodb:UpdateItem", "Transactions:PAYMENT") in guard.done


def test_news_that_the_streams_did_not_tell(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    merchant = Merchant(World())
    world = merchant.world
    monkeypatch.setattr(World, "stream", lambda _: None)
    merchant.bind(task_token="link")
    merchant.come_back(merchant.walk_through_pages())
    merchant.pay(task_token="pay")
    merchant.enter_otp()
    world.run_for(1200)
    assert [task for task, _ in world.workflows.completed] == ["link", "pay"]
    assert "payment.paid" in [event.name for event in world.events.published]
    assert merchant.binding().open_payments == frozenset()
    for needed in (
        ("ResolvePending", "events:PutEvents", "EventBus"),
        ("ResolvePending", "states:SendTaskSuccess", "*"),
        ("ResolvePending", "dynamodb:Query", "Transactions:PAYMENT"),
        ("ResolvePending", "dynamodb:PutItem", "Transactions:PAYMENT"),
        ("ResolvePending", "dynamodb:UpdateItem", "Transactions:PAYMENT"),
        ("ResolvePending", "dynamodb:UpdateItem", "Bindings:BINDING"),
    ):
        assert needed in guard.done


def test_a_link_that_is_asked_for_again_is_proved_by_the_request(guard: Guard) -> None:
    merchant = Merchant(World())
    merchant.bind()
    merchant.walk_through_pages()
    merchant.bind(task_token="again")
    assert merchant.binding().state is BindingState.ACTIVE
    assert ("BindAccount", "states:SendTaskSuccess", "*") in guard.done
    assert ("BindAccount", "dynamodb:UpdateItem", "Bindings:BINDING") in guard.done


def test_minds_that_are_changed_while_linking(guard: Guard) -> None:
    merchant = Merchant(World())
    lose_notifications(merchant.world)
    merchant.bind()
    merchant.come_back(merchant.walk_through_pages("failed"))
    merchant.bind()  # another page
    merchant.walk_through_pages()
    merchant.unbind()  # just finished: proved, and unlinked
    assert merchant.confirm_unbinding().binding.state is BindingState.UNBOUND
    merchant.world.clock.tick(1)
    merchant.bind()
    merchant.world.clock.tick(1)
    merchant.phone = "6285700000002"
    merchant.bind()  # instead of the one before
    assert merchant.unbind().binding.state is BindingState.FAILED  # given up
    assert ("UnbindAccount", "dynamodb:UpdateItem", "Bindings:BINDING") in guard.done
    assert ("UnbindAccount", "dynamodb:DeleteItem", "Bindings:ACCOUNT") in guard.done
    assert ("UnbindAccount", "dynamodb:UpdateItem", "Bindings:CUSTOMER") in guard.done  # its counts stay


def test_a_late_notification_of_a_link_that_has_ended(guard: Guard) -> None:
    merchant = Merchant(World())
    world = merchant.world
    merchant.bind()
    url = merchant.walk_through_pages()
    assert len(world.simulator.notifications._waiting) == 1
    merchant.come_back(url)
    world.pump()
    merchant.unbind()
    merchant.confirm_unbinding()
    assert merchant.binding().state is BindingState.UNBOUND
    world.clock.tick(5)
    world.pump()
    assert ("ProcessNotification", "dynamodb:Query", "Bindings/index/customer") in guard.done


def test_an_account_that_is_full_of_settled_payments(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    merchant = linked_merchant()
    monkeypatch.setattr(World, "stream", lambda _: None)
    world = merchant.world
    limit = world.settings.max_open_payments
    for number in range(limit):
        merchant.pay(f"SETTLED-{number}")
        merchant.enter_otp(ref=f"SETTLED-{number}")
        world.clock.tick(2)
        world.notify()
        world.work()
    merchant.pay(REF)
    assert merchant.payment(REF).state is PaymentState.OTP_PENDING
    assert ("MakePayment", "dynamodb:ConditionCheckItem", "Transactions:PAYMENT") in guard.done


def test_a_key_instead_of_a_reference_and_what_is_only_asked_for(guard: Guard) -> None:
    merchant = linked_merchant()
    world, ports = merchant.world, merchant._ports()
    merchant.pay(idempotency_key="order-1")
    merchant.pay(idempotency_key="order-1")
    merchant.enter_otp()
    world.clock.tick(65)
    merchant.look(refresh=True)
    world.clock.tick(3600)  # the shared token is renewed by whoever needs it
    with guard.role("GetBalance"):
        get_balance(merchant.binding().id, ports, world.deadline())
    merchant.refund()
    with guard.role("GetRefund"):
        get_refund(REF, ports)
    with guard.role("GetBinding"):
        get_binding(merchant.binding().id, ports)
    for selection in (OfCustomer(merchant.customer), OfDay(world.clock.now().date()), Unresolved()):
        with guard.role("ListBindings"):
            list_bindings(ListBindings(selection=selection), ports)
        with guard.role("ListPayments"):
            list_payments(ListPayments(selection=selection, limit=10), ports)
    with guard.role("ListPayments"):
        find_by_doku_reference("unknown", ports)
    for needed in (
        ("MakePayment", "dynamodb:PutItem", "Transactions:KEY"),
        ("MakePayment", "dynamodb:GetItem", "Transactions:KEY"),
        ("GetPayment", "dynamodb:UpdateItem", "Transactions:PAYMENT"),
        ("GetBalance", "dynamodb:UpdateItem", "Bindings:TOKEN"),
        ("GetBalance", "dynamodb:GetItem", "Transactions:CIRCUIT"),
        ("ListBindings", "dynamodb:GetItem", "Bindings:BINDING"),
        ("ListPayments", "dynamodb:GetItem", "Transactions:PAYMENT"),
    ):
        assert needed in guard.done


def test_an_unlinking_lets_settled_payments_go(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    merchant = linked_merchant()
    monkeypatch.setattr(World, "stream", lambda _: None)
    world = merchant.world
    merchant.pay()
    merchant.enter_otp()
    world.clock.tick(2)
    world.notify()
    world.work()
    world.clock.tick(3600)
    merchant.unbind()
    assert merchant.binding().open_payments == frozenset()
    for needed in (
        ("UnbindAccount", "dynamodb:GetItem", "Transactions:PAYMENT"),
        ("UnbindAccount", "dynamodb:ConditionCheckItem", "Transactions:PAYMENT"),
        ("UnbindAccount", "dynamodb:UpdateItem", "Bindings:TOKEN"),
    ):
        assert needed in guard.done


def test_links_and_unlinkings_that_only_the_sweep_ends(guard: Guard) -> None:
    unfinished = Merchant(World())
    unfinished.bind()
    come_to_rest(unfinished.world)
    assert unfinished.binding().state is BindingState.FAILED
    unconfirmed = linked_merchant()
    unconfirmed.unbind()
    come_to_rest(unconfirmed.world, timedelta(days=1) / timedelta(seconds=1))
    assert unconfirmed.binding().state is BindingState.ACTIVE
    assert ("ResolvePending", "dynamodb:DeleteItem", "Bindings:ACCOUNT") in guard.done
    assert ("ResolvePending", "dynamodb:UpdateItem", "Bindings:CUSTOMER") in guard.done
