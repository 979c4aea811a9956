"""GET /bindings/return/{state}/{outcome}: the customer's browser comes back from CIMB's page. Public."""

from direct_debit.entrypoint.container import CALLS_DOKU
from direct_debit.entrypoint.doors import open_doors
from direct_debit.entrypoint.operations.return_from_binding import ROUTE, operate

handler = open_doors(ROUTE, operate, uses=("bindings", *CALLS_DOKU))
