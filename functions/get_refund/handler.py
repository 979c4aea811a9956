"""GET /payments/{ref}/refund: how far the refund is."""

from direct_debit.entrypoint.doors import open_doors
from direct_debit.entrypoint.operations.get_refund import ROUTE, operate

handler = open_doors(ROUTE, operate, uses=("payments",))
