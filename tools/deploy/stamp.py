"""A literal that changes when the value of a parameter does, in each function that uses the parameter.

SAM names a function's version after the function's *unresolved* properties: a parameter that changes is no change to
it, so no version is published and the alias stays on the old value (serverless-application-model issue 3820). A literal
in the function's environment is a change. Functions that do not use the parameter keep their literal and their version.
"""

import copy
import hashlib
import json
from collections.abc import Mapping
from typing import cast

from tools.deploy.template import Node, functions, parameters_used

STAMP = "CONFIGURATION"
# What belongs to a function and is no part of its versions: a change of it reaches callers at once.
_NOT_IN_A_VERSION = frozenset(
    {
        *("AutoPublishAlias", "AutoPublishAliasAllProperties", "Events", "EventInvokeConfig", "FunctionName"),
        *("Policies", "RecursiveLoop", "ReservedConcurrentExecutions", "Tags"),
    }
)


def stamp_template(template: Node, values: Mapping[str, str]) -> Node:
    """Return the template with each function's `CONFIGURATION`: a digest of the parameter values that it uses."""
    stamped = cast("dict[str, dict[str, dict[str, dict[str, dict[str, dict[str, str]]]]]]", copy.deepcopy(template))
    for name, digest in stamps(template, values).items():
        properties = stamped["Resources"][name]["Properties"]
        properties.setdefault("Environment", {}).setdefault("Variables", {})[STAMP] = digest
    return stamped


def stamps(template: Node, values: Mapping[str, str]) -> dict[str, str]:
    """The digest of each function by its logical id."""
    return {
        name: _digest({used: values.get(used, "") for used in parameters_in_version(template, properties)})
        for name, properties in functions(template).items()
    }


def parameters_in_version(template: Node, properties: Node) -> set[str]:
    """The parameters whose values a published version of the function keeps."""
    kept = {name: value for name, value in properties.items() if name not in _NOT_IN_A_VERSION}
    return parameters_used(template, kept)


def _digest(values: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
