"""What API Gateway answers by itself: its responses, as components, in the words of template.yaml's GatewayResponses.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.gateway_answers import OF_ACCESS_TOKENS, GatewayAnswer, read_gateway_answers
from tools.openapi.headers import AUTHENTICATE, BY_GATEWAY, RETRY_AFTER
from tools.openapi.json_values import Json, refer

PROBLEM_TYPE = "application/problem+json"
REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


@dataclass(frozen=True, slots=True)
class GatewayExample:
    """An answer as it may come: the template's, and a message of API Gateway's in it."""

    answer: GatewayAnswer
    message: str

    def body(self) -> Json:
        """Return the body."""
        told = self.answer
        status: Json = {} if told.status is None else {"status": told.status}
        known: Json = {"type": told.type, "title": told.title, "detail": told.detail}
        return {**known, **status, "reason": self.message, "requestId": REQUEST_ID}


# What API Gateway says of each kind; the first of a status is the commonest.
_MESSAGES = {
    "UNAUTHORIZED": "Unauthorized",
    "MISSING_AUTHENTICATION_TOKEN": "Missing Authentication Token",
    "INVALID_SIGNATURE": "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method. Consult the service documentation for details.",
    "ACCESS_DENIED": "User: arn:aws:iam::123456789012:user/shop is not authorized to perform: execute-api:Invoke on "
    "resource: arn:aws:execute-api:ap-southeast-3:********9012:a1b2c3d4e5/v1/POST/payments",
    "EXPIRED_TOKEN": "The security token included in the request is expired",
    "THROTTLED": "Too Many Requests",
    "INTEGRATION_TIMEOUT": "Gateway Timeout",
}


def _read_examples() -> Mapping[int, Sequence[GatewayExample]]:
    answers = {answer.kind: answer for answer in read_gateway_answers()}
    found: dict[int, list[GatewayExample]] = {}
    for kind, message in _MESSAGES.items():
        answer = answers[kind]
        if answer.status is not None:
            found.setdefault(answer.status, []).append(GatewayExample(answer, message))
    return found


ANSWERS = _read_examples()

_DESCRIPTIONS = {
    401: "No access token that counts, where the deployment takes access tokens (API Gateway). Nothing was done.",
    403: "Not signed, signed wrongly, or not allowed (API Gateway). Nothing was done.",
    429: "Throttled (API Gateway). Nothing was done: send the same request again after `Retry-After` seconds.",
    504: "No answer in time (API Gateway). The outcome is unknown: read the resource, or repeat the same request.",
}
_NAMES = {401: "Unauthorized", 403: "Forbidden", 429: "Throttled", 504: "TimedOut"}

_MORE_HEADERS: Mapping[int, Json] = {401: AUTHENTICATE, 429: RETRY_AFTER}


def gateway_responses() -> Json:
    """Return the components."""
    return {_NAMES[status]: _response(status) for status in ANSWERS}


def refer_gateway(status: int) -> Json:
    """Return the reference to what API Gateway answers with a status."""
    return refer("responses", _NAMES[status])


def _response(status: int) -> Json:
    examples: Json = {one.answer.kind: {"summary": one.answer.title, "value": one.body()} for one in ANSWERS[status]}
    of_tokens = any(one.answer.kind in OF_ACCESS_TOKENS for one in ANSWERS[status])
    schema = "AccessTokenProblem" if of_tokens else "GatewayProblem"
    headers: Json = {**BY_GATEWAY, **_MORE_HEADERS.get(status, {})}
    return {
        "description": _DESCRIPTIONS[status],
        "headers": headers,
        "content": {PROBLEM_TYPE: {"schema": refer("schemas", schema), "examples": examples}},
    }
