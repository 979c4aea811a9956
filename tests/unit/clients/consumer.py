"""A shop's program: its type checker sees what is right and what is wrong, and it runs with the installed client.

Each `ignore` is a mistake that the types tell; mypy fails where it tells none.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from decimal import Decimal
from typing import assert_type

import httpx

from direct_debit_client import (
    AsyncClient,
    Bearer,
    BindingView,
    Client,
    PaymentState,
    PaymentView,
    SigV4,
    read_webhook,
)

PAYMENT = {
    "partnerReferenceNo": "INV1",
    "bindingId": "b1",
    "customerId": "CUST-1",
    "amount": {"value": "10000.00", "currency": "IDR"},
    "remarks": "Order 1",
    "state": "PAID",
    "metadata": {},
    "createdAt": "2026-08-01T07:15:00.000Z",
    "updatedAt": "2026-08-01T07:15:00.000Z",
    "links": {},
}


def answer(request: httpx.Request) -> httpx.Response:
    """Play the service."""
    is_list = request.method == "GET" and request.url.path.endswith("/payments")
    return httpx.Response(200, content=json.dumps({"payments": [PAYMENT]} if is_list else PAYMENT))


def pay(client: Client) -> Decimal:
    """Pay, and look."""
    payment = client.make_payment(binding_id="b1", amount=Decimal(10000), remarks="Order 1")
    assert_type(payment, PaymentView)
    assert_type(payment.state, PaymentState)
    assert_type(payment.amount.value, Decimal)
    assert_type(payment.created_at, datetime)
    payments = client.each_payment(customer_id="CUST-1")
    assert_type(payments, Iterator[PaymentView])
    return sum((one.amount.value for one in payments), start=Decimal(0))


async def pay_asynchronously(client: AsyncClient) -> str:
    """The same for asyncio."""
    payment = await client.make_payment(binding_id="b1", amount=10000, remarks="Order 1", idempotency_key="order-1")
    assert_type(payment, PaymentView)
    assert_type(client.each_payment(customer_id="CUST-1"), AsyncIterator[PaymentView])
    async for one in client.each_payment(customer_id="CUST-1"):
        return one.partner_reference_no
    return "none"


def make_mistakes(client: Client) -> None:
    """What no program gets past its type checker."""
    client.make_payment(binding_id="b1", amount=10000.0, remarks="Order 1")  # type: ignore[arg-type]  # a mistake that the types have to tell
    client.make_payment(binding_id="b1", amount=10000)  # type: ignore[call-arg]  # a mistake that the types have to tell
    client.make_payment(binding_id="b1", amount=1, remarks="Order 1", remark="x")  # type: ignore[call-arg]  # a mistake that the types have to tell
    print(client.get_payment("INV1").status)  # type: ignore[attr-defined]  # a mistake that the types have to tell
    client.list_payments(costumer_id="CUST-1")  # type: ignore[call-arg]  # a mistake that the types have to tell
    binding: BindingView = client.get_payment("INV1")  # type: ignore[assignment]  # a mistake that the types have to tell
    event = read_webhook(b"", {}, "whsec_")
    print(binding, event.payment.state)  # type: ignore[union-attr]  # a mistake that the types have to tell


def main() -> None:
    """Run what is right."""
    signed = SigV4.from_keys("ap-southeast-3", "AKIAEXAMPLE", "secret")
    with Client("https://pay.example/v1", signed, transport=httpx.MockTransport(answer)) as client:
        print(pay(client))

    async def run() -> None:
        transport = httpx.MockTransport(answer)
        async with AsyncClient("https://pay.example/v1", Bearer("token"), transport=transport) as client:
            print(await pay_asynchronously(client))

    asyncio.run(run())


if __name__ == "__main__":
    main()
