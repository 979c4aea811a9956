"""POST /payments: charge a linked account."""

from direct_debit.entrypoint.doors import open_doors
from direct_debit.entrypoint.operations.make_payment import ROUTE, operate

handler = open_doors(ROUTE, operate)
