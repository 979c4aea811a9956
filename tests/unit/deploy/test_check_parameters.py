"""What can not be deployed is told before anything is built, all of it at once."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.template.translation import source
from tools.deploy.check_parameters import check_parameters
from tools.deploy.failure import DeployError
from tools.deploy.parameters import DEPLOYED_BY, resolve_parameters
from tools.deploy.target import Target

SANDBOX = Target(
    environment="sandbox",
    stack="direct-debit-sandbox",
    region="ap-southeast-3",
    prefix="direct-debit",
    chosen={"Environment": "sandbox", "AllowedReturnHosts": "shop.example"},
    given={},
)
FOUND = {"PublicBaseUrl": "https://abc.execute-api.ap-southeast-3.amazonaws.com/v1"}
CERTIFICATE = "arn:aws:acm:ap-southeast-3:123456789012:certificate/1"


def problems(target: Target, found: Mapping[str, str] = FOUND) -> list[str]:
    values = resolve_parameters(source(), target, found)
    try:
        check_parameters(source(), target, values)
    except DeployError as error:
        return [line.removeprefix("  - ") for line in str(error).splitlines()[1:]]
    return []


def given(**parameters: str) -> Target:
    return replace(SANDBOX, given=parameters)


def test_good_ones_pass_and_have_the_templates_defaults() -> None:
    assert problems(SANDBOX) == []
    values = resolve_parameters(source(), SANDBOX, FOUND)
    assert values["LateSuccess"] == "refund"
    assert values[DEPLOYED_BY] == "true"
    assert values.keys() == source()["Parameters"].keys()


def test_what_somebody_sets_comes_before_what_was_found_out() -> None:
    own = "https://api.shop.example/dd"
    assert resolve_parameters(source(), given(PublicBaseUrl=own), FOUND)["PublicBaseUrl"] == own


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"WebhookUrl": "http://127.0.0.1/hooks"}, "WebhookUrl: must be https; plain http is for the local stack"),
        (
            {"WebhookUrl": "https://shop.example/hooks", "WebhookScheduleSeconds": "5,40000"},
            "WEBHOOK_SCHEDULE_SECONDS must have no gap of more than 39600 seconds",
        ),
        ({"LateSucces": "accept"}, "LateSucces: there is no such parameter; LateSuccess?"),
        ({"LateSuccess": "maybe"}, "LateSuccess: must be one of refund, accept, not 'maybe'"),
        ({"WorkerConcurrency": "1"}, "WorkerConcurrency: must be at least 2, not '1'"),
        ({"WorkerConcurrency": "many"}, "WorkerConcurrency: must be a whole number, not 'many'"),
        ({"ClaimLeaseSeconds": "601"}, "ClaimLeaseSeconds: must be at most 600, not '601'"),
        ({"AllowedReturnHosts": "a b"}, "AllowedReturnHosts: must be host names separated by commas, not 'a b'"),
        (
            {"AllowedReturnHosts": "replace-me.example"},
            "AllowedReturnHosts: still says replace-me; put your own value into samconfig.toml",
        ),
        ({"DokuBaseUrl": "http://127.0.0.1:8080"}, "DokuBaseUrl: must be https; plain http is for the local stack"),
        (
            {"DokuBaseUrl": "https://api.doku.com"},
            "DokuBaseUrl: a sandbox speaks to https://api-sandbox.doku.com; at api.doku.com it moves real money",
        ),
        (
            {"DomainName": "api.shop.example", "PublicBaseUrl": "https://api.shop.example"},
            "DomainName and CertificateArn: set both or neither; a domain needs its certificate",
        ),
        (
            {"CertificateArn": CERTIFICATE},
            "DomainName and CertificateArn: set both or neither; a domain needs its certificate",
        ),
        (
            {"DomainName": "api.shop.example", "CertificateArn": CERTIFICATE},
            "PublicBaseUrl: must begin with https://api.shop.example, the address that callers use",
        ),
        ({"Environment": "production"}, "Environment: must be sandbox, the environment that is deployed"),
    ],
)
def test_each_mistake_is_named_with_its_remedy(wrong: dict[str, str], told: str) -> None:
    assert problems(given(**wrong)) == [told]


def test_production_does_not_speak_to_the_sandbox() -> None:
    production = replace(SANDBOX, environment="production", given={"Environment": "production"})
    assert problems(production) == [
        "DokuBaseUrl: production speaks to https://api.doku.com, not to DOKU's sandbox",
    ]


def test_the_local_stack_may_speak_plain_http() -> None:
    local = replace(
        SANDBOX, environment="local", given={"Environment": "local", "DokuBaseUrl": "http://127.0.0.1:8080"}
    )
    assert problems(local) == []


def test_a_parameter_without_a_value() -> None:
    [told] = problems(replace(SANDBOX, chosen={"Environment": "sandbox"}))
    assert told.startswith("AllowedReturnHosts: needs a value; Comma-separated host names")


def test_all_mistakes_are_told_at_once() -> None:
    assert len(problems(given(LateSuccess="x", LogLevel="x", WorkerConcurrency="0"))) == 3


def test_what_the_functions_would_refuse_together_is_told_too() -> None:
    assert problems(given(InquiryScheduleSeconds="30,90")) == [
        "INQUIRY_SCHEDULE_SECONDS must begin no earlier than FIRST_INQUIRY_SECONDS"
    ]


def test_a_stack_name_that_is_too_long_for_the_functions() -> None:
    longest = 64 - len("-receive-payment-notification")
    assert problems(replace(SANDBOX, stack="s" * longest)) == []
    [told] = problems(replace(SANDBOX, stack="s" * (longest + 1)))
    assert told.startswith(f"stack_name: at most {longest} characters")
