"""GET /payments: payments of a customer, of a day, by DOKU's reference, or the unresolved ones; page by page."""

from direct_debit.entrypoint.doors import open_doors
from direct_debit.entrypoint.operations.list_payments import ROUTE, operate

handler = open_doors(ROUTE, operate, uses=("payments",))
