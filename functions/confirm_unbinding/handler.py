"""POST /bindings/{id}/otp: confirm the unlinking with the customer's OTP."""

from direct_debit.entrypoint.container import CALLS_DOKU
from direct_debit.entrypoint.doors import open_doors
from direct_debit.entrypoint.operations.confirm_unbinding import ROUTE, operate

handler = open_doors(ROUTE, operate, uses=("bindings", *CALLS_DOKU))
