"""What Postman makes of the document: the examples, nothing random, and a signature."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.handlers.conformity import operation, read_document, resolve
from tools.postman import convert, sign_by_aws

type Json = dict[str, Any]


def requests_of(item: Json) -> Iterator[Json]:
    if "item" in item:
        for part in item["item"]:
            yield from requests_of(part)
    else:
        yield item


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Json:
    return convert(tmp_path_factory.mktemp("postman") / "collection.json")


def test_every_operation_is_there_with_its_example_and_nothing_random(collection: Json) -> None:
    found = {item["name"]: item["request"] for item in requests_of(collection)}
    operations = [call for calls in read_document()["paths"].values() for call in calls.values()]
    assert set(found) == {call["summary"] for call in operations}
    for call in operations:
        request = found[call["summary"]]
        if "requestBody" in call:
            (content,) = call["requestBody"]["content"].values()
            first = next(iter(content["examples"].values()))
            assert json.loads(request["body"]["raw"]) == first["value"]
        told = {one["name"]: str(one["example"]) for one in call.get("parameters", []) if "example" in one}
        sent = {one["key"]: str(one["value"]) for one in request["url"].get("variable", []) + request["header"]}
        assert {name: sent[name] for name in told if name in sent} == {n: v for n, v in told.items() if n in sent}
        assert {one["name"] for one in call.get("parameters", []) if one["in"] == "path"} <= set(told)


def test_answers_are_the_recorded_ones(collection: Json) -> None:
    (pay,) = [item for item in requests_of(collection) if item["name"] == operation("make_payment")["summary"]]
    for answer in pay["response"]:
        described = resolve(operation("make_payment")["responses"][str(answer["code"])])
        (content,) = described["content"].values()
        assert json.loads(answer["body"]) in [resolve(one)["value"] for one in content["examples"].values()]


def test_what_is_made_for_postman_signs(collection: Json) -> None:
    assert collection["auth"]["type"] == "apikey"  # what the import makes of it: docs/openapi.md says what to do
    signed = sign_by_aws(collection)
    assert signed["auth"]["type"] == "awsv4"
    given = {one["key"]: one["value"] for one in signed["auth"]["awsv4"]}
    assert given["service"] == "execute-api"
    wanted = {value[2:-2] for name, value in given.items() if name != "service"}
    assert wanted <= {one["key"] for one in signed["variable"]}


def test_each_request_proves_itself_as_the_document_says(collection: Json) -> None:
    found = {item["name"]: item["request"]["auth"] for item in requests_of(sign_by_aws(collection))}
    for call in (call for calls in read_document()["paths"].values() for call in calls.values()):
        auth = found[call["summary"]]
        if {"sigv4": []} in call["security"]:
            assert auth is None  # as the collection: AWS Signature V4
        else:
            assert auth["type"] == ("noauth" if call["security"] == [{}] else "bearer")


def test_only_what_is_required_is_sent_unasked(collection: Json) -> None:
    found = {item["name"]: item["request"] for item in requests_of(collection)}
    for call in (call for calls in read_document()["paths"].values() for call in calls.values()):
        request = found[call["summary"]]
        optional = {one["name"] for one in call.get("parameters", []) if not one.get("required")}
        sent = {one["key"] for one in [*request["url"]["query"], *request["header"]] if not one.get("disabled")}
        assert not sent & optional
