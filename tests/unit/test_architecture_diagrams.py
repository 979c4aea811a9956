"""The parts, drawn from the template: nobody is left out, and what changes in the template changes in the picture."""

import re

import pytest

from tools.architecture_diagrams import PAGE, TEMPLATE, draw_parts, draw_request, fill_page
from tools.deploy.template import read_template
from tools.local_cloud.checkout import ROOT

WRITTEN = read_template(TEMPLATE)
PARTS = draw_parts(WRITTEN)


def test_the_page_agrees_with_the_template_and_the_states() -> None:
    page = PAGE.read_text()
    assert page == fill_page(page), "docs/architecture.md is out of date: run `make diagrams`"


@pytest.mark.parametrize("function", sorted(file.parent.name for file in ROOT.glob("functions/*/handler.py")))
def test_every_function_is_drawn_once(function: str) -> None:
    assert len(re.findall(rf'["<>]{function}(?=["<])', PARTS)) == 1


@pytest.mark.parametrize(
    "arrow",
    [
        'Merchant(["Merchant\'s backend"]) -- signed, or with an access token --> MerchantCalls',
        "NotificationQueue --> ProcessNotification",
        "Transactions -- stream --> PublishEvents",
        "DOKUCalls --> NotificationQueue",
        "PublishEvents --> EventBus",
        'ResolvePendingClock(("rate(1 minute)")) --> ResolvePending',
        "CollectPayment --> MerchantCalls",
        "AuthoriseCall -- access tokens --> MerchantCalls",
    ],
)
def test_what_leads_where(arrow: str) -> None:
    assert f"\n    {arrow}" in PARTS


def test_a_rule_of_the_bus_is_an_arrow() -> None:
    rule = {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "EventBusName": {"Ref": "EventBus"},
            "Targets": [{"Id": "Any", "Arn": {"Fn::GetAtt": ["NotificationQueue", "Arn"]}}],
        },
    }
    resources = WRITTEN["Resources"]
    assert isinstance(resources, dict)
    assert "EventBus --> NotificationQueue" not in PARTS
    assert "EventBus --> NotificationQueue" in draw_parts({**WRITTEN, "Resources": {**resources, "Any": rule}})


def test_the_requests_states_are_the_tables() -> None:
    picture = draw_request(WRITTEN)
    assert re.findall(r"F-->>M: (.*)", picture) == ["201 OTP_PENDING", "201 FAILED", "202 UNKNOWN"]
    assert "due in 61 s" in picture


def test_a_lost_place_is_noticed() -> None:
    with pytest.raises(ValueError, match="one place for parts"):
        fill_page(PAGE.read_text().replace("<!-- parts: end -->", ""))
