"""Requests that only name a record."""

from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.values import BindingId, OwnCustomer, Reference


class BindingRequest(Command):
    """Name a binding."""

    binding_id: BindingId
    customer_id: OwnCustomer = None


class PaymentRequest(Command):
    """Name a payment."""

    partner_reference_no: Reference
