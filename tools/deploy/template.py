"""The template as data: what it says about its parameters, its functions, and the names it gives."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

type Json = object
type Node = Mapping[str, Json]

FUNCTION = "AWS::Serverless::Function"
_NAME_IN_SUB = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")


def read_template(path: Path) -> Node:
    """Read a template as SAM writes it out: tags in their long form, and what has an anchor at each of its places."""
    return node(json.loads(json.dumps(yaml_parse(path.read_text("utf-8")))))


def node(value: Json) -> Node:
    """The value as a mapping; an empty one where it is none."""
    return value if isinstance(value, dict) else {}


def member(value: Json, *path: str) -> Node:
    """The mapping that lies at `path` below the value; an empty one where there is none."""
    for name in path:
        value = node(value).get(name)
    return node(value)


def parameter_definitions(template: Node) -> dict[str, Node]:
    """Name of each parameter, and its definition."""
    return {name: node(definition) for name, definition in member(template, "Parameters").items()}


def grouped_parameters(template: Node) -> dict[str, list[str]]:
    """The parameters by the label of their group, as the console shows them."""
    interface = member(template, "Metadata", "AWS::CloudFormation::Interface").get("ParameterGroups")
    groups = interface if isinstance(interface, list) else []
    return {
        str(member(group, "Label").get("default")): [str(name) for name in names]
        for group in groups
        if isinstance(names := node(group).get("Parameters"), list)
    }


def functions(template: Node) -> dict[str, Node]:
    """Logical id of each function, and its properties as they are with the shared ones."""
    shared = member(template, "Globals", "Function")
    return {
        name: _merged(shared, member(resource, "Properties"))
        for name, resource in member(template, "Resources").items()
        if node(resource).get("Type") == FUNCTION
    }


def deployed_functions(template: Node, values: Mapping[str, str]) -> dict[str, Node]:
    """`functions` without those that are not deployed: their condition wants a parameter that is empty."""
    return {
        name: properties
        for name, properties in functions(template).items()
        if all(values.get(parameter) for parameter in _wanted(template, name))
    }


def _wanted(template: Node, name: str) -> Iterator[str]:
    """The parameters without which a resource is not deployed: its condition is that one is not empty."""
    condition = member(template, "Resources", name).get("Condition")
    definition = member(template, "Conditions", condition) if isinstance(condition, str) else {}
    compared = definition.get("Fn::Not")
    for equals in compared if isinstance(compared, list) else []:
        sides = node(equals).get("Fn::Equals")
        if isinstance(sides, list) and sides[1:] == [""]:
            yield str(node(sides[0]).get("Ref"))


def variables(properties: Node) -> Node:
    """The variables of a function's environment, unresolved."""
    return member(properties, "Environment", "Variables")


def parameters_used(template: Node, value: Json) -> set[str]:
    """The parameters on which a part of the template depends: by Ref, by Sub, or through a condition."""
    names = set(_names(value))
    conditions = member(template, "Conditions")
    used = names & set(member(template, "Parameters"))
    for condition in names & set(conditions):
        used |= parameters_used(template, conditions[condition])
    return used


def _names(value: Json) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _names(one)
    for key, inner in node(value).items():
        if key in {"Ref", "Condition"} and isinstance(inner, str):
            yield inner
        elif key == "Fn::If" and isinstance(inner, list) and inner:
            yield str(inner[0])
            yield from _names(inner[1:])
        elif key == "Fn::Sub":
            text = inner[0] if isinstance(inner, list) else inner
            yield from _NAME_IN_SUB.findall(str(text))
            yield from _names(inner)
        else:
            yield from _names(inner)


def _merged(shared: Node, own: Node) -> Node:
    """What SAM makes of shared and own properties: mappings are merged, everything else is replaced."""
    both = {
        name: _merged(node(shared[name]), node(own[name]))
        for name in shared.keys() & own.keys()
        if isinstance(shared[name], dict) and isinstance(own[name], dict)
    }
    return {**shared, **own, **both}
