"""How callers prove who they are. A second scheme for merchants (JWT) belongs here once a deployment can choose it."""

from tools.openapi.json_values import Json

MERCHANT: list[Json] = [{"sigv4": []}]
DOKU: list[Json] = [{"issuedToken": []}]
# Not an empty list, which Postman's import takes for "as the others".
NOBODY: list[Json] = [{}]

_SIGV4 = """\
AWS Signature Version 4, service `execute-api`, with keys of an IAM identity that has `execute-api:Invoke`.

The header `Authorization` is computed for each request: it is no API key, though OpenAPI has no better word for it
(API Gateway's own convention is this one). In Postman choose *AWS Signature*, in Bruno *AWS Sig v4*, in curl
`--aws-sigv4 "aws:amz:REGION:execute-api"`; give access key, secret key, session token if there is one, region and
service. See docs/openapi.md."""

SCHEMES: Json = {
    "sigv4": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": _SIGV4,
        "x-amazon-apigateway-authtype": "awsSigv4",
    },
    "issuedToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "DOKU only: a token of `/doku/authorization/v1/access-token/b2b`, valid for 900 s.",
    },
}
