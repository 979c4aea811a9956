"""A stack keeps its secrets where they are; the template's default is for new ones."""

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from tests.template.translation import source
from tools.deploy.address import found_values
from tools.deploy.approval import approve_unasked
from tools.deploy.changes import losses, parameter_changes, show_changes
from tools.deploy.deployment import Proposal
from tools.deploy.failure import DeployError
from tools.deploy.parameters import resolve_parameters
from tools.deploy.running_stack import kept_values
from tools.deploy.secret_layout import layout_losses, tell_kept_layout
from tools.deploy.stack import Stack
from tools.deploy.target import Target

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import ResourceChangeTypeDef

TARGET = Target(environment="sandbox", stack="shop", region="r", prefix="shop", chosen={}, given={})
SAYS_THREE = replace(TARGET, chosen={"SecretLayout": "three"})
OUTPUTS = {"ApiUrl": "https://abc.execute-api.ap-southeast-3.amazonaws.com/v1"}
ONE = Stack("shop", "UPDATE_COMPLETE", {"SecretLayout": "one"}, OUTPUTS, {})
THREE = replace(ONE, parameters={"SecretLayout": "three"})
BEFORE_THERE_WAS_A_CHOICE = replace(ONE, parameters={})
BEGUN = Stack("shop", "REVIEW_IN_PROGRESS", {"SecretLayout": "one"}, {}, {})


def layout(target: Target, stack: Stack | None) -> str:
    """The layout with which this would be deployed."""
    return resolve_parameters(source(), target, found_values(target, stack))["SecretLayout"]


@pytest.mark.parametrize("domain", [{}, {"DomainName": "api.shop.example"}])
@pytest.mark.parametrize(
    ("stack", "deployed"),
    [(None, "three"), (BEGUN, "three"), (THREE, "three"), (ONE, "one"), (BEFORE_THERE_WAS_A_CHOICE, "one")],
)
def test_a_new_stack_has_three_and_one_that_stands_keeps_what_it_has(
    stack: Stack | None, deployed: str, domain: dict[str, str]
) -> None:
    assert layout(replace(TARGET, chosen=domain), stack) == deployed


def test_what_somebody_sets_counts() -> None:
    assert [layout(SAYS_THREE, stack) for stack in (None, ONE, THREE)] == ["three"] * 3
    assert layout(replace(SAYS_THREE, given={"SecretLayout": "one"}), THREE) == "one"


def test_the_running_local_stack_keeps_its_layout_too() -> None:
    parameters = dict.fromkeys(source()["Parameters"], "x") | {"SecretLayout": "one"}
    assert kept_values(replace(ONE, parameters=parameters))["SecretLayout"] == "one"


def test_a_stack_that_stays_behind_is_told_so_until_somebody_has_decided() -> None:
    for stack in (ONE, BEFORE_THERE_WAS_A_CHOICE):
        told = tell_kept_layout(TARGET, stack)
        assert told is not None
        assert told.startswith("SecretLayout stays one, as this stack has it")
    assert tell_kept_layout(TARGET, None) is None
    assert tell_kept_layout(TARGET, THREE) is None
    assert tell_kept_layout(SAYS_THREE, ONE) is None


LOSS = (
    "SecretLayout one -> three: functions would read secrets without a value and answer 503; "
    "SecretLayoutChanges=true comes first (docs/operations.md, One secret or three)"
)
BOTH = {"DokuSecretId": "whole", "InboundSecretId": "inbound"}


def test_a_machine_does_not_point_functions_at_secrets_without_a_value() -> None:
    has_one = replace(ONE, outputs={"DokuSecretId": "whole"})
    lost = layout_losses(has_one, {"SecretLayout": "three"})
    assert lost == [LOSS]
    told = {"Action": "Remove", "ResourceType": "AWS::SecretsManager::Secret", "LogicalResourceId": "DokuCredentials"}
    gone = losses([cast("ResourceChangeTypeDef", told)])
    assert gone == ["DokuCredentials goes: what takes its place is empty, unless it was filled before"]
    parameters = parameter_changes(source(), {"SecretLayout": "one"}, {"SecretLayout": "three"}, SAYS_THREE.named)
    lines = show_changes(parameters, [], [*gone, *lost])
    assert lines[0].split() == ["parameter", "SecretLayout", "one", "->", "three"]
    assert [line.split(maxsplit=1) for line in lines[1:]] == [["LOSS", gone[0]], ["LOSS", LOSS]]
    with pytest.raises(DeployError, match="only a person may decide"):
        approve_unasked(Proposal("shop", lines, lost, []))


@pytest.mark.parametrize(
    ("stack", "wanted"),
    [
        (None, {"SecretLayout": "three"}),  # a new one
        (BEGUN, {"SecretLayout": "three"}),  # likewise: nothing of it stands
        (ONE, {"SecretLayout": "one"}),
        (THREE, {"SecretLayout": "three"}),
        (ONE, {"LogLevel": "INFO"}),  # back to a deployment that knew no layouts
        (replace(ONE, outputs=BOTH), {"SecretLayout": "three"}),  # step by step
        (replace(THREE, outputs=BOTH), {"SecretLayout": "one"}),  # and back
    ],
)
def test_who_goes_step_by_step_loses_nothing(stack: Stack | None, wanted: dict[str, str]) -> None:
    assert layout_losses(stack, wanted) == []


def test_the_way_back_finds_an_empty_secret_too() -> None:
    has_three = replace(THREE, outputs={"InboundSecretId": "inbound"})
    for wanted in ({"SecretLayout": "one"}, {"LogLevel": "INFO"}):
        (lost,) = layout_losses(has_three, wanted)
        assert lost.startswith("SecretLayout three -> one: functions would read secrets without a value")
