"""Keys and secrets of one local stack."""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.new_keys import new_key, new_key_pair


@dataclass(frozen=True, slots=True)
class Credentials:
    """What DOKU and the merchant know of each other, and the merchant's own keys. Key pairs are PEM, keys base64."""

    client_id: str
    secret_key: str = field(repr=False)
    merchant_private_key: str = field(repr=False)
    merchant_public_key: str = field(repr=False)
    doku_private_key: str = field(repr=False)
    doku_public_key: str = field(repr=False)
    token_key: str = field(repr=False)
    phone_pepper: str = field(repr=False)
    issued_token_key: str = field(repr=False)

    def secret(self) -> str:
        """The JSON that an operator would put into the stack's secret."""
        return json.dumps(
            {
                "clientId": self.client_id,
                "secretKey": self.secret_key,
                "merchantPrivateKey": self.merchant_private_key,
                "dokuPublicKey": self.doku_public_key,
                "dokuClientKey": self.client_id,
                "tokenKeys": {"local-1": self.token_key},
                "activeTokenKey": "local-1",
                "phonePepper": self.phone_pepper,
                "issuedTokenKey": self.issued_token_key,
            }
        )

    def in_parts(self) -> Mapping[str, object]:
        """The fields for three secrets: keys of their own seal notifications, the same at each start."""
        notice_key, pepper = (
            base64.b64encode(hashlib.sha256(f"{name}:{self.token_key}".encode()).digest()).decode()
            for name in ("notice", "pepper")
        )
        fields: Mapping[str, object] = json.loads(self.secret())
        return {**fields, "noticeKeys": {"local-n1": notice_key}, "activeNoticeKey": "local-n1", "noticePepper": pepper}


def new_credentials() -> Credentials:
    """Make two RSA-2048 pairs (the merchant's, DOKU's), a shared HMAC secret and the merchant's own keys."""
    merchant_private, merchant_public = new_key_pair()
    doku_private, doku_public = new_key_pair()
    return Credentials(
        client_id="BRN-0000-LOCAL",
        secret_key="SK-" + secrets.token_urlsafe(24),
        merchant_private_key=merchant_private,
        merchant_public_key=merchant_public,
        doku_private_key=doku_private,
        doku_public_key=doku_public,
        token_key=new_key(),
        phone_pepper=new_key(),
        issued_token_key=new_key(),
    )
