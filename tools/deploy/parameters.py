"""The value of each parameter of a deployment, and where it comes from."""

from collections.abc import Mapping

from tools.deploy.target import Target
from tools.deploy.template import Node, parameter_definitions

# The template's own answer to a bare `sam deploy` (docs/decisions/0029).
DEPLOYED_BY = "DeployedByMakeDeploy"


def resolve_parameters(template: Node, target: Target, found: Mapping[str, str]) -> dict[str, str]:
    """Return every parameter's value: the template's default, what was found out (`found`), the file, the command."""
    defaults = {
        name: str(definition["Default"])
        for name, definition in parameter_definitions(template).items()
        if "Default" in definition
    }
    return defaults | {DEPLOYED_BY: "true"} | dict(found) | dict(target.named)
