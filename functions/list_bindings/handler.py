"""GET /bindings: links of a customer, of a day, or the unresolved ones; page by page."""

from direct_debit.entrypoint.doors import open_doors
from direct_debit.entrypoint.operations.list_bindings import ROUTE, operate

handler = open_doors(ROUTE, operate, uses=("bindings",))
