"""GET /bindings/{id}: one link as it is now."""

from direct_debit.entrypoint.doors import open_doors
from direct_debit.entrypoint.operations.get_binding import ROUTE, operate

handler = open_doors(ROUTE, operate, uses=("bindings", "vault"))
