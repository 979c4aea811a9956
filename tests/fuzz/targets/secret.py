"""The secret, as people paste it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

from direct_debit.adapters.credentials import KEY_BYTES, MalformedCredentials, parse_credentials, parse_data
from direct_debit.entrypoint.check_credentials import check_credentials, read_inbound, read_receiver, read_signing
from tests.fuzz.target import CANARY, Target, keep_secret, require
from tests.fuzz.targets.samples import KEYS


def check_secret(data: bytes) -> None:
    """Try a version of the secret, and what the signing layer says of it."""
    text = data.decode("utf-8", "replace")
    _is_refused(read_receiver, text)
    parts = [_is_refused(read, text) for read in (read_inbound, read_signing, parse_data)]
    try:
        credentials = parse_credentials(text)
        keep_secret([repr(credentials), *credentials.faults])
        check_credentials(credentials)
    except MalformedCredentials as error:
        require(len(error.fields) > 0, "each refusal names a field")
        require(error.__cause__ is None and (error.__context__ is None or error.__suppress_context__), "no cause")
        keep_secret([str(error), repr(error)])
        return
    require(not any(parts), "what is usable whole is usable in parts")
    require(credentials.active_token_key in credentials.token_keys, "the active key is there")
    keys = [*credentials.token_keys.values(), credentials.phone_pepper, credentials.issued_token_key]
    require(all(len(key) == KEY_BYTES for key in keys), "each key has its length")


def _is_refused(read: Callable[[str], object], text: str) -> bool:
    try:
        keep_secret([repr(read(text))])
    except MalformedCredentials as error:
        require(len(error.fields) > 0, "each refusal of a part names a field")
        keep_secret([str(error), repr(error)])
        return True
    return False


def _write_pem(kind: str) -> str:
    return f"-----BEGIN {kind}-----\n{CANARY}\n-----END {kind}-----\n"


_KEY = base64.b64encode((CANARY * 4).encode()).decode()
_GOOD = {
    "clientId": KEYS["clientId"],
    "secretKey": f"SK-{CANARY}",
    "merchantPrivateKey": KEYS["merchantPrivateKeyPkcs8Pem"],
    "dokuPublicKey": KEYS["dokuPublicKeyPem"],
    "tokenKeys": {"k1": _KEY, "k2": _KEY},
    "activeTokenKey": "k1",
    "phonePepper": _KEY,
    "issuedTokenKey": _KEY,
}
_WRONG = {
    **_GOOD,
    "merchantPrivateKey": _write_pem("PRIVATE KEY"),
    "dokuPublicKey": _write_pem("CERTIFICATE"),
    "phonePepper": CANARY,
    "activeTokenKey": CANARY,
    "issuedTokenKey": [CANARY],
}

SECRET = (
    Target(
        "secret",
        "a version is usable, or MalformedCredentials names the fields and never their content",
        check_secret,
        [
            json.dumps(_GOOD).encode(),
            json.dumps(_GOOD, indent=2).replace("\\n", "\n").encode(),
            json.dumps(_WRONG).encode(),
            b"\xef\xbb\xbf" + json.dumps({**_GOOD, "dokuClientKey": "X", "tokenKeys": {"k1": CANARY}}).encode(),
            json.dumps({**_GOOD, "noticeKeys": {"n1": _KEY}, "activeNoticeKey": "n1", "noticePepper": _KEY}).encode(),
            b"{}",
            b"",
        ],
    ),
)
