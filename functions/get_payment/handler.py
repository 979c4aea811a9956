"""GET /payments/{ref}: a payment with its history; `refresh=true` asks DOKU first."""

from direct_debit.entrypoint.doors import open_doors
from direct_debit.entrypoint.operations.get_payment import ROUTE, operate

handler = open_doors(ROUTE, operate, uses=("payments",))
