"""The committed document is what the code says; the handlers' answers are checked against it in every other test."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import ValidationError
from openapi_spec_validator import validate

from direct_debit.application.errors import InvalidSignature
from direct_debit.application.notifications.accept_notification import AcceptNotification
from direct_debit.application.notifications.inbound_ports import InboundCall
from direct_debit.application.ports.inbox import InboxKind
from direct_debit.entrypoint.route_groups import ROUTES_OF
from tests.aws_rules.gateway_responses import render
from tests.integration.handlers import recordings
from tests.integration.handlers.conformity import (
    check_conformity,
    check_header,
    check_schema,
    operation,
    read_document,
    resolve,
)
from tests.integration.handlers.house import House
from tests.template.translation import resources
from tests.unit.entrypoint.test_errors import ROWS
from tools.make_events import AT, BINDING_NOTIFY_PATH, NOTIFY_PATH, make_events, vector_signer
from tools.openapi.__main__ import make_files
from tools.openapi.gateway import ANSWERS
from tools.openapi.problems import CATCH_NAMES
from tools.openapi.recorded import read_recordings
from tools.operations import ROUTES

DOKU = ("issue_token", "receive_payment_notification", "receive_binding_notification")
NAMES = [operation["operationId"] for calls in read_document()["paths"].values() for operation in calls.values()]


def contents(name: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Where an operation has a body: `request` or the status, the schema, and the examples by name."""
    described = operation(name)
    bodies = {"request": described.get("requestBody", {})}
    bodies |= {status: resolve(answer) for status, answer in described["responses"].items()}
    for place, body in bodies.items():
        for media, content in body.get("content", {}).items():
            if not media.startswith("text/html"):
                examples = {case: resolve(example)["value"] for case, example in content.get("examples", {}).items()}
                yield place, content["schema"], examples


def test_nothing_has_drifted() -> None:
    for file, text in make_files().items():
        assert file.read_text("utf-8") == text, "run `make openapi`"


def test_it_is_openapi() -> None:
    validate(read_document())


def test_the_recordings_are_what_the_handlers_answer_today() -> None:
    recorded = json.loads(recordings.FILE.read_text("utf-8"))
    assert recorded == json.loads(json.dumps(recordings.record())), "run `make openapi`"


@pytest.mark.parametrize("name", NAMES)
def test_every_body_has_examples_and_they_fit(name: str) -> None:
    for place, schema, examples in contents(name):
        assert examples or (name, place) == ("issue_token", "500"), f"{name}, {place}: no example"
        for example in examples.values():
            check_schema(schema, example)


@pytest.mark.parametrize("name", NAMES)
def test_no_example_stands_under_two_statuses(name: str) -> None:
    shown = [json.dumps(example, sort_keys=True) for place, _, cases in contents(name) for example in cases.values()]
    assert len(set(shown)) == len(shown)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_problem_of_a_route_is_shown_under_its_status(route: Any) -> None:  # noqa: ANN401 - a route of any request
    shown = {
        example["type"].rsplit("/", 1)[1]: status
        for status, _, examples in contents(route.name)
        for example in examples.values()
        if "type" in example and example["type"] != "about:blank"
    }
    for recorded in read_recordings()[route.name]:
        if isinstance(recorded.body, dict) and "type" in recorded.body:
            assert shown[recorded.case] == str(recorded.status)
    assert set(route.problems) <= set(shown)


@pytest.mark.parametrize("name", [route.name for route in ROUTES])
def test_the_recorded_headers_are_described(name: str) -> None:
    for recorded in read_recordings()[name]:
        described = resolve(operation(name)["responses"][str(recorded.status)])["headers"]
        for header, value in recorded.headers.items():
            check_header(resolve(described[header])["schema"], value)


def test_a_reference_or_a_key_is_asked_for() -> None:
    content = operation("make_payment")["requestBody"]["content"]["application/json"]
    by_reference = content["examples"]["by-reference"]["value"]
    check_schema(content["schema"], content["examples"]["by-key"]["value"])
    one, other = (resolve(option) for option in resolve(content["schema"])["oneOf"])
    assert "partnerReferenceNo" in one["required"]
    assert "partnerReferenceNo" not in other["properties"]
    assert "Idempotency-Key` is required" in other["description"]
    with pytest.raises(ValidationError):
        check_schema(content["schema"], {**by_reference, "partnerReferenceNo": ""})


def name_of(method: str, path: str) -> str:
    """The operation of a route."""
    return next(route.name for route in ROUTES if (route.method, route.path) == (method, path))


@pytest.mark.parametrize("name", NAMES)
def test_merchant_routes_are_signed_and_only_doku_s_and_people_s_are_not(name: str) -> None:
    expected: dict[str, list[Any]] = {
        **{name: [{}] for name in ("return_from_binding", "explain_problem", "issue_token")},
        **{name: [{"issuedToken": []}] for name in DOKU[1:]},
    }
    by_token = {
        name_of(*route): [{"sigv4": []}, {"accessToken": [f"direct-debit/{group}"]}]
        for group, routes in ROUTES_OF.items()
        for route in routes
    }
    assert operation(name).get("security") == {**by_token, **expected}[name]
    assert read_document()["security"] == [{"sigv4": []}, {"accessToken": []}]
    assert read_document()["components"]["securitySchemes"]["sigv4"]["x-amazon-apigateway-authtype"] == "awsSigv4"


@pytest.mark.parametrize("status", ANSWERS)
def test_the_gateways_answers_are_in_the_template_s_words(status: int) -> None:
    (api,) = resources("AWS::ApiGateway::RestApi").values()
    responses = api["Body"]["x-amazon-apigateway-gateway-responses"]
    for answer in ANSWERS[status]:
        found, content_type, body = render(responses, answer.answer.kind, answer.message)
        assert (found, content_type) == (status, "application/problem+json")
        assert {**body, "requestId": ""} == {**answer.body(), "requestId": ""}
        schema = "AccessTokenProblem" if status == 401 else "GatewayProblem"
        check_schema({"$ref": f"#/components/schemas/{schema}"}, body)


@pytest.mark.parametrize("name", [route.name for route in ROUTES])
def test_the_gateways_statuses_are_named(name: str) -> None:
    responses = operation(name)["responses"]
    assert {"429", "504"} <= set(responses)
    assert ("403" in responses) == ("401" in responses) == (name != "return_from_binding")
    assert ("413" in responses) == ("requestBody" in operation(name) or name == "unbind_account")


# --- DOKU's routes ---------------------------------------------------------------------------------------------------


def accept(house: House, name: str, body: object) -> AcceptNotification:
    """Read a notification as the door does."""
    kind, path = {
        DOKU[1]: (InboxKind.PAYMENT, NOTIFY_PATH),
        DOKU[2]: (InboxKind.BINDING, BINDING_NOTIFY_PATH),
    }[name]
    house.world.clock.set(AT)
    text = json.dumps(body, separators=(",", ":")).encode()
    headers = vector_signer().notification_headers(path, text, "1")
    call = InboundCall(path="/v1" + path, headers={key.lower(): value for key, value in headers.items()}, body=text)
    return house.services.inbound.read_notification(kind, call)


def members(schema: dict[str, Any], place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], bool]]:
    """The paths of a schema's members, and whether each is mandatory."""
    for name, part in schema["properties"].items():
        yield (*place, name), name in schema.get("required", ())
        if "properties" in part:
            yield from members(part, (*place, name))


@pytest.mark.parametrize("name", DOKU[1:])
def test_what_the_document_calls_mandatory_is_what_the_door_needs(house: House, name: str) -> None:
    schema = resolve(operation(name)["requestBody"]["content"]["application/json"]["schema"])
    example = json.loads(str(make_events(vector_signer())[name]["body"]))
    accept(house, name, example)
    for place, mandatory in members(schema):
        body = copy.deepcopy(example)
        holder = body
        for part in place[:-1]:
            holder = holder[part]
        holder.pop(place[-1], None)
        if mandatory:
            with pytest.raises(InvalidSignature):
                accept(house, name, body)
        elif place != ("additionalInfo",) or name == DOKU[1]:
            accept(house, name, body)


@pytest.mark.parametrize("name", DOKU)
def test_doku_s_headers_are_named_and_the_mandatory_ones_are_needed(house: House, name: str) -> None:
    house.world.clock.set(AT)
    event = make_events(vector_signer())[name]
    sent = event["headers"]
    assert isinstance(sent, dict)
    for parameter in operation(name)["parameters"]:
        without = {key: value for key, value in sent.items() if key != parameter["name"]}
        answer = house.invoke(name, {**event, "headers": without})
        assert (answer["statusCode"] != 200) == parameter["required"], parameter["name"]
        check_conformity(name, answer["statusCode"], answer["headers"], answer["body"])
    answer = house.invoke(name, event)
    assert answer["statusCode"] == 200
    check_conformity(name, 200, answer["headers"], answer["body"])


def test_the_errors_page_names_what_is_raised() -> None:
    for _, _, slug, name in ROWS:
        assert CATCH_NAMES[slug] == name or slug.startswith("otp-") or slug == "conflict"


def test_a_difference_is_noticed() -> None:
    examples = operation("get_payment")["responses"]["200"]["content"]["application/json"]["examples"]
    answer: dict[str, Any] = examples["paid"]["value"]
    headers = {"Content-Type": "application/json", "X-Request-Id": "r"}
    check_conformity("get_payment", 200, headers, json.dumps(answer))
    for wrong in ({**answer, "state": "DONE"}, {key: value for key, value in answer.items() if key != "amount"}):
        with pytest.raises(ValidationError):
            check_conformity("get_payment", 200, headers, json.dumps(wrong))
    with pytest.raises(ValidationError):
        check_conformity("get_payment", 200, headers, json.dumps({**answer, "phone": "62857957868761"}))
    with pytest.raises(AssertionError):
        check_conformity("get_payment", 200, {"Content-Type": "application/json"}, json.dumps(answer))
