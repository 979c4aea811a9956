"""The API's policy lets in whom the routes let in anyway; to DOKU's, where addresses are given, only those."""

import copy
import itertools
import json
import re
from collections.abc import Callable
from typing import cast

import pytest

from tests.aws_rules.resource_policies import (
    Call,
    InvalidPolicy,
    Word,
    ask_policy,
    fits_pattern,
    lets_in,
    lets_in_anybody,
    list_resources,
)
from tests.template.public_rules import find_public
from tests.template.routes import PUBLIC, ROUTES
from tests.template.translation import Json, resources, source, translated

SOURCES = "203.0.113.0/24,198.51.100.7"
CHOSEN = ("", SOURCES)
MODES = ("AWS_IAM", "JWT")
OF_DOKU = {route for route in PUBLIC if route[1].startswith("/doku/")}
MERCHANT = sorted(set(ROUTES) - PUBLIC)
FROM_DOKU, AT_THE_EDGE, STRANGER = "198.51.100.7", "203.0.113.255", "198.51.100.8"
WHEREVER = (FROM_DOKU, AT_THE_EDGE, STRANGER, "127.0.0.1")


def read_policy(template: Json) -> Json:
    """The API's policy, as CloudFormation hands it on."""
    (api,) = resources("AWS::ApiGateway::RestApi", template).values()
    return cast("Json", split(api["Body"]["x-amazon-apigateway-policy"]))


def split(value: object) -> object:
    """Do what Fn::Split does."""
    if isinstance(value, list):
        return [split(one) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Fn::Split"}:
        separator, text = value["Fn::Split"]
        return str(text).split(str(separator))
    return {name: split(one) for name, one in value.items()}


def policy(sources: str, mode: str = "AWS_IAM") -> Json:
    return read_policy(translated(DokuSourceCidrs=sources, AuthMode=mode))


def path_of(template: str, *values: str) -> str:
    """A route's path with these values (or some) in its places."""
    given = itertools.chain(values, itertools.repeat("3f2a"))
    return re.sub(r"{\w+}", lambda _: next(given), template)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sources", CHOSEN)
@pytest.mark.parametrize("route", sorted(PUBLIC - OF_DOKU))
def test_browsers_are_let_in_from_everywhere(route: tuple[str, str], sources: str, mode: str) -> None:
    method, path = route
    for whence in WHEREVER:
        assert lets_in_anybody(policy(sources, mode), Call(method, path_of(path), whence))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("route", sorted(OF_DOKU))
def test_dokus_routes_let_in_everybody_or_only_whom_the_parameter_names(route: tuple[str, str], mode: str) -> None:
    for whence in WHEREVER:
        assert lets_in_anybody(policy("", mode), Call(*route, whence))
    limited = policy(SOURCES, mode)
    assert [whence for whence in WHEREVER if lets_in_anybody(limited, Call(*route, whence))] == [
        FROM_DOKU,
        AT_THE_EDGE,
    ]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sources", CHOSEN)
@pytest.mark.parametrize("route", MERCHANT)
def test_a_merchant_route_is_left_to_the_callers_own_right(route: tuple[str, str], sources: str, mode: str) -> None:
    method, path = route
    for whence in WHEREVER:
        call = Call(method, path_of(path), whence)
        said = policy(sources, mode)
        assert ask_policy(said, call) is Word.NEITHER
        # In the account: as the caller's own policy, or the authoriser, says.
        assert lets_in(said, call, Word.ALLOW)
        assert not lets_in(said, call, Word.NEITHER)
        assert not lets_in(said, call, Word.DENY)
        # Another account's signature: refused, whatever its own policy says; and nobody comes without one.
        assert not lets_in(said, call, Word.ALLOW, of_this_account=False)
        assert not lets_in_anybody(said, call)


@pytest.mark.parametrize("sources", CHOSEN)
def test_no_value_in_a_merchants_path_makes_it_one_that_is_let_in(sources: str) -> None:
    """`*` of a policy goes on over slashes: what is allowed may be no merchant route, whatever stands in its places."""
    allowed = list(list_resources(policy(sources), "Allow"))
    words = {word for pattern in allowed for word in pattern.split("/")} | {"x"}
    values = {word.replace("*", "x") for word in words} - {""}
    for method, path in MERCHANT:
        for given in itertools.product(values, repeat=path.count("{")):
            called = method + path_of(path, *given)
            assert not [pattern for pattern in allowed if fits_pattern(pattern, called)]


@pytest.mark.parametrize("sources", CHOSEN)
def test_the_policy_names_the_public_routes_one_by_one(sources: str) -> None:
    allowed = list(list_resources(policy(sources), "Allow"))
    assert sorted(allowed) == sorted(method + re.sub(r"{\w+}", "*", path) for method, path in PUBLIC)
    assert list(list_resources(policy(sources), "Deny")) == []


def test_the_policys_stage_is_the_apis() -> None:
    (stage,) = resources("AWS::ApiGateway::Stage").values()
    assert stage["StageName"] == Call("GET", "/", STRANGER).stage


def test_it_is_another_deployment_of_the_api_when_the_addresses_change() -> None:
    """What is deployed has the policy of its own moment: without a new deployment, a change would count for nothing."""
    names = [
        name
        for sources in ("", SOURCES, "203.0.113.0/24")
        for name in resources("AWS::ApiGateway::Deployment", translated(DokuSourceCidrs=sources))
    ]
    assert len(set(names)) == len(names) == 3


def test_the_policy_is_no_property_beside_the_body() -> None:
    """One that CloudFormation sets beside the body makes no new deployment."""
    (api,) = resources("AWS::ApiGateway::RestApi").values()
    assert "Policy" not in api


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("", True),
        ("203.0.113.7", True),
        ("203.0.113.7/32", True),
        ("10.0.0.0/8", True),
        (SOURCES, True),
        ("0.0.0.0/0", False),
        ("203.0.113.0/2", False),
        ("203.0.113.0/33", False),
        ("203.0.113.256", False),
        ("203.0.113", False),
        ("203.0.113.07", False),
        ("203.0.113.7, 203.0.113.8", False),
        ("203.0.113.7,", False),
        ("2001:db8::/32", False),
        ("api.doku.com", False),
    ],
)
def test_what_is_no_range_is_refused_at_the_deployment(value: str, taken: bool) -> None:
    pattern = source()["Parameters"]["DokuSourceCidrs"]["AllowedPattern"]
    assert (re.fullmatch(pattern, value, re.ASCII) is not None) == taken


# --- what would be noticed -------------------------------------------------------------------------------------------


def statements(template: Json) -> list[Json]:
    (api,) = resources("AWS::ApiGateway::RestApi", template).values()
    found: list[Json] = api["Body"]["x-amazon-apigateway-policy"]["Statement"]
    return found


def everything(template: Json) -> None:
    statements(template)[0]["Resource"] = "execute-api:/*"


def one_merchant_route(template: Json) -> None:
    statements(template)[0]["Resource"].append("execute-api:/v1/POST/payments/*/refund")


def every_return(template: Json) -> None:
    # GET /bindings/{id} and /bindings/{id}/balance would be among them.
    statements(template)[0]["Resource"][0] = "execute-api:/v1/GET/bindings/*"


def every_method(template: Json) -> None:
    statements(template)[0]["Resource"][0] = "execute-api:/v1/*/bindings/return/*/*"


def every_stage(template: Json) -> None:
    statements(template)[1]["Resource"] = "execute-api:/*/POST/doku/v1.0/debit/notify"


def another_account(template: Json) -> None:
    statements(template)[0]["Principal"] = {"AWS": "arn:aws:iam::210987654321:root"}


def all_but_some(template: Json) -> None:
    statement = statements(template)[0]
    statement["NotResource"] = statement.pop("Resource")


def beside_the_body(template: Json) -> None:
    (api,) = resources("AWS::ApiGateway::RestApi", template).values()
    wide = copy.deepcopy(statements(template)[0]) | {"Resource": "execute-api:/*"}
    api["Policy"] = {"Version": "2012-10-17", "Statement": [wide]}


@pytest.mark.parametrize("sources", CHOSEN)
@pytest.mark.parametrize(
    "widen",
    [
        everything,
        one_merchant_route,
        every_return,
        every_method,
        every_stage,
        another_account,
        all_but_some,
        beside_the_body,
    ],
)
def test_a_wider_policy_is_noticed(widen: Callable[[Json], None], sources: str) -> None:
    template = copy.deepcopy(translated(DokuSourceCidrs=sources))
    assert find_public(template) == []
    widen(template)
    assert len(find_public(template)) == 1


def test_the_rules_are_those_of_the_documentation() -> None:
    """Tables A (within the account) and B (another one) of API Gateway's guide, and a policy alone."""
    call = Call("GET", "/x", STRANGER)
    allow, deny, silent = (
        {"Statement": [statement]}
        for statement in (
            {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/v1/*"},
            {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "execute-api:*", "Resource": ["execute-api:/*"]},
            {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/v1/POST/*"},
        )
    )
    table = {
        (caller, name): (lets_in(said, call, caller), lets_in(said, call, caller, of_this_account=False))
        for caller in Word
        for name, said in (("allow", allow), ("silent", silent), ("deny", deny))
    }
    assert {key for key, (here, _) in table.items() if here} == {
        (Word.ALLOW, "allow"),
        (Word.ALLOW, "silent"),
        (Word.NEITHER, "allow"),
    }
    assert {key for key, (_, elsewhere) in table.items() if elsewhere} == {(Word.ALLOW, "allow")}
    assert [lets_in_anybody(said, call) for said in (None, allow, silent, deny)] == [True, True, False, False]
    both = {"Statement": [*allow["Statement"], *deny["Statement"]]}
    assert ask_policy(both, call) is Word.DENY


@pytest.mark.parametrize(
    "part",
    [
        {"NotResource": "execute-api:/*"},
        {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}},
        {"Condition": {"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}}},
        {"Principal": {"Service": "apigateway.amazonaws.com"}},
        {"Effect": "allow"},
    ],
    ids=json.dumps,
)
def test_what_the_rules_do_not_know_is_not_guessed(part: Json) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    with pytest.raises(InvalidPolicy):
        ask_policy({"Statement": [statement | part]}, Call("GET", "/x", STRANGER))
