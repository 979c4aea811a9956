"""The OpenAPI document."""

from collections.abc import Mapping

from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.route import Route
from tools.make_events import Event, make_events, vector_signer
from tools.openapi.compatible_schemas import EXTENSIBLE
from tools.openapi.doku import doku_paths, doku_schemas
from tools.openapi.gateway import gateway_responses
from tools.openapi.headers import HEADERS
from tools.openapi.json_values import Json, as_object
from tools.openapi.problem_route import problem_path
from tools.openapi.requests import describe_request
from tools.openapi.responses import describe_responses
from tools.openapi.schemas import problem_schemas
from tools.openapi.security import MERCHANT, NOBODY, SCHEMES, merchant_security
from tools.operations import ROUTES

VERSION = "1.0.0"
_DESCRIPTION = """\
Charge customers' CIMB Niaga accounts through DOKU: link an account, pay, verify the OTP, refund, unlink.

Merchant routes are signed with AWS Signature V4 (service `execute-api`), or called with an access token, as the
deployment chose. Every answer carries `X-Request-Id`. Problems
are RFC 9457 documents; the last part of their `type` is stable, and `type` opens the page that explains the problem.
`UNKNOWN` is a state, not an error: it is resolved without you, and the same request with the same key never pays twice.

The examples of answers are recorded ones."""


def make_document() -> Json:
    """Return the document."""
    schemas: Json = {**problem_schemas(), **doku_schemas()}
    examples: Json = {}
    events = make_events(vector_signer())
    paths: dict[str, Json] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas, examples, events)
    as_object(schemas["Cause"])[EXTENSIBLE] = True
    paths.update(doku_paths())
    paths.update(problem_path())
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CIMB direct debit",
            "version": VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [
            {
                "url": "{base}",
                "description": "Your deployment: `make deploy` and `make run` print it.",
                "variables": {"base": {"default": "https://pay.example/v1", "description": "The API's address."}},
            }
        ],
        "security": MERCHANT,
        "tags": [
            {"name": "bindings", "description": "Links of customers to accounts."},
            {"name": "payments", "description": "Charges and their refunds."},
            {"name": "problems", "description": "What a problem's `type` opens."},
            {"name": "doku", "description": "DOKU calls these; merchants never do."},
        ],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": gateway_responses(),
            "examples": dict(sorted(examples.items())),
            "headers": HEADERS,
            "securitySchemes": SCHEMES,
        },
    }


def _operation(route: Route[Command], schemas: Json, examples: Json, events: Mapping[str, Event]) -> Json:
    operation: Json = {
        "operationId": route.name,
        "tags": ["payments" if "payments" in route.path else "bindings"],
        "summary": route.summary,
    }
    if route.repeats is not None:
        operation["description"] = f"An `Idempotency-Key` is refused (422), as a repeat is safe: {route.repeats}."
    operation["security"] = NOBODY if route.public else merchant_security(route.method, route.path)
    operation |= describe_request(route, schemas, events)
    operation["responses"] = describe_responses(route, schemas, examples)
    return operation
