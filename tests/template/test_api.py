import copy
import json

import pytest

from tests.aws_rules.gateway_responses import DEFAULT_STATUS, render
from tests.aws_rules.method_settings import EVERYTHING, InvalidMethodSetting, read_method_setting
from tests.aws_rules.traces import recorded_by_traces
from tests.template.routes import PUBLIC, ROUTES
from tests.template.translation import Json, as_list, functions, operations, resources, source, translate, translated


def secured(template: Json) -> set[tuple[str, str]]:
    """The routes that demand an IAM signature and nothing weaker."""
    (api,) = resources("AWS::ApiGateway::RestApi", template).values()
    scheme = api["Body"].get("components", {}).get("securitySchemes", {}).get("AWS_IAM", {})
    if scheme.get("x-amazon-apigateway-authtype") != "awsSigv4":
        return set()
    return {
        route for route, operation in operations(template).items() if operation.get("security") == [{"AWS_IAM": []}]
    }


def test_every_route_is_known_and_leads_to_its_function() -> None:
    targets = {
        route: next(name for name in ROUTES.values() if f"${{{name}Aliaslive}}" in json.dumps(operation))
        for route, operation in operations().items()
    }
    assert targets == ROUTES


def test_all_routes_but_the_four_public_ones_demand_iam() -> None:
    assert secured(translated()) == set(ROUTES) - PUBLIC


def test_public_routes_name_no_authoriser() -> None:
    assert all(operations()[route].get("security") in (None, [{"NONE": []}]) for route in PUBLIC)


def test_a_conditional_authoriser_would_be_noticed() -> None:
    template = copy.deepcopy(source())
    auth = template["Resources"]["Api"]["Properties"]["Auth"]
    auth["DefaultAuthorizer"] = {"Fn::If": ["HasAlarmEmail", "AWS_IAM", "AWS_IAM"]}
    assert secured(translate(template)) == set()


def test_open_merchant_routes_are_for_local_only() -> None:
    assert not [
        route for route, operation in operations(translated(AuthMode="NONE")).items() if "AWS_IAM" in str(operation)
    ]
    rule = source()["Rules"]["OnlyLocalIsOpen"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "AuthMode"}, "NONE"]}
    assert rule["Assertions"][0]["Assert"] == {"Fn::Equals": [{"Ref": "Environment"}, "local"]}
    assert source()["Parameters"]["AuthMode"]["Default"] == "AWS_IAM"


def test_callers_need_no_right_on_the_functions() -> None:
    # With the transform's default (caller credentials) a user with execute-api:Invoke alone would be refused.
    assert all("credentials" not in operation["x-amazon-apigateway-integration"] for operation in operations().values())


def test_functions_answer_before_the_gateway_gives_up() -> None:
    slow = {name: functions()[name]["Timeout"] for name in ROUTES.values() if functions()[name]["Timeout"] > 28}
    assert slow == {}


def test_the_stage_logs_the_route_and_no_data() -> None:
    (stage,) = resources("AWS::ApiGateway::Stage").values()
    assert stage["StageName"] == "v1"
    fields = json.loads(stage["AccessLogSetting"]["Format"])
    forbidden = ("$context.path", "sourceIp", "authorizer", "querystring", "$context.identity.accessKey")
    assert not [value for value in fields.values() if any(word in value for word in forbidden)]
    assert fields["route"] == "$context.resourcePath"


def test_no_trace_has_what_the_access_log_leaves_out() -> None:
    (stage,) = resources("AWS::ApiGateway::Stage").values()
    assert recorded_by_traces(stage, ROUTES) == set()
    assert recorded_by_traces({**stage, "TracingEnabled": True}, ROUTES) >= {"{state}", "client_ip"}


def test_no_body_is_logged_on_any_route() -> None:
    (stage,) = resources("AWS::ApiGateway::Stage").values()
    settings = stage["MethodSettings"]
    assert [setting["DataTraceEnabled"] for setting in settings] == [False] * len(settings)
    assert [setting["LoggingLevel"] for setting in settings] == ["OFF"] * len(settings)


def test_merchant_and_public_routes_have_limits_of_their_own() -> None:
    (stage,) = resources("AWS::ApiGateway::Stage").values()
    limits = {
        read_method_setting(setting, ROUTES): (setting["ThrottlingRateLimit"], setting["ThrottlingBurstLimit"])
        for setting in stage["MethodSettings"]
    }
    assert limits.pop(EVERYTHING) == ({"Ref": "ThrottleRate"}, {"Ref": "ThrottleBurst"})
    assert limits == {route: ({"Ref": "NotifyThrottleRate"}, {"Ref": "NotifyThrottleBurst"}) for route in PUBLIC}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/doku/v1.0/debit/notify"),
        ("POST", "~1doku~1v1.0~1debit~1notify"),
        ("POST", "/doku~1v1.0~1debit~1notify"),
        ("GET", "/~1doku~1v1.0~1debit~1notify"),
        ("POST", "/~1doku~1v1.0~1debit~1notified"),
    ],
)
def test_a_limit_that_api_gateway_refuses_or_that_limits_nothing_would_be_noticed(method: str, path: str) -> None:
    with pytest.raises(InvalidMethodSetting):
        read_method_setting({"HttpMethod": method, "ResourcePath": path}, ROUTES)


@pytest.mark.parametrize("kind", DEFAULT_STATUS)
def test_the_gateways_own_answers_are_problem_documents(kind: str) -> None:
    (api,) = resources("AWS::ApiGateway::RestApi").values()
    responses = api["Body"]["x-amazon-apigateway-gateway-responses"]
    status, content_type, body = render(responses, kind, 'Missing "Authentication" Token')
    assert status == DEFAULT_STATUS[kind]
    assert content_type == "application/problem+json"
    assert {"type", "title", "requestId"} <= set(body)
    assert body.get("status", status) == status
    assert render({}, kind, "x")[1:] == ("application/json", {"message": "x"})


def test_only_this_api_may_invoke_through_the_gateway() -> None:
    permissions = resources("AWS::Lambda::Permission")
    api = [p for p in permissions.values() if p["Principal"] == "apigateway.amazonaws.com"]
    assert len(api) == len(ROUTES)
    assert all("execute-api" in json.dumps(permission["SourceArn"]) for permission in api)
    assert all(as_list(permission["Action"]) == ["lambda:InvokeFunction"] for permission in api)
