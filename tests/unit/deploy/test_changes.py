"""What a person is shown before anything happens, and what a machine may not decide."""

from typing import TYPE_CHECKING, cast

import pytest

from tests.template.translation import source
from tools.deploy.approval import approve, approve_unasked
from tools.deploy.changes import ParameterChange, losses, parameter_changes, show_changes
from tools.deploy.deployment import Proposal
from tools.deploy.failure import DeployError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import ResourceChangeTypeDef


def change(action: str, kind: str, name: str, replacement: str = "False") -> "ResourceChangeTypeDef":
    """A change as CloudFormation describes it."""
    told = {"Action": action, "ResourceType": f"AWS::{kind}", "LogicalResourceId": name, "Replacement": replacement}
    return cast("ResourceChangeTypeDef", told)


def test_parameters_that_change_are_told_with_what_they_mean() -> None:
    before = {"LateSuccess": "accept", "LogLevel": "INFO", "AlarmEmail": ""}
    after = {"LateSuccess": "refund", "LogLevel": "DEBUG", "AlarmEmail": "", "ClaimLeaseSeconds": "120"}
    changes = parameter_changes(source(), before, after, named={"LogLevel": "DEBUG"})
    assert changes == [
        ParameterChange("LateSuccess", "accept", "refund", about_money=True, named=False),
        ParameterChange("LogLevel", "INFO", "DEBUG", about_money=False, named=True),
        ParameterChange("ClaimLeaseSeconds", None, "120", about_money=True, named=False),
    ]
    assert show_changes(changes, [], []) == [
        "parameter  LateSuccess        accept -> refund  about money; set neither in samconfig.toml nor in SET",
        "parameter  LogLevel           INFO -> DEBUG",
        "parameter  ClaimLeaseSeconds  (new) -> 120      about money; set neither in samconfig.toml nor in SET",
    ]


@pytest.mark.parametrize(
    ("action", "replacement", "told"),
    [
        ("Modify", "True", ["Bindings is replaced: its records stay in the old table"]),
        ("Modify", "Conditional", ["Bindings is replaced: its records stay in the old table"]),
        ("Remove", "False", ["Bindings goes: its records stay in the old table"]),
        ("Modify", "False", []),
        ("Add", "False", []),
    ],
)
def test_what_would_be_lost_is_said(action: str, replacement: str, told: list[str]) -> None:
    assert losses([change(action, "DynamoDB::Table", "Bindings", replacement)]) == told
    assert losses([change(action, "Lambda::Version", "V1", replacement)]) == []


def test_resources_are_counted_by_what_happens_to_them() -> None:
    changes = [
        *(change("Modify", "Lambda::Function", name, "False") for name in ("MakePayment", "GetPayment")),
        change("Remove", "Lambda::Version", "V1"),
    ]
    assert show_changes([], changes, []) == [
        "modify  Lambda::Function  2",
        "remove  Lambda::Version   1  kept, for going back",
    ]


FALLBACK = ParameterChange("LateSuccess", "accept", "refund", about_money=True, named=False)


def proposal(*, loss: bool = False, fallback: bool = False) -> Proposal:
    return Proposal("shop", ["modify  Lambda::Function  2"], ["all"] if loss else [], [FALLBACK] if fallback else [])


def test_a_machine_deploys_what_loses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert approve_unasked(proposal())
    assert "Lambda::Function" in capsys.readouterr().out


def test_a_machine_does_not_decide_about_losses_nor_take_back_a_choice_about_money() -> None:
    with pytest.raises(DeployError, match="only a person may decide"):
        approve_unasked(proposal(loss=True))
    with pytest.raises(DeployError, match="LateSuccess=accept"):
        approve_unasked(proposal(fallback=True))


@pytest.mark.parametrize(
    ("loss", "typed", "goes_on"),
    [(False, "y", True), (False, "yes", True), (False, "", False), (True, "y", False), (True, "shop", True)],
)
def test_a_person_is_asked_once(monkeypatch: pytest.MonkeyPatch, typed: str, *, loss: bool, goes_on: bool) -> None:
    monkeypatch.setattr("builtins.input", lambda _: typed)
    assert approve(proposal(loss=loss, fallback=True)) is goes_on


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    with pytest.raises(DeployError, match="YES=1"):
        approve(proposal())
