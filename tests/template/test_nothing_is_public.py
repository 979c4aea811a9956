"""No resource of the stack lets strangers in but the routes that are public on purpose (test_api.py)."""

import copy
from collections.abc import Callable

import pytest

from tests.template.public_rules import SERVICES, find_public
from tests.template.translation import Json, resources, translated

GIVEN = {"WebhookUrl": "https://shop.example/webhooks", "DomainName": "api.shop.example", "CertificateArn": "arn"}
SOURCE = translated(**GIVEN)


@pytest.mark.parametrize("mode", ["AWS_IAM", "JWT"])
@pytest.mark.parametrize("sources", ["", "203.0.113.0/24,198.51.100.7"])
def test_nothing_is_open_to_everybody(sources: str, mode: str) -> None:
    assert find_public(translated(**GIVEN, DokuSourceCidrs=sources, AuthMode=mode)) == []


def test_each_service_that_is_let_in_is_there() -> None:
    assert [name for name in SERVICES if name not in str(SOURCE["Resources"])] == []


def topic_statement(template: Json) -> Json:
    (policy,) = resources("AWS::SNS::TopicPolicy", template).values()
    statement: Json = policy["PolicyDocument"]["Statement"][0]
    return statement


def a_topic_for_everybody(template: Json) -> None:
    topic_statement(template)["Principal"] = "*"


def a_topic_for_every_account(template: Json) -> None:
    topic_statement(template)["Principal"] = {"AWS": "*"}


def a_topic_for_all_but_one(template: Json) -> None:
    statement = topic_statement(template)
    statement["NotPrincipal"] = statement.pop("Principal")


def a_topic_for_another_service(template: Json) -> None:
    topic_statement(template)["Principal"]["Service"] = "s3.amazonaws.com"


def a_topic_for_cloudwatch_of_any_account(template: Json) -> None:
    del topic_statement(template)["Condition"]


def a_topic_of_an_account_that_is_written_out(template: Json) -> None:
    topic_statement(template)["Condition"] = {"StringEquals": {"aws:SourceAccount": "*"}}


def a_role_for_everybody(template: Json) -> None:
    role = template["Resources"]["MakePaymentRole"]["Properties"]
    role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": "*"}


def a_function_for_everybody(template: Json) -> None:
    next(iter(resources("AWS::Lambda::Permission", template).values()))["Principal"] = "*"


def a_function_for_any_api(template: Json) -> None:
    del next(iter(resources("AWS::Lambda::Permission", template).values()))["SourceArn"]


def a_function_with_an_address(template: Json) -> None:
    template["Resources"]["Address"] = {"Type": "AWS::Lambda::Url", "Properties": {"AuthType": "NONE"}}


def an_old_tls(template: Json) -> None:
    template["Resources"]["ApiDomain"]["Properties"]["SecurityPolicy"] = "TLS_1_0"


@pytest.mark.parametrize(
    "opened",
    [
        a_topic_for_everybody,
        a_topic_for_every_account,
        a_topic_for_all_but_one,
        a_topic_for_another_service,
        a_topic_for_cloudwatch_of_any_account,
        a_topic_of_an_account_that_is_written_out,
        a_role_for_everybody,
        a_function_for_everybody,
        a_function_for_any_api,
        a_function_with_an_address,
        an_old_tls,
    ],
)
def test_what_is_opened_is_noticed(opened: Callable[[Json], None]) -> None:
    template = copy.deepcopy(SOURCE)
    opened(template)
    assert len(find_public(template)) == 1
