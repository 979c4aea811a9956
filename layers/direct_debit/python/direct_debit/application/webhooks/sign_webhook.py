"""The signature of the Standard Webhooks convention: version 1, symmetric.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Signature scheme".
"""

import base64
import hmac
from collections.abc import Sequence


def sign_webhook(keys: Sequence[bytes], webhook_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of `webhook-signature`: one signature for each key, separated by blanks.

    Each is HMAC-SHA256 over `id.timestamp.body`, in base64 behind `v1,`. `timestamp` is in seconds since 1970.
    """
    signed = b".".join((webhook_id.encode(), str(timestamp).encode(), body))
    return " ".join("v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)
