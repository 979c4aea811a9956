"""DOKU's three routes: headers, bodies and answers (contract 2.1, 3.5, 3.10)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from tools.make_events import BINDING_NOTIFY_PATH, NOTIFY_PATH, TOKEN_PATH, Event, make_events, vector_signer
from tools.openapi.gateway import refer_gateway
from tools.openapi.headers import REQUEST_ID, SNAP
from tools.openapi.json_values import Json, refer
from tools.openapi.recorded import find_answers
from tools.openapi.security import DOKU, NOBODY

_SIGNED_TOKEN = "base64 of SHA256withRSA over `X-CLIENT-KEY|X-TIMESTAMP`, with DOKU's private key."  # noqa: S105 - a text about one
_SIGNED_CALL = (
    "base64 of HMAC-SHA512, with the merchant's secret key, over `POST:path:token:hash of the minified "
    "body:X-TIMESTAMP`; the path is that of the public base URL with the route behind it."
)


@dataclass(frozen=True, slots=True)
class _Call:
    name: str
    path: str
    summary: str
    description: str
    request: str
    reply: str
    headers: tuple[tuple[str, bool, str], ...]
    security: list[Json]


_CALL_HEADERS = (
    ("X-TIMESTAMP", True, "When it was sent, `yyyy-MM-ddTHH:mm:ss` with `Z` or `+07:00`."),
    ("X-SIGNATURE", True, _SIGNED_CALL),
    ("X-PARTNER-ID", True, "The merchant's client id at DOKU."),
    ("X-EXTERNAL-ID", True, "Digits; names this request."),
    ("Authorization-Customer", False, "`Bearer` and the customer's token; not looked at, as it may be an older one."),
    ("X-IP-ADDRESS", False, "Not looked at."),
    ("X-DEVICE-ID", False, "Not looked at."),
)
_CALLS = (
    _Call(
        "issue_token",
        TOKEN_PATH,
        "DOKU asks for a token",
        "Signed by RSA. The token is for the two notifications.",
        "DokuTokenRequest",
        "DokuTokenReply",
        (
            ("X-CLIENT-KEY", True, "The key that DOKU uses towards this merchant."),
            ("X-TIMESTAMP", True, "When it was sent, `yyyy-MM-ddTHH:mm:ss` with `Z` or `+07:00`."),
            ("X-SIGNATURE", True, _SIGNED_TOKEN),
        ),
        NOBODY,
    ),
    _Call(
        "receive_payment_notification",
        NOTIFY_PATH,
        "DOKU tells what became of a payment",
        "Stored before it is answered. 200 for repeated, unknown and late ones too, so that DOKU does not come again.",
        "DokuPaymentNotification",
        "SnapReply",
        _CALL_HEADERS,
        DOKU,
    ),
    _Call(
        "receive_binding_notification",
        BINDING_NOTIFY_PATH,
        "DOKU tells what became of a link",
        "Stored before it is answered. Whether DOKU sends it for CIMB is not known; nothing depends on it.",
        "DokuBindingNotification",
        "SnapReply",
        _CALL_HEADERS,
        DOKU,
    ),
)
_MEANINGS = {
    200: "Accepted.",
    400: "A header or a field is missing or malformed; nothing was stored.",
    401: "Not authentic: signature, token or partner id; nothing was stored.",
    500: "An outage of ours: nothing was stored, DOKU comes again.",
}


def doku_paths() -> dict[str, Json]:
    """Return the routes."""
    events = make_events(vector_signer())
    return {call.path: {"post": _operation(call, events[call.name])} for call in _CALLS}


def doku_schemas() -> Json:
    """Return the schemas of bodies and answers."""
    return {
        "SnapReply": _reply({}),
        "DokuTokenReply": _reply(
            {
                "accessToken": {"type": "string", "description": "A JWT; what is in it is this service's business."},
                "tokenType": {"const": "Bearer"},
                "expiresIn": {"type": "integer", "description": "Seconds."},
                "additionalInfo": {"type": "string"},
            }
        ),
        "DokuTokenRequest": _body({"grantType": {"const": "client_credentials"}}, ["grantType"]),
        "DokuPaymentNotification": _body(
            {
                "originalPartnerReferenceNo": _text("The payment's `partnerReferenceNo`.", 64),
                "originalReferenceNo": _text("DOKU's reference; missing on failures.", 64),
                "originalExternalId": _text("`X-EXTERNAL-ID` of the payment.", 64),
                "latestTransactionStatus": {
                    "type": "string",
                    "pattern": "^[0-9]{2}$",
                    "description": "00 paid, 01 to 03 under way, 04 refunded, 05 cancelled, 06 failed, 07 not found.",
                },
                "transactionStatusDesc": _text("The status in words.", 50),
                "amount": _body(
                    {
                        "value": {"type": "string", "pattern": r"^[0-9]{1,16}\.[0-9]{2}$"},
                        "currency": {"type": "string"},
                    },
                    ["value", "currency"],
                ),
                "additionalInfo": _body(
                    {
                        "channelId": {"type": "string"},
                        "acquirerId": {"type": "string"},
                        "custIdMerchant": _text("The payment's `customerId`; another one is a mismatch.", 64),
                        "accountType": {"type": "string"},
                    },
                    [],
                ),
            },
            ["originalPartnerReferenceNo", "latestTransactionStatus", "amount"],
        ),
        "DokuBindingNotification": _body(
            {
                "originalExternalId": _text("`X-EXTERNAL-ID` of the request to link.", 64),
                "additionalInfo": _body(
                    {
                        "status": {"type": "string", "enum": ["SUCCESS", "PENDING", "FAILED"]},
                        "authCode": {"type": "string", "description": "What is exchanged for the customer's token."},
                        "custIdMerchant": _text("The link's `customerId`.", 64),
                    },
                    ["status"],
                ),
            },
            ["originalExternalId", "additionalInfo"],
        ),
    }


def _operation(call: _Call, event: Event) -> Json:
    body = json.loads(str(event["body"]))
    sent = event["headers"]
    headers = sent if isinstance(sent, Mapping) else {}
    content = {"schema": refer("schemas", call.request), "examples": {"usual": {"value": body}}}
    return {
        "operationId": call.name,
        "tags": ["doku"],
        "summary": call.summary,
        "description": call.description,
        "security": call.security,
        "parameters": [_header(name, required, text, headers) for name, required, text in call.headers],
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {
            **{str(status): _response(call, status) for status in _MEANINGS},
            **{str(status): refer_gateway(status) for status in (429, 504)},
        },
    }


def _header(name: str, required: bool, text: str, sent: Mapping[str, object]) -> Json:
    header: Json = {"name": name, "in": "header", "required": required, "description": text}
    if name in sent:
        header["example"] = sent[name]
    return {**header, "schema": {"type": "string"}}


def _response(call: _Call, status: int) -> Json:
    name = call.reply if status == 200 else "SnapReply"  # noqa: PLR2004 - HTTP
    content: Json = {"schema": refer("schemas", name)}
    recorded = find_answers(call.name, status)
    if recorded:
        content["examples"] = {one.case: one.example() for one in recorded}
    return {
        "description": _MEANINGS[status],
        "headers": {**REQUEST_ID, **SNAP},
        "content": {"application/json": content},
    }


def _reply(more: Json) -> Json:
    return {
        "type": "object",
        "required": ["responseCode", "responseMessage", *more],
        "additionalProperties": False,
        "properties": {
            "responseCode": {
                "type": "string",
                "pattern": "^[0-9]{7}$",
                "description": "HTTP status, service, case: three, two and two digits.",
            },
            "responseMessage": {"type": "string"},
            **more,
        },
    }


def _body(properties: Json, required: list[str]) -> Json:
    """An object of DOKU's: what it has besides is accepted and not looked at."""
    body: Json = {"type": "object", "properties": properties}
    return {**body, "required": required} if required else body


def _text(description: str, longest: int) -> Json:
    return {"type": "string", "maxLength": longest, "description": description}
