"""The API as a shop outside AWS calls it: an access token of the issuer, and each group of rights opens its routes.

The stack's own API takes signatures; this one is made from the same template with AuthMode JWT, beside it, over the
same functions. The rights that docs/policies give are tried at the stack's own.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from direct_debit.entrypoint.route_groups import ROUTES_OF, RouteGroup
from direct_debit_client import Bearer, Client, NotAllowed, NotFound
from tests.e2e.api_beside import address_of, api_beside
from tests.patience import PATIENCE_SECONDS
from tools.local_cloud.caller import AccessKey, ApiCaller
from tools.local_cloud.issuer import SCOPES, new_signing_key
from tools.local_cloud.stack import LocalStack

pytestmark = pytest.mark.e2e

NAME = "access-tokens"
POLICIES = Path(__file__).parents[2] / "docs" / "policies"
MERCHANT = [route for routes in ROUTES_OF.values() for route in routes]


@pytest.fixture(scope="module")
def token_api(stack: LocalStack) -> Iterator[str]:
    """The address of an API for access tokens."""
    with api_beside(stack, NAME, AuthMode="JWT") as api_id:
        yield address_of(stack, api_id)


def with_token(stack: LocalStack, address: str, token: str) -> ApiCaller:
    """A caller with one token."""
    return ApiCaller(address, stack.cloud.region, None, token=lambda: token)


def call(caller: ApiCaller, method: str, path: str) -> int:
    """Call a route for something that is not there; 403 and 401 are the gateway's, all else the function's."""
    return caller.call(method, re.sub(r"\{\w+\}", "unknown", path), {} if method == "POST" else None).status


def opened(caller: ApiCaller) -> set[tuple[str, str]]:
    """The merchant routes that answer a caller by their functions."""
    return {route for route in MERCHANT if call(caller, *route) not in {401, 403}}


def user_with(stack: LocalStack, group: RouteGroup, api_id: str, name: str) -> AccessKey:
    """The key of a new user who has the documents' policy of one group, on one API."""
    account = stack.outputs["BindAccountAlias"].split(":")[4]
    text = (POLICIES / f"{group}.json").read_text()
    for word, value in (("REGION", stack.cloud.region), ("ACCOUNT", account), ("API_ID", api_id)):
        text = text.replace(word, value)
    iam = stack.cloud.iam()
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName=group, PolicyDocument=text)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return AccessKey(key["AccessKeyId"], key["SecretAccessKey"])


@pytest.mark.parametrize("group", RouteGroup)
def test_a_scope_opens_the_routes_of_its_group_and_no_other(
    stack: LocalStack, token_api: str, group: RouteGroup
) -> None:
    """With one token, whose first answer API Gateway keeps: so that answer is about every route."""
    caller = with_token(stack, token_api, stack.issuer.token(f"direct-debit/{group}"))
    assert opened(caller) == set(ROUTES_OF[group])


def test_who_brings_no_token_that_counts_is_told_to_get_one(stack: LocalStack, token_api: str) -> None:
    stranger = new_signing_key()
    ended = stack.issuer.token(*SCOPES, claims={"exp": 1})
    of_a_stranger = stack.issuer.token(*SCOPES, key=stranger)
    for caller in (
        ApiCaller(token_api, stack.cloud.region, None),
        ApiCaller(token_api, stack.cloud.region, stack.caller_key),
        with_token(stack, token_api, "none"),
        with_token(stack, token_api, ended),
        with_token(stack, token_api, of_a_stranger),
    ):
        answer = caller.call("GET", "/payments?customerId=unknown")
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.body["type"] == "/problems/access-token-refused"


def test_who_has_no_right_is_told_what_is_missing(stack: LocalStack, token_api: str) -> None:
    answer = with_token(stack, token_api, stack.issuer.token("openid")).call("GET", "/payments?customerId=unknown")
    assert (answer.status, answer.body["type"]) == (403, "/problems/access-denied")
    assert "scope" in answer.body["detail"]


def test_the_issuer_may_change_its_key_while_calls_come(stack: LocalStack, token_api: str) -> None:
    """RSA, then an elliptic curve; a token of before counts on, and one of after at once."""
    before = with_token(stack, token_api, stack.issuer.token(*SCOPES))
    assert call(before, "GET", "/payments/{ref}") == 404
    stack.issuer.rotate(new_signing_key("ES256"))
    after = with_token(stack, token_api, stack.issuer.token(*SCOPES))
    assert [call(one, "GET", "/payments/{ref}") for one in (after, before)] == [404, 404]


def test_the_python_client_calls_with_tokens(stack: LocalStack, token_api: str) -> None:
    """It asks for the token of now at each request, as one has to whose tokens end."""
    asked: list[str] = []

    def token_of_now() -> str:
        asked.append(stack.issuer.token("direct-debit/read"))
        return asked[-1]

    with Client(token_api, auth=Bearer(token_of_now), timeout=httpx.Timeout(PATIENCE_SECONDS)) as client:
        for _ in range(2):
            with pytest.raises(NotFound):
                client.get_payment("unknown")
        with pytest.raises(NotAllowed):
            client.refund_payment("unknown")
    assert len(asked) == len(set(asked)) == 3


def test_public_routes_need_no_token(stack: LocalStack, token_api: str) -> None:
    caller = ApiCaller(token_api, stack.cloud.region, None)
    assert call(caller, "GET", "/problems/{slug}") == 404
    assert "responseCode" in caller.call("POST", "/doku/v1.0/debit/notify", {}).body


@pytest.mark.parametrize("group", RouteGroup)
def test_a_policy_of_the_documents_opens_the_routes_of_its_group_and_no_other(
    stack: LocalStack, group: RouteGroup
) -> None:
    """By signature, at the stack's own API."""
    key = user_with(stack, group, stack.outputs["ApiId"], f"only-{group}")
    assert opened(ApiCaller(stack.api_url, stack.cloud.region, key)) == set(ROUTES_OF[group])
