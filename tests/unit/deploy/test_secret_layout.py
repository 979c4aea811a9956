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
from tools.deploy.secret_layout import tell_kept_layout
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


def test_a_machine_does_not_take_the_secret_of_a_stack_away() -> None:
    """What is said where somebody names another layout, and goes no step before."""
    told = {"Action": "Remove", "ResourceType": "AWS::SecretsManager::Secret", "LogicalResourceId": "DokuCredentials"}
    changes = [cast("ResourceChangeTypeDef", told)]
    loss = "DokuCredentials goes: what takes its place is empty, unless it was filled before"
    assert losses(changes) == [loss]
    parameters = parameter_changes(source(), {"SecretLayout": "one"}, {"SecretLayout": "three"}, SAYS_THREE.named)
    lines = show_changes(parameters, changes)
    assert lines[0].split() == ["parameter", "SecretLayout", "one", "->", "three"]
    assert lines[-1].split(maxsplit=1) == ["LOSS", loss]
    with pytest.raises(DeployError, match="only a person may decide"):
        approve_unasked(Proposal("shop", lines, losses(changes), []))
