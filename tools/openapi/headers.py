"""Headers of answers, as components."""

from tools.openapi.json_values import Json, refer

HEADERS: Json = {
    "RequestId": {
        "description": "Names this request; quote it when you ask for help.",
        "required": True,
        "schema": {"type": "string"},
        "example": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
    },
    "IdempotencyReplayed": {
        "description": "Where it is there: this request came before, and nothing was sent.",
        "schema": {"type": "string", "const": "true"},
        "example": "true",
    },
    "Location": {
        "description": "Where the browser goes on.",
        "required": True,
        "schema": {"type": "string", "format": "uri"},
        "example": "https://merchant.example/linked?bindingId=6f1d2c3b4a5968778695a4b3c2d1e0f0&state=ACTIVE",
    },
    "RetryAfter": {
        "description": "Seconds to wait before the same request is sent again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
        "example": 5,
    },
    "Authenticate": {
        "description": "How to prove oneself (RFC 6750).",
        "schema": {"type": "string", "const": "Bearer"},
        "example": "Bearer",
    },
    "GatewayRequestId": {
        "description": "The same, where API Gateway answers by itself.",
        "schema": {"type": "string"},
        "example": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
    },
    "GatewayErrorType": {
        "description": "AWS's name of the reason.",
        "schema": {"type": "string"},
        "example": "MissingAuthenticationTokenException",
    },
    "SnapTimestamp": {
        "description": "When this was answered.",
        "required": True,
        "schema": {"type": "string"},
        "example": "2026-03-02T09:00:00Z",
    },
}

REQUEST_ID: Json = {"X-Request-Id": refer("headers", "RequestId")}
REPLAYED: Json = {"Idempotency-Replayed": refer("headers", "IdempotencyReplayed")}
LOCATION: Json = {"Location": refer("headers", "Location")}
RETRY_AFTER: Json = {"Retry-After": refer("headers", "RetryAfter")}
AUTHENTICATE: Json = {"WWW-Authenticate": refer("headers", "Authenticate")}
SNAP: Json = {"X-TIMESTAMP": refer("headers", "SnapTimestamp")}
BY_GATEWAY: Json = {
    "x-amzn-RequestId": refer("headers", "GatewayRequestId"),
    "x-amzn-ErrorType": refer("headers", "GatewayErrorType"),
}
