"""What counts as a doubt about what callers reach."""

from typing import Any

import pytest

from tests.template.translation import source
from tests.unit.deploy.stubs import stubbed
from tools.deploy.proof import count_reached, find_doubts
from tools.deploy.stamp import STAMP
from tools.deploy.template import functions

NAME = "shop-make-payment"
STAMPS = {"MakePayment": "aaaa"}


def configuration(version: str, **other: object) -> dict[str, Any]:
    return {
        "FunctionName": NAME,
        "Version": version,
        "RevisionId": f"revision-{version}",
        "FunctionArn": f"arn:{version}",
        "LastModified": version,
        "CodeSha256": "code",
        "Timeout": 28,
        "Layers": [{"Arn": "layer:1"}],
        "Environment": {"Variables": {STAMP: "aaaa", "LATE_SUCCESS": "refund"}},
        **other,
    }


def test_a_function_that_is_not_deployed_has_no_parameter() -> None:
    everywhere = len(functions(source()))
    assert count_reached(source(), {"WebhookUrl": "https://shop.example/"}, "LateSuccess") == everywhere
    assert count_reached(source(), {"WebhookUrl": ""}, "LateSuccess") == everywhere - 1
    assert count_reached(source(), {"WebhookUrl": ""}, "WebhookTimeoutSeconds") == 0


def test_the_same_in_all_that_counts() -> None:
    with stubbed() as stub:
        stub.functions.add_response("get_alias", {"FunctionVersion": "3"})
        asked = {"FunctionName": NAME}
        stub.functions.add_response("get_function_configuration", configuration("3"), {**asked, "Qualifier": "live"})
        stub.functions.add_response("get_function_configuration", configuration("$LATEST"), asked)
        assert find_doubts(stub.clients, {"MakePayment": NAME}, STAMPS) == []


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"CodeSha256": "newer"}, "CodeSha256"),
        ({"Layers": [{"Arn": "layer:2"}]}, "Layers"),
        ({"Timeout": 60}, "Timeout"),
        ({"Environment": {"Variables": {STAMP: "aaaa", "LATE_SUCCESS": "accept"}}}, "variable LATE_SUCCESS"),
        ({"Environment": {"Variables": {STAMP: "aaaa"}}}, "variable LATE_SUCCESS"),
    ],
)
def test_whatever_differs_is_named_without_its_value(other: dict[str, Any], named: str) -> None:
    with stubbed() as stub:
        stub.functions.add_response("get_alias", {"FunctionVersion": "3"})
        stub.functions.add_response("get_function_configuration", configuration("3"))
        stub.functions.add_response("get_function_configuration", configuration("$LATEST", **other))
        versions = [{"Version": "$LATEST"}, {"Version": "3"}, {"Version": "12"}]
        stub.functions.add_response("list_versions_by_function", {"Versions": versions})
        [doubt] = find_doubts(stub.clients, {"MakePayment": NAME}, STAMPS)
    assert doubt.function == NAME
    assert f"differs from $LATEST in {named};" in doubt.why
    assert "--function-version 12" in doubt.why, "the newest by number, not by text"
    assert "accept" not in doubt.why


def test_both_are_old() -> None:
    with stubbed() as stub:
        stub.functions.add_response("get_alias", {"FunctionVersion": "3"})
        old = {"Variables": {STAMP: "bbbb"}}
        for version in ("3", "$LATEST"):
            stub.functions.add_response("get_function_configuration", configuration(version, Environment=old))
        [doubt] = find_doubts(stub.clients, {"MakePayment": NAME}, STAMPS)
    assert doubt.why == "live (version 3) has other parameters than were deployed"


def test_an_alias_that_divides_its_callers() -> None:
    with stubbed() as stub:
        weights = {"RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1}}}
        stub.functions.add_response("get_alias", {"FunctionVersion": "3", **weights})
        for version in ("3", "$LATEST"):
            stub.functions.add_response("get_function_configuration", configuration(version))
        [doubt] = find_doubts(stub.clients, {"MakePayment": NAME}, STAMPS)
    assert doubt.why == "live sends a part of the calls to another version"


def test_a_function_without_the_alias() -> None:
    with stubbed() as stub:
        stub.functions.add_client_error("get_alias", "ResourceNotFoundException")
        [doubt] = find_doubts(stub.clients, {"MakePayment": NAME}, STAMPS)
    assert doubt.why == "AWS answered ResourceNotFoundException to GetAlias"
