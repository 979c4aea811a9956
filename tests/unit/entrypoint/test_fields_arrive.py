"""Each field of a request is in the command that its room makes of it: a field that is taken and dropped fails here.

Which fields there are is read from the models; what is sent in each is written out, so that a new one needs a row.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass

import pytest

from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.route import Route
from tools.operations import ROUTES

# What is sent in a field, whatever the operation. No two values are equal: one in another's place is found.
SENT: Mapping[str, object] = {
    "address": "Jalan Sudirman 1",
    "amount": {"value": "25000.50", "currency": "IDR"},
    "binding_id": "6f1d2c3b4a5968778695a4b3c2d1e0f0",
    "country": "Indonesia",
    "customer_id": "CUST-1001",
    "customer_name": "Siti Rahma",
    "date_of_birth": "19900131",
    "device_id": "a1b2c3d4e5",
    "email": "siti@shop.example",
    "failed_url": "https://shop.example/no",
    "id_card": "3171234567890123",
    "idempotency_key": "basket-7",
    "ip_address": "203.0.113.7",
    "metadata": {"orderId": "4712"},
    "otp": "123456",
    "outcome": "failed",
    "partner_reference_no": "INV000000002",
    "partner_refund_no": "RFD000000002",
    "phone": "62857957868761",
    "reason": "Customer complain",
    "refresh": True,
    "remarks": "Order 4712",
    "state": "0" * 32,
    "success_url": "https://shop.example/yes",
    "task_token": "AQCEAAAAKgAAAAMAAAAA",
}
# Where the command calls it otherwise.
RENAMED = {"partner_reference_no": "ref"}
# What a command has besides: not the caller's to say.
FROM_THE_CALL = {("RefundPayment", "requested_by"): "who calls, as AWS tells it"}
_LIST = frozenset({"customer_id", "day", "unresolved", "state", "limit", "after"})
# Requests of which no command is made, each with its fields, and who sees that they are heard.
WITHOUT_COMMAND: Mapping[str, tuple[frozenset[str], str]] = {
    "BalanceRequest": (frozenset({"binding_id", "customer_id", "covers"}), "integration/handlers"),
    "BindingRequest": (frozenset({"binding_id", "customer_id"}), "integration/handlers/test_whose_link.py"),
    "ListBindingsRequest": (_LIST, "unit/entrypoint/test_list_bindings.py"),
    "ListPaymentsRequest": (_LIST | {"doku_reference"}, "unit/entrypoint/test_list_payments.py"),
    "PaymentRequest": (frozenset({"partner_reference_no"}), "integration/handlers"),
}
ROWS = "tests/unit/entrypoint/test_fields_arrive.py"


def _name(route: Route[Command]) -> str:
    return route.name


def command_of(request: Command) -> object | None:
    """The command that the room makes; None where it makes none."""
    make: Callable[[], object] | None = getattr(request, "to_command", None)
    return None if make is None else make()


def list_fields() -> list[tuple[str, str]]:
    """Each room that makes a command, with each field of its request."""
    routes = [route for route in ROUTES if hasattr(route.request, "to_command")]
    return [(route.name, name) for route in routes for name in route.request.model_fields]


def route_of(room: str) -> Route[Command]:
    return next(route for route in ROUTES if route.name == room)


def full(room: str) -> Command:
    """The room's request with something in each field."""
    model = route_of(room).request
    missing = [name for name in model.model_fields if name not in SENT]
    assert not missing, f"{ROWS}: say in SENT what is sent in {', '.join(missing)} of {model.__name__}"
    return model.model_validate(
        {str(info.alias): SENT[name] for name, info in model.model_fields.items()}, by_alias=True, by_name=False
    )


@pytest.mark.parametrize(("room", "field"), list_fields())
def test_a_field_of_a_request_is_in_its_command(room: str, field: str) -> None:
    command = command_of(full(room))
    kind = type(command).__name__
    assert is_dataclass(command)
    names = {one.name for one in fields(command)}
    name = field if field in names else RENAMED.get(field, field)
    remedy = f"entrypoint/operations/{room}.py: hand {field} over in to_command"
    assert name in names, f"{remedy}, and add it to {kind} in the use case (or to RENAMED in {ROWS})"
    sent = SENT[field]
    expected = sent["value"] if field == "amount" and isinstance(sent, dict) else sent
    came = getattr(command, name)
    assert (str(came) if field == "amount" else came) == expected, remedy


@pytest.mark.parametrize("room", sorted({room for room, _ in list_fields()}))
def test_a_field_of_a_command_comes_from_its_request(room: str) -> None:
    command = command_of(full(room))
    kind = type(command).__name__
    own = {name for request in route_of(room).request.model_fields for name in (request, RENAMED.get(request))}
    assert is_dataclass(command)
    for one in fields(command):
        assert one.name in own or (kind, one.name) in FROM_THE_CALL, (
            f"entrypoint/operations/{room}.py: {kind}.{one.name} is in no field of the request; add it there, "
            f"or to FROM_THE_CALL in {ROWS} with the reason"
        )


@pytest.mark.parametrize("route", [one for one in ROUTES if not hasattr(one.request, "to_command")], ids=_name)
def test_a_request_without_a_command_has_the_fields_that_its_tests_hear(route: Route[Command]) -> None:
    name, there = route.request.__name__, set(route.request.model_fields)
    known, tests = WITHOUT_COMMAND.get(name, (frozenset(), "tests"))
    assert there == known, (
        f"entrypoint/operations/{route.name}.py: {name} has {sorted(there ^ known)}, or had it: see that operate hands "
        f"it on and that a test in tests/{tests} fails where it does not, then write it in WITHOUT_COMMAND of {ROWS}"
    )


def test_no_two_values_that_are_sent_are_equal() -> None:
    values = [str(value) for value in SENT.values()]
    assert len(values) == len(set(values))
