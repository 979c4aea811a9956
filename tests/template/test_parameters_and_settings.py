"""What the template lets through, the functions take: a mistake shows at the deployment, not in the first request."""

import re

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from direct_debit.adapters.aws.botocore_clients import BotocoreClients
from direct_debit.entrypoint.authoriser_settings import read_authoriser_environment
from direct_debit.entrypoint.container import build
from direct_debit.entrypoint.settings import ConfigurationError, read_environment
from doku_snap.ties import TIED_PATHS
from tests.fakes.environment import ACCESS_TOKENS, COMPLETE
from tests.template.translation import source

# The parameters of which both have a definition, and the variable that carries each.
CHECKED_TWICE = {
    "PublicBaseUrl": "PUBLIC_BASE_URL",
    "ProblemTypeBase": "PROBLEM_TYPE_BASE",
    "DokuBaseUrl": "DOKU_BASE_URL",
    "DefaultSuccessUrl": "DEFAULT_SUCCESS_URL",
    "DefaultFailedUrl": "DEFAULT_FAILED_URL",
    "DokuChannelId": "DOKU_CHANNEL_ID",
    "DokuOtpField": "DOKU_OTP_FIELD",
    "DokuOtpPaymentValue": "DOKU_OTP_PAYMENT_VALUE",
    "DokuOtpUnbindValue": "DOKU_OTP_UNBIND_VALUE",
    "DokuUntiedFields": "DOKU_UNTIED_FIELDS",
    "JwtIssuer": "JWT_ISSUER",
    "JwtAudience": "JWT_AUDIENCE",
    "JwtJwksUrl": "JWT_JWKS_URL",
    "JwtScopePrefix": "JWT_SCOPE_PREFIX",
}
# Empty they are for a deployment without access tokens: a rule asks for them where there are some.
NEEDED_WITH_TOKENS = {"JwtIssuer", "JwtAudience", "JwtJwksUrl"}
_HIGHEST_PORT = 65535
_CLIENTS = BotocoreClients(
    boto3.Session(region_name="r", aws_access_key_id="-", aws_secret_access_key="-").client
)  # asks nobody


def lets_through(parameter: str, value: str) -> bool:
    """What CloudFormation does with a value."""
    definition = source()["Parameters"][parameter]
    fits = re.fullmatch(definition["AllowedPattern"], value, re.ASCII) is not None
    return fits and len(value) <= definition.get("MaxLength", 4096)


def is_taken(variable: str, value: str) -> bool:
    """What a function does with it while it starts."""
    try:
        if variable.startswith("JWT_"):
            read_authoriser_environment({**ACCESS_TOKENS, variable: value})
        else:
            build(read_environment({**COMPLETE, variable: value}), _CLIENTS)
    except ConfigurationError:
        return False
    return True


@pytest.mark.parametrize("parameter", CHECKED_TWICE)
def test_what_the_template_lets_through_is_taken(parameter: str) -> None:
    pattern = re.compile(source()["Parameters"][parameter]["AllowedPattern"], re.ASCII)

    @settings(max_examples=150)
    @given(st.from_regex(pattern, fullmatch=True))
    def search(value: str) -> None:
        ports = [int(port) for port in re.findall(r"^https?://[^/?#]*:(\d+)", value, re.IGNORECASE)]
        if not value and parameter in NEEDED_WITH_TOKENS:
            assert not is_taken(CHECKED_TWICE[parameter], value)
        elif lets_through(parameter, value) and all(port <= _HIGHEST_PORT for port in ports):
            assert is_taken(CHECKED_TWICE[parameter], value)

    search()


WRONG_PAGES = [
    "https://shop.example/a page",
    "https://m\u00fcller.example/paid",
    "https://shop.example/\u0096",
    "https://user@shop.example/paid",
    "https://shop.example\\@evil.example/",
    "https:///paid",
    "http://shop.example/paid",
    "https://shop.example/" + "x" * 2048,
    "javascript:alert(1)",
]


@pytest.mark.parametrize("value", WRONG_PAGES)
@pytest.mark.parametrize("parameter", ["DefaultSuccessUrl", "DefaultFailedUrl"])
def test_a_page_that_no_browser_can_be_sent_to_is_refused_at_the_deployment(parameter: str, value: str) -> None:
    assert not lets_through(parameter, value)
    assert not is_taken(CHECKED_TWICE[parameter], value)


@pytest.mark.parametrize(
    "value",
    [
        "https://shop.example/paid?from=doku#top",
        "HTTPS://shop.example/paid",
        "https://xn--mller-kva.example:8443/paid",
        "http://127.0.0.1:43210/paid",
        "http://localhost:3000",
        "",
    ],
)
def test_a_right_page_is_taken_by_both(value: str) -> None:
    assert lets_through("DefaultSuccessUrl", value)
    assert is_taken("DEFAULT_SUCCESS_URL", value)


def test_the_paths_that_may_be_untied_are_those_that_are_compared() -> None:
    for path in TIED_PATHS:
        assert lets_through("DokuUntiedFields", path)
    assert lets_through("DokuUntiedFields", ",".join(sorted(TIED_PATHS)))
    for wrong in ("latestTransactionStatus", "additionalInfoXcustIdMerchant", "responseCode serviceCode"):
        assert not lets_through("DokuUntiedFields", wrong)
        assert not is_taken("DOKU_UNTIED_FIELDS", wrong)
