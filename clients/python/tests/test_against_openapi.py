"""The client against docs/openapi.json: each operation, each field, each value of an enumeration."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic.alias_generators import to_camel, to_snake

from clients.python.tests.stage import DOCUMENT
from direct_debit_client import AsyncClient, Client, models, request_types, routes
from direct_debit_client.calls import Call
from direct_debit_client.models import OpenEnum, View

Json = dict[str, Any]
# What only the service or DOKU uses.
NOT_FOR_CLIENTS = frozenset(
    {"Problem", "SnapReply", "AmountBody", "ConfirmUnbindingRequest", "VerifyPaymentOtpRequest"}
)


def operations(document: Json) -> Iterator[tuple[str, str, str, Json]]:
    """Each operation that merchants call: its id, method, path and description."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if operation.get("security") != []:
                yield operation["operationId"], method.upper(), path, operation


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


def make_call(document: Json, id_: str, path: str, operation: Json) -> Call[View]:
    """The client's call for an operation's example, with every parameter and every field of its body."""
    of_path = [one["schema"]["examples"][0] for one in operation["parameters"] if one["in"] == "path"]
    assert len(of_path) == path.count("{")
    given: dict[str, object] = {
        to_snake(one["name"].replace("-", "_").lower() if one["in"] == "header" else one["name"]): sample(
            one["schema"], document
        )
        for one in operation["parameters"]
        if one["in"] != "path"
    }
    if "requestBody" in operation:
        for name, value in operation["requestBody"]["content"]["application/json"]["example"].items():
            given[to_snake(name)] = value["value"] if name == "amount" else value
    call: Call[View] = getattr(routes, id_)(*of_path, **given)
    return call


def sample(schema: Json, document: Json) -> object:
    if "$ref" in schema:
        return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["enum"][0]
    if "examples" in schema:
        return schema["examples"][0]
    return {"integer": 7, "boolean": True, "string": "text"}[schema["type"]]


def test_each_call_is_the_documents_example(document: Json) -> None:
    for id_, method, path, operation in operations(document):
        call = make_call(document, id_, path, operation)
        parameters = {
            place: [one for one in operation["parameters"] if one["in"] == place]
            for place in ("path", "query", "header")
        }
        filled = path
        for one in parameters["path"]:
            filled = filled.replace("{" + one["name"] + "}", one["schema"]["examples"][0])
        assert (call.method, call.path) == (method, filled), id_
        assert set(call.query) == {one["name"] for one in parameters["query"]}, f"{id_}: add the parameter"
        assert (call.idempotency_key is not None) == any(
            one["name"] == "Idempotency-Key" for one in parameters["header"]
        ), id_
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        assert call.body == content.get("example"), id_
        answers = {
            reply["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            for status, reply in operation["responses"].items()
            if status.startswith("2")
        }
        assert answers == {call.answer.__name__}, id_


def view_schemas() -> list[str]:
    """The schemas of what is answered."""
    schemas: Json = json.loads(DOCUMENT.read_text("utf-8"))["components"]["schemas"]
    return sorted(name for name in schemas if name not in NOT_FOR_CLIENTS and not name.endswith("Request"))


@pytest.mark.parametrize("name", view_schemas())
def test_each_schema_has_its_model(document: Json, name: str) -> None:
    wanted = document["components"]["schemas"][name]
    model = getattr(models, name, None)
    assert model is not None, f"add {name} to models.py"
    if "enum" in wanted:
        assert issubclass(model, OpenEnum)
        assert [one.value for one in model] == wanted["enum"], f"models.py, {name}"
        return
    assert issubclass(model, View)
    ours = model.model_json_schema(by_alias=True, mode="validation")
    properties = {field: describe(part) for field, part in wanted["properties"].items()}
    assert {field: describe(part) for field, part in ours["properties"].items()} == properties, f"models.py, {name}"
    assert set(ours.get("required", [])) == set(wanted.get("required", [])), f"models.py, {name}"


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


@pytest.mark.parametrize("name", ["BindAccountRequest", "MakePaymentRequest", "RefundPaymentRequest"])
def test_each_request_has_its_keywords(document: Json, name: str) -> None:
    wanted = document["components"]["schemas"][name]
    ours = getattr(request_types, name)
    assert {to_camel(field) for field in ours.__annotations__} == set(wanted["properties"]), f"request_types.py, {name}"
    assert {to_camel(field) for field in ours.__required_keys__} == set(wanted["required"]), f"request_types.py, {name}"


def test_each_request_of_the_document_is_known(document: Json) -> None:
    named = {name for name in document["components"]["schemas"] if name.endswith("Request")}
    assert named - NOT_FOR_CLIENTS == {name for name in vars(request_types) if name.endswith("Request")}


def test_each_example_of_an_answer_is_read(document: Json) -> None:
    read = 0
    for id_, _, path, operation in operations(document):
        for status, reply in operation["responses"].items():
            content = reply.get("content", {}).get("application/json", {})
            examples = [content["example"]] if "example" in content else []
            examples += [one["value"] for one in content.get("examples", {}).values()]
            for example in examples if status.startswith("2") else []:
                shown = make_call(document, id_, path, operation).answer.model_validate(example)
                assert shown.model_dump(by_alias=True, exclude_unset=True, mode="json").keys() == example.keys()
                read += 1
    assert read >= 12


def test_fields_and_values_that_come_later_are_tolerated(document: Json) -> None:
    example = document["paths"]["/payments/{ref}"]["get"]["responses"]["200"]["content"]["application/json"]
    shown = models.PaymentView.model_validate(sample_of(example) | {"state": "SOMETHING_NEW", "addedLater": [{}]})
    assert shown.state == "SOMETHING_NEW"
    assert str(shown.state) == "SOMETHING_NEW"
    assert shown.state is not models.PaymentState.PAID


def sample_of(content: Json) -> Json:
    found: Json = content["example"] if "example" in content else next(iter(content["examples"].values()))["value"]
    return found


def test_misspelt_keywords_are_told_before_anything_is_sent() -> None:
    with pytest.raises(TypeError, match="unknown: remark;"):
        routes.make_payment(binding_id="b1", amount=1, remarks="x", remark="y")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="missing: phone"):
        routes.bind_account(customer_id="C")  # type: ignore[call-arg]


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
