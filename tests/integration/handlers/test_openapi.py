"""The committed document is what the code says; the handlers' answers are checked against it in every other test."""

import json
from typing import Any

import pytest
from jsonschema import ValidationError
from openapi_spec_validator import validate

from tests.integration.handlers.conformity import DOCUMENT, check_conformity, check_schema, operation, read_document
from tests.unit.entrypoint.test_errors import ROWS
from tools.openapi import CATCH_NAMES, ERRORS, make_document, write_errors


def operations() -> list[tuple[str, str]]:
    """Operation ids and their paths."""
    return [(call["operationId"], path) for path, calls in read_document()["paths"].items() for call in calls.values()]


def test_nothing_has_drifted() -> None:
    assert json.loads(DOCUMENT.read_text("utf-8")) == make_document(), "run `make openapi`"
    assert ERRORS.read_text("utf-8") == write_errors(), "run `make openapi`"


def test_it_is_openapi() -> None:
    validate(read_document())


@pytest.mark.parametrize(("name", "path"), operations())
def test_examples_fit_their_schemas(name: str, path: str) -> None:
    described = operation(name)
    contents = [*described.get("requestBody", {}).get("content", {}).values()]
    contents += [
        content for answer in described["responses"].values() for content in answer.get("content", {}).values()
    ]
    for content in contents:
        if "example" in content:
            check_schema(content["schema"], content["example"])


@pytest.mark.parametrize(("name", "path"), operations())
def test_merchant_routes_are_signed_and_only_doku_s_and_the_browser_s_are_open(name: str, path: str) -> None:
    is_open = operation(name).get("security") == []
    assert is_open == (path.startswith("/doku/") or name == "return_from_binding")
    assert read_document()["security"] == [{"sigv4": []}]


def test_the_errors_page_names_what_is_raised() -> None:
    for _, _, slug, name in ROWS:
        assert CATCH_NAMES[slug] == name or slug.startswith("otp-") or slug == "conflict"


def test_a_difference_is_noticed() -> None:
    answer: dict[str, Any] = operation("get_payment")["responses"]["200"]["content"]["application/json"]["example"]
    headers = {"Content-Type": "application/json", "X-Request-Id": "r"}
    check_conformity("get_payment", 200, headers, json.dumps(answer))
    for wrong in ({**answer, "state": "DONE"}, {key: value for key, value in answer.items() if key != "amount"}):
        with pytest.raises(ValidationError):
            check_conformity("get_payment", 200, headers, json.dumps(wrong))
    with pytest.raises(ValidationError):
        check_conformity("get_payment", 200, headers, json.dumps({**answer, "phone": "62857957868761"}))
