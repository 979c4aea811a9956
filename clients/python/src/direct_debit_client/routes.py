"""The API's routes: for each operation of docs/openapi.json a function of its name that returns the call.

To add one: its answer in models.py, a function here, a method in client.py; then `make clients`. The tests compare all
of them with docs/openapi.json and say what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import cast

from pydantic.alias_generators import to_camel
from typing_extensions import Unpack

from direct_debit_client.amounts import write_amount
from direct_debit_client.calls import Call, SettledBy, fill
from direct_debit_client.models import (
    BalanceView,
    BindingList,
    BindingState,
    BindingView,
    PaymentList,
    PaymentState,
    PaymentView,
    RefundOfPaymentView,
)
from direct_debit_client.request_types import (
    BindAccountRequest,
    ListBindingsQuery,
    ListPaymentsQuery,
    MakePaymentRequest,
    RefundPaymentRequest,
)


def bind_account(**request: Unpack[BindAccountRequest]) -> Call[BindingView]:
    """POST /bindings."""
    return Call("POST", "/bindings", BindingView, body=_write(BindAccountRequest, request))


def get_binding(binding_id: str, customer_id: str | None = None) -> Call[BindingView]:
    """GET /bindings/{id}."""
    return Call("GET", fill("/bindings/{id}", binding_id), BindingView, query=_name_customer(customer_id))


def get_balance(binding_id: str, customer_id: str | None = None) -> Call[BalanceView]:
    """GET /bindings/{id}/balance."""
    return Call("GET", fill("/bindings/{id}/balance", binding_id), BalanceView, query=_name_customer(customer_id))


def list_bindings(**query: Unpack[ListBindingsQuery]) -> Call[BindingList]:
    """GET /bindings."""
    return Call("GET", "/bindings", BindingList, query=_write_query(ListBindingsQuery, query))


def unbind_account(binding_id: str, customer_id: str | None = None) -> Call[BindingView]:
    """DELETE /bindings/{id}."""
    return Call("DELETE", fill("/bindings/{id}", binding_id), BindingView, query=_name_customer(customer_id))


def confirm_unbinding(binding_id: str, otp: str, customer_id: str | None = None) -> Call[BindingView]:
    """POST /bindings/{id}/otp."""
    settled_by = SettledBy(get_binding(binding_id, customer_id), unless=BindingState.UNBIND_OTP_PENDING)
    path = fill("/bindings/{id}/otp", binding_id)
    return Call("POST", path, BindingView, body={"otp": otp, **_name_customer(customer_id)}, settled_by=settled_by)


def make_payment(*, idempotency_key: str | None = None, **request: Unpack[MakePaymentRequest]) -> Call[PaymentView]:
    """POST /payments."""
    body = _write(MakePaymentRequest, request) | {"amount": write_amount(request["amount"])}
    return Call("POST", "/payments", PaymentView, body=body, idempotency_key=idempotency_key)


def verify_payment_otp(partner_reference_no: str, otp: str) -> Call[PaymentView]:
    """POST /payments/{ref}/otp."""
    settled_by = SettledBy(get_payment(partner_reference_no), unless=PaymentState.OTP_PENDING)
    path = fill("/payments/{ref}/otp", partner_reference_no)
    return Call("POST", path, PaymentView, body={"otp": otp}, settled_by=settled_by)


def get_payment(partner_reference_no: str, *, refresh: bool = False) -> Call[PaymentView]:
    """GET /payments/{ref}."""
    query = {"refresh": "true"} if refresh else {}
    return Call("GET", fill("/payments/{ref}", partner_reference_no), PaymentView, query=query)


def list_payments(**query: Unpack[ListPaymentsQuery]) -> Call[PaymentList]:
    """GET /payments."""
    return Call("GET", "/payments", PaymentList, query=_write_query(ListPaymentsQuery, query))


def refund_payment(partner_reference_no: str, **request: Unpack[RefundPaymentRequest]) -> Call[RefundOfPaymentView]:
    """POST /payments/{ref}/refund."""
    path = fill("/payments/{ref}/refund", partner_reference_no)
    return Call("POST", path, RefundOfPaymentView, body=_write(RefundPaymentRequest, request))


def get_refund(partner_reference_no: str) -> Call[RefundOfPaymentView]:
    """GET /payments/{ref}/refund."""
    return Call("GET", fill("/payments/{ref}/refund", partner_reference_no), RefundOfPaymentView)


def _name_customer(customer_id: str | None) -> dict[str, str]:
    return {} if customer_id is None else {"customerId": customer_id}


def _write_query(kind: type, query: object) -> dict[str, str]:
    """Return a query's parameters as the API reads them. Raises TypeError as `_write` does."""
    return {name: _write_parameter(value) for name, value in _write(kind, query).items()}


def _write_parameter(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def _write(kind: type, request: object) -> dict[str, object]:
    """Return a request's fields as the API names them; what is None is left out, as if it had not been given.

    Raises TypeError for a name that the request does not have, and for a missing one, as Python does for keywords.
    """
    given = cast("Mapping[str, object]", request)
    known = cast("frozenset[str]", kind.__required_keys__ | kind.__optional_keys__)  # type: ignore[attr-defined]  # a TypedDict
    missing = cast("frozenset[str]", kind.__required_keys__) - given.keys()  # type: ignore[attr-defined]  # a TypedDict
    if not given.keys() <= known:
        raise TypeError(f"unknown: {', '.join(sorted(given.keys() - known))}; there are: {', '.join(sorted(known))}")
    if missing:
        raise TypeError(f"missing: {', '.join(sorted(missing))}")
    return {to_camel(name): value for name, value in given.items() if value is not None}
