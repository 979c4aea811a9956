"""Requests that only name a record."""

from typing import Annotated

from pydantic import Field

from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.values import BindingId, CustomerId, Reference

OwnCustomer = Annotated[
    CustomerId | None,
    Field(
        description="Whose link it has to be: with another one it is 404, and nothing is done. A guard against a "
        "mistake of your own; may be left out.",
        examples=["CUST-1001"],
    ),
]
"""The customer that a call by binding may name, so that it never reaches another one's account."""


class BindingRequest(Command):
    """Name a binding."""

    binding_id: BindingId
    customer_id: OwnCustomer = None


class PaymentRequest(Command):
    """Name a payment."""

    partner_reference_no: Reference
