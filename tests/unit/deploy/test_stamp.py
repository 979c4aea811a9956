"""A parameter that changes is a change of every function that has its value, and of no other."""

from tools.deploy.stamp import STAMP, stamp_template, stamps
from tools.deploy.template import Node, functions, parameters_used, variables

TEMPLATE: Node = {
    "Parameters": {name: {"Type": "String"} for name in ("Level", "Mode", "Size", "Workers", "Nobodys")},
    "Conditions": {"Fast": {"Fn::Equals": [{"Ref": "Mode"}, "fast"]}, "Both": {"Condition": "Fast"}},
    "Globals": {"Function": {"Environment": {"Variables": {"LEVEL": {"Ref": "Level"}}}}},
    "Resources": {
        "Plain": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "a"}},
        "Sized": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "MemorySize": {"Fn::If": ["Both", {"Fn::Sub": "${Size}"}, 512]},
                "Environment": {"Variables": {"OWN": "1"}},
                "Events": {"Queue": {"Type": "SQS", "Properties": {"Most": {"Ref": "Workers"}}}},
            },
        },
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": {"Ref": "Nobodys"}}},
    },
}
VALUES = {"Level": "INFO", "Mode": "slow", "Size": "1", "Workers": "5", "Nobodys": "0"}


def changed_by(**change: str) -> set[str]:
    before, after = stamps(TEMPLATE, VALUES), stamps(TEMPLATE, {**VALUES, **change})
    return {name for name in before if before[name] != after[name]}


def test_it_changes_where_the_value_is() -> None:
    assert changed_by(Level="DEBUG") == {"Plain", "Sized"}
    assert changed_by(Size="2") == {"Sized"}


def test_it_changes_with_a_condition_that_decides() -> None:
    assert changed_by(Mode="fast") == {"Sized"}


def test_what_no_version_keeps_changes_nothing() -> None:
    assert changed_by(Workers="9") == set()
    assert changed_by(Nobodys="9") == set()
    assert changed_by() == set()


def test_it_stands_in_the_environment_beside_the_others() -> None:
    stamped = functions(stamp_template(TEMPLATE, VALUES))
    assert variables(stamped["Sized"]) == {
        "LEVEL": {"Ref": "Level"},
        "OWN": "1",
        STAMP: stamps(TEMPLATE, VALUES)["Sized"],
    }
    assert STAMP not in variables(functions(TEMPLATE)["Sized"]), "the source stays as it is"


def test_every_way_of_naming_a_parameter_is_found() -> None:
    assert parameters_used(TEMPLATE, {"Fn::Sub": ["${Level} ${Own}", {"Own": {"Ref": "Size"}}]}) == {"Level", "Size"}
    assert parameters_used(TEMPLATE, [{"Fn::Join": ["", [{"Ref": "Mode"}]]}]) == {"Mode"}
    assert parameters_used(TEMPLATE, {"Ref": "Queue"}) == set()
