"""Nothing of the template is more, or longer, than AWS takes: a deployment that fails on it has begun already."""

import copy
from collections.abc import Callable

import pytest

from tests.aws_rules.template_quotas import find_beyond
from tests.template.translation import Json, translated


@pytest.mark.parametrize("sources", ["", ",".join(["203.0.113.7/32"] * 68)], ids=["no addresses", "as many as fit"])
def test_the_template_is_within_the_quotas(sources: str) -> None:
    assert list(find_beyond(translated(DokuSourceCidrs=sources))) == []


def longer(resource: str, *path: str) -> Callable[[Json], None]:
    def plant(template: Json) -> None:
        properties = template["Resources"][resource]["Properties"]
        for name in path[:-1]:
            properties = properties[name]
        properties[path[-1]] = "x" * 11_000

    return plant


def wide_role(template: Json) -> None:
    (policy,) = template["Resources"]["BindAccountRole"]["Properties"]["Policies"]
    policy["PolicyDocument"]["Statement"] *= 5


def many(section: str, count: int) -> Callable[[Json], None]:
    def plant(template: Json) -> None:
        template[section] |= {f"More{number}": {"Type": "AWS::SNS::Topic"} for number in range(count)}

    return plant


@pytest.mark.parametrize(
    ("plant", "told"),
    [
        (longer("MakePayment", "Description"), "MakePayment: 11000"),
        (longer("NewsLateAlarm", "AlarmDescription"), "NewsLateAlarm: 11000"),
        (longer("FunctionBoundary", "PolicyDocument", "Version"), "FunctionBoundary: "),
        (longer("Api", "Body", "x-amazon-apigateway-policy", "Version"), "Api: "),
        (wide_role, "BindAccountRole: "),
        (many("Parameters", 200), "Parameters: "),
        (many("Outputs", 200), "Outputs: "),
        (many("Resources", 500), "Resources: "),
        (many("Resources", 25_000), "the template: "),
        (lambda template: template.update(Description="x" * 1025), "its description"),
    ],
)
def test_what_is_beyond_is_found(plant: Callable[[Json], None], told: str) -> None:
    template = copy.deepcopy(translated())
    plant(template)
    assert any(fault.startswith(told) for fault in find_beyond(template))
