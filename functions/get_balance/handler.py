"""GET /bindings/{id}/balance: the balance of a linked account."""

from direct_debit.entrypoint.container import CALLS_DOKU
from direct_debit.entrypoint.doors import open_doors
from direct_debit.entrypoint.operations.get_balance import ROUTE, operate

handler = open_doors(ROUTE, operate, uses=("bindings", *CALLS_DOKU))
