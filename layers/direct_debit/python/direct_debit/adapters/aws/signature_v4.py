"""AWS's signature version 4 of a POST whose parameters are all in its body.

Source: AWS IAM User Guide, "Create a signed AWS API request". The tests compare it with botocore's signer.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from direct_debit.adapters.aws.endpoints import AwsPlace

_ALGORITHM = "AWS4-HMAC-SHA256"


class Signer:
    """Signs requests of one role to one service. `service` is its name in signatures, `host` and `path` its address."""

    def __init__(self, place: AwsPlace, service: str, host: str, path: str) -> None:
        self._place = place
        self._service = service
        self._host = host
        self._path = path
        self._key = ("", b"")  # of a day

    def sign(self, headers: Mapping[str, str], body: bytes, now: datetime) -> dict[str, str]:
        """Return these headers (names in lower case) with those that prove who sends them, at `now` (UTC)."""
        time = f"{now:%Y%m%dT%H%M%SZ}"
        signed = {"host": self._host, "x-amz-date": time, **headers}
        if self._place.session_token is not None:
            signed["x-amz-security-token"] = self._place.session_token
        names = sorted(signed)
        lines = "".join(f"{name}:{signed[name]}\n" for name in names)
        listed = ";".join(names)
        canonical = f"POST\n{self._path}\n\n{lines}\n{listed}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{time[:8]}/{self._place.region}/{self._service}/aws4_request"
        to_sign = f"{_ALGORITHM}\n{time}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self._derive_key(scope), to_sign.encode(), "sha256").hex()
        signed["authorization"] = (
            f"{_ALGORITHM} Credential={self._place.access_key}/{scope}, SignedHeaders={listed}, Signature={signature}"
        )
        return signed

    def _derive_key(self, scope: str) -> bytes:
        known, key = self._key
        if known == scope:
            return key
        key = f"AWS4{self._place.secret_key}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        self._key = (scope, key)
        return key
