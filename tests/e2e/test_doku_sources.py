"""DOKU's routes shut to everybody but some addresses, as the deployed API does it; nothing else changes by it.

The emulator evaluates policies for methods without authorisation and for signed calls, by AWS's rules; what AWS's
documentation says of all routes and modes is asked by tests/template/test_api_policy.py.
"""

import pytest

from direct_debit.entrypoint.route_groups import ROUTES_OF, RouteGroup
from tests.e2e.api_beside import address_of, api_beside
from tests.e2e.test_access_tokens import call, opened, user_with, with_token
from tools.deploy.public_routes import ROUTES, ask_routes
from tools.local_cloud.caller import ApiCaller
from tools.local_cloud.stack import LocalStack

pytestmark = pytest.mark.e2e

HERE, ELSEWHERE = "203.0.113.7,127.0.0.0/8", "203.0.113.0/24"


@pytest.mark.parametrize("mode", ["AWS_IAM", "JWT"])
def test_who_is_not_doku_is_refused_there_and_as_before_elsewhere(stack: LocalStack, mode: str) -> None:
    name = f"doku-elsewhere-{mode.replace('_', '-')}"
    with api_beside(stack, name, AuthMode=mode, DokuSourceCidrs=ELSEWHERE) as api_id:
        address = address_of(stack, api_id)
        if mode == "JWT":
            caller = with_token(stack, address, stack.issuer.token(f"direct-debit/{RouteGroup.READ}"))
        else:
            key = user_with(stack, RouteGroup.READ, api_id, "reads-beside-shut-doors")
            caller = ApiCaller(address, stack.cloud.region, key)
        stranger = ApiCaller(address, stack.cloud.region, None)
        for route in ROUTES:
            for one in (stranger, caller):
                answer = one.call("POST", route, {})
                assert (answer.status, answer.body["type"]) == (403, "/problems/access-denied")
        assert [one.shut for one in ask_routes(address, only_sources=True)] == [True] * len(ROUTES)
        # A reader reads, and the policy gives nobody more; a browser gets its pages.
        assert opened(caller) == set(ROUTES_OF[RouteGroup.READ])
        assert opened(stranger) == set()
        assert call(stranger, "GET", "/problems/{slug}") == 404
        # The function's own: a state has another form.
        assert call(stranger, "GET", "/bindings/return/{state}/success") == 422


def test_an_address_that_is_named_is_heard(stack: LocalStack) -> None:
    with api_beside(stack, "doku-is-here", DokuSourceCidrs=HERE) as api_id:
        answers = ask_routes(address_of(stack, api_id), only_sources=True)
        assert [(one.problem, one.shut) for one in answers] == [(None, False)] * len(ROUTES)
