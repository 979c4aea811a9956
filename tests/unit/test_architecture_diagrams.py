"""The parts, drawn from the template: nobody is left out, and what changes in the template changes in the picture."""

import re

import pytest

from tools.architecture_diagrams import PAGE, TEMPLATE, draw_parts, draw_request, fill_page
from tools.deploy.template import read_template
from tools.local_cloud.checkout import ROOT


def test_the_page_agrees_with_the_template_and_the_states() -> None:
    page = PAGE.read_text()
    assert page == fill_page(page), "docs/architecture.md is out of date: run `make diagrams`"


@pytest.mark.parametrize("function", sorted(file.parent.name for file in ROOT.glob("functions/*/handler.py")))
def test_every_function_is_drawn_once(function: str) -> None:
    picture = draw_parts(read_template(TEMPLATE))
    assert len(re.findall(rf'["<>]{function}(?=["<])', picture)) == 1


@pytest.mark.parametrize(
    "arrow",
    [
        'Merchant(["Merchant\'s backend"]) -- signed with IAM --> MerchantCalls',
        "NotificationQueue --> ProcessNotification",
        "Transactions -- stream --> PublishEvents",
        "DOKUCalls --> NotificationQueue",
        "PublishEvents --> EventBus",
        'ResolvePendingClock(("rate(1 minute)")) --> ResolvePending',
        "CollectPayment --> MerchantCalls",
    ],
)
def test_what_leads_where(arrow: str) -> None:
    assert f"\n    {arrow}" in draw_parts(read_template(TEMPLATE))


def test_a_rule_of_the_bus_is_an_arrow() -> None:
    rule = {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "EventBusName": {"Ref": "EventBus"},
            "Targets": [{"Id": "Any", "Arn": {"Fn::GetAtt": ["NotificationQueue", "Arn"]}}],
        },
    }
    template = read_template(TEMPLATE)
    resources = template["Resources"]
    assert isinstance(resources, dict)
    assert "EventBus --> NotificationQueue" not in draw_parts(template)
    assert "EventBus --> NotificationQueue" in draw_parts({**template, "Resources": {**resources, "Any": rule}})


def test_the_requests_states_are_the_tables() -> None:
    picture = draw_request(read_template(TEMPLATE))
    assert re.findall(r"F-->>M: (.*)", picture) == ["201 OTP_PENDING", "201 FAILED", "202 UNKNOWN"]
    assert "due in 61 s" in picture


def test_a_lost_place_is_noticed() -> None:
    with pytest.raises(ValueError, match="one place for parts"):
        fill_page(PAGE.read_text().replace("<!-- parts: end -->", ""))
