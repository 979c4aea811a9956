"""What API Gateway answers by itself: its responses, as components, in the words of template.yaml's GatewayResponses.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tools.openapi.headers import BY_GATEWAY, RETRY_AFTER
from tools.openapi.json_values import Json, refer

PROBLEM_TYPE = "application/problem+json"
REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


@dataclass(frozen=True, slots=True)
class GatewayAnswer:
    """One kind of answer: API Gateway's name of it, and its message where the template shows that."""

    kind: str
    message: str
    summary: str
    more: Mapping[str, object]

    def body(self) -> Json:
        """Return the body."""
        return {"type": "about:blank", "title": self.message, **self.more, "requestId": REQUEST_ID}


_LOST = {"status": 504, "detail": "The outcome is unknown. Read the resource before doing anything again."}
# By status; the first is the commonest.
ANSWERS: Mapping[int, tuple[GatewayAnswer, ...]] = {
    403: (
        GatewayAnswer(
            "MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token", "Not signed, or no such route", {}
        ),
        GatewayAnswer(
            "INVALID_SIGNATURE",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details.",
            "Signed wrongly: another secret, service, region, path or body",
            {},
        ),
        GatewayAnswer(
            "ACCESS_DENIED",
            "User: arn:aws:iam::123456789012:user/shop is not authorized to perform: execute-api:Invoke on resource: "
            "arn:aws:execute-api:ap-southeast-3:********9012:a1b2c3d4e5/v1/POST/payments",
            "The caller may not use this route",
            {},
        ),
        GatewayAnswer(
            "EXPIRED_TOKEN", "The security token included in the request is expired", "Temporary keys that ended", {}
        ),
    ),
    429: (GatewayAnswer("THROTTLED", "Too Many Requests", "More requests than the route takes", {"status": 429}),),
    504: (GatewayAnswer("INTEGRATION_TIMEOUT", "Gateway Timeout", "No answer in time", _LOST),),
}

_DESCRIPTIONS = {
    403: "Not signed, signed wrongly, or not allowed (API Gateway). Nothing was done.",
    429: "Throttled (API Gateway). Nothing was done: send the same request again after `Retry-After` seconds.",
    504: "No answer in time (API Gateway). The outcome is unknown: read the resource, or repeat the same request.",
}
_NAMES = {403: "Forbidden", 429: "Throttled", 504: "TimedOut"}


def gateway_responses() -> Json:
    """Return the components."""
    return {_NAMES[status]: _response(status) for status in ANSWERS}


def refer_gateway(status: int) -> Json:
    """Return the reference to what API Gateway answers with a status."""
    return refer("responses", _NAMES[status])


def _response(status: int) -> Json:
    examples: Json = {one.kind: {"summary": one.summary, "value": one.body()} for one in ANSWERS[status]}
    headers: Json = {**BY_GATEWAY, **(RETRY_AFTER if status == 429 else {})}  # noqa: PLR2004 - HTTP
    return {
        "description": _DESCRIPTIONS[status],
        "headers": headers,
        "content": {PROBLEM_TYPE: {"schema": refer("schemas", "GatewayProblem"), "examples": examples}},
    }
