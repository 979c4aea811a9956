"""Whether an answer is what docs/openapi.json says: its status, its headers, its body."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.json"


@cache
def read_document() -> dict[str, Any]:
    """The committed document."""
    document: dict[str, Any] = json.loads(DOCUMENT.read_text("utf-8"))
    return document


@cache
def operation(name: str) -> dict[str, Any]:
    """The operation with this id."""
    found: dict[str, Any] = next(
        operation
        for path in read_document()["paths"].values()
        for operation in path.values()
        if operation["operationId"] == name
    )
    return found


def resolve(part: dict[str, Any]) -> dict[str, Any]:
    """What a reference to a component stands for; anything else is itself."""
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    found: dict[str, Any] = read_document()["components"][kind][name]
    return found


def check_conformity(name: str, status: int, headers: Mapping[str, str], text: str) -> None:
    """Fail when the document does not describe this answer."""
    described = operation(name)["responses"].get(str(status))
    assert described is not None, f"{name} answered {status}, which the document does not know"
    described = resolve(described)
    for header, about in described.get("headers", {}).items():
        assert header in headers or not resolve(about).get("required", False), f"{name}, {status}: no {header}"
        if header in headers:
            check_header(resolve(about)["schema"], headers[header])
    if "content" not in described:
        assert text == ""
        return
    content = described["content"]
    assert headers["Content-Type"] in content
    is_page = headers["Content-Type"].startswith("text/html")
    check_schema(content[headers["Content-Type"]]["schema"], text if is_page else json.loads(text))


def check_header(schema: Mapping[str, Any], text: str) -> None:
    """Fail when a header does not fit; a number is written as its digits."""
    check_schema(schema, int(text) if schema.get("type") == "integer" else text)


def check_schema(schema: Mapping[str, Any], value: object) -> None:
    """Fail when the value does not fit, with every object closed: an undocumented member is a difference too."""
    Draft202012Validator({**schema, "components": read_document()["components"]}).validate(value)
