"""POST /payments/{ref}/otp: pass the customer's OTP on to the bank."""

from direct_debit.entrypoint.container import CALLS_DOKU
from direct_debit.entrypoint.doors import open_doors
from direct_debit.entrypoint.operations.verify_payment_otp import ROUTE, operate

handler = open_doors(ROUTE, operate, uses=("payments", "bindings", *CALLS_DOKU))
