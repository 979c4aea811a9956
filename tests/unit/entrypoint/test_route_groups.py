"""Each merchant route needs one right, and the patterns of one right match no route of another."""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from direct_debit.entrypoint.route_groups import ROUTES_OF, RouteGroup, group_of, list_resources
from tools.operations import ROUTES

POLICIES = Path(__file__).parents[3] / "docs" / "policies"
MERCHANT = [(route.method, route.path) for route in ROUTES if not route.public]


def test_each_merchant_route_is_in_one_group_and_nothing_else_is() -> None:
    listed = [route for routes in ROUTES_OF.values() for route in routes]
    assert sorted(listed) == sorted(MERCHANT)
    assert all(group_of(route.method, route.path) is None for route in ROUTES if route.public)


def test_reading_is_what_changes_nothing() -> None:
    assert {method for method, _ in ROUTES_OF[RouteGroup.READ]} == {"GET"}
    assert "GET" not in {method for group, routes in ROUTES_OF.items() if group != "read" for method, _ in routes}


# What a caller may write in the place of a parameter, as it may stand in the ARN that IAM compares.
SEGMENT = st.text(st.characters(codec="ascii", exclude_characters="/"), min_size=1, max_size=12) | st.sampled_from(
    ["otp", "refund", "balance", "a%2Fotp", "x%2Frefund", "*", "?", "..", "%2e%2e", "[a-z]"]
)


@given(st.sampled_from(MERCHANT), SEGMENT, st.sampled_from(RouteGroup))
def test_whatever_stands_in_a_path_no_other_right_opens_the_route(
    route: tuple[str, str], segment: str, group: RouteGroup
) -> None:
    method, path = route
    called = method + re.sub(r"\{\w+\}", lambda _: segment, path)
    # IAM's stars match slashes too, as these do; of the other signs of fnmatch the resources have none.
    opened = any(fnmatchcase(called, resource) for resource in list_resources(frozenset({group})))
    assert opened == (group == group_of(method, path))


def test_several_rights_open_the_routes_of_each() -> None:
    assert list_resources(frozenset()) == ()
    both = list_resources(frozenset({RouteGroup.REFUND, RouteGroup.UNLINK}))
    assert both == ("DELETE/bindings/*", "POST/bindings/*/otp", "POST/payments/*/refund")


@pytest.mark.parametrize("group", RouteGroup)
def test_the_policies_of_the_documents_are_these_rights(group: RouteGroup) -> None:
    (statement,) = json.loads((POLICIES / f"{group}.json").read_text())["Statement"]
    assert statement == {
        "Sid": group.capitalize(),
        "Effect": "Allow",
        "Action": "execute-api:Invoke",
        "Resource": [
            f"arn:aws:execute-api:REGION:ACCOUNT:API_ID/v1/{one}" for one in list_resources(frozenset({group}))
        ],
    }, f"docs/policies/{group}.json: give it the routes of the group {group} in entrypoint/route_groups.py"
