"""POST /payments/{ref}/refund: give a payment back in full."""

from direct_debit.entrypoint.doors import open_doors
from direct_debit.entrypoint.operations.refund_payment import ROUTE, operate

handler = open_doors(ROUTE, operate, uses=("payments", "vault", "queues"))
