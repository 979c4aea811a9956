"""P4: a CIMB payment by this project's signing layer (doku_snap), with known tokens. Runs on the build (driver.py)."""

import os
import secrets
from datetime import UTC, datetime

from doku_snap.client import Call, DokuClient
from doku_snap.credentials import Credentials
from doku_snap.external_id import make_external_id
from doku_snap.messages.base import Amount
from doku_snap.messages.payment import PaymentRequest
from doku_snap.settings import ClientSettings
from doku_snap.transport import RequestsTransport, Timeout

_made: list[DokuClient] = []


def handler(event: dict[str, str], _: object) -> dict[str, object]:
    """Make one payment."""
    if not _made:
        credentials = Credentials(event["clientId"], event["secretKey"], event["privateKey"])
        settings = ClientSettings(base_url=os.environ["DOKU_BASE_URL"])
        _made.append(DokuClient(credentials, settings, RequestsTransport(), lambda: datetime.now(UTC)))
    request = PaymentRequest(
        partner_reference_no=event["ref"],
        amount=Amount(value="10000.00"),
        remarks="Order 1",
        success_payment_url="https://shop.example/ok",
        failed_payment_url="https://shop.example/no",
    )
    call = Call(
        b2b_token=event["b2bToken"],
        external_id=make_external_id(datetime.now(UTC), lambda count: f"{secrets.randbelow(10**count):0{count}d}"),
        timeout=Timeout(5.0, 20.0),
        customer_token=event["customerToken"],
        ip_address="203.0.113.7",
    )
    return {"code": _made[0].make_payment(request, call).code}
