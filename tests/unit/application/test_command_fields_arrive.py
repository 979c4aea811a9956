"""Each field of a command gets somewhere: into the record, or into a request to DOKU. One that is dropped fails here.

Which fields there are is read from the commands; what each is set to, so that a new one needs a row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import get_type_hints

import pytest

from direct_debit.application.bindings.bind_account import BindAccount, bind_account
from direct_debit.application.bindings.confirm_unbinding import ConfirmUnbinding
from direct_debit.application.bindings.return_from_binding import ReturnFromBinding
from direct_debit.application.payments.get_payment import GetPayment
from direct_debit.application.payments.make_payment import MakePayment, make_payment
from direct_debit.application.payments.verify_payment_otp import VerifyPaymentOtp
from direct_debit.application.refunds.refund_payment import RefundPayment, refund_payment
from direct_debit.domain.money import Amount
from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.route import Route
from tests.fakes.journey import REF
from tests.fakes.world import World
from tests.unit.application.support import linked, paid
from tools.doku_simulator.records import SimulatedResponse
from tools.operations import ROUTES

HERE = "tests/unit/application/test_command_fields_arrive.py"

BIND_ACCOUNT = BindAccount(
    customer_id="CUST-1",
    phone="6281234567890",
    success_url="https://shop.example/yes",
    failed_url="https://shop.example/no",
    customer_name="Siti Rahma",
    email="siti@shop.example",
    id_card="3171234567890123",
    country="Indonesia",
    address="Jalan Sudirman 1",
    date_of_birth="19900131",
    metadata={"segment": "gold"},
    device_id="a1b2c3d4e5",
    ip_address="203.0.113.7",
    task_token="AQCEAAAAKgAAAAMAAAAA",
)
MAKE_PAYMENT = MakePayment(
    binding_id="",  # the customer's link, which is another one in each world
    amount=Amount.parse("25000.50"),
    remarks="Order 4712",
    partner_reference_no=REF,
    idempotency_key="basket-7",
    success_url="https://shop.example/yes",
    failed_url="https://shop.example/no",
    device_id="a1b2c3d4e5",
    ip_address="203.0.113.7",
    metadata={"orderId": "4712"},
    task_token="AQCEAAAAKgAAAAMAAAAA",
    customer_id="CUST-1",
)
REFUND_PAYMENT = RefundPayment(
    ref=REF, partner_refund_no="RFD000000002", reason="Customer complain", requested_by="arn:aws:iam::1:role/shop"
)


@dataclass(frozen=True)
class Journey:
    """The file of a use case, a command with all fields, and where a field is under another name or in another form."""

    file: str
    command: object
    kept_as: Mapping[str, str] = field(default_factory=dict)  # by the record's name
    sealed: frozenset[str] = frozenset()
    elsewhere: Mapping[str, str] = field(default_factory=dict)  # with the reason


JOURNEYS: Mapping[type, Journey] = {
    BindAccount: Journey(
        "application/bindings/bind_account.py",
        BIND_ACCOUNT,
        sealed=frozenset({"success_url", "failed_url", "task_token"}),
    ),
    MakePayment: Journey(
        "application/payments/make_payment.py",
        MAKE_PAYMENT,
        kept_as={"partner_reference_no": "ref"},
        sealed=frozenset({"task_token"}),
        elsewhere={"idempotency_key": "in an item of its own: payments/test_idempotency_key.py"},
    ),
    RefundPayment: Journey(
        "application/refunds/refund_payment.py",
        REFUND_PAYMENT,
        kept_as={"partner_refund_no": "number", "reason": "sealed_reason"},
        sealed=frozenset({"reason"}),
        elsewhere={"ref": "names the payment of which the refund is a part"},
    ),
}


# Commands that only name a record and say one thing about it: their own tests fail without any of these fields.
SMALL: Mapping[type, frozenset[str]] = {
    VerifyPaymentOtp: frozenset({"ref", "otp"}),
    ConfirmUnbinding: frozenset({"binding_id", "otp", "customer_id"}),
    GetPayment: frozenset({"ref", "refresh"}),
    ReturnFromBinding: frozenset({"state", "outcome"}),
}


@pytest.mark.parametrize(
    "route", [one for one in ROUTES if hasattr(one.request, "to_command")], ids=lambda one: one.name
)
def test_each_command_is_tried_or_small(route: Route[Command]) -> None:
    kind = get_type_hints(route.request.to_command)["return"]  # type: ignore[attr-defined]  # those that have one
    if kind not in JOURNEYS:
        names = {one.name for one in fields(kind)}
        assert names == SMALL.get(kind, frozenset()), (
            f"{HERE}: give {kind.__name__} a row in JOURNEYS, or, where its use case's own tests fail without each of "
            f"{sorted(names)}, write these in SMALL"
        )


def listen(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what will have been sent to DOKU from now on."""
    heard: list[str] = []
    handle = world.simulator.handle

    def hear(method: str, target: str, headers: Mapping[str, str], body: bytes) -> SimulatedResponse:
        heard.extend((*headers.values(), body.decode()))
        return handle(method, target, headers, body)

    monkeypatch.setattr(world.simulator, "handle", hear)
    return heard


def go(command: object, monkeypatch: pytest.MonkeyPatch) -> tuple[object, object, str]:
    """Let a command do its work; return it as it was, the record, and what was sent."""
    match command:
        case BindAccount():
            world = World()
            heard = listen(world, monkeypatch)
            made: object = bind_account(command, world.process(), world.deadline()).binding
        case MakePayment():
            merchant = linked()
            world = merchant.world
            heard = listen(world, monkeypatch)
            command = replace(command, binding_id=merchant.binding().id)
            made = make_payment(command, world.process(), world.deadline()).payment
        case RefundPayment():
            world = paid().world
            heard = listen(world, monkeypatch)
            made = refund_payment(command, world.process(), world.deadline()).payment.refund
        case _:
            pytest.fail(f"say here how {type(command).__name__} does its work")
    return command, made, " ".join(heard)


def is_kept(journey: Journey, command: object, record: object, name: str) -> bool:
    """Whether the record has it, as it was sent or sealed."""
    value, kept = getattr(command, name), getattr(record, journey.kept_as.get(name, name), None)
    return kept == value or (name in journey.sealed and kept is not None)


@pytest.mark.parametrize("kind", JOURNEYS, ids=lambda kind: kind.__name__)
def test_each_field_of_a_command_is_kept_or_sent(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    journey = JOURNEYS[kind]
    command, record, sent = go(journey.command, monkeypatch)
    assert is_dataclass(command)
    for one in fields(command):
        value = getattr(command, one.name)
        assert value not in (None, "", {}), f"{HERE}: set {kind.__name__}.{one.name} in the command that is tried"
        assert (
            one.name in journey.elsewhere
            or is_kept(journey, command, record, one.name)
            or (isinstance(value, str) and value in sent)
        ), (
            f"{journey.file}: {kind.__name__}.{one.name} is dropped: hand it to the {type(record).__name__} that is "
            f"made there, or to the message for DOKU; where it goes elsewhere, say so in JOURNEYS of {HERE}"
        )


def test_what_is_sealed_is_not_in_the_record_as_it_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or "sealed" would be said of what is open."""
    for journey in JOURNEYS.values():
        with monkeypatch.context() as context:
            command, record, _ = go(journey.command, context)
        for name in journey.sealed:
            assert getattr(record, journey.kept_as.get(name, name)) != getattr(command, name), name
