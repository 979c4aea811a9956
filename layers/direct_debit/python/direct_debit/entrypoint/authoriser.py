"""The door that API Gateway knocks at before all others, where callers bring access tokens (`AuthMode` JWT).

Its answer is a policy over all routes of the token's groups, not over the one that was called: API Gateway keeps it by
the token, and would let a call pass, or refuse one, by an answer that was about another route.

Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html,
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from direct_debit.adapters.access_tokens import Demands, Keys, TokenRefused, verify_token
from direct_debit.adapters.clock import SystemClock
from direct_debit.adapters.issuer_keys import IssuerKeys, IssuerUnavailable
from direct_debit.application.errors import InvalidRequest
from direct_debit.application.ports.telemetry import Metric
from direct_debit.entrypoint.authoriser_settings import AuthoriserEnvironment, read_authoriser_environment
from direct_debit.entrypoint.events import Context, Handler, as_mapping
from direct_debit.entrypoint.observability import Observability
from direct_debit.entrypoint.route_groups import RouteGroup, list_resources
from direct_debit.starting.start import end_start, in_lambda

_UNAUTHORISED = "Unauthorized"  # exactly this text makes API Gateway answer 401; any other error is its 500


class Unauthorized(Exception):
    """The token does not count: API Gateway answers 401."""


@dataclass(frozen=True, slots=True)
class Authoriser:
    """What the door works with."""

    keys: Keys
    demands: Demands
    scope_prefix: str
    observability: Observability


_installed: list[Authoriser] = []


def current() -> Authoriser:
    """Return this process's authoriser, built on first use. Raises ConfigurationError."""
    if not _installed:
        _installed.append(build(read_authoriser_environment(os.environ)))
    return _installed[-1]


@contextmanager
def install(authoriser: Authoriser) -> Iterator[None]:
    """Use this authoriser for a while (tests)."""
    _installed.append(authoriser)
    try:
        yield
    finally:
        _installed.remove(authoriser)


def build(environment: AuthoriserEnvironment) -> Authoriser:
    """Return a new authoriser. Nobody is asked anything yet."""
    observability = Observability(
        service=environment.service_name, level=environment.log_level, namespace=environment.metrics_namespace
    )
    keys = IssuerKeys(environment.jwks_url, SystemClock())
    return Authoriser(keys, environment.demands, environment.scope_prefix, observability)


def open_authoriser(name: str) -> Handler:
    """Return the handler. In Lambda, a wrong configuration already fails here; one that is not there, when called."""
    if in_lambda():
        if os.environ.get("JWT_ISSUER"):
            current()
        end_start()

    def handler(event: object, context: Context) -> Mapping[str, object]:
        call = as_mapping(event)
        token, called = call.get("authorizationToken"), call.get("methodArn")
        if not isinstance(token, str) or not isinstance(called, str):
            raise InvalidRequest("authorizationToken", "this function is called by API Gateway only")
        authoriser = current()
        authoriser.observability.begin(operation=name, request_id=context.aws_request_id)
        try:
            return _authorise(authoriser, token, called)
        except TokenRefused as refusal:
            authoriser.observability.count(Metric.ACCESS_TOKEN_REFUSED)
            authoriser.observability.note("access token refused", reason=str(refusal))
            raise Unauthorized(_UNAUTHORISED) from None
        except IssuerUnavailable:
            authoriser.observability.count(Metric.ISSUER_UNAVAILABLE)
            authoriser.observability.note("the issuer's keys can not be had")
            raise

    return handler


def _authorise(authoriser: Authoriser, token: str, called: str) -> Mapping[str, object]:
    verified = verify_token(token, authoriser.keys, authoriser.demands)
    groups = frozenset(group for group in RouteGroup if f"{authoriser.scope_prefix}{group}" in verified.scopes)
    stage = _stage_of(called)
    allowed = [f"{stage}/{resource}" for resource in list_resources(groups)]
    # A policy without a statement is none: who has no group is told so by a refusal of everything.
    effect, resources = ("Allow", allowed) if allowed else ("Deny", [f"{stage}/*"])
    return {
        "principalId": verified.client,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": resources}],
        },
    }


def _stage_of(called: str) -> str:
    """Return the ARN of the API's stage: arn:PARTITION:execute-api:REGION:ACCOUNT:API/STAGE, of a method's."""
    return "/".join(called.split("/")[:2])
