"""The secrets of a world as Secrets Manager gives them, and DOKU's side of the signatures."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.fakes.world import _CREDENTIALS, PUBLIC_URL, vector_keys
from tools.make_events import Signer
from tools.secret_fields import FIELDS

CONTENT = _CREDENTIALS
"""What a world seals and signs with. Its public key of DOKU is empty: there nothing of DOKU's is verified."""


def secret_texts() -> Mapping[str, str]:
    """Return the JSON of the three secrets, by their parts.

    What seals notifications is the data key here: the floor knows the sealed texts of a recording by that one's name.
    """
    keys = {name: _text(key) for name, key in CONTENT.token_keys.items()}
    fields = {
        "clientId": CONTENT.client_id,
        "secretKey": CONTENT.secret_key,
        "merchantPrivateKey": CONTENT.merchant_private_key,
        "dokuPublicKey": vector_keys()["dokuPublicKeyPem"],
        "dokuClientKey": CONTENT.doku_client_key,
        "tokenKeys": keys,
        "activeTokenKey": CONTENT.active_token_key,
        "phonePepper": _text(CONTENT.phone_pepper),
        "issuedTokenKey": _text(CONTENT.issued_token_key),
        "noticeKeys": keys,
        "activeNoticeKey": CONTENT.active_token_key,
        "noticePepper": _text(CONTENT.phone_pepper),
    }
    return {
        part: json.dumps({name: value for name, value in fields.items() if name in names})
        for part, names in FIELDS.items()
    }


def signer() -> Signer:
    """Return DOKU's signer at this moment."""
    key = load_pem_private_key(vector_keys()["dokuPrivateKeyPkcs8Pem"].encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("DOKU's key is no RSA key")
    return Signer(
        client_id=CONTENT.client_id,
        secret_key=CONTENT.secret_key,
        doku_private_key=key,
        doku_public_key=vector_keys()["dokuPublicKeyPem"],
        issued_token_key=CONTENT.issued_token_key,
        at=datetime.now(UTC),
        public_url=PUBLIC_URL,
    )


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()
