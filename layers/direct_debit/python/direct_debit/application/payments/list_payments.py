"""Look at a customer's payments, page by page."""

from direct_debit.application.ports.payments import CustomerPayments, PageMark
from direct_debit.application.ports.ports import Ports


def list_payments(customer_id: str, limit: int, after: PageMark | None, ports: Ports) -> CustomerPayments:
    """Return at most `limit` payments, newest first, those behind `after`; none for an unknown customer."""
    return ports.payments.list_by_customer(customer_id, limit, after)
