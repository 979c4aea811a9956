"""Each change that breaks a caller is found; what breaks nobody is not."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.openapi.__main__ import DOCUMENT
from tools.openapi.breaking import PUBLISHED, find_breaks
from tools.openapi.compatible_schemas import Rule
from tools.openapi.publish import publish

type Json = dict[str, Any]

PAY: Json = json.loads(DOCUMENT.read_text("utf-8"))


def schema(document: Json, name: str) -> Json:
    found: Json = document["components"]["schemas"][name]
    return found


def pay(document: Json) -> Json:
    found: Json = document["paths"]["/payments"]["post"]
    return found


def require(document: Json, name: str, field: str) -> None:
    schema(document, name)["properties"].setdefault(field, {"type": "string"})
    schema(document, name)["required"].append(field)


BREAKS: dict[str, tuple[Rule, Callable[[Json], object]]] = {
    "a route goes": (
        Rule.ROUTE_REMOVED,
        lambda now: now["paths"].pop("/bindings/{id}/balance"),
    ),
    "a method goes": (Rule.METHOD_REMOVED, lambda now: now["paths"]["/bindings/{id}"].pop("delete")),
    "a status of success goes": (Rule.STATUS_REMOVED, lambda now: pay(now)["responses"].pop("202")),
    "a status of failure goes": (Rule.STATUS_REMOVED, lambda now: pay(now)["responses"].pop("409")),
    "a field of an answer goes": (
        Rule.FIELD_REMOVED,
        lambda now: schema(now, "PaymentView")["properties"].pop("remarks"),
    ),
    "an optional field of an answer goes": (
        Rule.FIELD_REMOVED,
        lambda now: schema(now, "PaymentView")["properties"].pop("failure"),
    ),
    "a field of an answer may be missing": (
        Rule.FIELD_MAY_BE_MISSING,
        lambda now: schema(now, "PaymentView")["required"].remove("remarks"),
    ),
    "a field of an answer has another type": (
        Rule.TYPE_CHANGED,
        lambda now: schema(now, "PaymentView")["properties"].update(remarks={"type": "integer"}),
    ),
    "an answer has a new state": (
        Rule.VALUE_ADDED,
        lambda now: schema(now, "PaymentState")["enum"].append("LATER"),
    ),
    "a header of an answer goes": (
        Rule.HEADER_REMOVED,
        lambda now: pay(now)["responses"]["200"]["headers"].pop("Idempotency-Replayed"),
    ),
    "a new field is required": (
        Rule.FIELD_REQUIRED,
        lambda now: require(now, "BindAccountRequest", "colour"),
    ),
    "an optional field is required": (
        Rule.FIELD_REQUIRED,
        lambda now: require(now, "BindAccountRequest", "email"),
    ),
    "a field of a request goes": (
        Rule.FIELD_REMOVED,
        lambda now: schema(now, "BindAccountRequest")["properties"].pop("email"),
    ),
    "a value of a request goes": (
        Rule.VALUE_REMOVED,
        lambda now: now["paths"]["/problems/{slug}"]["get"]["parameters"][0]["schema"]["enum"].pop(),
    ),
    "a field of a request has another type": (
        Rule.TYPE_CHANGED,
        lambda now: schema(now, "BindAccountRequest")["properties"].update(phone={"type": "integer"}),
    ),
    "a pattern is another one": (
        Rule.PATTERN_CHANGED,
        lambda now: schema(now, "BindAccountRequest")["properties"]["phone"].update(pattern="^62[0-9]{9}$"),
    ),
    "a text may be shorter only": (
        Rule.LIMIT_NARROWED,
        lambda now: schema(now, "BindAccountRequest")["properties"]["successUrl"].update(maxLength=100),
    ),
    "a parameter is required": (
        Rule.PARAMETER_REQUIRED,
        lambda now: pay(now)["parameters"][0].update(required=True),
    ),
    "a new parameter is required": (
        Rule.PARAMETER_REQUIRED,
        lambda now: pay(now)["parameters"].append(
            {"name": "shop", "in": "query", "required": True, "schema": {"type": "string"}}
        ),
    ),
    "a number may be smaller only": (
        Rule.LIMIT_NARROWED,
        lambda now: next(
            parameter for parameter in now["paths"]["/payments"]["get"]["parameters"] if parameter["name"] == "limit"
        )["schema"].update(maximum=10),
    ),
    "an answer is of another media type": (
        Rule.MEDIA_TYPE_REMOVED,
        lambda now: pay(now)["responses"]["200"]["content"].update(
            {"application/xml": pay(now)["responses"]["200"]["content"].pop("application/json")}
        ),
    ),
    "an operation is called otherwise": (Rule.OPERATION_RENAMED, lambda now: pay(now).update(operationId="pay")),
    "a parameter goes": (Rule.PARAMETER_REMOVED, lambda now: pay(now)["parameters"].clear()),
    "a body is no longer taken": (
        Rule.BODY_REMOVED,
        lambda now: now["paths"]["/payments/{ref}/refund"]["post"].pop("requestBody"),
    ),
    "a body is required": (
        Rule.BODY_REQUIRED,
        lambda now: now["paths"]["/payments/{ref}/refund"]["post"]["requestBody"].update(required=True),
    ),
    "a new status of success": (
        Rule.SUCCESS_ADDED,
        lambda now: now["paths"]["/payments/{ref}"]["get"]["responses"].update({"203": {"description": "Other"}}),
    ),
    "a format is asked for": (
        Rule.FORMAT_CHANGED,
        lambda now: schema(now, "BindAccountRequest")["properties"]["deviceId"].update(format="uuid"),
    ),
    "no member that is not named": (
        Rule.CLOSED,
        lambda now: schema(now, "DokuPaymentNotification").update(additionalProperties=False),
    ),
    "a way to write a body goes": (
        Rule.CHOICE_CHANGED,
        lambda now: schema(now, "MakePaymentRequest")["oneOf"].pop(),
    ),
    "an answer has a new shape": (
        Rule.CHOICE_CHANGED,
        lambda now: pay(now)["responses"]["201"]["content"]["application/json"].update(
            schema={"anyOf": [{"$ref": "#/components/schemas/PaymentView"}, {"type": "string"}]}
        ),
    ),
    "the members of metadata are shorter": (
        Rule.LIMIT_NARROWED,
        lambda now: schema(now, "BindAccountRequest")["properties"]["metadata"].update(maxProperties=1),
    ),
    "callers prove themselves otherwise": (
        Rule.SECURITY_CHANGED,
        lambda now: pay(now).update(security=[{"issuedToken": []}]),
    ),
}
HARMLESS: dict[str, Callable[[Json], object]] = {
    "a route comes": lambda now: now["paths"].update({"/more": copy.deepcopy(now["paths"]["/bindings"])}),
    "an optional field comes": lambda now: schema(now, "BindAccountRequest")["properties"].update(
        colour={"type": "string"}
    ),
    "a field of an answer comes": lambda now: schema(now, "PaymentView")["properties"].update(
        colour={"type": "string"}
    ),
    "a text may be longer": lambda now: schema(now, "BindAccountRequest")["properties"]["successUrl"].update(
        maxLength=4000
    ),
    "a cause comes, which readers were told": lambda now: schema(now, "Cause")["enum"].append("asleep"),
    "a value may be written": lambda now: now["paths"]["/problems/{slug}"]["get"]["parameters"][0]["schema"][
        "enum"
    ].append("new"),
    "a field is no longer required": lambda now: schema(now, "BindAccountRequest")["required"].remove("phone"),
    "a failure comes": lambda now: pay(now)["responses"].update({"418": {"description": "Other"}}),
    "anybody may call, in other words": lambda now: now["paths"]["/problems/{slug}"]["get"].update(security=[]),
    "another way to prove oneself comes": lambda now: pay(now)["security"].append({"issuedToken": []}),
    "another sentence": lambda now: pay(now).update(summary="Pay"),
    "another example": lambda now: pay(now)["responses"]["201"]["content"]["application/json"]["examples"].clear(),
}


def write(folder: Path, name: str, change: Callable[[Json], object], version: str | None = None) -> Path:
    document = copy.deepcopy(PAY)
    change(document)
    if version is not None:
        document["info"]["version"] = version
    path = folder / name
    path.write_text(json.dumps(document), "utf-8")
    return path


@pytest.mark.parametrize("name", BREAKS)
def test_what_breaks_a_caller_is_found(name: str, tmp_path: Path) -> None:
    rule, change = BREAKS[name]
    found = find_breaks(DOCUMENT, write(tmp_path, "changed.json", change))
    assert {one.rule for one in found} == {rule}, found


def test_every_rule_is_tried() -> None:
    assert {rule for rule, _ in BREAKS.values()} == set(Rule)


@pytest.mark.parametrize("name", HARMLESS)
def test_what_breaks_nobody_is_not(name: str, tmp_path: Path) -> None:
    assert find_breaks(DOCUMENT, write(tmp_path, "changed.json", HARMLESS[name])) == []


def test_a_document_that_is_none_is_no_success(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.json"
    nothing.write_text("{", "utf-8")
    with pytest.raises(ValueError, match="Expecting"):
        find_breaks(DOCUMENT, nothing)


def test_this_document_breaks_no_caller_of_the_published_one() -> None:
    assert find_breaks() == [], "docs/openapi.md says what to do"
    assert PUBLISHED.is_file()


def test_a_break_is_published_with_a_higher_version_only(tmp_path: Path) -> None:
    _, change = BREAKS["a route goes"]
    published = write(tmp_path, "published.json", lambda _: None, "1.4.0")
    before = published.read_text("utf-8")
    refusal = publish(write(tmp_path, "same.json", change, "1.5.0"), published)
    assert refusal is not None
    assert "/bindings/{id}/balance: route removed" in refusal
    assert published.read_text("utf-8") == before
    raised = write(tmp_path, "raised.json", change, "2.0.0")
    assert publish(raised, published) is None
    assert published.read_text("utf-8") == raised.read_text("utf-8")
