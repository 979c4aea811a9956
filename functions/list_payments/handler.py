"""GET /customers/{customerId}/payments: a customer's payments, newest first, page by page."""

from direct_debit.entrypoint.doors import open_doors
from direct_debit.entrypoint.operations.list_payments import ROUTE, operate

handler = open_doors(ROUTE, operate, uses=("payments",))
