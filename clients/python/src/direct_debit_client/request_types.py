"""What the API takes: the keywords of the client's methods. Rules and examples are in docs/openapi.json."""

from collections.abc import Mapping
from decimal import Decimal

from typing_extensions import NotRequired, TypedDict


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
    """Charge a linked account. `partner_reference_no` is your own reference, `amount` is rupiah and never a float."""

    binding_id: str
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
