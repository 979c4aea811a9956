"""Items of the tables, as an older version, a newer one or a colleague with write access may leave them.

An input is a JSON object in DynamoDB's own notation. What DynamoDB could not hold is dropped from it first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from direct_debit.adapters.dynamodb.binding_item import read_binding, write_binding
from direct_debit.adapters.dynamodb.history_item import read_history, write_history
from direct_debit.adapters.dynamodb.inbox import read_inbox_item, write_inbox_item
from direct_debit.adapters.dynamodb.items import AttributeValue, Item, MalformedItem
from direct_debit.adapters.dynamodb.key_item import read_key
from direct_debit.adapters.dynamodb.payment_item import read_payment, write_payment
from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import PaymentState
from tests.fuzz.target import CANARY, Target, keep_secret, require
from tests.integration.adapters.records import a_binding, a_notification, a_payment, a_step
from tools.make_events import example_payment

_NUMBER = re.compile(r"-?[0-9]{1,38}(\.[0-9]{1,20})?")
_SAMPLES = 30


def _make[T](read: Callable[[Item], T], write: Callable[[T], Mapping[str, AttributeValue]]) -> Callable[[bytes], None]:
    """Return the check of a kind of record."""

    def check(data: bytes) -> None:
        item = _hold(data)
        if item is None:
            return
        try:
            record = read(item)
        except MalformedItem as error:
            keep_secret([str(error), repr(error)])
            return
        require(read(write(record)) == record, "what can be read can be written and read again")

    return check


def _hold(data: bytes) -> Item | None:
    """Return what DynamoDB would hold of an input; None if that is no item."""
    try:
        members = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return _hold_members(members) if isinstance(members, dict) else None


def _hold_members(members: Mapping[str, object]) -> dict[str, AttributeValue]:
    held = {name: _hold_value(value, 0) for name, value in members.items() if _is_text(name)}
    return {name: value for name, value in held.items() if value is not None}


def _hold_value(value: object, depth: int) -> AttributeValue | None:  # noqa: PLR0911 - one line per type
    if not isinstance(value, dict) or len(value) != 1 or depth > 32:
        return None
    ((kind, content),) = value.items()
    match kind, content:
        case "S", str() if _is_text(content):
            return {"S": content}
        case "N", str() if _NUMBER.fullmatch(content):
            return {"N": content}
        case "BOOL", bool():
            return {"BOOL": content}
        case "NULL", bool():
            return {"NULL": content}
        case "SS", list() if content and all(isinstance(one, str) and _is_text(one) for one in content):
            return {"SS": list(dict.fromkeys(content))}
        case "L", list():
            return {"L": [held for one in content if (held := _hold_value(one, depth + 1)) is not None]}
        case "M", dict():
            pairs = [(name, _hold_value(one, depth + 1)) for name, one in content.items() if _is_text(name)]
            return {"M": {name: held for name, held in pairs if held is not None}}
    return None


def _is_text(text: str) -> bool:
    return text.isascii() or text.encode("utf-8", "replace").decode() == text


def _write(item: Mapping[str, AttributeValue]) -> bytes:
    return json.dumps(item).encode()


def _check_key(data: bytes) -> None:
    item = _hold(data)
    if item is None:
        return
    try:
        require(isinstance(read_key(item), str), "a reference")
    except MalformedItem as error:
        keep_secret([str(error)])


_PAYMENT = a_payment()
_PAID = example_payment(PaymentState.PAID, 5)
_PROMISE = "MalformedItem names the attribute and never its value, or the record can be written and read again"

ITEMS = (
    Target(
        "payment-item",
        _PROMISE,
        _make(read_payment, write_payment),
        [
            _write(write_payment(_PAYMENT)),
            _write(write_payment(_PAID)),
            _write({**write_payment(_PAID), "taskToken": {"S": CANARY}, "ipAddress": {"S": CANARY}}),
        ],
    ),
    Target(
        "binding-item",
        _PROMISE,
        _make(read_binding, write_binding),
        [
            _write(write_binding(a_binding())),
            _write(
                {
                    **write_binding(a_binding()),
                    "accessToken": {"S": CANARY},
                    "accessExpiresAt": {"S": "2026-03-02T09:00:00.000000Z"},
                    "earlierPages": {"M": {"1": {"S": "x"}}},
                    "state": {"S": BindingState.UNBIND_OTP_PENDING},
                }
            ),
        ],
    ),
    Target(
        "inbox-item",
        _PROMISE,
        _make(read_inbox_item, write_inbox_item),
        [_write(write_inbox_item(a_notification()))],
    ),
    Target(
        "history-item",
        _PROMISE,
        _make(read_history, lambda entry: write_history("r1", entry)),
        [_write(write_history("r1", a_step(3)))],
    ),
    Target("key-item", _PROMISE, _check_key, [_write({"pk": {"S": "k"}, "sk": {"S": "KEY"}, "ref": {"S": "r1"}})]),
)
