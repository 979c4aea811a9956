"""The function that API Gateway asks about access tokens: what it is given, and what it has to answer."""

import io
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import pytest
from jwt import PyJWK

from direct_debit.adapters.access_tokens import Demands
from direct_debit.adapters.issuer_keys import IssuerUnavailable
from direct_debit.application.errors import InvalidRequest
from direct_debit.entrypoint import authoriser as door
from direct_debit.entrypoint.authoriser import Authoriser, Unauthorized, install, open_authoriser
from direct_debit.entrypoint.authoriser_settings import read_authoriser_environment
from direct_debit.entrypoint.observability import Observability
from direct_debit.entrypoint.route_groups import ROUTES_OF, RouteGroup
from direct_debit.entrypoint.settings import ConfigurationError
from tests.fakes.environment import ACCESS_TOKENS
from tools.local_cloud.issuer import AUDIENCE, CLIENT, SCOPES, Issuer

API = "shopapi"
STAGE = f"arn:aws:execute-api:ap-southeast-3:123456789012:{API}/v1"
_NUMBERS = itertools.count()
ISSUER = Issuer(url="https://login.example")


class Published:
    """The issuer's keys, or its outage."""

    def __init__(self) -> None:
        self.away = False

    def find(self, _: str) -> PyJWK:
        """Return the key."""
        if self.away:
            raise IssuerUnavailable
        return PyJWK(dict(ISSUER.publish()["keys"][0]))


class Context:
    """Lambda's."""

    aws_request_id = "r-1"

    def get_remaining_time_in_millis(self) -> int:
        """Time enough."""
        return 10_000


@dataclass(frozen=True)
class Room:
    """The door, what it wrote, and the issuer's keys."""

    written: io.StringIO
    keys: Published

    def ask(self, token: str, called: str = f"{STAGE}/GET/payments/INV-1") -> Mapping[str, Any]:
        """Ask as API Gateway does."""
        event = {"type": "TOKEN", "authorizationToken": token, "methodArn": called}
        return open_authoriser("authorise_call")(event, Context())

    def lines(self) -> list[Mapping[str, Any]]:
        """What was logged and counted."""
        return [json.loads(line) for line in self.written.getvalue().splitlines()]


@pytest.fixture
def room(capsys: pytest.CaptureFixture[str]) -> Iterator[Room]:
    written, keys = io.StringIO(), Published()
    # Powertools has one logger for each name, with the first one's stream.
    name = f"authoriser {next(_NUMBERS)}"
    observability = Observability(service=name, level="INFO", namespace="DirectDebit/x", stream=written)
    demands = Demands(issuer=ISSUER.url, audiences=frozenset({AUDIENCE}), scopes_claim="scope", leeway=60)
    with install(Authoriser(keys, demands, "direct-debit/", observability)):
        yield Room(written, keys)
    counted = capsys.readouterr().out
    assert "eyJ" not in counted + written.getvalue(), "a token was written down"


def allows(answer: Mapping[str, Any], method: str, path: str, stage: str = STAGE) -> bool:
    """Whether a policy lets a call pass, as IAM reads it: a refusal counts more than a permission."""
    called = f"{stage}/{method}{path.replace('{id}', 'b1').replace('{ref}', 'INV-1')}"
    effects = {
        statement["Effect"]
        for statement in answer["policyDocument"]["Statement"]
        if statement["Action"] == "execute-api:Invoke"
        and any(fnmatchcase(called, one) for one in statement["Resource"])
    }
    return effects == {"Allow"}


@pytest.mark.parametrize("group", RouteGroup)
def test_the_answer_is_about_all_routes_whichever_was_called(room: Room, group: RouteGroup) -> None:
    token = f"Bearer {ISSUER.token(f'direct-debit/{group}')}"
    answers = [
        room.ask(token, f"{STAGE}/{called}") for called in ("GET/payments", "DELETE/bindings/x", "POST/payments")
    ]
    assert answers[0] == answers[1] == answers[2]
    opened = {route for routes in ROUTES_OF.values() for route in routes if allows(answers[0], *route)}
    assert opened == set(ROUTES_OF[group])
    assert answers[0]["principalId"] == CLIENT


def test_all_scopes_open_all_merchant_routes_of_this_api_and_stage_only(room: Room) -> None:
    answer = room.ask(f"Bearer {ISSUER.token(*SCOPES)}")
    assert all(allows(answer, *route) for routes in ROUTES_OF.values() for route in routes)
    for other in (STAGE.replace("/v1", "/v2"), STAGE.replace(API, "another"), STAGE.replace("1234", "4321")):
        assert not any(allows(answer, *route, stage=other) for routes in ROUTES_OF.values() for route in routes)


@pytest.mark.parametrize(
    "scopes", [[], ["read"], ["direct-debit/"], ["direct-debit/READ"], ["direct-debit/read2"], ["pay"]]
)
def test_who_has_no_right_is_known_and_refused_everywhere(room: Room, scopes: list[str]) -> None:
    answer = room.ask(f"Bearer {ISSUER.token(*scopes)}")
    assert answer["policyDocument"]["Statement"] == [
        {"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": [f"{STAGE}/*"]}
    ]


def test_the_answer_is_small_enough_for_api_gateway(room: Room) -> None:
    assert len(json.dumps(room.ask(f"Bearer {ISSUER.token(*SCOPES)}"))) < 8000


def test_a_token_that_does_not_count_is_unauthorised_counted_and_its_fault_named(
    room: Room, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Unauthorized) as refusal:
        room.ask(f"Bearer {ISSUER.token(claims={'aud': 'another'})}")
    assert str(refusal.value) == "Unauthorized"  # exactly so: API Gateway makes its 401 of this text only
    assert refusal.value.__suppress_context__
    assert '"AccessTokenRefused":[1' in capsys.readouterr().out.replace(" ", "")
    (line,) = room.lines()
    assert (line["operation"], line["reason"]) == ("authorise_call", "it is for somebody else")


def test_an_issuer_that_is_away_is_no_refusal(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    room.keys.away = True
    with pytest.raises(IssuerUnavailable):
        room.ask(f"Bearer {ISSUER.token(*SCOPES)}")
    assert '"IssuerUnavailable":[1' in capsys.readouterr().out.replace(" ", "")


@pytest.mark.parametrize("event", [{}, {"authorizationToken": 1, "methodArn": STAGE}, {"authorizationToken": "x"}, []])
def test_another_caller_than_api_gateway_is_told_so(event: object) -> None:
    with pytest.raises(InvalidRequest, match="API Gateway"):
        open_authoriser("authorise_call")(event, Context())


def test_it_is_built_from_its_environment_at_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_installed", [])
    event = {"authorizationToken": "Bearer a.b.c", "methodArn": f"{STAGE}/GET/payments"}
    for name in ACCESS_TOKENS:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError, match="JWT_ISSUER is missing"):
        open_authoriser("authorise_call")(event, Context())
    for name, value in ACCESS_TOKENS.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Unauthorized):
        open_authoriser("authorise_call")(event, Context())


def test_the_environment_is_read_to_the_last_slash() -> None:
    environment = read_authoriser_environment({**ACCESS_TOKENS, "JWT_AUDIENCE": "a, b", "JWT_SCOPES_CLAIM": "scp"})
    assert environment.demands == Demands(
        issuer="https://login.example/", audiences=frozenset({"a", "b"}), scopes_claim="scp", leeway=60
    )
    assert (environment.jwks_url, environment.scope_prefix) == ("https://login.example/jwks", "direct-debit/")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JWT_ISSUER", ""),
        ("JWT_ISSUER", "http://login.example"),
        ("JWT_ISSUER", "login.example"),
        ("JWT_AUDIENCE", " "),
        ("JWT_JWKS_URL", ""),
        ("JWT_JWKS_URL", "http://login.example/jwks"),
        ("JWT_JWKS_URL", "file:///etc/passwd"),
        ("JWT_SCOPES_CLAIM", "permissions"),
        ("JWT_LEEWAY_SECONDS", "-1"),
    ],
)
def test_a_wrong_environment_is_named_and_its_value_is_not(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as fault:
        read_authoriser_environment({**ACCESS_TOKENS, name: value})
    assert len(fault.value.problems) == 1
    assert name in str(fault.value)
    assert not value.strip() or value not in str(fault.value)
