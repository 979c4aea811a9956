"""POST /payments: charge a linked account."""

from direct_debit.entrypoint.container import CALLS_DOKU
from direct_debit.entrypoint.doors import open_doors
from direct_debit.entrypoint.operations.make_payment import ROUTE, operate

handler = open_doors(ROUTE, operate, uses=("bindings", "payments", *CALLS_DOKU))
