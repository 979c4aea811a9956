"""P4: a CIMB payment by DOKU's own library, as its README shows it. Runs in .tools/peers, loaded by driver.py.

The library asks for both tokens anew before each payment while the old ones live (its check of their expiry is the
wrong way round), each time over a new connection. That is how it works, and it is measured as it is.
"""

import os
import warnings
from typing import Any

warnings.simplefilter("ignore", SyntaxWarning)  # of the library's own patterns

from doku_python_library.src.commons.config import _Development  # type: ignore[import-not-found]  # noqa: E402 - after the path was set; the package has no types
from doku_python_library.src.model.direct_debit.payment_additional_info_request import (  # type: ignore[import-not-found]  # noqa: E402 - after the path was set; the package has no types
    PaymentAdditionalInfoRequest,
)
from doku_python_library.src.model.direct_debit.payment_request import (  # type: ignore[import-not-found]  # noqa: E402 - after the path was set; the package has no types
    PaymentRequest,
)
from doku_python_library.src.model.va.total_amount import TotalAmount  # type: ignore[import-not-found]  # noqa: E402 - after the path was set; the package has no types
from doku_python_library.src.snap import DokuSNAP  # type: ignore[import-not-found]  # noqa: E402 - after the path was set; the package has no types

_Development.BASE_URL = os.environ["DOKU_BASE_URL"]
_made: list[Any] = []


def handler(event: dict[str, str], _: object) -> dict[str, object]:
    """Make one payment; the answer has its response code as status."""
    if not _made:
        snap = DokuSNAP(
            private_key=event["privateKey"],
            client_id=event["clientId"],
            is_production=False,
            public_key=event["publicKey"],
            issuer="merchant",
            secret_key=event["secretKey"],
            merchant_public_key=event["publicKey"],
        )
        snap.get_token_b2b2c(event["authCode"])
        _made.append(snap)
    request = PaymentRequest(
        partner_reference_no=event["ref"],
        amount=TotalAmount("10000.00", "IDR"),
        additional_info=PaymentAdditionalInfoRequest(
            channel="DIRECT_DEBIT_CIMB_SNAP",
            remarks="Order 1",
            success_payment_url="https://shop.example/ok",
            failed_payment_url="https://shop.example/no",
        ),
    )
    answer = _made[0].do_payment(request, "203.0.113.7", event["authCode"])
    return {"code": answer.response_code, "message": answer.response_message}
