"""What the API takes: the keywords of the client's methods. Rules and examples are in docs/openapi.json."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from typing_extensions import NotRequired, TypedDict

from direct_debit_client.models import BindingState, PaymentState


class BindAccountRequest(TypedDict):
    """Link a customer's account. `phone` is 628…; the personal fields go to DOKU and are not stored."""

    customer_id: str
    phone: str
    success_url: NotRequired[str | None]
    failed_url: NotRequired[str | None]
    customer_name: NotRequired[str | None]
    email: NotRequired[str | None]
    id_card: NotRequired[str | None]
    country: NotRequired[str | None]
    address: NotRequired[str | None]
    date_of_birth: NotRequired[str | None]
    device_id: NotRequired[str | None]
    ip_address: NotRequired[str | None]
    metadata: NotRequired[Mapping[str, str]]


class MakePaymentRequest(TypedDict):
    """Charge a linked account. `partner_reference_no` is your own reference, `amount` is rupiah and never a float.

    `customer_id` is whose link it has to be: with another one it is NotFound, and nothing is done.
    """

    binding_id: str
    customer_id: NotRequired[str | None]
    amount: Decimal | int | str
    remarks: str
    partner_reference_no: NotRequired[str | None]
    success_url: NotRequired[str | None]
    failed_url: NotRequired[str | None]
    device_id: NotRequired[str | None]
    ip_address: NotRequired[str | None]
    metadata: NotRequired[Mapping[str, str]]


class RefundPaymentRequest(TypedDict):
    """Give a payment back in full."""

    partner_refund_no: NotRequired[str | None]
    reason: NotRequired[str | None]


class ListPaymentsQuery(TypedDict):
    """Which payments: one of `customer_id`, `day` (in Jakarta), `doku_reference`, `unresolved`, or a `state` alone.

    `limit`: of a page, at most 100; `after`: the `next` of the page before.
    """

    customer_id: NotRequired[str | None]
    day: NotRequired[date | str | None]
    doku_reference: NotRequired[str | None]
    unresolved: NotRequired[bool]
    state: NotRequired[PaymentState | str | None]
    limit: NotRequired[int | None]
    after: NotRequired[str | None]


class ListBindingsQuery(TypedDict):
    """Which links: one of `customer_id`, `day` (in Jakarta), `unresolved`, or a `state` alone.

    `limit`: of a page, at most 100; `after`: the `next` of the page before.
    """

    customer_id: NotRequired[str | None]
    day: NotRequired[date | str | None]
    unresolved: NotRequired[bool]
    state: NotRequired[BindingState | str | None]
    limit: NotRequired[int | None]
    after: NotRequired[str | None]
