"""How callers prove who they are: merchants by a signature or an access token, as the deployment's `AuthMode` says."""

from direct_debit.entrypoint.route_groups import RouteGroup, group_of
from tools.openapi.json_values import Json

MERCHANT: list[Json] = [{"sigv4": []}, {"accessToken": []}]
DOKU: list[Json] = [{"issuedToken": []}]
# Not an empty list, which Postman's import takes for "as the others".
NOBODY: list[Json] = [{}]

SCOPE_PREFIX = "direct-debit/"  # the default of the parameter JwtScopePrefix


def merchant_security(method: str, path: str) -> list[Json]:
    """Return the ways to call a merchant route, with the scope that its group needs."""
    group = group_of(method, path)
    if group is None:
        raise LookupError(f"{method} {path} is in no group of entrypoint/route_groups.py")
    return [{"sigv4": []}, {"accessToken": [f"{SCOPE_PREFIX}{group}"]}]


_ACCESS_TOKEN = f"""\
Where the deployment's `AuthMode` is JWT: an access token of its issuer (OAuth 2.0, client credentials; RFC 9068), for
its audience, with the scope of the route's group: {", ".join(f"`{SCOPE_PREFIX}{group}`" for group in RouteGroup)}. What
stands before the last word is the deployment's choice (`JwtScopePrefix`). While the issuer's keys can not be read, any
route answers 503 with the problem `access-not-checked`: nothing was done."""
_SIGV4 = """\
Where the deployment's `AuthMode` is AWS_IAM, the default: AWS Signature Version 4, service `execute-api`, with keys of
an IAM identity that has `execute-api:Invoke`.

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
    # Which scopes a route needs stands at the route: OpenAPI 3.1 lets a scheme of any type name them.
    "accessToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": _ACCESS_TOKEN,
    },
    "issuedToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "DOKU only: a token of `/doku/authorization/v1/access-token/b2b`, valid for 900 s.",
    },
}
