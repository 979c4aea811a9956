"""Schemas: those of the models, tidied, and those of problems."""

from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.errors import PROBLEMS
from direct_debit.entrypoint.faults import MOST_FAULTS
from direct_debit.entrypoint.views.view import View
from tools.gateway_answers import OF_ACCESS_TOKENS, read_gateway_answers
from tools.openapi.compatible_schemas import EXTENSIBLE
from tools.openapi.json_values import Json, as_object

_TEXT: Json = {"type": "string"}


def take_schema(model: type[Command] | type[View], schemas: Json, *, mode: str) -> Json:
    """Return the model's schema, with its parts moved to the components. `mode`: validation or serialization."""
    template = "#/components/schemas/{model}"
    if mode == "validation":
        schema: Json = model.model_json_schema(by_alias=True, ref_template=template, mode="validation")
    else:
        schema = model.model_json_schema(by_alias=True, ref_template=template, mode="serialization")
    for name, part in as_object(schema.pop("$defs", {})).items():
        schemas[name] = _tidy(part)
    return as_object(_tidy(schema))


def _tidy(value: object) -> object:
    """Drop generated titles and null: absent values are left out of answers, and may be left out of requests.

    `example` repeats the first of `examples`, for the tools that know only the one (Postman's import).
    """
    if isinstance(value, list):
        return [_tidy(part) for part in value]
    if not isinstance(value, dict):
        return value
    tidy: Json = {}
    for name, part in value.items():
        if (name == "title" and isinstance(part, str)) or (name == "default" and part is None):
            continue
        tidy[name] = part if name in ("examples", "enum", "default") else _tidy(part)
    whole = _without_null(tidy)
    examples = whole.get("examples")
    if isinstance(examples, list) and examples:
        whole["example"] = examples[0]
    return whole


def _without_null(schema: Json) -> Json:
    options = schema.get("anyOf")
    if not isinstance(options, list):
        return dict(schema)
    real = [option for option in options if option != {"type": "null"}]
    if len(real) != 1:
        return dict(schema)
    return {**as_object(real[0]), **{name: part for name, part in schema.items() if name != "anyOf"}}


def problem_schemas() -> Json:
    """Return the schemas of our problems and of those that API Gateway answers itself."""
    slugs = "|".join(sorted(PROBLEMS))
    problem: Json = {
        "type": "object",
        "description": "RFC 9457. The last part of `type` never changes: branch on it.",
        "required": ["type", "title", "status", "detail", "requestId"],
        "additionalProperties": False,
        "properties": {
            "type": {
                "type": "string",
                "format": "uri-reference",
                "pattern": f"/({slugs})$",
                "description": "Opens the page that explains the problem.",
            },
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What is wrong and what to do."},
            "field": {"type": "string", "description": "JSON path of the field that is wrong; of several, the first."},
            "errors": {
                "type": "array",
                "description": f"All fields that are wrong, at most {MOST_FAULTS}; the first is told in `detail` too.",
                "items": {"$ref": "#/components/schemas/FieldFault"},
            },
            "responseCode": {"type": "string", "description": "DOKU's response code."},
            "requestId": _TEXT,
        },
    }
    return {"Problem": problem, "FieldFault": _fault_schema(), **_gateway_schemas()}


def _fault_schema() -> Json:
    return {
        "type": "object",
        "description": "A field that is wrong.",
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


def _gateway_schemas() -> Json:
    """What came with access tokens has a schema of its own: callers who sign know the other, and meet nothing new."""
    answers = read_gateway_answers()
    of_tokens = [answer.type for answer in answers if answer.kind in OF_ACCESS_TOKENS]
    others = [answer.type for answer in answers if answer.kind not in OF_ACCESS_TOKENS]
    told = "What API Gateway answers before, or instead of, this service"
    return {
        "GatewayProblem": _gateway_schema(f"{told}: `detail` says what to do.", {"enum": others}),
        "AccessTokenProblem": _gateway_schema(
            f"{told}, about an access token: `detail` says what to do.", {"enum": of_tokens, EXTENSIBLE: True}
        ),
    }


def _gateway_schema(description: str, types: Json) -> Json:
    return {
        "type": "object",
        "description": description,
        "required": ["type", "title", "detail", "requestId"],
        "additionalProperties": False,
        "properties": {
            "type": types,
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "reason": {"type": "string", "description": "API Gateway's own words."},
            "requestId": _TEXT,
        },
    }
