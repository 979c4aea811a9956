"""The floor: what an invocation costs at least, written by hand with the standard library and AES-GCM alone.

An event is a script (scripts.py): the event that the function got, and the calls that it made. Each call's body is
written as JSON, signed, sent over a kept connection, and its answer read; what the function opened or sealed is opened
or sealed, what DOKU signed is verified. It decides nothing, checks no field, logs nothing and repeats nothing.

It runs alone in its interpreter (driver.py) and imports nothing of this project.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import ssl
import time
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_REGION = os.environ["AWS_REGION"]
_ACCESS_KEY = os.environ["AWS_ACCESS_KEY_ID"]
_SECRET_KEY = os.environ["AWS_SECRET_ACCESS_KEY"]
_SESSION_TOKEN = os.environ["AWS_SESSION_TOKEN"]
_AWS_HOST = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
_DOKU_HOST = os.environ["DOKU_BASE_URL"].removeprefix("https://")

_connections: dict[str, http.client.HTTPConnection] = {}
_secret: dict[str, Any] = {}


def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    """Do what the script says; return the function's answer."""
    original = event["event"]
    for holder in (original, *original.get("Records", ())):
        if holder.get("body"):
            json.loads(holder["body"])
    for call in event["calls"]:
        for plaintext, bound in call["seals"]:
            _seal(plaintext, bound)
        answer = _ASK.get(call["service"], _ask_aws)(call)
        if call["service"] == "secretsmanager" and "SecretString" in answer:
            _remember(answer["SecretString"])
    for sealed, bound in event["opens"]:
        _open(sealed, bound)
    if event["verifies"]:
        _VERIFY[event["verifies"]](original)
    given: dict[str, Any] = event["answer"]
    if event["answer_body"] is not None:
        return {**given, "body": json.dumps(event["answer_body"], separators=(",", ":"))}
    return given


# --- AWS -------------------------------------------------------------------------------------------------------------


def _remember(text: str) -> None:
    """Keep what a secret says; what takes notifications has no other keys to seal with than notice keys."""
    if text.startswith("whsec_"):
        _secret["webhookKey"] = base64.b64decode(text.removeprefix("whsec_"))
        return
    part = json.loads(text)
    if "activeNoticeKey" in part:
        part = {"tokenKeys": part["noticeKeys"], "activeTokenKey": part["activeNoticeKey"], **part}
    _secret.update(part)


def _ask_aws(call: dict[str, Any]) -> dict[str, Any]:
    service = call["service"]
    body = json.dumps(call["body"], separators=(",", ":")).encode()
    headers = _sign(service, call["target"], call["content_type"], body)
    headers["X-Replay"] = call["replay"]
    connection = _connections.get(service)
    if connection is None:
        connection = _connections[service] = http.client.HTTPConnection(_AWS_HOST)
    return _exchange(connection, "/", body, headers)


def _sign(service: str, target: str, content_type: str, body: bytes) -> dict[str, str]:
    """Signature version 4 (AWS General Reference, "Create a signed AWS API request")."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = f"{now[:8]}/{_REGION}/{service}/aws4_request"
    names = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"
    canonical = (
        f"POST\n/\n\ncontent-type:{content_type}\nhost:{_AWS_HOST}\nx-amz-date:{now}\n"
        f"x-amz-security-token:{_SESSION_TOKEN}\nx-amz-target:{target}\n\n{names}\n{hashlib.sha256(body).hexdigest()}"
    )
    to_sign = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{_SECRET_KEY}".encode()
    for part in (now[:8], _REGION, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    return {
        "Content-Type": content_type,
        "X-Amz-Date": now,
        "X-Amz-Security-Token": _SESSION_TOKEN,
        "X-Amz-Target": target,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={_ACCESS_KEY}/{scope}, SignedHeaders={names}, "
        f"Signature={signature}",
    }


# --- DOKU ------------------------------------------------------------------------------------------------------------


def _ask_doku(call: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps(call["body"], separators=(",", ":")).encode()
    timestamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    headers = {
        "Content-Type": "application/json",
        "X-TIMESTAMP": timestamp,
        "X-Replay": call["replay"],
        **call["headers"],
    }
    if call["token"] is None:
        headers["X-CLIENT-KEY"] = _secret["clientId"]
        headers["X-SIGNATURE"] = _sign_asymmetric(f"{_secret['clientId']}|{timestamp}")
    else:
        to_sign = f"POST:{call['target']}:{call['token']}:{hashlib.sha256(body).hexdigest()}:{timestamp}"
        headers["X-SIGNATURE"] = _sign_symmetric(to_sign)
        headers["X-PARTNER-ID"] = _secret["clientId"]
        headers["X-EXTERNAL-ID"] = f"{time.time_ns():036d}"
        headers["Authorization"] = f"Bearer {call['token']}"
    connection = _connections.get("doku")
    if connection is None:
        connection = _connections["doku"] = http.client.HTTPSConnection(_DOKU_HOST, context=_trust())
    return _exchange(connection, call["target"], body, headers)


def _sign_symmetric(to_sign: str) -> str:
    return base64.b64encode(hmac.digest(_secret["secretKey"].encode(), to_sign.encode(), "sha512")).decode()


def _sign_asymmetric(to_sign: str) -> str:
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - only who asks for a token needs it
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415 - loaded where it is used, as a hand-written function would
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - loaded where it is used, as a hand-written function would

    if "key" not in _secret:
        _secret["key"] = load_pem_private_key(_secret["merchantPrivateKey"].encode(), password=None)
    return base64.b64encode(_secret["key"].sign(to_sign.encode(), PKCS1v15(), hashes.SHA256())).decode()


def _verify_notification(event: dict[str, Any]) -> None:
    """The token that we issued (HS256), then DOKU's signature over the body."""
    headers = event["headers"]
    token = headers["Authorization"].removeprefix("Bearer ")
    signed, _, signature = token.rpartition(".")
    mac = hmac.digest(base64.b64decode(_secret["issuedTokenKey"]), signed.encode(), "sha256")
    if not hmac.compare_digest(base64.urlsafe_b64encode(mac).rstrip(b"="), signature.encode()):
        raise ValueError("the token is not ours")
    json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
    digest = hashlib.sha256(event["body"].encode()).hexdigest()
    to_sign = f"POST:/v1{event['path']}:{token}:{digest}:{headers['X-TIMESTAMP']}"
    if not hmac.compare_digest(_sign_symmetric(to_sign), headers["X-SIGNATURE"]):
        raise ValueError("the signature does not fit")


def _verify_token_request(event: dict[str, Any]) -> None:
    """DOKU's signature (RSA), then a token of ours (HS256)."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - only this function needs it
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415 - loaded where it is used, as a hand-written function would
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415 - loaded where it is used, as a hand-written function would

    headers = event["headers"]
    if "public" not in _secret:
        _secret["public"] = load_pem_public_key(_secret["dokuPublicKey"].encode())
    to_sign = f"{headers['X-CLIENT-KEY']}|{headers['X-TIMESTAMP']}"
    _secret["public"].verify(base64.b64decode(headers["X-SIGNATURE"]), to_sign.encode(), PKCS1v15(), hashes.SHA256())
    claims = {"iss": "us", "aud": "doku", "sub": "doku", "iat": int(time.time()), "exp": int(time.time()) + 900}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "HS256"}, claims)]
    mac = hmac.digest(base64.b64decode(_secret["issuedTokenKey"]), b".".join(parts), "sha256")
    b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()


# --- the merchant ----------------------------------------------------------------------------------------------------


def _tell_merchant(call: dict[str, Any]) -> dict[str, Any]:
    """A signed webhook over a connection of its own: the merchant's address is looked up, and looked at, each time."""
    body = json.dumps(call["body"], separators=(",", ":")).encode()
    webhook_id, timestamp = call["headers"]["webhook-id"], str(int(time.time()))
    signed = b".".join((webhook_id.encode(), timestamp.encode(), body))
    signature = base64.b64encode(hmac.digest(_secret["webhookKey"], signed, "sha256")).decode()
    headers = {
        "Content-Type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }
    connection = http.client.HTTPSConnection(_DOKU_HOST, context=_trust())
    answer = _exchange(connection, call["target"], body, headers)
    connection.close()
    return answer


def _verify_access_token(event: dict[str, Any]) -> None:
    """The issuer's signature (RSA), by the keys that it publishes."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - only this function needs it
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415 - loaded where it is used, as a hand-written function would
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers  # noqa: PLC0415 - loaded where it is used, as a hand-written function would

    if "issuer" not in _secret:
        connection = http.client.HTTPConnection(_AWS_HOST)
        connection.request("GET", "/jwks")
        keys = json.loads(connection.getresponse().read())["keys"]
        _secret["issuer"] = {
            key["kid"]: RSAPublicNumbers(*(int.from_bytes(_decode(key[part])) for part in "en")).public_key()
            for key in keys
        }
    signed, _, signature = event["authorizationToken"].removeprefix("Bearer ").rpartition(".")
    header, claims = (json.loads(_decode(part)) for part in signed.split("."))
    if claims["exp"] < time.time():
        raise ValueError("the token has ended")
    _secret["issuer"][header["kid"]].verify(_decode(signature), signed.encode(), PKCS1v15(), hashes.SHA256())


_ASK = {"doku": _ask_doku, "merchant": _tell_merchant}
_VERIFY = {
    "notification": _verify_notification,
    "token": _verify_token_request,
    "access token": _verify_access_token,
}


# --- HTTP and the vault ----------------------------------------------------------------------------------------------


def _exchange(
    connection: http.client.HTTPConnection, path: str, body: bytes, headers: dict[str, str]
) -> dict[str, Any]:
    connection.request("POST", path, body, headers)
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    return answer


def _trust() -> ssl.SSLContext:
    if "trust" not in _secret:
        _secret["trust"] = ssl.create_default_context(cafile=os.environ["FLOOR_TRUSTS"])
    context: ssl.SSLContext = _secret["trust"]
    return context


def _seal(plaintext: str, bound: str) -> str:
    key_id, nonce = _secret["activeTokenKey"], os.urandom(12)
    sealed = AESGCM(base64.b64decode(_secret["tokenKeys"][key_id])).encrypt(nonce, plaintext.encode(), bound.encode())
    return f"2.{key_id}.{base64.urlsafe_b64encode(nonce).decode()}.{base64.urlsafe_b64encode(sealed).decode()}"


def _open(sealed: str, bound: str) -> str:
    _, key_id, nonce, text = sealed.split(".")
    key = AESGCM(base64.b64decode(_secret["tokenKeys"][key_id]))
    return key.decrypt(_decode(nonce), _decode(text), bound.encode()).decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
