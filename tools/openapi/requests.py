"""What an operation takes: its parameters and its body."""

import json
from collections.abc import Mapping

from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.route import BodyRule, Route
from tools.make_events import Event
from tools.openapi.json_values import Json, as_list, as_object, refer
from tools.openapi.schemas import take_schema

_REFERENCE, _KEY = "partnerReferenceNo", "Idempotency-Key"


def describe_request(route: Route[Command], schemas: Json, events: Mapping[str, Event]) -> Json:
    """Return `parameters` and, where it reads one, `requestBody`."""
    schema = take_schema(route.request, schemas, mode="validation")
    properties = as_object(schema["properties"])
    described: Json = {"parameters": _parameters(route, properties)}
    if route.body is not BodyRule.NONE:
        required = [str(name) for name in as_list(schema.get("required", [])) if name in route.body_fields]
        body = {name: part for name, part in properties.items() if name in route.body_fields}
        name = route.request.__name__
        example = json.loads(str(events[route.name]["body"]))
        schemas[name] = _body_schema(schema, body, required)
        content: Json = {"schema": refer("schemas", name), "examples": {"usual": {"value": example}}}
        if _REFERENCE in body and route.from_headers:
            content["examples"] = _split_by_key(name, schemas, example)
        described["requestBody"] = {
            "required": route.body is BodyRule.REQUIRED,
            "content": {"application/json": content},
        }
    return described


def _body_schema(schema: Json, properties: Json, required: list[str]) -> Json:
    body: Json = {"type": "object", "description": schema["description"], "additionalProperties": False}
    body["properties"] = properties
    if required:
        body["required"] = required
    return body


def _split_by_key(name: str, schemas: Json, example: Json) -> Json:
    """Say that a body has a reference, or that the header is sent: two schemas, of which one has to fit.

    Returns an example of each.
    """
    whole = as_object(schemas[name])
    properties = as_object(whole["properties"])
    required = [str(one) for one in as_list(whole["required"])]
    without = {one: part for one, part in properties.items() if one != _REFERENCE}
    schemas[f"{name}ByReference"] = {
        **whole,
        "description": f"With a reference of yours; the header `{_KEY}` may be sent too.",
        "required": [*required, _REFERENCE],
    }
    schemas[f"{name}ByKey"] = {
        **whole,
        "description": f"Without a reference: the header `{_KEY}` is required, and the reference is made from it.",
        "properties": without,
    }
    schemas[name] = {
        "description": f"{whole['description']} `{_REFERENCE}`, or the header `{_KEY}`, is required.",
        "oneOf": [refer("schemas", f"{name}ByReference"), refer("schemas", f"{name}ByKey")],
    }
    return {
        "by-reference": {"summary": "With a reference of yours", "value": example},
        "by-key": {
            "summary": f"With the header {_KEY} alone",
            "value": {one: value for one, value in example.items() if one != _REFERENCE},
        },
    }


def _parameters(route: Route[Command], properties: Json) -> list[Json]:
    parameters: list[Json] = []
    for place, names in (
        ("path", route.from_path),
        ("query", {name: name for name in sorted(route.from_query)}),
        ("header", route.from_headers),
    ):
        for name, field in names.items():
            schema = dict(as_object(properties[field]))
            parameter: Json = {"name": name.title() if place == "header" else name, "in": place}
            if place == "path":
                parameter["required"] = True
            description, example = schema.pop("description", None), schema.pop("example", None)
            schema.pop("examples", None)
            if description is not None:
                parameter["description"] = description
            if example is not None:
                parameter["example"] = example
            parameters.append({**parameter, "schema": schema})
    return parameters
