"""What API Gateway answers by itself, with the status that it has unless the API says otherwise.

Unless the API has a template for a type, the one of DEFAULT_4XX or DEFAULT_5XX counts; with none at all the body is
`{"message": "Missing Authentication Token"}` and the like, as application/json. `$context.error.messageString` is the
message as a JSON string, quotes included.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

import json
from collections.abc import Mapping
from typing import Any

DEFAULT_STATUS: Mapping[str, int] = {
    "ACCESS_DENIED": 403,
    "API_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_FAILURE": 500,
    "BAD_REQUEST_PARAMETERS": 400,
    "BAD_REQUEST_BODY": 400,
    "EXPIRED_TOKEN": 403,
    "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504,
    "INVALID_API_KEY": 403,
    "INVALID_SIGNATURE": 403,
    "MISSING_AUTHENTICATION_TOKEN": 403,
    "QUOTA_EXCEEDED": 429,
    "REQUEST_TOO_LARGE": 413,
    "RESOURCE_NOT_FOUND": 404,
    "THROTTLED": 429,
    "UNAUTHORIZED": 401,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "WAF_FILTERED": 403,
}


def render(
    responses: Mapping[str, Mapping[str, Any]], kind: str, message: str
) -> tuple[int, str, Mapping[str, object]]:
    """Return status, content type and body of an answer of API Gateway's own, given the API's gateway responses."""
    status = DEFAULT_STATUS[kind]
    general = "DEFAULT_4XX" if status < 500 else "DEFAULT_5XX"
    answer = responses.get(kind) or responses.get(general)
    if answer is None:
        return status, "application/json", {"message": message}
    content_type = answer.get("responseParameters", {}).get("gatewayresponse.header.Content-Type", "'application/json'")
    template: str = answer["responseTemplates"]["application/json"]
    text = template.replace("$context.error.messageString", json.dumps(message)).replace("$context.requestId", "r-1")
    body: Mapping[str, object] = json.loads(text)
    return int(answer.get("statusCode", status)), content_type.strip("'"), body
