"""POST /bindings/{id}/otp: confirm the unlinking with the customer's OTP."""

from direct_debit.entrypoint.doors import open_doors
from direct_debit.entrypoint.operations.confirm_unbinding import ROUTE, operate

handler = open_doors(ROUTE, operate)
