"""GET /customers/{customerId}/bindings: all links of a customer."""

from direct_debit.entrypoint.doors import open_doors
from direct_debit.entrypoint.operations.list_bindings import ROUTE, operate

handler = open_doors(ROUTE, operate, uses=("bindings",))
