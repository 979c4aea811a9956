"""The client against docs/openapi.json: each operation, each field, each value of an enumeration."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic.alias_generators import to_camel, to_snake

from clients.python.tests.stage import DOCUMENT
from direct_debit_client import AsyncClient, Client, models, request_types, routes
from direct_debit_client.calls import Call
from direct_debit_client.models import OpenEnum, View

Json = dict[str, Any]
# A code is one argument.
JUST_A_CODE = frozenset({"ConfirmUnbindingRequest", "VerifyPaymentOtpRequest"})


def operations(document: Json) -> Iterator[tuple[str, str, str, Json]]:
    """Each operation that merchants call: its id, method, path and description. Others have a security of their own."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if {"sigv4": []} in operation.get("security", document["security"]):
                yield operation["operationId"], method.upper(), path, operation


def named(schema: Json) -> str:
    """The name of a schema that is a reference."""
    name: str = schema["$ref"].rpartition("/")[2]
    return name


def examples_of(content: Json) -> list[Any]:
    """The examples of a body: of one kind, or of several."""
    several = [one["value"] for one in content.get("examples", {}).values()]
    return several or ([content["example"]] if "example" in content else [])


def answers_of(operation: Json) -> list[Json]:
    """The bodies of success."""
    replies = [reply for status, reply in operation["responses"].items() if status.startswith("2")]
    return [reply["content"]["application/json"] for reply in replies]


def test_each_operation_has_a_route_and_two_methods(document: Json) -> None:
    ids = {id_ for id_, _, _, _ in operations(document)}
    assert len(ids) >= 12
    assert {
        name
        for name, found in inspect.getmembers(routes, inspect.isfunction)
        if found.__module__ == routes.__name__ and not name.startswith("_")
    } == ids, "add the route to routes.py"
    for kind in (Client, AsyncClient):
        assert ids <= set(dir(kind)), f"add the method to client.py, then make clients: {ids - set(dir(kind))}"


def make_call(document: Json, id_: str, operation: Json, body: Json | None = None) -> Call[View]:
    """The client's call for an operation's example, with every parameter and every field of its body."""
    of_path = [sample(one, document) for one in operation["parameters"] if one["in"] == "path"]
    given: dict[str, object] = {
        to_snake(one["name"].replace("-", "_").lower() if one["in"] == "header" else one["name"]): sample(one, document)
        for one in operation["parameters"]
        if one["in"] != "path"
    }
    for name, value in (body or {}).items():
        given[to_snake(name)] = value["value"] if name == "amount" else value
    call: Call[View] = getattr(routes, id_)(*of_path, **given)
    return call


def sample(parameter: Json, document: Json) -> object:
    schema = parameter["schema"]
    if "example" in parameter:
        return parameter["example"]
    if "$ref" in schema:
        return document["components"]["schemas"][named(schema)]["enum"][0]
    if "examples" in schema:
        return schema["examples"][0]
    return {"integer": 7, "boolean": True, "string": "text"}[schema["type"]]


def test_each_call_is_the_documents_example(document: Json) -> None:
    for id_, method, path, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        for body in examples_of(content) or [None]:
            call = make_call(document, id_, operation, body)
            parameters = {
                place: [one for one in operation["parameters"] if one["in"] == place]
                for place in ("path", "query", "header")
            }
            filled = path
            for one in parameters["path"]:
                filled = filled.replace("{" + one["name"] + "}", str(sample(one, document)))
            assert "{" not in filled
            assert (call.method, call.path) == (method, filled), id_
            assert set(call.query) == {one["name"] for one in parameters["query"]}, f"{id_}: add the parameter"
            assert (call.idempotency_key is not None) == any(
                one["name"] == "Idempotency-Key" for one in parameters["header"]
            ), id_
            assert call.body == body, id_
            assert (body is None) == (method != "POST"), id_
            assert {named(answer["schema"]) for answer in answers_of(operation)} == {call.answer.__name__}, id_


def view_schemas() -> list[str]:
    """The schemas of what merchants are answered, and of its parts."""
    document: Json = json.loads(DOCUMENT.read_text("utf-8"))
    found: set[str] = set()
    waiting = [named(answer["schema"]) for *_, operation in operations(document) for answer in answers_of(operation)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            schema = json.dumps(document["components"]["schemas"][name])
            waiting += re.findall(r'"#/components/schemas/(\w+)"', schema)
    return sorted(found)


@pytest.mark.parametrize("name", view_schemas())
def test_each_schema_has_its_model(document: Json, name: str) -> None:
    wanted = document["components"]["schemas"][name]
    model = getattr(models, name, None)
    assert model is not None, f"clients/python/src/direct_debit_client/models.py: add {name}"
    if "enum" in wanted:
        assert issubclass(model, OpenEnum)
        assert [one.value for one in model] == wanted["enum"], (
            f"clients/python/src/direct_debit_client/models.py, {name}: give it the fields of docs/openapi.json"
        )
        return
    assert issubclass(model, View)
    ours = model.model_json_schema(by_alias=True, mode="validation")
    properties = {field: describe(part) for field, part in wanted["properties"].items()}
    assert {field: describe(part) for field, part in ours["properties"].items()} == properties, (
        f"clients/python/src/direct_debit_client/models.py, {name}: give it the fields of docs/openapi.json"
    )
    assert set(ours.get("required", [])) == set(wanted.get("required", [])), (
        f"clients/python/src/direct_debit_client/models.py, {name}: give it the fields of docs/openapi.json"
    )


def describe(schema: Mapping[str, Any]) -> object:
    """What kind of value it is: the name of its schema, of its simple type, of its items."""
    schema = next((one for one in schema.get("anyOf", []) if one not in ({"type": "null"}, {"type": "number"})), schema)
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "allOf" in schema:
        return describe(schema["allOf"][0])
    if schema.get("type") == "array":
        return [describe(schema["items"])]
    if schema.get("type") == "object":
        return {"any": describe(schema["additionalProperties"])}
    return schema.get("type", type(schema.get("const")).__name__)


def test_each_request_has_its_keywords(document: Json) -> None:
    bodies = [operation["requestBody"] for *_, operation in operations(document) if "requestBody" in operation]
    names = {named(body["content"]["application/json"]["schema"]) for body in bodies} - JUST_A_CODE
    assert names == {name for name in vars(request_types) if name.endswith("Request")}
    for name in names:
        schemas = document["components"]["schemas"]
        wanted = [schemas[named(one)] for one in schemas[name].get("oneOf", [])] or [schemas[name]]
        fields = {field for one in wanted for field in one["properties"]}
        required = set.intersection(*(set(one.get("required", [])) for one in wanted))
        ours = getattr(request_types, name)
        assert {to_camel(field) for field in ours.__annotations__} == fields, f"request_types.py, {name}"
        assert {to_camel(field) for field in ours.__required_keys__} == required, f"request_types.py, {name}"


def test_each_example_of_an_answer_is_read(document: Json) -> None:
    read = 0
    for id_, _, _, operation in operations(document):
        given = examples_of(operation.get("requestBody", {}).get("content", {}).get("application/json", {}))
        kind = make_call(document, id_, operation, *given[:1]).answer
        for example in [one for answer in answers_of(operation) for one in examples_of(answer)]:
            shown = kind.model_validate(example)
            assert shown.model_dump(by_alias=True, exclude_unset=True, mode="json").keys() == example.keys()
            read += 1
    assert read >= 12


def test_fields_and_values_that_come_later_are_tolerated(document: Json) -> None:
    example = examples_of(answers_of(document["paths"]["/payments/{ref}"]["get"])[0])[0]
    shown = models.PaymentView.model_validate(example | {"state": "SOMETHING_NEW", "addedLater": [{}]})
    assert shown.state == "SOMETHING_NEW"
    assert str(shown.state) == "SOMETHING_NEW"
    assert shown.state is not models.PaymentState.PAID


def test_misspelt_keywords_are_told_before_anything_is_sent() -> None:
    with pytest.raises(TypeError, match="unknown: remark;"):
        routes.make_payment(binding_id="b1", amount=1, remarks="x", remark="y")  # type: ignore[call-arg]  # a caller without types
    with pytest.raises(TypeError, match="missing: phone"):
        routes.bind_account(customer_id="C")  # type: ignore[call-arg]  # a caller without types


@pytest.mark.parametrize(
    ("ref", "path"), [("INV.1_a-b", "/payments/INV.1_a-b"), ("a/b?c#d", "/payments/a%2Fb%3Fc%23d")]
)
def test_identifiers_stay_one_segment(ref: str, path: str) -> None:
    assert routes.get_payment(ref).path == path


@pytest.mark.parametrize("ref", ["", ".", ".."])
def test_identifiers_that_are_no_segment_are_refused(ref: str) -> None:
    with pytest.raises(ValueError, match="identifier"):
        routes.get_payment(ref)


def test_codes_and_persons_are_not_shown() -> None:
    assert "135790" not in repr(routes.verify_payment_otp("INV1", "135790"))
    assert "62811" not in repr(routes.bind_account(customer_id="C", phone="62811111111"))
    view = models.BindingView.model_fields["redirect_url"]
    assert not view.repr
