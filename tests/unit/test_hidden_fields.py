"""What a type's `repr` shows lands in logs and tracebacks: a field that names a secret or a person is not in it.

The rule goes by the field's name, over every type of both layers, so that a new type can not forget it.
"""

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

import direct_debit
import doku_snap
from direct_debit.application.bindings.return_from_binding import ReturnFromBinding
from direct_debit.application.ports.doku_links import LinkRequest

HIDDEN = frozenset(
    {
        *("token", "access_token", "refresh_token", "b2b_token", "customer_token", "bank_card_token", "task_token"),
        *("token_id", "auth_code", "otp", "secret_key", "secret_keys", "private_key", "merchant_private_key"),
        *("token_keys", "notice_keys", "issued_token_key", "issued_token_keys", "phone_pepper"),
        *("phone", "phone_no", "customer_name", "email", "id_card", "address", "date_of_birth"),
        *("redirect_url", "unbind_redirect_url", "web_redirect_url"),
        *("success_registration_url", "failed_registration_url"),
        *("headers", "body", "raw_body", "query"),
    }
)
# What bears such a name and is no secret.
SHOWN = {
    "doku_snap.answers.Answer.body": "the parsed message, which hides its own fields",
    "doku_snap.inbound.SnapReply.headers": "the kind of content and the time",
    "direct_debit.application.notifications.inbound_ports.SnapReply.headers": "the same",
    "direct_debit.entrypoint.route.Route.body": "a type",
}


def types() -> Iterator[type]:
    for layer in (direct_debit, doku_snap):
        for module in pkgutil.walk_packages(layer.__path__, f"{layer.__name__}."):
            for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
                if found.__module__ == module.name:
                    yield found


def shown(found: type) -> Iterator[str]:
    if issubclass(found, BaseModel):
        yield from (name for name, field in found.model_fields.items() if field.repr)
    elif dataclasses.is_dataclass(found):
        bare = object.__new__(found)
        for field in dataclasses.fields(found):
            object.__setattr__(bare, field.name, f"<{field.name}>")
        yield from (field.name for field in dataclasses.fields(found) if f"<{field.name}>" in repr(bare))


def test_no_type_shows_what_its_field_says_is_secret() -> None:
    found = list(types())
    assert len(found) > 150
    loud = {f"{one.__module__}.{one.__qualname__}.{name}" for one in found for name in shown(one) if name in HIDDEN}
    assert loud == set(SHOWN)


@pytest.mark.parametrize("name", sorted(HIDDEN))
def test_each_name_is_some_field(name: str) -> None:
    """A name that no type has any more watches nothing."""
    assert any(name in _fields(one) for one in types())


def _fields(found: type) -> Iterator[str]:
    if issubclass(found, BaseModel):
        yield from found.model_fields
    elif dataclasses.is_dataclass(found):
        yield from (field.name for field in dataclasses.fields(found))


def test_the_pages_to_which_the_bank_sends_the_browser_back_are_hidden() -> None:
    """They carry the link's state, which proves who comes back; the merchant's own pages do not."""
    assert not {"success_url", "failed_url"} & set(shown(LinkRequest))
    assert "state" not in set(shown(ReturnFromBinding))
