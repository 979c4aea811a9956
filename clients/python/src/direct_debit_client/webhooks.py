"""Messages that the service sends to your shop, verified by the Standard Webhooks convention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from direct_debit_client.errors import WebhookRefused
from direct_debit_client.models import BindingState, PaymentState, RefundState, View

_D = TypeVar("_D", bound=View)

_BINDING_PREFIX = "binding."
_PAYMENT_PREFIXES = ("payment.", "refund.")


class PaymentEventData(View):
    """What became of a payment or its refund. Of two events, the one with the higher `record_version` is newer."""

    partner_reference_no: str
    binding_id: str
    customer_id: str
    amount: Decimal
    currency: str = "IDR"
    state: PaymentState
    reason: str | None = None
    partner_refund_no: str | None = None
    refund_state: RefundState | None = None
    response_code: str | None = None
    record_version: int | None = None
    schema_version: int = 1
    event_id: str
    occurred_at: datetime


class BindingEventData(View):
    """What became of a link. Of two events, the one with the higher `record_version` is newer."""

    binding_id: str
    customer_id: str
    state: BindingState
    response_code: str | None = None
    record_version: int | None = None
    schema_version: int = 1
    event_id: str
    occurred_at: datetime


class _Message(View):
    type: str
    timestamp: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True)
class WebhookEvent:
    """One event, e.g. of the type `payment.paid`. The same message may come again, with the same `id`: act on it once.

    `payment` is there for `payment.*` and `refund.*`, `binding` for `binding.*`; `data` is there for every type.
    """

    id: str
    type: str
    timestamp: datetime
    data: Mapping[str, Any] = field(repr=False)
    payment: PaymentEventData | None = None
    binding: BindingEventData | None = None


def read_webhook(body: bytes | str, headers: Mapping[str, str], secrets: str | Sequence[str]) -> WebhookEvent:
    """Verify a message with your secret (`whsec_...`; while it is being replaced, the old one too); return its event.

    `body`: exactly as it came, before any JSON reader. Raises WebhookRefused; ValueError for a secret that is none.
    """
    known = [_open(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    if not known:
        raise ValueError("give at least one webhook secret")
    lower = {name.lower(): value for name, value in headers.items()}
    if not any(_is_signed(webhook, body, lower) for webhook in known):
        raise WebhookRefused("not signed with a known secret, or too old or too new (five minutes): answer with 400")
    try:
        message = _Message.model_validate_json(body)
        return WebhookEvent(
            id=lower["webhook-id"],
            type=message.type,
            timestamp=message.timestamp,
            data=message.data,
            payment=_read(PaymentEventData, message) if message.type.startswith(_PAYMENT_PREFIXES) else None,
            binding=_read(BindingEventData, message) if message.type.startswith(_BINDING_PREFIX) else None,
        )
    except ValidationError as error:
        raise WebhookRefused("signed, but no event of this API: is the address meant for another sender?") from error


def _open(secret: str) -> Webhook:
    rule = "a webhook secret is whsec_ and base64, as the service's operator gives it"
    if not secret.removeprefix("whsec_"):
        raise ValueError(rule)
    try:
        return Webhook(secret)
    except ValueError:
        raise ValueError(rule) from None


def _is_signed(webhook: Webhook, body: bytes | str, headers: Mapping[str, str]) -> bool:
    try:
        webhook.verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):  # ValueError: a signature or a body that is no text at all
        return False
    return True


def _read(kind: type[_D], message: _Message) -> _D:
    return kind.model_validate(message.data)
