import copy
import json
import re

import pytest
from samtranslator.model.exceptions import InvalidDocumentException

from direct_debit.entrypoint.errors import PROBLEMS
from direct_debit.entrypoint.route_groups import ROUTES_OF, RouteGroup
from tests.aws_rules.gateway_responses import DEFAULT_STATUS, render
from tests.aws_rules.method_settings import EVERYTHING, InvalidMethodSetting, read_method_setting
from tests.aws_rules.traces import recorded_by_traces
from tests.template.routes import PUBLIC, ROUTES
from tests.template.translation import Json, as_list, functions, operations, resources, source, translate, translated
from tools.gateway_answers import read_gateway_answers

AUTH_TYPES = {"AWS_IAM": "awsSigv4", "JWT": "custom"}


def secured(template: Json, mode: str = "AWS_IAM") -> set[tuple[str, str]]:
    """The routes that demand an IAM signature, or an access token, and nothing weaker."""
    (api,) = resources("AWS::ApiGateway::RestApi", template).values()
    scheme = api["Body"].get("components", {}).get("securitySchemes", {}).get(mode, {})
    if scheme.get("x-amazon-apigateway-authtype") != AUTH_TYPES[mode]:
        return set()
    return {route for route, operation in operations(template).items() if operation.get("security") == [{mode: []}]}


def test_every_route_is_known_and_leads_to_its_function() -> None:
    targets = {
        route: next(name for name in ROUTES.values() if f"${{{name}Aliaslive}}" in json.dumps(operation))
        for route, operation in operations().items()
    }
    assert targets == ROUTES


@pytest.mark.parametrize("mode", AUTH_TYPES)
def test_all_routes_but_the_public_ones_are_authorised(mode: str) -> None:
    assert secured(translated(AuthMode=mode), mode) == set(ROUTES) - PUBLIC


@pytest.mark.parametrize("mode", AUTH_TYPES)
def test_public_routes_name_no_authoriser(mode: str) -> None:
    found = operations(translated(AuthMode=mode))
    assert all(found[route].get("security") in (None, [{"NONE": []}]) for route in PUBLIC)


def authoriser() -> Json:
    """What API Gateway is told of who is asked about access tokens."""
    (api,) = resources("AWS::ApiGateway::RestApi", translated(AuthMode="JWT")).values()
    found: Json = api["Body"]["components"]["securitySchemes"]["JWT"]
    return found


def test_access_tokens_are_judged_by_the_alias_of_the_authoriser_for_a_minute() -> None:
    asked = authoriser()["x-amazon-apigateway-authorizer"]
    assert (authoriser()["in"], authoriser()["name"], asked["type"]) == ("header", "Authorization", "token")
    assert asked["authorizerUri"]["Fn::Sub"][1] == {"__FunctionArn__": {"Ref": "AuthoriseCallAliaslive"}}
    assert asked["authorizerResultTtlInSeconds"] <= 60
    (permission,) = [
        one
        for one in resources("AWS::Lambda::Permission").values()
        if one["FunctionName"] == {"Ref": "AuthoriseCallAliaslive"}
    ]
    assert "${__ApiId__}/authorizers/*" in permission["SourceArn"]["Fn::Sub"][0]


@pytest.mark.parametrize(
    ("header", "asked"),
    [
        ("Bearer aa.bb-_.cc", True),
        ("bearer aa.bb.cc", True),
        ("Bearer  aa.bb.cc", True),
        ("Bearer aa.bb.", False),
        ("Bearer aa.bb", False),
        ("Bearer aa.bb.cc dd", False),
        ("Bearer aa.bb.cc,Bearer dd.ee.ff", False),
        ("aa.bb.cc", False),
        ("AWS4-HMAC-SHA256 Credential=AKIA/20260302/x/execute-api/aws4_request", False),
        ("", False),
    ],
)
def test_what_is_no_token_is_refused_before_anybody_is_asked(header: str, asked: bool) -> None:
    expression = authoriser()["x-amazon-apigateway-authorizer"]["identityValidationExpression"]
    assert (re.search(expression, header) is not None) == asked


def test_access_tokens_need_an_issuer_an_audience_and_keys() -> None:
    rule = source()["Rules"]["TokensHaveAnIssuer"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "AuthMode"}, "JWT"]}
    needed = [{"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]} for name in ("JwtIssuer", "JwtAudience", "JwtJwksUrl")]
    assert [one["Assert"] for one in rule["Assertions"]] == needed


def test_who_has_a_domain_is_called_there_only_and_by_tls_1_2() -> None:
    (api,) = resources("AWS::ApiGateway::RestApi").values()
    [server] = api["Body"]["servers"]
    off = server["x-amazon-apigateway-endpoint-configuration"]["disableExecuteApiEndpoint"]
    assert off == {"Fn::If": ["HasCustomDomain", True, False]}
    (domain,) = resources("AWS::ApiGateway::DomainName").values()
    assert domain["SecurityPolicy"] == "TLS_1_2"


def test_a_web_acl_stands_before_the_stage_where_there_is_one() -> None:
    ((name, association),) = resources("AWS::WAFv2::WebACLAssociation").items()
    assert translated()["Resources"][name]["Condition"] == "HasWebAcl"
    assert association["WebACLArn"] == {"Ref": "WebAclArn"}
    assert association["ResourceArn"]["Fn::Sub"].endswith("::/restapis/${Api}/stages/${Apiv1Stage}")


def test_a_conditional_authoriser_would_be_noticed() -> None:
    template = copy.deepcopy(source())
    auth = template["Resources"]["Api"]["Properties"]["Auth"]
    auth["DefaultAuthorizer"] = {"Fn::If": ["HasAlarmEmail", "AWS_IAM", "AWS_IAM"]}
    with pytest.raises(InvalidDocumentException, match="DefaultAuthorizer"):
        translate(template)


def test_there_is_no_way_to_leave_merchant_routes_open() -> None:
    assert source()["Parameters"]["AuthMode"]["AllowedValues"] == list(AUTH_TYPES)
    assert source()["Parameters"]["AuthMode"]["Default"] == "AWS_IAM"
    with pytest.raises(InvalidDocumentException, match="DefaultAuthorizer"):
        translated(AuthMode="NONE")


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
    assert fields.pop("client") == "$context.authorizer.principalId"  # whose access token; of its claims no other
    forbidden = ("$context.path", "sourceIp", "authorizer", "querystring", "$context.identity.accessKey")
    assert not [value for value in fields.values() if any(word in value for word in forbidden)]
    assert fields["route"] == "$context.resourcePath"
    assert fields["caller"] == "$context.identity.caller"  # who it was that asked


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
    names = dict.fromkeys(PUBLIC, "Notify") | {
        route: group.capitalize() for group in (RouteGroup.REFUND, RouteGroup.UNLINK) for route in ROUTES_OF[group]
    }
    assert limits == {
        route: ({"Ref": f"{name}ThrottleRate"}, {"Ref": f"{name}ThrottleBurst"}) for route, name in names.items()
    }


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


def gateway_responses() -> Json:
    (api,) = resources("AWS::ApiGateway::RestApi").values()
    responses: Json = api["Body"]["x-amazon-apigateway-gateway-responses"]
    return responses


# Nothing was done where nobody was let in: it may be sent again, which an undecided 500 does not say.
CHANGED_STATUS = {"AUTHORIZER_FAILURE": 503}


@pytest.mark.parametrize("kind", DEFAULT_STATUS)
def test_the_gateways_own_answers_are_problem_documents(kind: str) -> None:
    status, content_type, body = render(gateway_responses(), kind, 'Missing "Authentication" Token')
    assert status == CHANGED_STATUS.get(kind, DEFAULT_STATUS[kind])
    assert content_type == "application/problem+json"
    assert set(body) - {"status"} == {"type", "title", "detail", "reason", "requestId"}
    assert body["reason"] == 'Missing "Authentication" Token'
    assert body.get("status", status) == status
    assert render({}, kind, "x")[1:] == ("application/json", {"message": "x"})


# Kinds that have no answer of their own, for those in which AWS has not even a name for the kind.
FALLS_BACK = {"DEFAULT_4XX": "WAF_FILTERED", "DEFAULT_5XX": "API_CONFIGURATION_ERROR"}

# What the caller did: the kind of API Gateway's answer, and what it has to say.
MET = [
    ("called without a signature", "MISSING_AUTHENTICATION_TOKEN", ("no AWS Signature V4", "sign for", "execute-api")),
    ("called a route that is not there", "MISSING_AUTHENTICATION_TOKEN", ("no such route", "Check method and path")),
    ("forgot the stage in the address", "MISSING_AUTHENTICATION_TOKEN", ("/v1",)),
    ("wrote a slash behind the path", "MISSING_AUTHENTICATION_TOKEN", ("without a slash at the end",)),
    ("sent GET where POST is meant", "MISSING_AUTHENTICATION_TOKEN", ("Check method",)),
    ("signed for s3", "INVALID_SIGNATURE", ("for the service execute-api",)),
    ("signed for us-east-1", "INVALID_SIGNATURE", ("in the API's region",)),
    ("used the secret of another key", "INVALID_SIGNATURE", ("the right secret key",)),
    ("changed the body after signing", "INVALID_SIGNATURE", ("over exactly the method", "body that are sent")),
    ("signed with a clock that is wrong", "INVALID_SIGNATURE", ("within five minutes",)),
    ("used a session of yesterday", "EXPIRED_TOKEN", ("Get new ones",)),
    ("forgot the session token", "DEFAULT_4XX", ("access key is not known",)),
    ("sent a bearer token", "DEFAULT_4XX", ("an API key never counts, a bearer token only with AuthMode JWT",)),
    ("signed as a role without the right", "ACCESS_DENIED", ("execute-api:Invoke",)),
    ("called as DOKU from another address", "ACCESS_DENIED", ("DOKU", "DokuSourceCidrs")),
    ("has a token without the scope", "ACCESS_DENIED", ("access token", "scope")),
    ("forgot the token", "UNAUTHORIZED", ("Authorization: Bearer", "issuer")),
    ("has a token that has ended", "UNAUTHORIZED", ("when one ends, get the next",)),
    ("has a token while the issuer is down", "AUTHORIZER_FAILURE", ("Nothing was done", "Retry-After")),
    ("called in a loop", "THROTTLED", ("Nothing was done", "Retry-After", "ThrottleRate")),
    ("sent 11 MB", "REQUEST_TOO_LARGE", ("64 KiB",)),
    ("waited for 29 seconds", "INTEGRATION_TIMEOUT", ("The outcome is unknown", "Read the resource")),
    ("met a fault of the gateway", "DEFAULT_5XX", ("The outcome is unknown", "requestId")),
]


@pytest.mark.parametrize(("kind", "words"), [met[1:] for met in MET], ids=[met[0] for met in MET])
def test_what_the_gateway_answers_says_what_to_do(kind: str, words: tuple[str, ...]) -> None:
    _, _, body = render(gateway_responses(), FALLS_BACK.get(kind, kind), "Forbidden")
    assert [word for word in words if word not in str(body["detail"])] == []
    assert len(str(body["detail"])) < 400  # one reading


def test_each_answer_of_the_gateway_has_a_name_of_its_own() -> None:
    types = [answer.type for answer in read_gateway_answers()]
    assert len(set(types)) == len(types)
    # The one that both know means the same.
    assert {one.rsplit("/", 1)[1] for one in types} & set(PROBLEMS) == {"body-too-large"}
    assert read_gateway_answers()[0].status == DEFAULT_STATUS["MISSING_AUTHENTICATION_TOKEN"]


def test_no_answer_of_the_gateway_needs_a_new_deployment_of_the_api() -> None:
    """API Gateway serves what was deployed, and a parameter's new value alone deploys nothing: so none stands in it."""
    texts = [answer["responseTemplates"]["application/json"] for answer in gateway_responses().values()]
    assert [text for text in texts if not isinstance(text, str)] == []


def test_only_this_api_may_invoke_through_the_gateway() -> None:
    permissions = resources("AWS::Lambda::Permission")
    api = [p for p in permissions.values() if p["Principal"] == "apigateway.amazonaws.com"]
    assert len(api) == len(ROUTES) + 1  # and the authoriser
    assert all("execute-api" in json.dumps(permission["SourceArn"]) for permission in api)
    assert all(as_list(permission["Action"]) == ["lambda:InvokeFunction"] for permission in api)
