"""Calls of DOKU to us: verify first, parse after, answer exactly (contract 3.5 and 3.10). Pure, no framework.

Everything that is refused raises InboundRefused, which carries the reply. A call is trusted for its bytes: signatures
are checked over what arrived and over the public path that DOKU called. What carries no money is then read leniently
(contract 12.1).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import HMACAlgorithm
from pydantic import ValidationError

from doku_snap.answers import parse_object
from doku_snap.errors import InboundRefused, InvalidMessage, InvalidSetting
from doku_snap.messages.base import AnswerMessage
from doku_snap.messages.binding_notification import BindingNotification
from doku_snap.messages.payment_notification import PaymentNotification
from doku_snap.messages.token_request import TokenRequest
from doku_snap.signing import (
    BodyForm,
    asymmetric_string_to_sign,
    find_body_form,
    format_timestamp,
    parse_received_timestamp,
    serialize,
    verify_asymmetric,
)

TOKEN_SERVICE = "73"  # noqa: S105  a service code
PAYMENT_NOTIFICATION_SERVICE = "56"
BINDING_NOTIFICATION_SERVICE = "07"
TOKEN_LIFETIME_SECONDS = 900
MAX_BODY_BYTES = 256 * 1024

_ALGORITHM = "HS256"
_MIN_KEY_BYTES = 32
_CLOCK_LEEWAY_SECONDS = 60
_EXTERNAL_ID = re.compile(r"[ -~]{1,36}")
_REPLACED_KEY = "replacedKey"  # a claim of ours
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr][ \t]+([!-~]{1,2048})")
# Headers that let a token bring or name its own key, or demand extensions.
_FOREIGN_KEY_HEADERS = frozenset({"crit", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "b64", "zip"})


class _OurKey(HMACAlgorithm):
    """HS256 with a key that is known to be one of ours.

    PyJWT looks into each key for a public one that was taken for a secret, each time, for longer than it then signs.
    Here no other algorithm is known, so that no key can be taken for another kind's.
    """

    def prepare_key(self, key: str | bytes) -> bytes:
        """Return the key as it is."""
        return key.encode() if isinstance(key, str) else key


_TOKENS = jwt.PyJWS(algorithms=[])
_TOKENS.register_algorithm(_ALGORITHM, _OurKey(HMACAlgorithm.SHA256))


@dataclass(frozen=True, slots=True)
class SnapReply:
    """What to answer over HTTP. The body may hold a token, so it stays out of the repr."""

    http_status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class VerifiedTokenRequest:
    """A token request that DOKU signed."""

    client_key: str
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token for DOKU and the reply that carries it."""

    token: str = field(repr=False)
    expires_at: datetime
    reply: SnapReply


@dataclass(frozen=True, slots=True)
class VerifiedNotification:
    """An authentic notification. `fresh` is False when its timestamp lies outside the window: acknowledge it, change
    nothing, ask the status (a retry of DOKU may carry its first timestamp).

    `form` is the form of the body that was signed. `customer_token` is what `Authorization-Customer` carried; it may be
    older than the stored one. `is_token_of_replaced_key` is what `issue_token` was told of the token's request.
    """

    service_code: str
    timestamp: datetime
    fresh: bool
    external_id: str
    body: bytes = field(repr=False)
    customer_token: str | None = field(default=None, repr=False)
    form: BodyForm = BodyForm.RAW
    is_token_of_replaced_key: bool = False


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A living token of ours."""

    is_of_replaced_key: bool


def verify_token_request(
    headers: Mapping[str, str],
    body: bytes,
    *,
    expected_client_key: str,
    doku_public_keys: Sequence[RSAPublicKey],
    now: datetime,
    window_seconds: int,
) -> VerifiedTokenRequest:
    """Check DOKU's token request: the agreed client key, its RSA signature, the timestamp window, the grant type.

    `doku_public_keys` are all accepted during a rotation. Raises InboundRefused (4017300, 4007300, 4007301, 4007302).
    """
    given = _lower(headers)
    client_key = _mandatory(given, "X-CLIENT-KEY", TOKEN_SERVICE)
    text = _mandatory(given, "X-TIMESTAMP", TOKEN_SERVICE)
    signature = _mandatory(given, "X-SIGNATURE", TOKEN_SERVICE)
    timestamp = _timestamp(text, TOKEN_SERVICE)
    to_sign = asymmetric_string_to_sign(expected_client_key, text)
    signed = [verify_asymmetric(to_sign, signature, key) for key in doku_public_keys]
    if client_key != expected_client_key or not any(signed):
        raise _refused(401, TOKEN_SERVICE, "00", "Unauthorized. Invalid Signature")
    if not _within(timestamp, now, window_seconds):
        raise _refused(401, TOKEN_SERVICE, "00", "Unauthorized. Invalid Timestamp")
    _parse(body, TokenRequest, TOKEN_SERVICE)
    return VerifiedTokenRequest(client_key, timestamp)


def issue_token(
    *,
    key_id: str,
    key: bytes,
    issuer: str,
    audience: str,
    client_id: str,
    now: datetime,
    lifetime_seconds: int = TOKEN_LIFETIME_SECONDS,
    is_of_replaced_key: bool = False,
) -> IssuedToken:
    """Make a token for DOKU (JWT, HS256, claims iss, aud, iat, exp, clientId) and the 2007300 reply.

    `key` has at least 32 bytes and `key_id` names it. `is_of_replaced_key`: only a key that was replaced proved the
    request; the token says so. Raises InvalidSetting for a short key.
    """
    _require_key(key)
    issued_at = int(now.timestamp())
    claims = {
        "iss": issuer,
        "aud": audience,
        "iat": issued_at,
        "exp": issued_at + lifetime_seconds,
        "clientId": client_id,
        **({_REPLACED_KEY: True} if is_of_replaced_key else {}),
    }
    token = _TOKENS.encode(serialize(claims), key, algorithm=_ALGORITHM, headers={"kid": key_id})
    body = {
        "responseCode": f"200{TOKEN_SERVICE}00",
        "responseMessage": "Successful",
        "accessToken": token,
        "tokenType": "Bearer",
        "expiresIn": lifetime_seconds,
        "additionalInfo": "",
    }
    reply = _reply(200, body, now, {"X-CLIENT-KEY": client_id})
    return IssuedToken(token, datetime.fromtimestamp(issued_at + lifetime_seconds, UTC), reply)


def verify_bearer(
    token: str, keys: Mapping[str, bytes], now: datetime, *, issuer: str, audience: str
) -> BearerToken | None:
    """Return the token if it is one of ours and alive at `now`, else None.

    Strict: HS256 only, a `kid` out of `keys`, all of exp, iat, iss and aud, no header that brings another key. The
    clock is the caller's, not the process's.
    """
    for key in keys.values():
        _require_key(key)
    claims = _open_token(token, keys)
    if claims is None or claims.get("iss") != issuer or claims.get("aud") != audience:
        return None
    if not _is_alive(claims.get("iat"), claims.get("exp"), now):
        return None
    return BearerToken(is_of_replaced_key=_REPLACED_KEY in claims)


def _open_token(token: str, keys: Mapping[str, bytes]) -> Mapping[str, object] | None:
    """Return the claims of a token that one of the keys has signed and that names that key, else None."""
    for key_id, key in keys.items():
        try:
            opened = _TOKENS.decode_complete(token, key, algorithms=[_ALGORITHM])
            claims = json.loads(opened["payload"])
        except jwt.InvalidSignatureError:
            continue
        except (jwt.PyJWTError, ValueError, RecursionError):
            return None
        header = opened["header"]
        is_ours = header.get("kid") == key_id and not _FOREIGN_KEY_HEADERS & header.keys()
        return claims if is_ours and isinstance(claims, dict) else None
    return None


def verify_notification(
    headers: Mapping[str, str],
    body: bytes,
    path: str,
    *,
    secret_keys: Sequence[str],
    token_keys: Mapping[str, bytes],
    issuer: str,
    audience: str,
    partner_id: str,
    now: datetime,
    window_seconds: int,
    service_code: str = PAYMENT_NOTIFICATION_SERVICE,
) -> VerifiedNotification:
    """Check a notification: our token, the HMAC over what arrived, the partner id, the external id, then its age.

    `path` is the public path (with query) that DOKU called; the signature may be over all of it or over the path alone
    (contract 12.2). `secret_keys` are the current secret and, during a rotation, the previous one.

    Raises InboundRefused with the codes of contract 3.10 for `service_code` (3.5 for 07).
    """
    given = _lower(headers)
    token = _bearer(given, service_code)
    bearer = verify_bearer(token, token_keys, now, issuer=issuer, audience=audience)
    if bearer is None:
        raise _refused(401, service_code, "01", "Invalid Token (B2B)")
    signature = given.get("x-signature", "")
    text = _mandatory(given, "X-TIMESTAMP", service_code)
    timestamp = _timestamp(text, service_code)
    if len(body) > MAX_BODY_BYTES:
        raise _refused(400, service_code, "00", "Bad Request")
    form = find_body_form(
        signature,
        secret_keys,
        method="POST",
        paths=list(dict.fromkeys([path, path.partition("?")[0]])),
        b2b_token=token,
        body=body,
        timestamp=text,
    )
    if form is None:
        raise _refused(401, service_code, "00", "Unauthorized. [Signature]")
    if _mandatory(given, "X-PARTNER-ID", service_code) != partner_id:
        raise _refused(401, service_code, "00", "Unauthorized. [X-PARTNER-ID]")
    external_id = _mandatory(given, "X-EXTERNAL-ID", service_code)
    if not _EXTERNAL_ID.fullmatch(external_id):
        raise _refused(400, service_code, "01", "Invalid Field Format X-EXTERNAL-ID")
    customer = _BEARER.fullmatch(given.get("authorization-customer", ""))
    return VerifiedNotification(
        service_code=service_code,
        timestamp=timestamp,
        fresh=_within(timestamp, now, window_seconds),
        external_id=external_id,
        body=body,
        customer_token=customer[1] if customer else None,
        form=form,
        is_token_of_replaced_key=bearer.is_of_replaced_key,
    )


def parse_payment_notification(verified: VerifiedNotification) -> PaymentNotification:
    """Read an authentic payment notification. Raises InboundRefused 400xx00, 400xx01 or 400xx02 naming the field."""
    return _parse(verified.body, PaymentNotification, verified.service_code)


def parse_binding_notification(verified: VerifiedNotification) -> BindingNotification:
    """Read an authentic binding notification. Raises InboundRefused 400xx00, 400xx01 or 400xx02 naming the field."""
    return _parse(verified.body, BindingNotification, verified.service_code)


def accept_payment_notification(now: datetime, approval_code: str | None = None) -> SnapReply:
    """The 2005600 reply: for new, repeated, unknown and stale authentic notifications alike."""
    body = {"responseCode": "2005600", "responseMessage": "Request has been processed successfully"}
    return _reply(200, body if approval_code is None else {**body, "approvalCode": approval_code}, now)


def accept_binding_notification(now: datetime) -> SnapReply:
    """The 2000700 reply."""
    return _reply(200, {"responseCode": "2000700", "responseMessage": "Successful"}, now)


def refuse(refusal: InboundRefused, now: datetime) -> SnapReply:
    """The reply that a refusal carries."""
    body = {"responseCode": refusal.response_code, "responseMessage": refusal.response_message}
    return _reply(refusal.http_status, body, now)


def report_outage(service_code: str, now: datetime) -> SnapReply:
    """The reply to give when we cannot store: 500xx00, DOKU will try again."""
    return _reply(500, {"responseCode": f"500{service_code}00", "responseMessage": "General Error"}, now)


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value.strip() for name, value in headers.items()}


def _mandatory(given: Mapping[str, str], name: str, service: str) -> str:
    value = given.get(name.lower(), "")
    if not value:
        raise _refused(400, service, "02", f"Invalid Mandatory Field {name}")
    return value


def _timestamp(text: str, service: str) -> datetime:
    try:
        return parse_received_timestamp(text)
    except InvalidMessage:
        raise _refused(400, service, "01", "Invalid Field Format X-TIMESTAMP") from None


def _bearer(given: Mapping[str, str], service: str) -> str:
    value = given.get("authorization", "")
    if not value:
        raise _refused(401, service, "03", "Token Not Found (B2B)")
    match = _BEARER.fullmatch(value)
    if match is None:
        raise _refused(401, service, "01", "Invalid Token (B2B)")
    return match[1]


def _within(timestamp: datetime, now: datetime, window_seconds: int) -> bool:
    return abs(now - timestamp) <= timedelta(seconds=window_seconds)


def _is_alive(issued_at: object, expires_at: object, now: datetime) -> bool:
    if not isinstance(issued_at, int) or not isinstance(expires_at, int):
        return False
    moment = now.timestamp()
    return issued_at <= moment + _CLOCK_LEEWAY_SECONDS and moment < expires_at


def _require_key(key: bytes) -> None:
    if len(key) < _MIN_KEY_BYTES:
        raise InvalidSetting("issuedTokenKey", f"must have at least {_MIN_KEY_BYTES} bytes")


def _parse[M: AnswerMessage](body: bytes, message_type: type[M], service: str) -> M:
    fields = parse_object(body) if len(body) <= MAX_BODY_BYTES else None
    if fields is None:
        raise _refused(400, service, "00", "Bad Request")
    try:
        return message_type.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_input=True)[0]
        missing = first["type"] == "missing" or first["input"] is None or first["input"] == ""
    # Raised outside of the handler: the validation error holds the input and must not travel along.
    path = ".".join(str(part) for part in first["loc"])
    if missing:
        raise _refused(400, service, "02", f"Invalid Mandatory Field {path}")
    raise _refused(400, service, "01", f"Invalid Field Format {path}")


def _refused(http_status: int, service: str, case: str, message: str) -> InboundRefused:
    return InboundRefused(http_status, f"{http_status}{service}{case}", message)


def _reply(
    http_status: int, body: Mapping[str, object], now: datetime, headers: Mapping[str, str] | None = None
) -> SnapReply:
    return SnapReply(
        http_status,
        {"Content-Type": "application/json", "X-TIMESTAMP": format_timestamp(now), **(headers or {})},
        serialize(dict(body)),
    )
