"""Two deployments one after the other: what a changed parameter changes is published, and nothing else is."""

import copy
from functools import cache
from typing import Any

import pytest

from tests.template.translation import REQUIRED, resources, source, translate
from tools.deploy.stamp import stamp_template

# Another legal value for each parameter that has neither other allowed values nor a number.
OTHER = {
    "PublicBaseUrl": "https://other.example/v1",
    "DomainName": "api.shop.example",
    "CertificateArn": "arn:aws:acm:ap-southeast-3:123456789012:certificate/1",
    "WebAclArn": "arn:aws:wafv2:ap-southeast-3:123456789012:regional/webacl/shop/0a1b2c3d-1111-2222-3333-444455556666",
    "JwtIssuer": "https://login.shop.example/",
    "JwtAudience": "https://pay.shop.example",
    "JwtJwksUrl": "https://login.shop.example/jwks",
    "JwtScopePrefix": "pay:",
    "DokuBaseUrl": "https://doku.example",
    "DokuChannelId": "WEB",
    "DokuOtpField": "type",
    "DokuOtpPaymentValue": "Pay",
    "DokuOtpUnbindValue": "Unbind",
    "DokuUntiedFields": "serviceCode",
    "DokuSourceCidrs": "203.0.113.0/24",
    "AllowedReturnHosts": "other.example",
    "DefaultSuccessUrl": "https://other.example/success",
    "DefaultFailedUrl": "https://other.example/failed",
    "ProblemTypeBase": "https://docs.shop.example/problems",
    "WebhookUrl": "https://shop.example/webhooks",
    "WebhookScheduleSeconds": "10,60",
    "InquiryScheduleSeconds": "70,90",
    "OtpScheduleSeconds": "400,90000",
    "RefundScheduleSeconds": "70,90",
    "BindingScheduleSeconds": "400",
    "FulfilmentFunctionArn": "arn:aws:lambda:ap-southeast-3:123456789012:function:fulfil:live",
    "AlarmEmail": "on-call@shop.example",
    "KmsKeyArn": "arn:aws:kms:ap-southeast-3:123456789012:key/11111111-2222-3333-4444-555555555555",
    "RestoredBindingsArn": "arn:aws:dynamodb:ap-southeast-3:123456789012:table/bindings-2",
    "RestoredBindingsStreamArn": "arn:aws:dynamodb:ap-southeast-3:123456789012:table/bindings-2/stream/2026-11-27",
    "RestoredTransactionsArn": "arn:aws:dynamodb:ap-southeast-3:123456789012:table/orders-2",
    "RestoredTransactionsStreamArn": "arn:aws:dynamodb:ap-southeast-3:123456789012:table/orders-2/stream/2026-11-27",
}
FIXED = {"DeployedByMakeDeploy"}  # one legal value


@cache
def values() -> dict[str, str]:
    parameters: dict[str, Any] = source()["Parameters"]
    return {name: str(definition.get("Default", "")) for name, definition in parameters.items()} | REQUIRED


def another(name: str) -> str:
    definition = source()["Parameters"][name]
    if "AllowedValues" in definition:
        return next(str(one) for one in definition["AllowedValues"] if str(one) != values()[name])
    return OTHER[name] if definition["Type"] == "String" else str(int(values()[name]) + 1)


@cache
def deployed(**changed: str) -> dict[str, Any]:
    chosen = values() | changed
    return translate(dict(stamp_template(source(), chosen)), **chosen)


def versions(template: dict[str, Any]) -> dict[str, str]:
    """The version to which each function's alias leads, by its name: another name is another version."""
    return {
        alias["FunctionName"]["Ref"]: alias["FunctionVersion"]["Fn::GetAtt"][0]
        for alias in resources("AWS::Lambda::Alias", template).values()
    }


def configuration(template: dict[str, Any], chosen: dict[str, str]) -> dict[str, object]:
    """What a version of each function keeps, with the parameters put in."""

    def holds(condition: dict[str, Any]) -> bool:
        ((kind, content),) = condition.items()
        if kind == "Fn::Not":
            return not holds(content[0])
        assert kind == "Fn::Equals"
        return bool(resolve(content[0]) == resolve(content[1]))

    def resolve(value: object) -> object:
        if isinstance(value, dict):
            if set(value) == {"Ref"} and value["Ref"] in chosen:
                return chosen[value["Ref"]]
            if set(value) == {"Fn::If"}:
                condition, yes, no = value["Fn::If"]
                return resolve(yes if holds(template["Conditions"][condition]) else no)
            return {key: resolve(inner) for key, inner in value.items() if key != "Tags"}
        return [resolve(inner) for inner in value] if isinstance(value, list) else value

    without_stamp = copy.deepcopy(resources("AWS::Lambda::Function", template))
    for function in without_stamp.values():
        function["Environment"]["Variables"].pop("CONFIGURATION")
        function.pop("ReservedConcurrentExecutions", None)  # the function's, not its versions'
    return {name: resolve(properties) for name, properties in without_stamp.items()}


@pytest.mark.parametrize("name", sorted(set(source()["Parameters"]) - FIXED))
def test_a_changed_parameter_arrives_where_it_is_used_and_publishes_nothing_elsewhere(name: str) -> None:
    change = {name: another(name)}
    before, after = deployed(), deployed(**change)
    was, becomes = configuration(before, values()), configuration(after, values() | change)
    concerned = {function for function in was if was[function] != becomes[function]}
    published = {function for function, version in versions(after).items() if version != versions(before)[function]}
    assert published == concerned


def test_without_the_stamp_a_changed_parameter_would_arrive_nowhere() -> None:
    """What the translator does by itself, and why the deployment adds something; when this fails, it can go."""
    plain = translate(source(), **values())
    changed = translate(source(), **values() | {"LateSuccess": "accept"})
    assert versions(plain) == versions(changed)


def test_a_setting_about_money_arrives_at_every_function() -> None:
    before, after = versions(deployed()), versions(deployed(LateSuccess="accept"))
    assert len(before) == len(resources("AWS::Lambda::Function"))
    assert not set(before.values()) & set(after.values())


def test_a_bare_sam_deploy_is_refused_by_the_template() -> None:
    guard = source()["Parameters"]["DeployedByMakeDeploy"]
    assert "Default" not in guard, "or a deployment without `make deploy` would go through"
    assert guard["AllowedValues"] == ["true"]


def test_half_a_domain_is_refused_by_the_template() -> None:
    domain, certificate = ({"Ref": name} for name in ("DomainName", "CertificateArn"))
    for rule, given, needed in (
        ("DomainHasCertificate", domain, certificate),
        ("CertificateHasDomain", certificate, domain),
    ):
        assert source()["Rules"][rule]["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [given, ""]}]}
        [assertion] = source()["Rules"][rule]["Assertions"]
        assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [needed, ""]}]}


def test_the_api_waits_until_the_account_may_write_its_logs() -> None:
    """A stage with an access log is refused in an account without the role (aws-cdk issue 10722)."""
    translated = deployed()["Resources"]
    (api,) = (one for one in translated.values() if one["Type"] == "AWS::ApiGateway::RestApi")
    assert "ApiAccount" in ([api["DependsOn"]] if isinstance(api["DependsOn"], str) else api["DependsOn"])
    (stage,) = (one for one in translated.values() if one["Type"] == "AWS::ApiGateway::Stage")
    assert stage["Properties"]["RestApiId"] == {"Ref": "Api"}, "so it waits with the API"
