"""Writes docs/openapi.json and docs/errors.md from the route table, the models and the error table.

make openapi                # write both
make openapi ARGS=--check   # exit 1 when one would change
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from openapi_spec_validator import validate

from direct_debit.application.bindings.list_bindings import BindingsResult
from direct_debit.application.bindings.result import BindingResult
from direct_debit.application.ports.pages import Page
from direct_debit.domain.binding import BindingState
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.payment import PaymentState
from direct_debit.domain.refund import Refund, RefundState
from direct_debit.entrypoint import page
from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.errors import PROBLEMS, TYPE_PREFIX, ProblemKind
from direct_debit.entrypoint.faults import MOST_FAULTS
from direct_debit.entrypoint.operations.get_balance import BalanceLine, BalanceView
from direct_debit.entrypoint.operations.list_bindings import BindingList, show_bindings
from direct_debit.entrypoint.operations.list_payments import PaymentList, show_payments
from direct_debit.entrypoint.route import BodyRule, Route
from direct_debit.entrypoint.views.binding import BindingView, show_binding
from direct_debit.entrypoint.views.decline import CAUSES, EXPLANATIONS
from direct_debit.entrypoint.views.payment import PaymentView, show_payment
from direct_debit.entrypoint.views.refund import RefundOfPaymentView, show_refund
from direct_debit.entrypoint.views.view import AmountView, View
from tools.gateway_answers import read_gateway_answers
from tools.make_events import (
    AT,
    BINDING_NOTIFY_PATH,
    NOTIFY_PATH,
    TOKEN_PATH,
    Event,
    example_binding,
    example_payment,
    make_events,
    vector_signer,
)
from tools.operations import ROUTES

REPOSITORY = Path(__file__).parent.parent
DOCUMENT = REPOSITORY / "docs" / "openapi.json"
ERRORS = REPOSITORY / "docs" / "errors.md"
VERSION = "1.0.0"
PROBLEM_TYPE = "application/problem+json"

type Json = dict[str, object]

# What any route may answer besides its own problems.
_ALWAYS = ("invalid-field", "unknown-field", "missing-field", "internal-error")
_WITH_BODY = ("malformed-request", "body-too-large")
_DESCRIPTION = """\
Charge customers' CIMB Niaga accounts through DOKU: link an account, pay, verify the OTP, refund, unlink.

Merchant routes are signed with AWS Signature V4 (service `execute-api`). Every answer carries `X-Request-Id`. Problems
are RFC 9457 documents whose `type` is stable; each is explained in docs/errors.md. `UNKNOWN` is a state, not an error:
it is resolved without you, and the same request with the same key never pays twice."""


def make_document() -> Json:
    """The OpenAPI document."""
    schemas: Json = {"Problem": _problem_schema(), "SnapReply": _snap_schema()}
    events = make_events(vector_signer())
    paths: dict[str, Json] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas, events)
    paths.update(_doku_paths())
    return {
        "openapi": "3.1.0",
        "info": {"title": "CIMB direct debit", "version": VERSION, "description": _DESCRIPTION},
        "servers": [{"url": "{base}", "variables": {"base": {"default": "https://pay.example/v1"}}}],
        "security": [{"sigv4": []}],
        "tags": [
            {"name": "bindings", "description": "Links of customers to accounts."},
            {"name": "payments", "description": "Charges and their refunds."},
            {"name": "doku", "description": "DOKU calls these; merchants never do."},
        ],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "sigv4": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "AWS Signature V4",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                }
            },
        },
    }


def write_errors() -> str:
    """docs/errors.md."""
    rows = [
        f'| <a id="{kind.slug}"></a>`{kind.uri}` | {kind.status} '
        f"| `{CATCH_NAMES[kind.slug]}` | {kind.when} | {kind.remedy} |"
        for kind in PROBLEMS.values()
    ]
    gateway = [
        f"| `{answer.type}` | {answer.status or answer.kind.removeprefix('DEFAULT_').lower()} | `{answer.kind}` "
        f"| {answer.title}. {answer.detail} |"
        for answer in read_gateway_answers()
    ]
    return "\n".join([_ERRORS_HEAD, *rows, _GATEWAY_HEAD, *gateway, _ERRORS_FOOT, *_explain_causes()])


def _explain_causes() -> Iterable[str]:
    yield _CAUSES_HEAD
    for cause, told in EXPLANATIONS.items():
        codes = ", ".join(f"{http}xx{case}" for (http, case), known in CAUSES.items() if known is cause)
        yield f"| `{cause}` | {told.mended_by} | {told.indonesian} | {told.english} | {codes or '-'} |"
    yield ""


_ERRORS_HEAD = """\
# Errors

<!-- Written by `make openapi` from direct_debit/entrypoint/errors.py. -->

HTTP callers get `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail`, `requestId` and, where
they apply, `field` (the JSON path of what is wrong) and `responseCode` (DOKU's). Branch on `type`: it never changes.
Plain commands (Step Functions, `aws lambda invoke`) get an exception with the class name given here.

Not errors: a declined payment (201, `state: FAILED` with `failure`), and an unknown outcome (202, `state: UNKNOWN`).

| `type` | Status | Name for `Catch` | When | What to do |
|---|---|---|---|---|"""
_GATEWAY_HEAD = """
## What API Gateway answers by itself

Before this service is asked, or instead of it. The form is the same; `reason` has API Gateway's own words, and there is
no `X-Request-Id` but `x-amzn-RequestId`. Where no status is given, the answer has the status of its kind.

| `type` | Status | API Gateway's kind | What to do |
|---|---|---|---|"""
_ERRORS_FOOT = """
A workflow may retry `NotDone`, `CircuitOpen` and `StoreUnavailable`: with the same `partnerReferenceNo` these are safe
to repeat. Never put a blanket retry around a step that moves money.
"""
_CAUSES_HEAD = """\
## Why a payment failed

A declined payment is an answer, not an error: `failure` says why. `cause` is stable, and `customerMessage` has these
sentences; show the one in your customer's language, or write your own by `cause`. A cause that you do not know: treat
it as `declined`. Whoever mends it, the next try is a new payment with a new reference.

| `cause` | `mendedBy` | `customerMessage.id` | `customerMessage.en` | DOKU's codes |
|---|---|---|---|---|"""
# The class of the error that a plain command gets.
CATCH_NAMES: Mapping[str, str] = {
    "malformed-request": "InvalidRequest",
    "missing-field": "InvalidRequest",
    "body-too-large": "InvalidRequest",
    "invalid-field": "InvalidRequest",
    "unknown-field": "InvalidRequest",
    "not-found": "NotFound",
    "conflict": "Conflict",
    "rejected": "Rejected",
    "customer-action-required": "CustomerActionRequired",
    "otp-wrong": "CustomerActionRequired",
    "otp-expired": "Rejected",
    "otp-blocked": "Rejected",
    "otp-not-awaited": "CustomerActionRequired",
    "relink-required": "RelinkRequired",
    "not-done": "NotDone",
    "circuit-open": "CircuitOpen",
    "not-configured": "NotDone",
    "store-unavailable": "StoreUnavailable",
    "record-unreadable": "StoreUnavailable",
    "internal-error": "InternalError",
}


def _operation(route: Route[Command], schemas: Json, events: Mapping[str, Event]) -> Json:
    schema = _take_schema(route.request, schemas, mode="validation")
    properties = _object(schema["properties"])
    required = frozenset(str(name) for name in _list(schema.get("required", [])))
    operation: Json = {
        "operationId": route.name,
        "tags": ["payments" if route.path.startswith("/payments") else "bindings"],
        "summary": route.summary,
        "parameters": _parameters(route, properties),
        "responses": _responses(route, schemas),
    }
    if route.repeats is not None:
        operation["description"] = f"An `Idempotency-Key` is refused (422), as a repeat is safe: {route.repeats}."
    if route.public:
        operation["security"] = []
    if route.body is not BodyRule.NONE:
        body: Json = {
            "type": "object",
            "additionalProperties": False,
            "properties": {name: properties[name] for name in properties if name in route.body_fields},
            "required": [name for name in properties if name in required & route.body_fields],
        }
        schemas[route.request.__name__] = body
        example = json.loads(str(events[route.name]["body"]))
        content = {"schema": _ref(route.request.__name__), "example": example}
        operation["requestBody"] = {
            "required": route.body is BodyRule.REQUIRED,
            "content": {"application/json": content},
        }
    return operation


def _parameters(route: Route[Command], properties: Json) -> list[Json]:
    parameters: list[Json] = []
    for place, names in (
        ("path", route.from_path),
        ("query", {name: name for name in sorted(route.from_query)}),
        ("header", route.from_headers),
    ):
        for name, field in names.items():
            schema = _without_null(_object(properties[field]))
            parameter: Json = {"name": _header_name(name) if place == "header" else name, "in": place}
            if place == "path":
                parameter["required"] = True
            description = schema.pop("description", None)
            if description is not None:
                parameter["description"] = description
            parameters.append({**parameter, "schema": schema})
    return parameters


def _responses(route: Route[Command], schemas: Json) -> Json:
    answers: Json = {}
    for status, description in sorted(route.answers.items()):
        headers: Json = {"X-Request-Id": {"schema": {"type": "string"}}}
        answer: Json = {"description": description, "headers": headers}
        if "Idempotency-Replayed" in description:
            headers["Idempotency-Replayed"] = {"schema": {"const": "true"}}
        if route.response is None:
            headers["Location"] = {"schema": {"type": "string", "format": "uri"}}
        else:
            name = route.response.__name__
            schemas[name] = _take_schema(route.response, schemas, mode="serialization")
            example = _example(route.response)
            answer["content"] = {"application/json": {"schema": _ref(name), "example": example}}
        answers[str(status)] = answer
    slugs = [*_ALWAYS, *(_WITH_BODY if route.method != "GET" else ()), *route.problems]
    by_status: dict[int, list[ProblemKind]] = {}
    for slug in dict.fromkeys(slugs):
        by_status.setdefault(PROBLEMS[slug].status, []).append(PROBLEMS[slug])
    for status, kinds in sorted(by_status.items()):
        answers[str(status)] = _problem_response(status, kinds)
        if route.public:  # for a browser
            _object(_object(answers[str(status)])["content"])[page.CONTENT_TYPE] = {"schema": {"type": "string"}}
    if not route.public:
        answers["403"] = _gateway_response("Not signed, or not allowed (API Gateway).")
    answers["429"] = _gateway_response("Throttled (API Gateway).")
    answers["504"] = _gateway_response("No answer in time: the outcome is unknown, read the resource (API Gateway).")
    return dict(sorted(answers.items()))


def _problem_response(status: int, kinds: list[ProblemKind]) -> Json:
    listed = "\n".join(f"- `{kind.uri}`: {kind.when}" for kind in kinds)
    example: Json = {
        "type": kinds[0].uri,
        "title": kinds[0].title,
        "status": status,
        "detail": kinds[0].when,
        "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
    }
    response: Json = {
        "description": listed,
        "content": {PROBLEM_TYPE: {"schema": _ref("Problem"), "example": example}},
    }
    if status == 503:  # noqa: PLR2004 - HTTP
        response["headers"] = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds."}}
    return response


def _gateway_response(description: str) -> Json:
    anything: Json = {"schema": {"type": "object"}}
    return {"description": description, "content": {"application/json": anything, PROBLEM_TYPE: anything}}


def _doku_paths() -> dict[str, Json]:
    rows = (
        (TOKEN_PATH, "issue_token", "DOKU asks for a token (RSA-signed)", ("200", "400", "401", "500")),
        (NOTIFY_PATH, "receive_payment_notification", "What became of a payment", ("200", "400", "401", "500")),
        (BINDING_NOTIFY_PATH, "receive_binding_notification", "What became of a link", ("200", "400", "401", "500")),
    )
    meanings = {
        "200": "Accepted.",
        "400": "Malformed.",
        "401": "Not authentic.",
        "500": "Our outage: DOKU comes again.",
    }
    reply: Json = {"application/json": {"schema": _ref("SnapReply")}}
    return {
        path: {
            "post": {
                "operationId": name,
                "tags": ["doku"],
                "summary": summary,
                "security": [],
                "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
                "responses": {status: {"description": meanings[status], "content": reply} for status in statuses},
            }
        }
        for path, name, summary, statuses in rows
    }


def _example(view: type[View]) -> Json:
    pending = BindingResult(
        example_binding(BindingState.PENDING, 2),
        replayed=False,
        redirect_url="https://sandbox.doku.com/direct-debit/ui/binding/core/2238230713001534401107183161486001168389",
    )
    refund = Refund(
        number="RFD202603020",
        reason="Customer complain",
        request_hash="",
        state=RefundState.SENDING,
        requested_at=AT,
        evidence=Evidence(EvidenceSource.CALLER, AT),
    )
    paid = example_payment(PaymentState.PAID, 5)
    made: Mapping[type[View], View] = {
        BindingView: show_binding(pending),
        BindingList: show_bindings(BindingsResult([pending])),
        BalanceView: BalanceView(
            binding_id=pending.binding.id,
            customer_id=pending.binding.customer_id,
            balances=[BalanceLine(type="Cash", amount=AmountView(value="150000.00"))],
        ),
        PaymentView: show_payment(example_payment(PaymentState.PROCESSING, 4)),
        PaymentList: show_payments(Page([paid], [])),
        RefundOfPaymentView: show_refund(replace(paid, refund=refund)),
    }
    if view not in made:
        raise LookupError(f"tools/openapi.py, _example: add an example of {view.__name__}, as its operation shows it")
    return made[view].to_json()


def _take_schema(model: type[Command] | type[View], schemas: Json, *, mode: str) -> Json:
    """The model's schema with its parts moved to the components."""
    template = "#/components/schemas/{model}"
    if mode == "validation":
        schema: Json = model.model_json_schema(by_alias=True, ref_template=template, mode="validation")
    else:
        schema = model.model_json_schema(by_alias=True, ref_template=template, mode="serialization")
    for name, part in _object(schema.pop("$defs", {})).items():
        schemas[name] = _tidy(part, absent_is_null=mode == "serialization")
    return _object(_tidy(schema, absent_is_null=mode == "serialization"))


def _tidy(value: object, *, absent_is_null: bool) -> object:
    """Drop generated titles and null defaults; in answers absent values are left out, so null is no value there."""
    if isinstance(value, list):
        return [_tidy(part, absent_is_null=absent_is_null) for part in value]
    if not isinstance(value, dict):
        return value
    tidy: Json = {}
    for name, part in value.items():
        if (name == "title" and isinstance(part, str)) or (name == "default" and part is None):
            continue
        tidy[name] = _tidy(part, absent_is_null=absent_is_null)
    return _without_null(tidy) if absent_is_null else tidy


def _without_null(schema: Json) -> Json:
    options = schema.get("anyOf")
    if not isinstance(options, list):
        return dict(schema)
    real = [option for option in options if option != {"type": "null"}]
    if len(real) != 1:
        return dict(schema)
    return {**_object(real[0]), **{name: part for name, part in schema.items() if name != "anyOf"}}


def _problem_schema() -> Json:
    types: Iterable[str] = (kind.uri for kind in PROBLEMS.values())
    text: Json = {"type": "string"}
    return {
        "type": "object",
        "description": f"RFC 9457. `type` begins with {TYPE_PREFIX} and never changes.",
        "required": ["type", "title", "status", "detail", "requestId"],
        "additionalProperties": False,
        "properties": {
            "type": {"type": "string", "enum": sorted(types)},
            "title": text,
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What is wrong and what to do."},
            "field": {"type": "string", "description": "JSON path of the field that is wrong; of several, the first."},
            "errors": {
                "type": "array",
                "description": f"All fields that are wrong, at most {MOST_FAULTS}; the first is told in `detail` too.",
                "items": _fault_schema(),
            },
            "responseCode": {"type": "string", "description": "DOKU's response code."},
            "requestId": text,
        },
    }


def _fault_schema() -> Json:
    return {
        "type": "object",
        "required": ["pointer", "detail"],
        "additionalProperties": False,
        "properties": {
            "in": {"enum": ["path", "query", "header"], "description": "Where the field came; absent for the body."},
            "pointer": {"type": "string", "description": "JSON pointer (RFC 6901) to the field."},
            "detail": {"type": "string", "description": "The rule that it breaks, and how to mend it."},
            "came": {"type": "string", "description": "What kind of value came; never the value."},
            "example": {"description": "How a right value looks."},
        },
    }


def _snap_schema() -> Json:
    return {
        "type": "object",
        "required": ["responseCode", "responseMessage"],
        "properties": {
            "responseCode": {"type": "string", "pattern": "^[0-9]{7}$"},
            "responseMessage": {"type": "string"},
        },
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _header_name(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


def _object(value: object) -> Json:
    if not isinstance(value, dict):
        raise TypeError("a JSON object was expected")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("a JSON array was expected")
    return value


def main() -> int:
    """Write or check the two files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file would change")
    check: bool = parser.parse_args().check
    document = make_document()
    validate(document)
    stale = []
    for file, text in ((DOCUMENT, json.dumps(document, indent=2, ensure_ascii=False) + "\n"), (ERRORS, write_errors())):
        if file.is_file() and file.read_text("utf-8") == text:
            continue
        stale.append(file.name)
        if not check:
            file.write_text(text, "utf-8")
    print(*stale, "would change" if check else "written") if stale else print("nothing to do")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
